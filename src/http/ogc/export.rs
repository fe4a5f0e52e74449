//! Everything that a question finds, as a file. It is written whole before any of it is sent: a file that is cut short
//! looks like one that has fewer minefields.

use std::fs::File;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::Utc;
use futures_util::{Stream, StreamExt as _};

use super::collections::{find, find_for};
use super::items::first_in_order;
use super::question::Question;
use super::reply::{Address, fresh};
use super::source::MOVED;
use crate::auth::permission::ReadRecords;
use crate::export::{self, Document, Format, Layer};
use crate::http::error::{ApiError, ApiResult};
use crate::http::map_access::MapAccess;
use crate::http::ranges::pieces;
use crate::http::state::AppState;
use crate::http::turns::Place;
use crate::model::role::Actor;
use crate::ogc::Unreadable;
use crate::ogc::collection::Source;
use crate::report::book::Basis;

/// How often a file of moving ground is begun.
const TRIES: u32 = 3;
/// After so many seconds it may have come to rest.
const RETRY_SECONDS: u32 = 10;

/// Everything that a question finds, as a file: `f` is geojson (without it), gpkg, shp (in a zip), kml, gpx, csv (with WKT) or xlsx. The
/// questions are those of the items, without pages; `/ogc/api` has them all. Each file says as of which day it is, on
/// which basis, in which reference system, and what no record says.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("f" = Option<String>, Query), ("bbox" = Option<String>, Query), ("datetime" = Option<String>, Query), ("as_of" = Option<String>, Query), ("filter" = Option<String>, Query), ("crs" = Option<String>, Query)), responses((status = 200, content((Object = "application/geo+json"), (Vec<u8> = "application/geopackage+sqlite3"), (Vec<u8> = "application/zip"), (String = "application/vnd.google-earth.kml+xml"), (String = "application/gpx+xml"), (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/ogc/collections/{collection}/export")]
pub(crate) async fn download(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let collection = find(&access, &id)?;
    let address = Address::of(&request, |name| Question::knows(&collection, name))?;
    let question = Question::about_all(address, access.actor, &state, collection).await?;
    let format = format_of(&question)?;
    let (turn, place) = state.turns.take(access.actor.account).await?;
    let (crs, name) = (Layer::axes(question.crs), file_name(&question, format));
    // Whoever goes away while it is written keeps the place until it is.
    let (file, place) = web::block(move || {
        let written = write(&state, question, format);
        drop(turn);
        written.map(|file| (file, place))
    })
    .await??;
    let length = file.metadata().map_err(export::ExportError::from)?.len();
    Ok(fresh(HttpResponse::Ok())
        .content_type(format.media_type())
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("Content-Crs", format!("<{crs}>")))
        // Its length is known as it is; most of them are packed already.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(length, held(pieces(Box::new(file)), place))))
}

/// A stream that gives its place back when it is dropped, read to its end or not.
fn held<S: Stream>(stream: S, place: Place) -> impl Stream<Item = S::Item> {
    stream.map(move |piece| {
        let _held = &place;
        piece
    })
}

/// Writes what somebody's question finds into a file, as the command line asks for it: the parameters are those of the
/// address.
///
/// # Errors
/// As for the address.
pub async fn to_file(
    state: Data<AppState>,
    actor: Actor,
    collection: &str,
    parameters: Vec<(String, String)>,
) -> ApiResult<File> {
    let collection = find_for(actor, collection)?;
    let address = Address::of_parameters(parameters, |name| Question::knows(&collection, name))?;
    let question = Question::about_all(address, actor, &state, collection).await?;
    let format = format_of(&question)?;
    web::block(move || write(&state, question, format)).await?
}

fn format_of(question: &Question) -> ApiResult<Format> {
    let format = match question.address.get("f") {
        None => Format::GeoJson,
        Some(given) => Format::named(given).ok_or_else(|| {
            let names = Format::ALL.map(Format::name).join(", ");
            Unreadable::new("f", format!("`{given}`: one of {names}"))
        })?,
    };
    match format.refusal(&question.collection, question.crs) {
        Some(reason) => Err(Unreadable::new("f", reason).into()),
        None => Ok(format),
    }
}

/// `remaining_2026-11-26_provisional.gpkg`
fn file_name(question: &Question, format: Format) -> String {
    let basis = match question.collection.source {
        Source::Ground(_) if question.basis == Basis::Provisional => "_provisional",
        Source::Records { .. } if question.sight.official_only => "_official",
        _ => "",
    };
    format!("{}_{}{basis}.{}", question.collection.id, question.day, format.extension())
}

/// Writes the file; anew where its ground has moved meanwhile.
fn write(state: &Data<AppState>, mut question: Question, format: Format) -> ApiResult<File> {
    for _ in 0..TRIES {
        question.stand(state)?;
        match write_once(state, &question, format) {
            Err(fault) if fault.is(MOVED) => {}
            done => return done,
        }
    }
    let detail = "the ground is being written to faster than a file of it can be made: ask again";
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).retry_after(RETRY_SECONDS))
}

fn write_once(state: &Data<AppState>, question: &Question, format: Format) -> ApiResult<File> {
    let document = document(state, question)?;
    let layer = Layer::new(question.collection.clone(), question.properties.clone(), document);
    let mut writer = export::begin(format, &layer, &state.spool)?;
    let mut walk = if question.sort.is_empty() {
        question.walk(state, None)?
    } else {
        question.walk_through(first_in_order(state, question)?.0)
    };
    while let Some(features) = question.next(state, &mut walk)? {
        for feature in &features {
            writer.add(feature)?;
        }
    }
    Ok(writer.finish()?)
}

fn document(state: &Data<AppState>, question: &Question) -> ApiResult<Document> {
    let (programme, _) = state.blocking_store().programme()?;
    let collection = &question.collection;
    let seq = match &collection.source {
        // Ground of an earlier day is what is known of it today.
        Source::Ground(_) => state.books.current(state.blocking_store(), |books| books.seq)?,
        Source::Records { .. } => question.at,
    };
    let basis = match &collection.source {
        Source::Ground(_) if question.basis == Basis::Provisional => {
            "provisional: everything that was not rejected"
        }
        Source::Ground(_) => "official: what is finalised",
        Source::Records { .. } if question.sight.official_only => {
            "official: records as they were finalised last, contested ones with the ground of all sides"
        }
        Source::Records { .. } => "records at every stage of the review, as `stage` says of each",
    };
    Ok(Document {
        name: collection.id.clone(),
        title: collection.title.clone(),
        description: collection.description.clone(),
        programme: programme.name,
        constructed: programme.constructed,
        as_of: question.as_of.clone(),
        undrawn: question.undrawn(state)?,
        basis: basis.to_owned(),
        seq,
        made_at: Utc::now(),
        crs: question.crs,
    })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use uuid::Uuid;

    use super::*;
    use crate::http::turns::Turns;

    #[actix_web::test]
    async fn a_file_keeps_its_place_until_its_reader_is_gone() {
        let (turns, reader) = (Turns::default(), Uuid::now_v7());
        let take = async || turns.take(reader).await.map(|(_turn, place)| place);
        let unread: Vec<_> = [take().await.unwrap(), take().await.unwrap()]
            .map(|place| held(stream::iter([1, 2]), place))
            .into();
        assert!(take().await.is_err());
        drop(unread);
        assert!(take().await.is_ok());
    }
}

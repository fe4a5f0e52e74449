//! Records made and changed at a map (OGC API – Features, Part 4). Each edit becomes a mutation through the one door: a
//! draft, for review like any other. What stands finalised stays in the books until the draft has been finalised too.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, LOCATION};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, delete, options, patch, post, put};
use geo::Geometry;
use serde_json::{Value, json};
use uuid::Uuid;

use super::collections::{extent, find, find_for};
use super::item::read_id;
use super::reply::Address;
use crate::auth::permission::{CorrectRecords, ReadRecords};
use crate::http::access::JsonBody;
use crate::http::error::{ApiError, ApiResult};
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::model::Op;
use crate::model::record::Feature;
use crate::model::role::Actor;
use crate::model::schema::{Fault, Registry, Schema};
use crate::ogc::collection::Collection;
use crate::ogc::crs::Crs;
use crate::ogc::edit::{Edit, Manner};
use crate::store::StoreError;
use crate::store::edit::Seen;
use crate::store::feature::Scan;

/// Make a record: a draft of the asker's organisation. With an `id` that is a UUID it is made once, however often it is asked
/// for. `Content-Crs` says in which reference system its positions are.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("Content-Crs" = Option<String>, Header)), request_body(content = inline(NewFeature), content_type = "application/geo+json"), responses((status = 201, description = "`Location`, `ETag`")))]
#[post("/ogc/collections/{collection}/items")]
pub(crate) async fn create(
    access: MapAccess<CorrectRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    collection: Path<String>,
    body: JsonBody<Value>,
) -> ApiResult<HttpResponse> {
    let desk = Desk::open(&access, &request, &state, &collection).await?;
    let edit = desk.edit(Manner::Create, None)?;
    let body = body.read()?;
    let changes = edit.changes(&body).map_err(unprocessable)?;
    // Whoever gives it a UUID may ask again without making it twice.
    let id = body["id"].as_str().and_then(|id| Uuid::parse_str(id).ok()).filter(|id| !id.is_nil());
    let (id, actor, kind) = (id.unwrap_or_else(Uuid::now_v7), access.actor, desk.schema.kind());
    let made = state.store(move |store| Ok(store.create(actor, kind, id, changes))).await?;
    let version = made.map_err(refused)?;
    let location = desk.address.at(&format!("/collections/{}/items/{id}", desk.collection.id));
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).insert_header(tag(version)).finish())
}

/// Replace what a record says. `If-Match` names the version that was read; without it only what is finalised, or the
/// asker's own, can be changed.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header), ("Content-Crs" = Option<String>, Header)), request_body(content = inline(NewFeature), content_type = "application/geo+json"), responses((status = 204, description = "`ETag`")))]
#[put("/ogc/collections/{collection}/items/{id}")]
pub(crate) async fn replace(
    access: MapAccess<CorrectRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<(String, String)>,
    body: JsonBody<Value>,
) -> ApiResult<HttpResponse> {
    change(Manner::Replace, &access, &request, &state, path.into_inner(), body).await
}

/// Change some of what a record says (RFC 7396: `null` empties). `If-Match` as for a replacement.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header), ("Content-Crs" = Option<String>, Header)), request_body(content = inline(NewFeature), content_type = "application/merge-patch+json"), responses((status = 204, description = "`ETag`")))]
#[patch("/ogc/collections/{collection}/items/{id}")]
pub(crate) async fn update(
    access: MapAccess<CorrectRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<(String, String)>,
    body: JsonBody<Value>,
) -> ApiResult<HttpResponse> {
    change(Manner::Update, &access, &request, &state, path.into_inner(), body).await
}

/// Take a record out of use; nothing is ever deleted, and a finalised record stands until that has been finalised too.
/// `If-Match` as for a replacement.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header)), responses((status = 204, description = "`ETag`")))]
#[delete("/ogc/collections/{collection}/items/{id}")]
pub(crate) async fn delete(
    access: MapAccess<CorrectRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let (collection, id) = path.into_inner();
    let desk = Desk::open(&access, &request, &state, &collection).await?;
    let (stands, _) = desk.find(&state, read_id(&id)?).await?;
    must_be_settled(&stands)?;
    let (actor, seen) = (access.actor, Read::of(request.headers()).seen(stands.version)?);
    let done = state.store(move |store| Ok(store.retire(actor, stands.id, seen))).await?;
    let version = done.map_err(refused)?.version.unwrap_or_default();
    Ok(HttpResponse::NoContent().insert_header(tag(version)).finish())
}

/// A feature as it is written.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body, which is read property by property")]
struct NewFeature {
    /// `Feature`
    #[schema(rename = "type")]
    type_: String,
    /// GeoJSON of the collection's type, or null.
    #[schema(value_type = Option<Object>)]
    geometry: Value,
    /// The kind's fields.
    #[schema(value_type = Object)]
    properties: Value,
}

async fn change(
    manner: Manner,
    access: &MapAccess<CorrectRecords>,
    request: &HttpRequest,
    state: &Data<AppState>,
    (collection, id): (String, String),
    body: JsonBody<Value>,
) -> ApiResult<HttpResponse> {
    let desk = Desk::open(access, request, state, &collection).await?;
    desk.edit(manner, None)?;
    let (stands, drawn) = desk.find(state, read_id(&id)?).await?;
    let seen = Read::of(request.headers()).seen(stands.version)?;
    must_be_settled(&stands)?;
    let changes =
        desk.edit(manner, Some((&stands, drawn.as_ref())))?.changes(&body.read()?).map_err(unprocessable)?;
    if changes.is_empty() {
        return Ok(HttpResponse::NoContent().insert_header(tag(stands.version)).finish());
    }
    let (actor, id) = (access.actor, stands.id);
    let done = state.store(move |store| Ok(store.correct(actor, id, seen, changes, None))).await?;
    let version = done.map_err(refused)?.version.unwrap_or_default();
    Ok(HttpResponse::NoContent().insert_header(tag(version)).finish())
}

/// What the map shows of a contested record is not one version of it.
fn must_be_settled(stands: &Feature) -> ApiResult<()> {
    if !stands.contested {
        return Ok(());
    }
    let detail = "two people disagree about this record, and the map shows the ground of both: settle the conflict first";
    Err(ApiError::new(StatusCode::CONFLICT, "contested", detail))
}

/// Where an edit is taken: a collection of records, as its author sees it.
struct Desk {
    address: Address,
    collection: Arc<Collection>,
    schema: &'static Schema,
    actor: Actor,
    content_type: String,
    /// The reference system of the body; nothing where it is none of the collection's.
    crs: Option<Crs>,
}

impl Desk {
    async fn open(
        access: &MapAccess<CorrectRecords>,
        request: &HttpRequest,
        state: &Data<AppState>,
        collection: &str,
    ) -> ApiResult<Self> {
        let collection = find_for(access.actor, collection)?;
        let schema =
            collection.kind().and_then(|kind| Registry::embedded().latest(kind)).ok_or_else(|| {
                let detail = format!("{} is made of the records by the ledger: change those", collection.id);
                ApiError::method("GET, OPTIONS", detail)
            })?;
        access.must_write()?;
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let crs = match header("Content-Crs") {
            None => Some(Crs::default()),
            Some(given) => {
                let offered = Crs::offered(extent(state).await?);
                Crs::parse(given).filter(|crs| offered.contains(crs))
            }
        };
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        Ok(Self {
            address: Address::read(request, |_| false)?,
            collection,
            schema,
            actor: access.actor,
            content_type: content_type.split(';').next().unwrap_or_default().trim().to_lowercase(),
            crs,
        })
    }

    /// How the body is to be read.
    ///
    /// # Errors
    /// 415, 400
    fn edit<'e>(
        &'e self,
        manner: Manner,
        of: Option<(&'e Feature, Option<&'e Geometry<f64>>)>,
    ) -> ApiResult<Edit<'e>> {
        let known: &[&str] = match manner {
            Manner::Update => &["application/merge-patch+json", "application/json", "application/geo+json"],
            _ => &["application/geo+json", "application/json"],
        };
        // A page on another site could send anything else with its reader's password.
        if !known.contains(&self.content_type.as_str()) {
            let detail = format!("`Content-Type` is one of {}", known.join(", "));
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail));
        }
        let crs = self.crs.ok_or_else(|| {
            ApiError::bad_request(
                "content-crs",
                "`Content-Crs` names none of the collection's reference systems",
            )
        })?;
        let (stands, drawn) = (of.map(|(stands, _)| stands), of.and_then(|(_, drawn)| drawn));
        Ok(Edit { manner, collection: &self.collection, schema: self.schema, crs, stands, drawn })
    }

    /// The record as its author sees it, and its geometry as the map draws it.
    async fn find(&self, state: &Data<AppState>, id: Uuid) -> ApiResult<(Feature, Option<Geometry<f64>>)> {
        let sight = self.actor.sight();
        let scan = Scan { collection: Arc::clone(&self.collection), sight, at: 0, bbox: None, batch: 1 };
        let (found, drawn) = state
            .store(move |store| {
                let at = store.head()?.seq;
                // Only what is in the collection can be changed there.
                let drawn = store.find_feature(Scan { at, ..scan }, id)?;
                Ok((store.find_record(id, sight)?, drawn))
            })
            .await?;
        if drawn.properties.get("version") != Some(&json!(found.version)) {
            return Err(moved_on());
        }
        let may = self.actor.may_write(Op::Update, &found.kind, Some(&found.clone().into_record()));
        may.map_err(|detail| ApiError::new(StatusCode::FORBIDDEN, "role", detail))?;
        Ok((found, drawn.geometry))
    }
}

/// The record changed while the edit was being read.
fn moved_on() -> ApiError {
    let detail = "somebody else has changed the record just now: look at it again";
    ApiError::new(StatusCode::CONFLICT, "moved-on", detail)
}

fn tag(version: Uuid) -> (actix_web::http::header::HeaderName, String) {
    (ETAG, format!("\"{version}\""))
}

/// The versions that a client says it has read (`If-Match`).
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// It does not say, or says that any will do.
    Any,
    /// One of these.
    OneOf(Vec<Uuid>),
}

impl Read {
    /// What stands in the header's lines. Whatever else a tag is, it is not the version that stands; a weak one never
    /// matches (RFC 9110 §13.1.1).
    fn of(headers: &HeaderMap) -> Self {
        let lines: Vec<&str> =
            headers.get_all(IF_MATCH).map(|line| line.to_str().unwrap_or_default().trim()).collect();
        match lines[..] {
            [] | ["*"] => Self::Any,
            _ => Self::OneOf(
                lines
                    .iter()
                    .flat_map(|line| line.split(','))
                    .filter_map(|tag| Uuid::parse_str(tag.trim().trim_matches('"')).ok())
                    .collect(),
            ),
        }
    }

    /// What the client has seen of a record that stands at this version.
    ///
    /// # Errors
    /// 412
    fn seen(&self, version: Uuid) -> ApiResult<Seen> {
        match self {
            Self::Any => Ok(Seen::Unknown { read: version }),
            Self::OneOf(versions) if versions.contains(&version) => Ok(Seen::Version(version)),
            Self::OneOf(_) => {
                let detail = format!("the record stands at version {version}: look at it again");
                Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "stale", detail))
            }
        }
    }
}

fn unprocessable(faults: Vec<Fault>) -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "feature",
        "the feature cannot be taken; nothing is stored",
    )
    .with_errors(faults)
}

/// What the door refuses, in the words of HTTP.
fn refused(fault: StoreError) -> ApiError {
    match fault {
        StoreError::Refused { code: "role", detail } => ApiError::new(StatusCode::FORBIDDEN, "role", detail),
        StoreError::NotAccepted { detail, faults } => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "not-accepted", detail).with_errors(faults)
        }
        // The record is there, for others.
        StoreError::NotFound(_) => {
            ApiError::new(StatusCode::CONFLICT, "amended", "somebody else is amending this record")
        }
        other => other.into(),
    }
}

/// What can be done with a collection's features, for whoever asks: QGIS offers what stands in `Allow`.
#[utoipa::path(tag = "ogc", security(()), params(("collection" = String, Path)), responses((status = 200, description = "`Allow`")))]
#[options("/ogc/collections/{collection}/items")]
pub(crate) async fn offer(
    access: ApiResult<MapAccess<ReadRecords>>,
    collection: Path<String>,
) -> HttpResponse {
    let may = access.is_ok_and(|access| may_make(&access, &collection));
    allowed(if may { "GET, POST, OPTIONS" } else { "GET, OPTIONS" })
}

/// What can be done with one feature, for whoever asks.
#[utoipa::path(tag = "ogc", security(()), params(("collection" = String, Path), ("id" = String, Path)), responses((status = 200, description = "`Allow`")))]
#[options("/ogc/collections/{collection}/items/{id}")]
pub(crate) async fn offer_one(
    access: ApiResult<MapAccess<ReadRecords>>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let may = access.is_ok_and(|access| may_make(&access, &path.0));
    allowed(if may { "GET, PUT, PATCH, DELETE, OPTIONS" } else { "GET, OPTIONS" })
}

fn may_make(access: &MapAccess<ReadRecords>, collection: &str) -> bool {
    let found = find(access, collection);
    found.is_ok_and(|collection| collection.kind().is_some_and(|kind| access.may_make(kind)))
}

fn allowed(methods: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((ALLOW, methods)).finish()
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn read(lines: &[&str]) -> Read {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        Read::of(&headers)
    }

    #[test]
    fn tags_stand_in_lists_and_on_lines_and_weak_ones_never_match() {
        let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
        let both = Read::OneOf(vec![one, two]);
        assert_eq!(read(&[&format!("\"{one}\", \"{two}\"")]), both);
        assert_eq!(read(&[&format!("\"{one}\""), &format!("\"{two}\"")]), both);
        assert_eq!(read(&[&format!("W/\"{one}\", \"{two}\"")]), Read::OneOf(vec![two]));
        assert_eq!((read(&[]), read(&["*"])), (Read::Any, Read::Any));
        assert_eq!(both.seen(two).unwrap(), Seen::Version(two));
        assert_eq!(read(&[&format!("W/\"{one}\"")]).seen(one).unwrap_err().status_code(), 412);
        assert_eq!(read(&["\"nonsense\""]).seen(one).unwrap_err().status_code(), 412);
        assert_eq!(Read::Any.seen(one).unwrap(), Seen::Unknown { read: one });
    }
}

//! The features of a collection, page by page. A page is written while it is read: no more of it is in memory than one
//! batch, however long it is.

use std::cmp::Ordering;

use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{SecondsFormat, Utc};
use futures_util::stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::collections::find;
use super::html;
use super::question::Question;
use super::reply::{Format, GEOJSON, JSON, fresh, page};
use super::source::Walk;
use crate::auth::permission::ReadRecords;
use crate::export::Undrawn;
use crate::http::error::ApiResult;
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::model::STATEMENT;
use crate::ogc::feature::{Feature, Form};
use crate::ogc::page::{Cursor, Link};
use crate::ogc::sort;

/// Features of a page that people read.
const ROWS: usize = 100;

/// The features of a collection: `limit`, `bbox`, `datetime`, `as_of`, `filter` (CQL2), `properties`, `sortby`, `crs` and
/// every queryable by its name; `/ogc/api` has them all. Follow `next` for more.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("limit" = Option<u32>, Query), ("bbox" = Option<String>, Query), ("datetime" = Option<String>, Query), ("as_of" = Option<String>, Query), ("filter" = Option<String>, Query), ("f" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/geo+json")))]
#[get("/ogc/collections/{collection}/items")]
pub(crate) async fn list(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let collection = find(&access, &id)?;
    let mut question = Question::about_many(&request, &access, &state, collection).await?;
    let format = question.address.format;
    if format == Format::Html {
        question.limit = question.limit.min(ROWS);
    }
    let crs = question.crs;
    let begun = web::block(move || Page::begin(state, question)).await??;
    let mut response = fresh(HttpResponse::Ok());
    response.insert_header(("Content-Crs", format!("<{crs}>")));
    match format {
        Format::Html => Ok(page(&web::block(move || begun.into_table()).await??)),
        Format::Json => {
            // What fails before anything was sent is told in words; what fails later breaks the answer off.
            let (first, begun) = web::block(move || begun.next_chunk()).await??;
            let rest = stream::try_unfold(begun, |begun| async {
                let Some(begun) = begun else { return Ok::<_, actix_web::Error>(None) };
                let (chunk, begun) = web::block(move || begun.next_chunk()).await??;
                Ok(Some((Bytes::from(chunk), begun)))
            });
            let first = stream::iter([Ok(Bytes::from(first))]);
            Ok(response.content_type(GEOJSON).streaming(futures_util::StreamExt::chain(first, rest)))
        }
    }
}

/// A page on its way out.
struct Page {
    state: Data<AppState>,
    question: Question,
    walk: Walk,
    /// Features on all pages.
    matched: u64,
    returned: usize,
    /// The last feature, and what it was sorted by.
    last: Option<(Uuid, Vec<Value>)>,
    /// Whether another page follows.
    more: bool,
    /// Of the ledger's ground, what cannot be drawn.
    undrawn: Option<Undrawn>,
}

impl Page {
    fn begin(state: Data<AppState>, mut question: Question) -> ApiResult<Self> {
        question.stand(&state)?;
        let known = question.cursor.as_ref().map(|cursor| cursor.matched);
        let (walk, matched) = if question.sort.is_empty() {
            let after = question.cursor.as_ref().map(|cursor| cursor.after);
            let walk = question.walk(&state, after)?;
            (walk, known.map_or_else(|| question.count(&state), Ok)?)
        } else {
            let (ids, counted) = first_in_order(&state, &question)?;
            (question.walk_through(ids), known.unwrap_or(counted))
        };
        let undrawn = question.undrawn(&state)?;
        Ok(Self { state, question, walk, matched, returned: 0, last: None, more: false, undrawn })
    }

    /// The next features of the page; nothing at its end.
    fn next_features(&mut self) -> ApiResult<Option<Vec<Feature>>> {
        while let Some(mut batch) = self.question.next(&self.state, &mut self.walk)? {
            let room = self.question.limit - self.returned;
            if batch.is_empty() {
                continue;
            }
            if room == 0 {
                self.more = true;
                return Ok(None);
            }
            self.more = batch.len() > room;
            batch.truncate(room);
            self.returned += batch.len();
            self.last = batch.last().map(|last| (last.id, sort::key(&self.question.sort, last)));
            return Ok(Some(batch));
        }
        Ok(None)
    }

    /// The next bytes of the page, and the rest of it.
    fn next_chunk(mut self) -> ApiResult<(Vec<u8>, Option<Self>)> {
        let mut out = Vec::new();
        let first = self.returned == 0;
        if first {
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
            let head = format!(
                r#"{{"type":"FeatureCollection","timeStamp":"{now}","numberMatched":{},"features":["#,
                self.matched
            );
            out.extend_from_slice(head.as_bytes());
        }
        let features = if self.more { None } else { self.next_features()? };
        let Some(features) = features else {
            self.write_end(&mut out);
            return Ok((out, None));
        };
        let form =
            Form::new(&self.question.collection, self.question.properties.as_deref(), self.question.crs);
        for (index, feature) in features.iter().enumerate() {
            if index > 0 || !first {
                out.push(b',');
            }
            form.write(&mut out, feature);
        }
        Ok((out, Some(self)))
    }

    fn write_end(&self, out: &mut Vec<u8>) {
        let mut end = json!({"numberReturned": self.returned, "statement": STATEMENT, "links": self.links()});
        if self.question.collection.kind().is_none() {
            end["as_of"] = json!(self.question.day);
            end["basis"] = json!(self.question.basis);
            end["undrawn"] = json!(self.undrawn);
        }
        // `{…}` without its first brace.
        out.extend_from_slice(b"],");
        out.extend_from_slice(&end.to_string().as_bytes()[1..]);
    }

    fn links(&self) -> Vec<Link> {
        let address = &self.question.address;
        let mut links = address.own_links(GEOJSON);
        let collection = address.at(&format!("/collections/{}", self.question.collection.id));
        links.push(Link::new("collection", collection, JSON).titled(self.question.collection.title.clone()));
        if let Some(next) = self.next_href() {
            let type_ = if address.format == Format::Html { super::reply::HTML } else { GEOJSON };
            links.push(Link::new("next", next, type_).titled("Next page"));
        }
        links
    }

    fn next_href(&self) -> Option<String> {
        let (after, key) = self.last.clone().filter(|_| self.more)?;
        let (at, edition) = match &self.question.standing {
            Some(standing) => (standing.seq, Some(standing.edition.clone())),
            None => (self.question.at, None),
        };
        let cursor = Cursor { after, key, at, edition, matched: self.matched };
        let mut address = self.question.address.clone();
        if self.question.collection.kind().is_none() {
            // All pages are of one day.
            address.parameters.retain(|(name, _)| name != "as_of");
            address.parameters.push(("as_of".to_owned(), self.question.day.to_string()));
        }
        Some(address.with("cursor", Some(&cursor.text())))
    }

    fn into_table(mut self) -> ApiResult<maud::Markup> {
        let mut rows = Vec::new();
        while !self.more
            && let Some(features) = self.next_features()?
        {
            rows.extend(features);
        }
        let Question { address, collection, properties, crs, .. } = &self.question;
        let form = Form::new(collection, properties.as_deref(), *crs).without_empty(&rows);
        let next = self.next_href();
        Ok(html::features(address, collection, &form, &rows, self.matched, next.as_deref(), self.undrawn))
    }
}

/// The features that a sorted page begins with, and one more, and how many there are in all. Of each only its id and what
/// it is sorted by are kept.
pub(super) fn first_in_order(state: &AppState, question: &Question) -> ApiResult<(Vec<Uuid>, u64)> {
    let by = &question.sort;
    let order =
        |a: &(Vec<Value>, Uuid), b: &(Vec<Value>, Uuid)| sort::order(by, &a.0, &b.0).then(a.1.cmp(&b.1));
    let begin = question.cursor.as_ref().map(|cursor| (cursor.key.clone(), cursor.after));
    let wanted = question.limit.saturating_add(1);
    let (mut kept, mut count) = (Vec::new(), 0);
    let mut walk = question.walk(state, None)?;
    while let Some(batch) = question.next(state, &mut walk)? {
        count += batch.len() as u64;
        let keyed = batch.iter().map(|feature| (sort::key(by, feature), feature.id));
        kept.extend(
            keyed.filter(|one| begin.as_ref().is_none_or(|begin| order(one, begin) == Ordering::Greater)),
        );
        if kept.len() > wanted.saturating_mul(2) {
            kept.select_nth_unstable_by(wanted, order);
            kept.truncate(wanted);
        }
    }
    kept.sort_unstable_by(order);
    kept.truncate(wanted);
    Ok((kept.into_iter().map(|(_, id)| id).collect(), count))
}

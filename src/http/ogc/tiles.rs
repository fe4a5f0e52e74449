//! Vector tiles: for maps that know a template of addresses (`TileJSON`, `MapLibre`, QGIS's *Vector Tiles*), and as OGC API –
//! Tiles, whose rows come before columns.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ETAG, Encoding, Header as _, IF_NONE_MATCH, VARY,
};
use actix_web::web::{self, Bytes, Data, Path, Query as Params};
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};

use super::collections::{extent, find};
use super::reply::fresh;
use super::source::undrawn;
use crate::auth::permission::ReadRecords;
use crate::http::error::{ApiError, ApiResult};
use crate::http::ground::must_see_ground;
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::http::which::EndOfDay;
use crate::model::STATEMENT;
use crate::ogc::collection::{Collection, Shape};
use crate::report::map::{Answer, Asked, MapError, fields_seen, unpack};
use crate::tile::{FINEST, TileId};

/// A vector tile.
pub(super) const MVT: &str = "application/vnd.mapbox-vector-tile";
/// Layers of one tile at most.
const MOST_LAYERS: usize = 16;

/// A tile of one or more collections (their names with commas), column before row; `.mvt` or `.pbf` may stand behind
/// the row. 204 where there is nothing in it. `as_of` is of the ledger's ground: records are as they stand, those that
/// are finalised or were not rejected where a `basis` is asked for, and all that the reader may see otherwise.
#[utoipa::path(tag = "ogc", params(("layers" = String, Path), ("z" = String, Path), ("x" = String, Path), ("y" = String, Path), EndOfDay), responses((status = 200, body = Vec<u8>, content_type = "application/vnd.mapbox-vector-tile"), (status = 204), (status = 304)))]
#[get("/tiles/{layers}/{z}/{x}/{y}")]
pub(crate) async fn show(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<(String, String, String, String)>,
    when: Params<EndOfDay>,
) -> ApiResult<HttpResponse> {
    let (layers, z, x, y) = path.into_inner();
    let row = y.strip_suffix(".mvt").or_else(|| y.strip_suffix(".pbf")).unwrap_or(&y);
    let asked = ask(&access, &layers, read_id(&z, &x, row)?, when.into_inner())?;
    answer(request, state, asked).await
}

/// A tile of a collection in the order of OGC API – Tiles: row before column. `as_of` chooses the ledger's ground, and is
/// refused for records, which are drawn as they stand.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("z" = String, Path), ("y" = String, Path), ("x" = String, Path), EndOfDay), responses((status = 200, body = Vec<u8>, content_type = "application/vnd.mapbox-vector-tile"), (status = 204), (status = 304)))]
#[get("/ogc/collections/{collection}/tiles/WebMercatorQuad/{z}/{y}/{x}")]
pub(crate) async fn show_in_set(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    path: Path<(String, String, String, String)>,
    when: Params<EndOfDay>,
) -> ApiResult<HttpResponse> {
    let (collection, z, y, x) = path.into_inner();
    let when = when.into_inner();
    let has_day = when.has_day();
    let asked = ask(&access, &collection, read_id(&z, &x, &y)?, when)?;
    if has_day && asked.collections.iter().any(|one| one.kind().is_some()) {
        let detail = "`as_of` is of the ledger's ground: records are drawn as they stand; leave it out";
        return Err(ApiError::bad_request("query", detail));
    }
    answer(request, state, asked).await
}

/// What a map has to know of tiles of these collections (`TileJSON` 3.0); `as_of` and `basis` as for the tiles.
#[utoipa::path(tag = "ogc", params(("layers" = String, Path), EndOfDay), responses((status = 200, body = Object)))]
#[get("/tiles/{layers}")]
pub(crate) async fn describe(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    layers: Path<String>,
    when: Params<EndOfDay>,
) -> ApiResult<HttpResponse> {
    let layers = layers.into_inner();
    let collections = read_layers(&access, &layers)?;
    let (day, basis) = when.into_inner().read();
    let mut description = STATEMENT.to_owned();
    if collections.iter().any(|one| one.kind().is_none()) {
        must_see_ground(access.actor.role, basis)?;
        let known = state.clone();
        let undrawn = web::block(move || undrawn(&known, basis, day)).await??;
        description = format!("{description} {}", undrawn.sentence());
    }
    let extent = extent(&state).await?;
    let tier = access.actor.sight().tier;
    let described: Vec<Value> = collections
        .iter()
        .map(|one| {
            let fields = fields_seen(one, tier);
            json!({"id": one.id, "description": one.title, "fields": fields, "minzoom": 0, "maxzoom": FINEST})
        })
        .collect();
    let connection = request.connection_info();
    let query = request.query_string();
    let mark = if query.is_empty() { "" } else { "?" };
    let address = format!(
        "{}://{}/tiles/{layers}/{{z}}/{{x}}/{{y}}{mark}{query}",
        connection.scheme(),
        connection.host()
    );
    let document = json!({
        "tilejson": "3.0.0",
        "name": collections.iter().map(|one| one.title.as_str()).collect::<Vec<_>>().join(", "),
        "description": description,
        "scheme": "xyz",
        "tiles": [address],
        "minzoom": 0,
        "maxzoom": FINEST,
        "bounds": [extent.west, extent.south, extent.east, extent.north],
        "vector_layers": described,
    });
    Ok(fresh(HttpResponse::Ok()).json(document))
}

fn read_id(z: &str, x: &str, y: &str) -> ApiResult<TileId> {
    let id = || TileId::new(z.parse().ok()?, x.parse().ok()?, y.parse().ok()?);
    id().ok_or_else(|| ApiError::not_found("tile"))
}

fn read_layers(access: &MapAccess<ReadRecords>, layers: &str) -> ApiResult<Vec<Arc<Collection>>> {
    let mut names: Vec<&str> = layers.split(',').map(str::trim).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MOST_LAYERS {
        return Err(ApiError::bad_request("path", format!("more than {MOST_LAYERS} layers of one tile")));
    }
    names.into_iter().map(|name| find_drawn(access, name)).collect()
}

/// A collection that has a place on maps.
pub(super) fn find_drawn(access: &MapAccess<ReadRecords>, id: &str) -> ApiResult<Arc<Collection>> {
    let collection = find(access, id)?;
    if collection.shape == Shape::Nowhere {
        return Err(ApiError::not_found("tileset"));
    }
    Ok(collection)
}

fn ask(access: &MapAccess<ReadRecords>, layers: &str, tile: TileId, when: EndOfDay) -> ApiResult<Asked> {
    let collections = read_layers(access, layers)?;
    let review = when.basis();
    let (day, basis) = when.read();
    if collections.iter().any(|one| one.kind().is_none()) {
        must_see_ground(access.actor.role, basis)?;
    }
    Ok(Asked { collections, tile, sight: access.actor.sight(), day, basis, review })
}

async fn answer(request: HttpRequest, state: Data<AppState>, asked: Asked) -> ApiResult<HttpResponse> {
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.unwrap_or_default().to_owned();
    let offered = [Encoding::gzip(), Encoding::identity()];
    let taken = AcceptEncoding::parse(&request).ok().and_then(|accepted| accepted.negotiate(offered.iter()));
    let begun = Instant::now();
    let turn = if state.map.has_day(&asked) { None } else { Some(state.turns.day().await?) };
    let found = web::block(move || {
        let _turn = turn;
        let is_known = |etag: &str| known.split(',').any(|one| one.trim() == etag);
        state.map.tile(state.blocking_store(), &state.books, &asked, is_known)
    })
    .await??;
    let (mut response, etag, packed) = match found {
        Answer::Same { etag } => (HttpResponse::NotModified(), etag, None),
        Answer::Tile { etag, packed } if packed.is_empty() => (HttpResponse::NoContent(), etag, None),
        Answer::Tile { etag, packed } => (HttpResponse::Ok(), etag, Some(packed)),
    };
    response
        .insert_header((ETAG, etag))
        // The next question, and another reader's, may have another answer, of another name.
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Accept-Encoding"))
        // Browsers' tools show it beside the time on the way.
        .insert_header(("Server-Timing", format!("tile;dur={:.1}", begun.elapsed().as_secs_f64() * 1e3)));
    let Some(packed) = packed else { return Ok(response.finish()) };
    response.content_type(MVT);
    if taken == Some(Encoding::gzip()) {
        return Ok(response.insert_header((CONTENT_ENCODING, "gzip")).body(Bytes::from_owner(packed)));
    }
    Ok(response.body(unpack(&packed).map_err(MapError::from)?))
}

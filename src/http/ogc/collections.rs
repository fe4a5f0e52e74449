//! The list of collections, and one of them.

use std::sync::{Arc, OnceLock};

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};

use super::reply::{Address, GEOJSON, HTML, JSON, SCHEMA};
use crate::auth::permission::{Permission as _, ReadPieces, ReadRecords};
use crate::export::Format;
use crate::geometry::Extent;
use crate::http::error::{ApiError, ApiResult};
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::ogc::collection::Collection;
use crate::ogc::crs::Crs;
use crate::ogc::page::Link;

/// The relation of queryables.
const QUERYABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/queryables";
/// The relation of a schema.
const A_SCHEMA: &str = "http://www.opengis.net/def/rel/ogc/1.0/schema";

/// Collections by the tier that they are seen from, without and with the ledger's ground. They are made once: it takes
/// longer than drawing a tile.
static SEEN: [[OnceLock<Vec<Arc<Collection>>>; 2]; TIERS] = [const { [const { OnceLock::new() }; 2] }; TIERS];
/// Tiers 0 to 3 (docs/domain.md §3).
const TIERS: usize = 4;

/// The collections that somebody sees; ground for whoever sees the pieces behind figures.
fn seen(actor: Actor) -> &'static [Arc<Collection>] {
    let (sight, ground) = (actor.sight(), ReadPieces::ROLES.contains(&actor.role));
    let tier = usize::try_from(sight.tier).unwrap_or_default().min(TIERS - 1);
    let make = || Collection::seen(Registry::embedded(), sight, ground).into_iter().map(Arc::new).collect();
    SEEN[tier][usize::from(ground)].get_or_init(make)
}

/// One of them.
pub(super) fn find(access: &MapAccess<ReadRecords>, id: &str) -> ApiResult<Arc<Collection>> {
    find_for(access.actor, id)
}

/// One of those that somebody sees.
pub(super) fn find_for(actor: Actor, id: &str) -> ApiResult<Arc<Collection>> {
    let found = seen(actor).iter().find(|collection| collection.id == id);
    found.cloned().ok_or_else(|| ApiError::not_found("collection"))
}

/// Every collection that the asker sees.
#[utoipa::path(tag = "ogc", params(("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/collections")]
pub(crate) async fn list(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let extent = extent(&state).await?;
    let offered = offered(extent);
    let collections: Vec<Value> =
        seen(access.actor).iter().map(|one| describe(one, &address, extent, &offered, Vec::new())).collect();
    let document = json!({"links": address.own_links(JSON), "crs": offered, "collections": collections});
    Ok(address.respond(JSON, &document, "Collections"))
}

/// One collection.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/collections/{collection}")]
pub(crate) async fn show(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let collection = find(&access, &id)?;
    let extent = extent(&state).await?;
    let document = describe(&collection, &address, extent, &offered(extent), address.own_links(JSON));
    Ok(address.respond(JSON, &document, &collection.title))
}

/// The programme's ground: what is recorded lies in it, or is a mistake.
pub(super) async fn extent(state: &Data<AppState>) -> ApiResult<Extent> {
    state.store(|store| Ok(store.programme()?.0.extent)).await
}

fn offered(extent: Extent) -> Vec<String> {
    Crs::offered(extent).iter().map(ToString::to_string).collect()
}

fn describe(
    collection: &Collection,
    address: &Address,
    extent: Extent,
    offered: &[String],
    mut links: Vec<Link>,
) -> Value {
    let at = |path: &str| address.at(&format!("/collections/{}{path}", collection.id));
    if links.is_empty() {
        links.push(Link::new("self", at(""), JSON));
    }
    links.extend([
        // GDAL puts `/<id>` behind it.
        Link::new("items", at("/items"), GEOJSON).titled(collection.title.clone()),
        Link::new("items", at("/items?f=html"), HTML).titled(format!("{} as a page", collection.title)),
        Link::new(QUERYABLES, at("/queryables"), SCHEMA).titled("What can be asked for"),
        Link::new("queryables", at("/queryables"), SCHEMA),
        Link::new(A_SCHEMA, at("/schema"), SCHEMA).titled("What the features say"),
        Link::new("describedby", at("/schema"), SCHEMA),
    ]);
    links.extend(
        Format::ALL.into_iter().filter(|format| format.refusal(collection, Crs::default()).is_none()).map(
            |format| {
                let href = at(&format!("/export?f={}", format.name()));
                Link::new("enclosure", href, format.media_type())
                    .titled(format!("All of it as {}", format.title()))
            },
        ),
    );
    let mut described = json!({
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "extent": {
            "spatial": {
                "bbox": [[extent.west, extent.south, extent.east, extent.north]],
                "crs": Crs::Crs84.to_string(),
            },
            "temporal": {
                "interval": [[null, null]],
                "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
            },
        },
        "links": links,
    });
    if collection.shape != crate::ogc::collection::Shape::Nowhere {
        described["crs"] = json!(offered);
        described["storageCrs"] = json!(offered[0]);
        let tiles = Link::new(super::tilesets::TILESETS, at("/tiles"), JSON).titled("Vector tiles");
        described["links"].as_array_mut().into_iter().for_each(|links| links.push(json!(tiles)));
    }
    described
}

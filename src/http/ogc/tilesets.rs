//! What there is of tiles, for programs that look for it: tilesets of a collection and the matrix set that they share
//! (OGC API – Tiles 1.0, Two Dimensional Tile Matrix Set 2.0).

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};

use super::collections::extent;
use super::reply::{Address, JSON};
use super::tiles::{MVT, find_drawn};
use crate::auth::permission::ReadRecords;
use crate::http::error::ApiResult;
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::ogc::collection::{Collection, Shape};
use crate::ogc::page::Link;
use crate::report::map::fields_seen;
use crate::tile::FINEST;

/// The relation of a collection's vector tilesets.
pub(super) const TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
/// The relation of a matrix set.
const SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";
/// The relation of the list of matrix sets.
pub(super) const SCHEMES: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes";
/// The only matrix set.
const QUAD: &str = "WebMercatorQuad";
const QUAD_URI: &str = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad";
const MERCATOR: &str = "http://www.opengis.net/def/crs/EPSG/0/3857";
/// Half the equator, m.
const HALF: f64 = 20_037_508.342_789_244;
/// The pixel that scales are counted with, m.
const PIXEL: f64 = 0.000_28;

/// The tilesets of a collection.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/collections/{collection}/tiles")]
pub(crate) async fn list(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let collection = find_drawn(&access, &id)?;
    let own = address.at(&format!("/collections/{}/tiles/{QUAD}", collection.id));
    let mut tileset = outline(&collection);
    tileset["links"] =
        json!([Link::new("self", own, JSON), scheme(&address), template(&address, &collection)]);
    let document = json!({"links": address.own_links(JSON), "tilesets": [tileset]});
    Ok(address.respond(JSON, &document, &format!("{}: tilesets", collection.title)))
}

/// The tileset of a collection.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/collections/{collection}/tiles/WebMercatorQuad")]
pub(crate) async fn show(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let collection = find_drawn(&access, &id)?;
    let extent = extent(&state).await?;
    let mut document = outline(&collection);
    let mut links = json!(address.own_links(JSON));
    if let Some(links) = links.as_array_mut() {
        links.extend([json!(scheme(&address)), template(&address, &collection)]);
    }
    let dimension = match collection.shape {
        Shape::Areas => 2,
        Shape::Lines => 1,
        _ => 0,
    };
    let properties: serde_json::Map<String, Value> = fields_seen(&collection, access.actor.sight().tier)
        .into_iter()
        .map(|(name, type_)| (name, json!({"type": type_.to_lowercase()})))
        .collect();
    document["links"] = links;
    document["layers"] = json!([{
        "id": collection.id, "title": collection.title, "dataType": "vector", "geometryDimension": dimension,
        "minTileMatrix": "0", "maxTileMatrix": FINEST.to_string(),
        "propertiesSchema": {"type": "object", "properties": properties},
    }]);
    document["boundingBox"] = json!({
        "lowerLeft": [extent.west, extent.south], "upperRight": [extent.east, extent.north],
        "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    });
    Ok(address.respond(JSON, &document, &format!("{}: tiles", collection.title)))
}

/// The matrix sets.
#[utoipa::path(tag = "ogc", security(()), params(("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/tileMatrixSets")]
pub(crate) async fn list_schemes(request: HttpRequest) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let link = Link::new("self", address.at(&format!("/tileMatrixSets/{QUAD}")), JSON);
    let set = json!({"id": QUAD, "title": "Google Maps Compatible for the World", "uri": QUAD_URI, "crs": MERCATOR, "links": [link]});
    let document = json!({"links": address.own_links(JSON), "tileMatrixSets": [set]});
    Ok(address.respond(JSON, &document, "Tile matrix sets"))
}

/// The matrix set of all tiles.
#[utoipa::path(tag = "ogc", security(()), params(("f" = Option<String>, Query)), responses((status = 200, body = Object)))]
#[get("/ogc/tileMatrixSets/WebMercatorQuad")]
pub(crate) async fn show_scheme(request: HttpRequest) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let matrices: Vec<Value> = (0..=FINEST)
        .map(|zoom| {
            let tiles = 1_u32 << zoom;
            // Tiles are counted as 256 pixels wide, whatever they are shown as.
            let pixel = 2.0 * HALF / f64::from(tiles) / 256.0;
            json!({
                "id": zoom.to_string(), "scaleDenominator": pixel / PIXEL, "cellSize": pixel,
                "cornerOfOrigin": "topLeft", "pointOfOrigin": [-HALF, HALF],
                "tileWidth": 256, "tileHeight": 256, "matrixWidth": tiles, "matrixHeight": tiles,
            })
        })
        .collect();
    let document = json!({
        "id": QUAD, "title": "Google Maps Compatible for the World", "uri": QUAD_URI, "crs": MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices, "links": address.own_links(JSON),
    });
    Ok(address.respond(JSON, &document, "Tile matrix set WebMercatorQuad"))
}

fn outline(collection: &Collection) -> Value {
    json!({
        "title": collection.title, "dataType": "vector", "crs": MERCATOR,
        "tileMatrixSetId": QUAD, "tileMatrixSetURI": QUAD_URI,
    })
}

fn scheme(address: &Address) -> Link {
    Link::new(SCHEME, address.at(&format!("/tileMatrixSets/{QUAD}")), JSON).titled("The matrix set")
}

fn template(address: &Address, collection: &Collection) -> Value {
    let path = format!("/collections/{}/tiles/{QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", collection.id);
    json!({"rel": "item", "href": address.at(&path), "type": MVT, "templated": true, "title": "Vector tiles"})
}

//! OGC API – Features and Tiles: records and the ledger's ground for QGIS, GDAL, ArcGIS, spreadsheets and maps in browsers, one
//! file per resource.

mod api;
mod collections;
pub(super) mod counts;
mod edits;
pub mod export;
mod html;
mod item;
mod items;
mod landing;
mod question;
mod reply;
mod schemas;
mod source;
mod tiles;
mod tilesets;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route under `/ogc` and `/tiles`.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(landing::show)
        .service(landing::show_with_slash)
        .service(landing::conformance)
        .service(api::show)
        .service(collections::list)
        .service(collections::show)
        .service(schemas::queryables)
        .service(schemas::describe)
        .service(items::list)
        .service(tiles::describe)
        .service(tiles::show)
        .service(tiles::show_in_set)
        .service(tilesets::list)
        .service(tilesets::show)
        .service(tilesets::list_schemes)
        .service(tilesets::show_scheme)
        .service(export::download)
        .service(item::show)
        .service(edits::create)
        .service(edits::replace)
        .service(edits::update)
        .service(edits::delete)
        .service(edits::offer)
        .service(edits::offer_one);
}

//! What the features of a collection say (Part 5), and what can be asked for (Part 3), from the kinds' own schemas.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Map, Value, json};

use super::collections::find;
use super::reply::{Address, SCHEMA};
use crate::auth::permission::ReadRecords;
use crate::http::error::ApiResult;
use crate::http::map_access::MapAccess;
use crate::ogc::collection::{Collection, Property};

/// What can be asked for of a collection's features: JSON Schema 2020-12.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("f" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/schema+json")))]
#[get("/ogc/collections/{collection}/queryables")]
pub(crate) async fn queryables(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let collection = find(&access, &id)?;
    let mut document = schema_of(&collection, &address, collection.queryables());
    document["additionalProperties"] = json!(false);
    Ok(address.respond(SCHEMA, &document, &format!("{}: queryables", collection.title)))
}

/// What the features of a collection say: JSON Schema 2020-12.
#[utoipa::path(tag = "ogc", params(("collection" = String, Path), ("f" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/schema+json")))]
#[get("/ogc/collections/{collection}/schema")]
pub(crate) async fn describe(
    access: MapAccess<ReadRecords>,
    request: HttpRequest,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    let collection = find(&access, &id)?;
    let document = schema_of(&collection, &address, collection.properties.iter());
    Ok(address.respond(SCHEMA, &document, &format!("{}: schema", collection.title)))
}

fn schema_of<'c>(
    collection: &'c Collection,
    address: &Address,
    properties: impl Iterator<Item = &'c Property>,
) -> Value {
    let mut described = Map::new();
    if let Some(format) = collection.shape.format() {
        // A geometry has a format and no type.
        let geometry = json!({"title": "Geometry", "format": format, "x-ogc-role": "primary-geometry", "x-ogc-propertySeq": 0});
        described.insert("geometry".to_owned(), geometry);
    }
    for (turn, property) in (1..).zip(properties) {
        let mut schema = property.schema.clone();
        schema["x-ogc-propertySeq"] = json!(turn);
        if let Some(time) = &collection.time {
            let role = match &time.to {
                Some(to) if *to == time.from && property.name == time.from => Some("primary-instant"),
                _ if property.name == time.from => Some("primary-interval-start"),
                Some(to) if property.name == *to => Some("primary-interval-end"),
                _ => None,
            };
            if let Some(role) = role {
                schema["x-ogc-role"] = json!(role);
            }
        }
        described.insert(property.name.clone(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address.at(address.path.as_str()),
        "title": collection.title,
        "description": collection.description,
        "type": "object",
        "properties": described,
    })
}

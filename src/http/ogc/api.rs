//! The API's definition for programs: OpenAPI 3.0, which they know, with every collection's paths written out, where they
//! look for page sizes and for parameters that they may filter by. The whole server's is OpenAPI 3.1, at
//! `/openapi.json`.

use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::question::{DEFAULT_LIMIT, LARGEST_LIMIT};
use super::reply::{Address, GEOJSON, HTML, JSON, OPENAPI, SCHEMA};
use super::tiles::MVT;
use crate::export::Format;
use crate::http::error::ApiResult;
use crate::model::STATEMENT;
use crate::model::role::{Drafts, Sight};
use crate::model::schema::Registry;
use crate::ogc::collection::{Collection, Property, Source, Type};

/// The definition, for anybody.
#[utoipa::path(tag = "ogc", security(()), params(("f" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/vnd.oai.openapi+json")))]
#[get("/ogc/api")]
pub(crate) async fn show(request: HttpRequest) -> ApiResult<HttpResponse> {
    let address = Address::read(&request, |_| false)?;
    Ok(address.respond(OPENAPI, &definition(&address), "OGC API – Features: definition"))
}

fn definition(address: &Address) -> Value {
    // Everything there is; what the asker sees of it, the collections say.
    let all = Sight {
        tier: i16::MAX,
        drafts: Drafts::None,
        organisation: Uuid::nil(),
        account: Uuid::nil(),
        official_only: false,
    };
    let mut paths = Map::new();
    for (path, type_, summary, open) in [
        ("/", JSON, "Landing page", true),
        ("/conformance", JSON, "Conformance classes", true),
        ("/api", OPENAPI, "This definition", true),
        ("/collections", JSON, "Collections", false),
        ("/tileMatrixSets", JSON, "Tile matrix sets", true),
        ("/tileMatrixSets/WebMercatorQuad", JSON, "The matrix set of all tiles", true),
    ] {
        paths.insert(path.to_owned(), json!({"get": document(type_, summary, &[], open)}));
    }
    for collection in Collection::seen(Registry::embedded(), all, true) {
        let path = format!("/collections/{}", collection.id);
        let title = &collection.title;
        paths.insert(path.clone(), json!({"get": document(JSON, title, &[], false)}));
        for (name, summary) in [("queryables", "what can be asked for"), ("schema", "what the features say")]
        {
            let operation = document(SCHEMA, &format!("{title}: {summary}"), &[], false);
            paths.insert(format!("{path}/{name}"), json!({"get": operation}));
        }
        if collection.shape.format().is_some() {
            let tiles = format!("{path}/tiles");
            let list = document(JSON, &format!("{title}: tilesets"), &[], false);
            let tileset = document(JSON, &format!("{title}: tiles"), &[], false);
            paths.insert(tiles.clone(), json!({"get": list}));
            paths.insert(format!("{tiles}/WebMercatorQuad"), json!({"get": tileset}));
            let place = format!("{tiles}/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}");
            paths.insert(place, json!({"get": tile(&collection)}));
        }
        paths.insert(format!("{path}/items"), items(&collection));
        paths.insert(format!("{path}/export"), export(&collection));
        paths.insert(format!("{path}/items/{{featureId}}"), item(&collection));
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Cartagena: OGC API – Features", "version": env!("CARGO_PKG_VERSION"), "description": STATEMENT},
        "servers": [{"url": address.base}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": paths,
        "components": {"parameters": parameters(), "responses": responses(), "schemas": schemas(), "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "A log-in and a map password."},
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        }},
    })
}

/// An operation with the problems that each may answer with.
fn operation(summary: &str, parameters: &[Value], success: &Value, open: bool) -> Value {
    let mut responses = success.clone();
    for status in ["400", "401", "403", "404", "500", "503"] {
        responses[status] = reference("responses", "Problem");
    }
    let mut operation = json!({"summary": summary, "parameters": parameters, "responses": responses});
    if open {
        operation["security"] = json!([]);
    }
    operation
}

fn document(type_: &str, summary: &str, parameters: &[Value], open: bool) -> Value {
    let mut all = vec![reference("parameters", "f")];
    all.extend_from_slice(parameters);
    let content = json!({type_: {"schema": {"type": "object"}}, HTML: {"schema": {"type": "string"}}});
    operation(summary, &all, &json!({"200": {"description": summary, "content": content}}), open)
}

/// The parameters of a question about many features.
fn selection(collection: &Collection) -> Vec<Value> {
    let mut names = vec!["datetime", "as_of", "properties", "sortby", "filter", "filter-lang"];
    if collection.shape.format().is_some() {
        names.extend(["bbox", "bbox-crs", "crs", "filter-crs"]);
    }
    names.push("basis");
    let mut parameters: Vec<Value> = names.into_iter().map(|name| reference("parameters", name)).collect();
    parameters.extend(collection.queryables().map(equality));
    parameters
}

/// Everything that a question finds, as a file.
fn export(collection: &Collection) -> Value {
    let names = Format::ALL.map(Format::name);
    let formats = json!({"type": "string", "enum": names, "default": Format::GeoJson.name()});
    let mut parameters = vec![query("f", "The format", &formats)];
    parameters.extend(selection(collection));
    let file = json!({"schema": {"type": "string", "format": "binary"}});
    let mut content: Map<String, Value> =
        Format::ALL.iter().map(|format| (format.media_type().to_owned(), file.clone())).collect();
    content[GEOJSON]["schema"] = reference("schemas", "FeatureCollection");
    let title = format!("{}: a file of everything that is asked for", collection.title);
    let success = json!({"200": {"description": title, "content": content, "headers": content_crs()}});
    let mut operation = operation(&title, &parameters, &success, false);
    for status in ["422", "429"] {
        operation["responses"][status] = reference("responses", "Problem");
    }
    json!({"get": operation})
}

fn items(collection: &Collection) -> Value {
    let mut parameters = vec![reference("parameters", "limit"), reference("parameters", "cursor")];
    parameters.extend(selection(collection));
    let mut read = document(GEOJSON, &collection.title, &parameters, false);
    read["responses"]["200"]["content"][GEOJSON]["schema"] = reference("schemas", "FeatureCollection");
    read["responses"]["200"]["headers"] = content_crs();
    if collection.kind().is_none() {
        read["responses"]["409"] = reference("responses", "Problem");
    }
    let mut path = json!({"get": read});
    if matches!(collection.source, Source::Records { .. }) {
        let made = json!({"201": {"description": "It is a draft for review", "headers": {
            "Location": {"schema": {"type": "string"}}, "ETag": {"schema": {"type": "string"}}}}});
        path["post"] = writing("Make a record", &[], &made, Some(GEOJSON));
    }
    path
}

fn tile(collection: &Collection) -> Value {
    let title = &collection.title;
    let place = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "integer", "minimum": 0}});
    let mut parameters = vec![place("tileMatrix"), place("tileRow"), place("tileCol")];
    parameters.push(reference("parameters", "basis"));
    if collection.kind().is_none() {
        parameters.push(reference("parameters", "as_of"));
    }
    let success = json!({
        "200": {"description": title, "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
        "204": {"description": "There is nothing in it"},
        "304": {"description": "It is the one that If-None-Match names"},
    });
    operation(&format!("{title}: one tile"), &parameters, &success, false)
}

fn item(collection: &Collection) -> Value {
    let mut parameters = vec![reference("parameters", "as_of")];
    if collection.shape.format().is_some() {
        parameters.push(reference("parameters", "crs"));
    }
    parameters.push(reference("parameters", "basis"));
    let mut read = document(GEOJSON, &format!("{}: one", collection.title), &parameters, false);
    read["responses"]["200"]["content"][GEOJSON]["schema"] = reference("schemas", "Feature");
    read["responses"]["200"]["headers"] = content_crs();
    let mut path = json!({"get": read, "parameters": [reference("parameters", "featureId")]});
    if matches!(collection.source, Source::Records { .. }) {
        let done = json!({"204": {"description": "It is a draft for review", "headers": {"ETag": {"schema": {"type": "string"}}}}});
        let seen = [reference("parameters", "If-Match")];
        path["put"] = writing("Replace a record", &seen, &done, Some(GEOJSON));
        path["patch"] = writing("Change a record", &seen, &done, Some("application/merge-patch+json"));
        path["delete"] = writing("Take a record out of use", &seen, &done, None);
    }
    path
}

fn writing(summary: &str, parameters: &[Value], success: &Value, body: Option<&str>) -> Value {
    let mut written = operation(summary, parameters, success, false);
    for status in ["409", "412", "413", "415", "422", "428"] {
        written["responses"][status] = reference("responses", "Problem");
    }
    if let Some(type_) = body {
        written["parameters"]
            .as_array_mut()
            .into_iter()
            .for_each(|all| all.push(reference("parameters", "Content-Crs")));
        let schema = reference("schemas", if type_ == GEOJSON { "NewFeature" } else { "Patch" });
        written["requestBody"] = json!({"required": true, "content": {type_: {"schema": schema}}});
    }
    written
}

fn content_crs() -> Value {
    json!({"Content-Crs": {"description": "The reference system, between angle brackets", "schema": {"type": "string"}}})
}

fn reference(place: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{place}/{name}")})
}

/// A queryable as a parameter of its own: QGIS and GDAL filter by those that are described.
fn equality(property: &Property) -> Value {
    let schema = match property.type_ {
        Type::Number => json!({"type": "number"}),
        Type::Boolean => json!({"type": "boolean"}),
        _ => {
            let coded =
                if property.type_ == Type::List { &property.schema["items"] } else { &property.schema };
            let mut schema = json!({"type": "string"});
            for member in ["enum", "format"] {
                if !coded[member].is_null() {
                    schema[member] = coded[member].clone();
                }
            }
            schema
        }
    };
    query(
        &property.name,
        &format!("{}: equal to this", property.schema["title"].as_str().unwrap_or_default()),
        &schema,
    )
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": description, "schema": schema,
        "style": "form", "explode": false,
    })
}

fn parameters() -> Value {
    let numbers = json!({"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}});
    let limit = json!({"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT});
    let names = json!({"type": "array", "items": {"type": "string"}});
    let (text, uri, day) = (
        json!({"type": "string"}),
        json!({"type": "string", "format": "uri"}),
        json!({"type": "string", "format": "date"}),
    );
    let languages = json!({"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"});
    let mut all = Map::new();
    for (name, description, schema) in [
        ("f", "json or html; without, as `Accept` says", json!({"type": "string", "enum": ["json", "html"]})),
        ("limit", "Features of a page", limit),
        ("cursor", "Where the page begins: follow `next` links", text.clone()),
        (
            "bbox",
            "Only what meets this box, in the order of bbox-crs's axes; what has no place meets every box",
            numbers,
        ),
        ("bbox-crs", "The reference system of bbox", uri.clone()),
        ("crs", "The reference system of the answer", uri.clone()),
        (
            "datetime",
            "Only what holds at this moment or in this interval; what does not say when holds always",
            text.clone(),
        ),
        ("as_of", "Records as the server knew them, ground as it was, at the end of this day", day),
        (
            "basis",
            "What figures count: ground on this basis (official where left out); of records, `official` has them as they were finalised last, contested ones with the ground of all sides",
            json!({"type": "string", "enum": ["official", "provisional"]}),
        ),
        ("properties", "Only these properties", names.clone()),
        ("sortby", "In the order of these properties, `-` for descending", names),
        ("filter", "Only what this CQL2 expression lets through", text.clone()),
        ("filter-lang", "The language of filter", languages),
        ("filter-crs", "The reference system of positions in filter", uri),
    ] {
        all.insert(name.to_owned(), query(name, description, &schema));
    }
    let id = json!({"name": "featureId", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}});
    all.insert("featureId".to_owned(), id);
    for (name, description) in [
        (
            "If-Match",
            "The version that was read, as its ETag has it. Without it only what is finalised, or one's own, can be changed",
        ),
        ("Content-Crs", "The reference system of the body"),
    ] {
        let header = json!({"name": name, "in": "header", "required": false, "description": description, "schema": text});
        all.insert(name.to_owned(), header);
    }
    Value::Object(all)
}

fn responses() -> Value {
    json!({"Problem": {
        "description": "A problem (RFC 9457): what was wrong, where, and what to do",
        "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
    }})
}

fn schemas() -> Value {
    let geometry = json!({"type": "object", "nullable": true, "properties": {"type": {"type": "string"}, "coordinates": {"type": "array", "items": {}}}});
    let feature = json!({"type": {"type": "string", "enum": ["Feature"]}, "geometry": geometry, "properties": {"type": "object", "nullable": true}});
    let mut whole = feature.clone();
    whole["id"] = json!({"type": "string", "format": "uuid"});
    whole["links"] = json!({"type": "array", "items": {"type": "object"}});
    json!({
        "Problem": {"type": "object", "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}}},
        "NewFeature": {"type": "object", "required": ["type", "geometry", "properties"], "properties": feature},
        "Patch": {"type": "object", "properties": {"geometry": geometry, "properties": {"type": "object"}}},
        "Feature": {"type": "object", "required": ["type", "id", "geometry", "properties"], "properties": whole},
        "FeatureCollection": {"type": "object", "required": ["type", "features"], "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": reference("schemas", "Feature")},
            "numberMatched": {"type": "integer"}, "numberReturned": {"type": "integer"},
            "timeStamp": {"type": "string", "format": "date-time"},
            "as_of": {"type": "string", "format": "date"}, "basis": {"type": "string"},
            "undrawn": {"type": "object", "description": "Hazardous ground that is known beside what can be drawn",
                "properties": {"records_left_out": {"type": "integer"}, "areas_reported_only": {"type": "integer"},
                    "reported_only_m2": {"type": "number"}}},
            "links": {"type": "array", "items": {"type": "object"}}}},
    })
}

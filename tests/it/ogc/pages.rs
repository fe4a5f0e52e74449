//! What programs read before they read features, and how pages follow one another.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Country, Map, features, next_of};
use crate::ledger::push_hazard;
use crate::support::tablet::with;
use crate::support::{Place, Tablet, on_both, people::text};

on_both!(
    a_program_finds_its_way_from_the_landing_page,
    links_lead_where_the_asker_came_from,
    pages_show_one_state_whatever_is_written_meanwhile,
    every_feature_has_every_property,
    people_are_shown_pages,
);

fn link<'d>(document: &'d Value, rel: &str, type_: &str) -> &'d str {
    let mut links = document["links"].as_array().unwrap().iter();
    let found = links.find(|link| link["rel"] == rel && link["type"] == type_);
    found.unwrap_or_else(|| panic!("{rel} {type_}: {document}"))["href"].as_str().unwrap()
}

fn a_program_finds_its_way_from_the_landing_page(place: &Place) {
    let country = Country::prepare(place, 1);
    let (map, base) = (country.im(), format!("{}/ogc", country.server.url()));
    for path in ["", "/"] {
        let landing = map.get(path).expect(200);
        let definition = link(&landing, "service-desc", "application/vnd.oai.openapi+json;version=3.0");
        assert_eq!(definition, format!("{base}/api"));
        assert_eq!(link(&landing, "data", "application/json"), format!("{base}/collections"));
        link(&landing, "conformance", "application/json");
    }
    let classes = map.get("/conformance").expect(200)["conformsTo"].clone();
    for class in [
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-2/1.0/conf/crs",
        "cql2/1.0/conf/basic-spatial-operators",
    ] {
        assert!(classes.to_string().contains(class), "{class}");
    }
    let definition = map.get("/api");
    assert_eq!(definition.header("content-type"), Some("application/vnd.oai.openapi+json;version=3.0"));
    let definition = definition.expect(200);
    let limit = &definition["components"]["parameters"]["limit"]["schema"];
    assert!(limit["maximum"].as_u64() >= Some(1000) && limit["default"].is_u64(), "{limit}");
    let collections = map.get("/collections").expect(200);
    for collection in collections["collections"].as_array().unwrap() {
        let id = text(collection, "id");
        let parameters = &definition["paths"][format!("/collections/{id}/items")]["get"]["parameters"];
        assert!(parameters.to_string().contains("#/components/parameters/limit"), "{id}");
        let mut alone = map.get(&format!("/collections/{id}")).expect(200);
        let queryables =
            text(&json!({"href": link(&alone, "queryables", "application/schema+json")}), "href");
        for member in ["title", "description", "extent", "itemType", "crs"] {
            assert_eq!(alone[member], collection[member], "{id}");
        }
        assert!(alone["extent"]["spatial"]["bbox"][0].is_array());
        alone["links"].take();
        let path = queryables.strip_prefix(&base).unwrap();
        let queryables = map.get(path).expect(200);
        let geometry = &queryables["properties"]["geometry"];
        assert!(geometry["type"].is_null() && (id == "victim" || geometry["format"].is_string()), "{id}");
        let schema = map.get(&format!("/collections/{id}/schema"));
        assert_eq!(schema.header("content-type"), Some("application/schema+json"));
    }
    let zones = &map.get("/collections/remaining").expect(200)["crs"];
    assert_eq!(zones[0], "http://www.opengis.net/def/crs/OGC/1.3/CRS84");
    assert!(
        zones.to_string().contains("EPSG/0/32630") && zones.to_string().contains("EPSG/0/32631"),
        "{zones}"
    );
}

fn links_lead_where_the_asker_came_from(place: &Place) {
    let country = Country::prepare(place, 3);
    let map = country.im();
    let headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "maps.example.org")];
    let page = map.send("GET", "/collections/hazardous_area/items?limit=2", &headers, &[]).expect(200);
    let next = link(&page, "next", "application/geo+json");
    assert!(
        next.starts_with("https://maps.example.org/ogc/collections/hazardous_area/items?limit=2&cursor="),
        "{next}"
    );
}

fn pages_show_one_state_whatever_is_written_meanwhile(place: &Place) {
    let country = Country::prepare(place, 7);
    let (server, crew, map) = (&country.server, &country.crew, country.im());
    let mut path = "/collections/hazardous_area/items?limit=3".to_owned();
    let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    loop {
        let page = map.get(&path).expect(200);
        assert_eq!(page["numberMatched"], 7);
        for feature in features(&page) {
            assert!(seen.insert(text(feature, "id")), "no feature stands on two pages");
            names.push(feature["properties"]["name"].clone());
        }
        // Between two pages one area is added, and one that is yet to come is changed.
        push_hazard(server, crew, &crew.surveyor, 0.7);
        let last = country.areas[6];
        let version =
            crate::support::tablet::record(server, &crew.im.log_in(server), last)["version"].clone();
        let renamed = json!({"changes": {"name": {"to": "renamed"}}});
        tablet.must("applied", &with(tablet.on("update", last, &version, &json!({})), &renamed));
        let Some(next) = next_of(&page) else { break };
        path = next;
    }
    assert_eq!(seen.len(), 7, "what was added meanwhile is on no page");
    assert!(!names.contains(&json!("renamed")), "{names:?}");
    assert_eq!(map.items("hazardous_area", &[("filter", "name = 'renamed'")])["numberMatched"], 1);
    let long_ago = map.items("hazardous_area", &[("as_of", "2001-01-01")]);
    assert_eq!(long_ago["numberMatched"], 0, "nothing was known then");
    let today = chrono::Utc::now().date_naive().to_string();
    assert_eq!(map.items("hazardous_area", &[("as_of", &today)])["numberMatched"], 10);
    let nonsense = map.get("/collections/hazardous_area/items?cursor=nonsense");
    assert_eq!(nonsense.status, 400);
}

fn every_feature_has_every_property(place: &Place) {
    let country = Country::prepare(place, 2);
    let map = country.im();
    for collection in ["hazardous_area", "hazardous_area_points"] {
        let schema = map.get(&format!("/collections/{collection}/schema")).expect(200);
        let mut described: BTreeSet<String> =
            schema["properties"].as_object().unwrap().keys().cloned().collect();
        described.remove("geometry");
        let page = map.items(collection, &[]);
        for feature in features(&page) {
            let there: BTreeSet<String> =
                feature["properties"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(there, described, "{collection}");
            let type_ = if collection == "hazardous_area" { "MultiPolygon" } else { "MultiPoint" };
            assert_eq!(feature["geometry"]["type"], type_);
            let path = format!("/collections/{collection}/items/{}", text(feature, "id"));
            let alone = map.get(&path);
            let version = text(&feature["properties"], "version");
            assert_eq!(alone.header("etag"), Some(format!("\"{version}\"").as_str()));
            let alone = alone.expect(200);
            assert_eq!((&alone["id"], &alone["properties"]), (&feature["id"], &feature["properties"]));
            link(&alone, "collection", "application/json");
        }
    }
    let elsewhere = map.get(&format!("/collections/hazardous_area/items/{}", country.point));
    assert_eq!(elsewhere.status, 404, "it is in the other collection");
    for path in ["/collections/nothing", "/collections/nothing/items", "/collections/task/items/x"] {
        assert_eq!(map.get(path).status, 404, "{path}");
    }
}

fn people_are_shown_pages(place: &Place) {
    let country = Country::prepare(place, 2);
    let map = Map::of(&country.server, &country.crew.manager, "read");
    for path in [
        "/",
        "/conformance",
        "/api",
        "/collections",
        "/collections/hazardous_area",
        "/collections/hazardous_area/items",
    ] {
        let accept = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
        let reply = map.send("GET", path, &accept, &[]);
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(map.get(&format!("{path}?f=json")).header("cache-control"), Some("private, no-cache"));
    }
}

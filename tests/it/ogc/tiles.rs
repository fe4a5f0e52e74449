//! Vector tiles as maps get them: the ground that figures count, for whoever may see it, and named so that nothing old is
//! taken for new.

use std::io::Read as _;
use std::process::Command;

use fast_mvt::{MvtReaderRef, MvtValueRef};
use serde_json::{Map as Object, Value, json};
use uuid::Uuid;

use super::clients::{runs, said, skip};
use super::{Country, Map};
use crate::ledger::{create, finalise, finalise_because, push, release, remaining, square, total};
use crate::support::tablet::{record, with};
use crate::support::{Person, Place, Tablet, TestServer, on_both, people::text};

on_both!(
    tiles_hold_the_ground_that_figures_count,
    a_tile_is_asked_for_again_only_when_it_has_changed,
    each_is_shown_what_is_theirs,
    records_of_a_basis_are_those_that_count,
    a_tile_does_not_tell_of_what_it_does_not_show,
    tiles_describe_themselves,
    gdal_reads_a_tile,
    each_basis_has_tiles_of_its_own,
    ground_is_named_where_a_map_has_room,
);

/// The tile of zoom 9 in which every area of the tests lies.
const ALL: &str = "9/256/241";

/// What was answered to a question for a tile.
struct Answer {
    status: u16,
    etag: String,
    bytes: Vec<u8>,
}

fn ask(server: &TestServer, who: &Person, path: &str, headers: &[(&str, &str)]) -> Answer {
    let (reply, bytes) = server.http().raw("GET", path, &who.log_in(server), headers, &[]);
    let etag = reply.header("etag").unwrap_or_default().to_owned();
    Answer { status: reply.status, etag, bytes }
}

/// The features of a layer of a tile.
pub(super) fn shown(
    server: &TestServer,
    who: &Person,
    layer: &str,
    query: &str,
) -> Vec<Object<String, Value>> {
    let answer = ask(server, who, &format!("/tiles/{layer}/{ALL}.mvt?{query}"), &[]);
    assert_eq!(answer.status, if answer.bytes.is_empty() { 204 } else { 200 });
    read(&answer.bytes).into_iter().filter(|(name, _)| name == layer).map(|(_, said)| said).collect()
}

fn read(bytes: &[u8]) -> Vec<(String, Object<String, Value>)> {
    let tile = MvtReaderRef::new(bytes).unwrap();
    let mut found = Vec::new();
    for layer in tile.layers() {
        for feature in layer.features() {
            let said = feature.properties().map(|property| {
                let (name, value) = property.unwrap();
                let value = match value {
                    MvtValueRef::String(text) => json!(text),
                    MvtValueRef::Bool(flag) => json!(flag),
                    MvtValueRef::SInt(number) => json!(number),
                    MvtValueRef::Double(number) => json!(number),
                    other => panic!("{name}: {other:?}"),
                };
                (name.to_owned(), value)
            });
            found.push((layer.name().to_owned(), said.collect()));
        }
    }
    found
}

pub(super) fn ids(features: &[Object<String, Value>]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> =
        features.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn tiles_hold_the_ground_that_figures_count(place: &Place) {
    let country = Country::prepare(place, 4);
    let (server, crew) = (&country.server, &country.crew);
    let (half, whole) = (Uuid::now_v7(), Uuid::now_v7());
    let made = vec![
        release(half, &crew.surveyor, country.areas[0], &square(0.0005, 0.001)),
        release(whole, &crew.surveyor, country.areas[1], &square(0.0095, 0.002)),
    ];
    push(server, crew, &crew.surveyor, made);
    let left = shown(server, &crew.qa, "remaining", "basis=provisional");
    assert_eq!(ids(&left), [country.areas[0], country.areas[2], country.areas[3]]);
    let drawn: f64 = left.iter().map(|one| one["area_m2"].as_f64().unwrap()).sum();
    let figure = total(&remaining(server, &crew.qa, "basis=provisional"));
    assert!((drawn - figure).abs() < 2.0, "to the square metre of each: {drawn} {figure}");
    let first = left.iter().find(|one| one["id"] == json!(country.areas[0])).unwrap();
    assert_eq!((&first["classification"], &first["contested"]), (&json!("cha"), &json!(false)));
    let released = shown(server, &crew.qa, "released", "basis=provisional");
    assert_eq!(ids(&released), [half, whole]);
    assert_eq!(
        (&released[0]["result"], &released[0]["released_on"]),
        (&json!("cleared"), &json!("2024-06-30"))
    );
    // Earlier days, there and back; another basis.
    for (query, many) in
        [("as_of=2023-12-31&", 4), ("as_of=2001-01-01&", 1), ("as_of=2024-12-31&", 3), ("", 3)]
    {
        let then = shown(server, &crew.qa, "remaining", &format!("{query}basis=provisional"));
        assert_eq!(then.len(), many, "{query}");
    }
    assert!(shown(server, &crew.qa, "remaining", "").is_empty(), "nothing is finalised");
    assert!(shown(server, &crew.qa, "contested", "basis=provisional").is_empty());
    // Several layers at once, also as they are packed.
    let both = format!("/tiles/released,remaining,hazardous_area_points/{ALL}?basis=provisional");
    let names = |bytes: &[u8]| {
        let mut names: Vec<String> = read(bytes).into_iter().map(|(name, _)| name).collect();
        names.dedup();
        names
    };
    let plain = ask(server, &crew.qa, &both, &[]);
    assert_eq!(names(&plain.bytes), ["released", "remaining"]);
    let token = crew.qa.log_in(server);
    let packed = server.http().packed(&both, &token);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.bytes);
}

fn each_basis_has_tiles_of_its_own(place: &Place) {
    let country = Country::prepare(place, 3);
    let server = &country.server;
    // Logged in once: nothing at all is written between the questions.
    let token = country.crew.im.log_in(server);
    let of = |basis: &str| {
        let path = format!("/tiles/remaining/{ALL}?basis={basis}");
        let (reply, bytes) = server.http().raw("GET", &path, &token, &[], &[]);
        (reply.status, reply.header("etag").unwrap_or_default().to_owned(), bytes.is_empty())
    };
    let (official, provisional) = (of("official"), of("provisional"));
    assert_eq!((official.0, official.2), (204, true), "nothing is finalised");
    assert_eq!((provisional.0, provisional.2), (200, false));
    assert_ne!(official.1, provisional.1);
    assert_eq!((of("official"), of("provisional")), (official, provisional));
}

fn ground_is_named_where_a_map_has_room(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew, area) = (&country.server, &country.crew, country.areas[0]);
    let fields = json!({"result": "reduced", "method": "manual", "completion_date": "2024-06-30",
                        "local_reference": "LR 7", "hazardous_area_ids": [area]});
    let outline = square(0.0, 0.0005);
    push(
        server,
        crew,
        &crew.surveyor,
        vec![create("land_release", Uuid::now_v7(), &crew.surveyor, &fields, &outline)],
    );
    // The first area's own tile.
    let near = "15/16384/15469";
    let of = |layer: &str, field: &str, tile: &str| {
        let answer = ask(server, &crew.im, &format!("/tiles/{layer}/{tile}?basis=provisional"), &[]);
        (read(&answer.bytes)[0].1.get(field).cloned(), answer.etag)
    };
    assert_eq!(of("remaining", "name", near).0, Some(json!("Area 0")));
    assert_eq!(of("released", "name", near).0, Some(json!("LR 7")));
    assert_eq!(of("hazardous_area", "name", near).0, Some(json!("Area 0")));
    for layer in ["remaining", "released", "hazardous_area"] {
        assert_eq!(of(layer, "name", ALL).0, None, "{layer}: a country has no room for names");
    }
    // A name is as new as everything else.
    let before = of("remaining", "name", near).1;
    let version = record(server, &crew.im.log_in(server), area)["version"].clone();
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let edit = tablet.on("update", area, &version, &json!({"changes": {"local_reference": {"to": "MF-12"}}}));
    tablet.must("applied", &edit);
    let (name, after) = of("remaining", "name", near);
    assert_eq!(name, Some(json!("MF-12")), "the operator's own reference names it better");
    assert_ne!(before, after);
    assert_eq!(of("hazardous_area", "local_reference", near).0, Some(json!("MF-12")));
    let item =
        country.im().get(&format!("/collections/remaining/items/{area}?basis=provisional")).expect(200);
    assert_eq!(item["properties"]["name"], "MF-12");
}

fn a_tile_is_asked_for_again_only_when_it_has_changed(place: &Place) {
    let country = Country::prepare(place, 3);
    let (server, crew) = (&country.server, &country.crew);
    let path = |layer: &str, tile: &str| format!("/tiles/{layer}/{tile}?basis=provisional");
    // The first area's own tile, and one without any.
    let (here, there) = ("15/16384/15469", "15/16391/15469");
    let ask_again = |layer: &str, tile: &str, etag: &str| {
        ask(server, &crew.im, &path(layer, tile), &[("If-None-Match", etag)]).status
    };
    let known = |layer: &str, tile: &str| {
        let answer = ask(server, &crew.im, &path(layer, tile), &[]);
        assert_eq!(answer.status, 200, "{layer} {tile}");
        assert_eq!(ask_again(layer, tile, &format!("\"x\", {}", answer.etag)), 304);
        answer.etag
    };
    for layer in ["remaining", "hazardous_area"] {
        known(layer, here);
        known(layer, ALL);
    }
    // What is written far away, or to another kind, changes nothing here.
    let far = crate::ledger::push_hazard(server, crew, &crew.surveyor, 0.9);
    let (ground, records) = (known("remaining", here), known("hazardous_area", here));
    let other = known("remaining", ALL);
    let task = create(
        "task",
        Uuid::now_v7(),
        &crew.director,
        &json!({"task_type": "clearance", "title": "T", "hazardous_area_ids": [far]}),
        &Value::Null,
    );
    push(server, crew, &crew.surveyor, vec![task]);
    let near = release(Uuid::now_v7(), &crew.surveyor, far, &square(0.9, 0.0005));
    push(server, crew, &crew.surveyor, vec![near]);
    assert_eq!(ask_again("remaining", here, &ground), 304);
    assert_eq!(ask_again("hazardous_area", here, &records), 304);
    assert_eq!(ask_again("remaining", ALL, &other), 304, "0.9° is another tile");
    // What is written here does.
    let taken = release(Uuid::now_v7(), &crew.surveyor, country.areas[0], &square(0.0, 0.0005));
    push(server, crew, &crew.surveyor, vec![taken]);
    assert_eq!(ask_again("remaining", here, &ground), 200);
    assert_eq!(ask_again("remaining", ALL, &other), 200);
    assert_eq!(ask_again("hazardous_area", here, &records), 304, "no area was changed");
    assert_eq!(ask(server, &crew.im, &path("hazardous_area", there), &[]).status, 204, "there is nothing");
    // Another reader's tile is another tile.
    let theirs = ask(server, &crew.second, &path("hazardous_area", ALL), &[]);
    assert_ne!(theirs.etag, known("hazardous_area", ALL));
}

fn each_is_shown_what_is_theirs(place: &Place) {
    let country = Country::prepare(place, 2);
    let (server, crew) = (&country.server, &country.crew);
    let (first, second) = (country.areas[0], country.areas[1]);
    let areas = |who: &Person| ids(&shown(server, who, "hazardous_area", ""));
    assert_eq!(areas(&crew.surveyor), [first, second], "its author's drafts");
    assert!(areas(&crew.second).is_empty(), "another team's");
    assert!(areas(&crew.stranger).is_empty(), "another operator's");
    assert_eq!(areas(&crew.qa), [first, second]);
    finalise_because(server, crew, first, Some("reported by a size of nothing"));
    assert_eq!(areas(&crew.stranger), [first], "what is finalised is everybody's");
    // An amendment is its own people's until it is finalised.
    let version = record(server, &crew.im.log_in(server), first)["version"].clone();
    let tablet = Tablet::enrol(server, crew, &crew.manager);
    let edit = tablet.on("update", first, &version, &json!({"changes": {"classification": {"to": "SHA"}}}));
    tablet.must("applied", &with(edit, &json!({})));
    let class = |who: &Person| shown(server, who, "hazardous_area", "")[0]["classification"].clone();
    assert_eq!((class(&crew.manager), class(&crew.stranger)), (json!("SHA"), json!("CHA")));
    // An observer has no exact ground that is not cleared, not even its name.
    for layer in ["hazardous_area", "remaining", "released", "hazardous_area,land_release", "nothing"] {
        let answer = ask(server, &crew.observer, &format!("/tiles/{layer}/{ALL}"), &[]);
        assert_eq!(answer.status, 404, "{layer}");
        assert_eq!(ask(server, &crew.observer, &format!("/tiles/{layer}"), &[]).status, 404, "{layer}");
    }
    let releases = shown(server, &crew.observer, "land_release", "");
    assert!(releases.is_empty(), "nothing is finalised");
    for path in [
        "/tiles/victim/0/0/0",
        "/tiles/hazardous_area/21/0/0",
        "/tiles/hazardous_area/2/4/0",
        "/tiles/hazardous_area/a/0/0",
    ] {
        assert_eq!(ask(server, &crew.im, path, &[]).status, 404, "{path}");
    }
    let wrong = ask(server, &crew.im, &format!("/tiles/remaining/{ALL}?as_of=yesterday"), &[]);
    assert_eq!(wrong.status, 400);
}

fn a_tile_does_not_tell_of_what_it_does_not_show(place: &Place) {
    let country = Country::prepare(place, 2);
    let (server, crew) = (&country.server, &country.crew);
    let known = Uuid::now_v7();
    let cleared = release(known, &crew.surveyor, country.areas[0], &square(0.0, 0.0005));
    push(server, crew, &crew.surveyor, vec![cleared]);
    finalise(server, crew, known);
    let path = format!("/tiles/land_release/{ALL}");
    let seen = |who: &Person| ask(server, who, &path, &[]);
    let before = [&crew.observer, &crew.stranger, &crew.im].map(|who| seen(who).etag);
    let draft = release(Uuid::now_v7(), &crew.surveyor, country.areas[1], &square(0.0095, 0.002));
    push(server, crew, &crew.surveyor, vec![draft]);
    let after = [&crew.observer, &crew.stranger, &crew.im].map(|who| seen(who).etag);
    assert_eq!(before[..2], after[..2], "a draft of others is not even hinted at");
    assert_ne!(before[2], after[2]);
    let again = ask(server, &crew.observer, &path, &[("If-None-Match", before[0].as_str())]);
    assert_eq!(again.status, 304);
}

fn records_of_a_basis_are_those_that_count(place: &Place) {
    let country = Country::prepare(place, 3);
    let (server, crew) = (&country.server, &country.crew);
    let [finalised, refused, waiting] = [country.areas[0], country.areas[1], country.areas[2]];
    finalise_because(server, crew, finalised, Some("reported by a size of nothing"));
    for (person, action, reason) in
        [(&crew.supervisor, "submit", Value::Null), (&crew.manager, "reject", json!("There is none"))]
    {
        let token = person.log_in(server);
        let version = record(server, &token, refused)["version"].as_str().unwrap().to_owned();
        let body = json!({"action": action, "reason": reason});
        let path = format!("/v1/records/{refused}/stage");
        server.http().post_with(&path, &token, &[("If-Match", &version)], &body).expect(200);
    }
    let of = |query: &str| ids(&shown(server, &crew.im, "hazardous_area", query));
    assert_eq!(of(""), [finalised, refused, waiting], "as they stand");
    assert_eq!(of("basis=provisional"), [finalised, waiting], "a map does not show what was refused");
    assert_eq!(of("basis=official"), [finalised]);
    assert_eq!(of("basis=provisional"), [finalised, waiting]);
}

fn tiles_describe_themselves(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew) = (&country.server, &country.crew);
    let map = Map::of(server, &crew.im, "read");
    let token = crew.im.log_in(server);
    let json_of = |path: &str| server.http().get(path, &token).expect(200);
    let described = json_of("/tiles/remaining,hazardous_area?as_of=2024-12-31");
    assert_eq!(described["tilejson"], "3.0.0");
    let template = described["tiles"][0].as_str().unwrap();
    assert!(template.ends_with("/tiles/remaining,hazardous_area/{z}/{x}/{y}?as_of=2024-12-31"), "{template}");
    assert!(template.starts_with(server.url()));
    assert_eq!(described["vector_layers"][0]["id"], "hazardous_area");
    assert_eq!(described["vector_layers"][1]["fields"]["area_m2"], "Number");
    assert_eq!(described["bounds"], json!([-1.0, 9.0, 1.0, 11.0]));
    // OGC API – Tiles: from the collection to a tile, row before column.
    let collection = map.get("/collections/hazardous_area").expect(200);
    let links = collection["links"].as_array().unwrap();
    let tilesets =
        links.iter().find(|link| link["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector");
    let below = |href: &Value| href.as_str().unwrap().split_once("/ogc").unwrap().1.to_owned();
    let tilesets = map.get(&below(&tilesets.unwrap()["href"])).expect(200);
    assert_eq!(tilesets["tilesets"][0]["dataType"], "vector");
    let tileset = map.get(&below(&tilesets["tilesets"][0]["links"][0]["href"])).expect(200);
    assert_eq!(tileset["layers"][0]["propertiesSchema"]["properties"]["classification"]["type"], "string");
    let item = tileset["links"].as_array().unwrap().iter().find(|link| link["rel"] == "item").unwrap();
    assert_eq!(item["templated"], true);
    let path = below(&item["href"])
        .replace("{tileMatrix}", "9")
        .replace("{tileRow}", "241")
        .replace("{tileCol}", "256");
    let reply = map.get(&path);
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/vnd.mapbox-vector-tile"))
    );
    // Records are drawn as they stand: nobody is shown today's for those of another day.
    let ground = path.replace("hazardous_area", "remaining");
    let api = map.get("/api").expect(200);
    let named = |collection: &str| {
        let place = "tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}";
        api["paths"][format!("/collections/{collection}/{place}")]["get"]["parameters"].to_string()
    };
    let refused = map.get(&format!("{path}?as_of=2010-01-01")).expect(400);
    assert!(text(&refused, "detail").contains("as_of"), "{refused}");
    assert!(named("remaining").contains("as_of") && !named("hazardous_area").contains("as_of"));
    for tile in [&ground, &path] {
        assert!(matches!(map.get(&format!("{tile}?basis=provisional")).status, 200 | 204), "{tile}");
    }
    assert!(matches!(map.get(&format!("{ground}?as_of=2010-01-01")).status, 200 | 204));
    assert_eq!(
        ask(server, &crew.im, &format!("/tiles/hazardous_area/{ALL}?as_of=2010-01-01"), &[]).status,
        200
    );
    let scheme = map.get("/tileMatrixSets/WebMercatorQuad").expect(200);
    let finest = scheme["tileMatrices"].as_array().unwrap().last().unwrap();
    assert_eq!((&finest["id"], &finest["matrixWidth"]), (&json!("16"), &json!(65_536)));
    let scale = scheme["tileMatrices"][0]["scaleDenominator"].as_f64().unwrap();
    assert!((scale - 559_082_264.028_717_6).abs() < 1.0, "OGC 17-083r4, annex D.1: {scale}");
    assert_eq!(map.get("/collections/victim/tiles").status, 404, "what has no place has no tiles");
}

fn gdal_reads_a_tile(place: &Place) {
    if !runs(Command::new("ogrinfo").arg("--version")) {
        return skip("GDAL");
    }
    let country = Country::prepare(place, 3);
    let answer = ask(&country.server, &country.crew.im, &format!("/tiles/hazardous_area/{ALL}"), &[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tile.mvt");
    std::fs::write(&file, &answer.bytes).unwrap();
    let told =
        said(Command::new("ogrinfo").args(["-al", "-oo", "X=256", "-oo", "Y=241", "-oo", "Z=9"]).arg(&file));
    assert!(told.contains("Feature Count: 3") && told.contains("Polygon"), "{told}");
    assert!(told.contains("classification (String) = CHA"), "{told}");
}

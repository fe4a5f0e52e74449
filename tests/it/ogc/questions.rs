//! What can be asked for, by whom.

use serde_json::json;
use uuid::Uuid;

use super::{Country, Map, features, next_of};
use crate::ledger::{finalise, finalise_because, push, release, square};
use crate::support::tablet::with;
use crate::support::{Person, Place, Tablet, on_both, people::text};

on_both!(
    boxes_times_filters_and_orders,
    reference_systems,
    what_is_no_question_is_refused,
    everybody_sees_what_their_role_does,
    what_was_sent_back_is_not_shown_as_it_was_before,
    what_official_figures_count_can_be_had_by_itself,
);

fn boxes_times_filters_and_orders(place: &Place) {
    let country = Country::prepare(place, 6);
    let (map, areas) = (country.im(), &country.areas);
    let ids = |query: &[(&str, &str)]| map.ids("hazardous_area", query);
    assert_eq!(&ids(&[]), areas);
    assert_eq!(ids(&[("bbox", "0.005,9.9,0.025,10.1")]), areas[1..3]);
    assert_eq!(ids(&[("bbox", "170,-10,-0.5,10.1")]), Vec::<Uuid>::new(), "across the antimeridian");
    assert_eq!(&ids(&[("bbox", "179,-10,1,10.1")]), areas);
    assert_eq!(&ids(&[("bbox", "-181,-10,1,10.1")]), areas, "as maps count that go round and round");
    // Farther from its meridian than a zone is wide.
    let utm = "http://www.opengis.net/def/crs/EPSG/0/32631";
    let west_of = ids(&[("bbox", "-2600000,1000000,172000,1200000"), ("bbox-crs", utm)]);
    assert!(west_of.contains(&areas[0]) && !west_of.contains(&areas[5]), "{west_of:?}");
    let beyond = map.get(&format!("/collections/hazardous_area/items?bbox=6e6,0,7e6,1e6&bbox-crs={utm}"));
    assert_eq!(beyond.status, 400, "nothing lies there, which is no answer");
    assert_eq!(
        ids(&[("bbox", "9.9,0.005,10.1,0.025"), ("bbox-crs", "http://www.opengis.net/def/crs/EPSG/0/4326")]),
        areas[1..3]
    );
    // A box that meets the outline's box and not the outline.
    assert_eq!(ids(&[("bbox", "0.0005,10.0005,0.0006,10.0006")]), areas[..1]);
    assert_eq!(
        ids(&[("datetime", "2002-06-01T00:00:00Z")]),
        areas[..3],
        "they hold from the day they were found"
    );
    assert_eq!(ids(&[("datetime", "../2000-12-31")]), areas[..1]);
    assert_eq!(
        ids(&[("filter", "classification = 'CHA' AND reported_area_m2 > 1000")]),
        [areas[2], areas[4]]
    );
    let today = chrono::Utc::now().date_naive();
    assert_eq!(&ids(&[("filter", &format!("recorded_at <= DATE('{today}')"))]), areas, "all of the day");
    assert_eq!(ids(&[("filter", "NOT (name IN (local_reference))")]), Vec::<Uuid>::new(), "nobody can tell");
    let json_filter = json!({"op": "in", "args": [{"property": "name"}, ["Area 1", "Area 5"]]}).to_string();
    assert_eq!(ids(&[("filter", &json_filter), ("filter-lang", "cql2-json")]), [areas[1], areas[5]]);
    assert_eq!(ids(&[("filter", "S_INTERSECTS(geometry,BBOX(0.045,9,0.2,11))")]), [areas[5]]);
    assert_eq!(ids(&[("classification", "SHA"), ("bbox", "0.025,9,0.2,11")]), [areas[3], areas[5]]);
    assert_eq!(ids(&[("contamination", "ap_mine")]).len(), 6);
    assert_eq!(
        ids(&[("sortby", "classification,-reported_area_m2")]),
        [4, 2, 0, 5, 3, 1].map(|place| areas[place])
    );
    let some = map.items("hazardous_area", &[("properties", "name,stage"), ("limit", "1")]);
    assert_eq!(features(&some)[0]["properties"], json!({"name": "Area 0", "stage": "draft"}));
    assert_eq!(map.ids("hazardous_area_points", &[("bbox", "0.4,10.4,0.6,10.6")]), [country.point]);
    sorted_pages_follow_one_another(&map, areas);
}

fn sorted_pages_follow_one_another(map: &Map, areas: &[Uuid]) {
    let mut path = "/collections/hazardous_area/items?limit=2&sortby=-name".to_owned();
    let mut found = Vec::new();
    loop {
        let page = map.get(&path).expect(200);
        assert_eq!(page["numberMatched"], 6);
        found.extend(features(&page).iter().map(|one| text(one, "id").parse::<Uuid>().unwrap()));
        let Some(next) = next_of(&page) else { break };
        path = next;
    }
    let backwards: Vec<Uuid> = areas.iter().rev().copied().collect();
    assert_eq!(found, backwards);
}

fn reference_systems(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = country.im();
    let first = |crs: &str| {
        let uri = format!("http://www.opengis.net/def/crs/{crs}");
        let path = format!("/collections/hazardous_area/items?{}", super::encoded(&[("crs", &uri)]));
        let reply = map.get(&path);
        assert_eq!(reply.header("content-crs"), Some(format!("<{uri}>").as_str()));
        let page = reply.expect(200);
        let position = features(&page)[0]["geometry"]["coordinates"][0][0][0].clone();
        (position[0].as_f64().unwrap(), position[1].as_f64().unwrap())
    };
    assert_eq!(first("OGC/1.3/CRS84"), (0.0, 10.0));
    assert_eq!(first("EPSG/0/4326"), (10.0, 0.0));
    let (x, y) = first("EPSG/0/3857");
    assert!(x.abs() < 1e-6 && (y - 1_118_889.974_858).abs() < 0.001, "{x} {y}");
    let (easting, northing) = first("EPSG/0/32631");
    // PROJ: `echo 0 10 | gdaltransform -s_srs OGC:CRS84 -t_srs EPSG:32631`
    assert!(
        (easting - 171_071.263_9).abs() < 0.001 && (northing - 1_106_908.854_2).abs() < 0.001,
        "{easting} {northing}"
    );
    let far = map.get("/collections/hazardous_area/items?crs=http://www.opengis.net/def/crs/EPSG/0/32650");
    assert_eq!(far.status, 400, "a zone of another country");
}

fn what_is_no_question_is_refused(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = country.im();
    for query in [
        "limit=unlimited",
        "limit=0",
        "limit=-1",
        "unknown=1",
        "bbox=1,2,3",
        "datetime=yesterday",
        "filter=name%20%3D",
        "filter=nothing%20%3D%201",
        "filter-lang=ecql&filter=TRUE",
        "crs=EPSG:1",
        "sortby=nothing",
        "properties=nothing",
        "as_of=soon",
        "as_of=2190-01-01",
        "f=xml",
        "bbox=0,0,1,1&bbox=0,0,1,1",
        "evidence=x",
        "basis=provisional",
        "reported_area_m2=much",
    ] {
        let reply = map.get(&format!("/collections/hazardous_area/items?{query}"));
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{query}");
    }
    let deep = format!("filter={}", "%28".repeat(2_000));
    assert_eq!(map.get(&format!("/collections/hazardous_area/items?{deep}")).status, 400);
    for query in
        ["limit=100000000", "datetime=2000-01-01T00:00:00Z/P1M", "bbox=-180,-90,180,90", "basis=provisional"]
    {
        let collection = if query.starts_with("basis") { "remaining" } else { "hazardous_area" };
        assert_eq!(map.get(&format!("/collections/{collection}/items?{query}")).status, 200, "{query}");
    }
    for path in [
        "/?x=1",
        "/conformance?x=1",
        "/collections?x=1",
        "/api?limit=1",
        "/collections/task?x=1",
        "/collections/task/schema?x=1",
    ] {
        assert_eq!(map.get(path).status, 400, "{path}");
    }
}

fn everybody_sees_what_their_role_does(place: &Place) {
    let country = Country::prepare(place, 2);
    let (server, crew) = (&country.server, &country.crew);
    let cleared = Uuid::now_v7();
    let made = release(cleared, &crew.surveyor, country.areas[0], &square(0.0, 0.0005));
    push(server, crew, &crew.surveyor, vec![made]);
    finalise(server, crew, cleared);
    let official = text(&crate::support::tablet::record(server, &crew.im.log_in(server), cleared), "version");
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let amended = json!({"base_version": official, "changes": {"depth_cm": {"from": 20, "to": 13}}});
    tablet.must("applied", &with(tablet.edit("update", "land_release", cleared), &amended));
    for (who, areas, depth) in [
        (&crew.surveyor, Some(2), json!(13.0)),
        (&crew.second, Some(0), json!(20.0)),
        (&crew.manager, Some(2), json!(13.0)),
        (&crew.stranger, Some(0), json!(20.0)),
        (&crew.im, Some(2), json!(13.0)),
        (&crew.observer, None, json!(20.0)),
    ] {
        let map = Map::of(server, who, "read");
        let drafts = map.get("/collections/hazardous_area/items");
        match areas {
            Some(count) => assert_eq!(drafts.expect(200)["numberMatched"], count, "{}", who.login),
            None => assert_eq!(drafts.status, 404, "{}", who.login),
        }
        let releases = map.items("land_release", &[]);
        assert_eq!(releases["numberMatched"], 1, "{}", who.login);
        let shown = &features(&releases)[0]["properties"];
        assert_eq!(shown["depth_cm"], depth, "{}", who.login);
        assert_eq!(
            map.ids("land_release", &[("filter", &format!("depth_cm = {depth}"))]),
            [cleared],
            "{}",
            who.login
        );
        assert_eq!(
            map.ids("land_release", &[("filter", "depth_cm > 13"), ("bbox", "-1,9,1,11")]).len(),
            usize::from(depth == 20.0)
        );
        let restricted = who.role == cartagena::model::Role::Observer;
        assert_eq!(shown.get("man_hours").is_none(), restricted, "{}", who.login);
        let asked = map.get("/collections/land_release/items?filter=man_hours%20IS%20NULL");
        assert_eq!(
            asked.status,
            if restricted { 400 } else { 200 },
            "{}: a filter tells nothing either",
            who.login
        );
        let personal = map.get("/collections/victim").status;
        assert_eq!(
            personal,
            if who.role == cartagena::model::Role::ImOfficer { 200 } else { 404 },
            "{}",
            who.login
        );
    }
}

fn what_was_sent_back_is_not_shown_as_it_was_before(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew, area) = (&country.server, &country.crew, country.areas[0]);
    let step = |who: &Person, action: &str| {
        let token = who.log_in(server);
        let version = text(&crate::support::tablet::record(server, &token, area), "version");
        let body = json!({"action": action, "reason": "the outline"});
        let path = format!("/v1/records/{area}/stage");
        server.http().post_with(&path, &token, &[("If-Match", version.as_str())], &body).expect(200);
        chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    };
    let stranger = Map::of(server, &crew.stranger, "read");
    let count = |map: &Map, as_of: &str| map.ids("hazardous_area", &[("as_of", as_of)]).len();
    let submitted = step(&crew.supervisor, "submit");
    assert_eq!(count(&stranger, &submitted), 1);
    let returned = step(&crew.manager, "return");
    assert_eq!((count(&stranger, &returned), count(&stranger, &submitted)), (0, 0));
    assert_eq!((count(&country.im(), &returned), count(&country.im(), &submitted)), (1, 1));
    let shown = country.im().items("hazardous_area", &[("as_of", &submitted)]);
    assert_eq!(features(&shown)[0]["properties"]["stage"], "submitted");
}

/// An amendment, or a retirement that nobody has approved, takes nothing out of what is official.
fn what_official_figures_count_can_be_had_by_itself(place: &Place) {
    let country = Country::prepare(place, 3);
    let (map, areas) = (country.im(), &country.areas);
    for area in &areas[..2] {
        finalise_because(&country.server, &country.crew, *area, Some("the size was estimated from afar"));
    }
    let at = |area: Uuid| format!("/collections/hazardous_area/items/{area}");
    let patch = json!({"properties": {"remarks": "amended"}}).to_string();
    let headers = [("Content-Type", "application/merge-patch+json")];
    assert_eq!(map.send("PATCH", &at(areas[0]), &headers, patch.as_bytes()).status, 204);
    assert_eq!(map.send("DELETE", &at(areas[1]), &[], b"").status, 204);
    let remarks = |query: &[(&str, &str)]| -> Vec<String> {
        let page = map.items("hazardous_area", query);
        features(&page).iter().map(|one| one["properties"]["remarks"].to_string()).collect()
    };
    assert_eq!(
        remarks(&[]),
        ["\"amended\"", "null", "null"],
        "as they stand; what is out of use until that is approved"
    );
    assert_eq!(remarks(&[("basis", "official")]), ["null", "null"]);
    let one = map.get(&format!("{}?basis=official", at(areas[0]))).expect(200);
    assert_eq!(one["properties"]["stage"], "finalised");
    let wrong = map.get("/collections/hazardous_area/items?basis=provisional");
    assert!(wrong.status == 400 && wrong.body.to_string().contains("at every stage"), "{}", wrong.body);
    let (reply, bytes) = map.download("/collections/hazardous_area/export?f=geojson&basis=official");
    assert!(reply.header("content-disposition").unwrap().contains("_official.geojson"));
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("official: records as they were finalised last") && !text.contains("amended"),
        "{text}"
    );
}

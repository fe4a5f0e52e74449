//! What two people disagree about: maps show the most hazardous that anybody says.

use serde_json::{Value, json};
use uuid::Uuid;

use super::tiles::{ids, shown};
use super::{Country, Map, features};
use crate::ledger::{finalise, push, release, square};
use crate::support::tablet::{record, with};
use crate::support::{Person, Place, Tablet, on_both};

on_both!(
    contested_ground_is_shown_at_its_most_hazardous,
    what_somebody_says_is_still_there_is_there,
    a_contested_release_releases_nothing_more,
    every_place_and_every_kind_that_somebody_names_is_shown
);

/// Two surveyors disagree about where the country's first area is, and how grave.
pub(crate) fn dispute(country: &Country) -> Uuid {
    let (server, crew, area) = (&country.server, &country.crew, country.areas[0]);
    let version = record(server, &crew.im.log_in(server), area)["version"].clone();
    let sides = [(&crew.surveyor, square(0.001, 0.001), "SHA"), (&crew.second, square(0.0005, 0.001), "CHA")];
    for ((who, outline, class), outcome) in sides.into_iter().zip(["applied", "conflict"]) {
        let tablet = Tablet::enrol(server, crew, who);
        let changes = json!({"changes": {"geometry": {"to": outline}, "classification": {"to": class}}});
        let edit = with(tablet.on("update", area, &version, &json!({})), &changes);
        tablet.must(outcome, &edit);
    }
    area
}

fn contested_ground_is_shown_at_its_most_hazardous(place: &Place) {
    let country = Country::prepare(place, 1);
    let area = dispute(&country);
    let page = country.im().items("hazardous_area", &[]);
    let shown = &features(&page)[0];
    assert_eq!(
        (&shown["properties"]["contested"], &shown["properties"]["classification"]),
        (&json!(true), &json!("CHA"))
    );
    let west = |geometry: &Value| {
        let ring = geometry["coordinates"][0][0].as_array().unwrap().iter();
        ring.map(|at| at[0].as_f64().unwrap()).fold(f64::INFINITY, f64::min)
    };
    assert!((west(&shown["geometry"]) - 0.0005).abs() < 1e-9, "the ground of both: {shown}");
    assert_eq!(country.im().ids("hazardous_area", &[("bbox", "0.0006,9,0.0007,11")]), [area]);
    let refused = country.im().send(
        "PATCH",
        &format!("/collections/hazardous_area/items/{area}"),
        &[("Content-Type", "application/merge-patch+json")],
        br#"{"properties": {"name": "x"}}"#,
    );
    assert_eq!(refused.expect(409)["type"], "urn:cartagena:problem:contested");
    let gone = country.im().send("DELETE", &format!("/collections/hazardous_area/items/{area}"), &[], &[]);
    assert_eq!(gone.expect(409)["type"], "urn:cartagena:problem:contested");
}

/// What somebody's tiles of a layer show, in the order of their ids.
fn drawn(country: &Country, who: &Person, layer: &str) -> Vec<Uuid> {
    ids(&shown(&country.server, who, layer, ""))
}

fn what_somebody_says_is_still_there_is_there(place: &Place) {
    let country = Country::prepare(place, 2);
    let (server, crew) = (&country.server, &country.crew);
    let (one, two) = (Tablet::enrol(server, crew, &crew.surveyor), Tablet::enrol(server, crew, &crew.second));
    let version = |area| record(server, &crew.im.log_in(server), area)["version"].clone();
    let [gone, closed] = [country.areas[0], country.areas[1]];
    // One retires it, the other has seen a mine there.
    let seen = version(gone);
    let remarks = json!({"changes": {"remarks": {"to": "A mine at the well"}}});
    one.must("applied", &one.on("retire", gone, &seen, &json!({})));
    assert_eq!(country.im().ids("hazardous_area", &[]), [closed]);
    two.must("conflict", &two.on("update", gone, &seen, &remarks));
    let page = country.im().items("hazardous_area", &[("bbox", "-0.001,9,0.005,11")]);
    assert_eq!(features(&page)[0]["id"], json!(gone), "{page}");
    assert_eq!(features(&page)[0]["properties"]["contested"], true);
    // Tiles, too, which maps draw.
    assert_eq!(drawn(&country, &crew.im, "hazardous_area"), [gone, closed]);
    // One closes it, the other suspends the work.
    let seen = version(closed);
    let status = |to: &str| json!({"changes": {"status": {"to": to}}});
    one.must("applied", &one.on("update", closed, &seen, &status("closed")));
    two.must("conflict", &two.on("update", closed, &seen, &status("suspended")));
    assert_eq!(country.im().ids("hazardous_area", &[("filter", "status = 'closed'")]), Vec::<Uuid>::new());
    let page =
        country.im().items("hazardous_area", &[("filter", "contested = TRUE AND status = 'suspended'")]);
    assert!(features(&page).iter().any(|one| one["id"] == json!(closed)), "{page}");
}

fn a_contested_release_releases_nothing_more(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew) = (&country.server, &country.crew);
    let id = Uuid::now_v7();
    let official = square(0.0, 0.0005);
    push(server, crew, &crew.surveyor, vec![release(id, &crew.surveyor, country.areas[0], &official)]);
    finalise(server, crew, id);
    let stands = record(server, &crew.im.log_in(server), id)["version"].clone();
    for (who, width, outcome) in [(&crew.surveyor, 0.0007, "applied"), (&crew.second, 0.001, "conflict")] {
        let tablet = Tablet::enrol(server, crew, who);
        let wider = json!({"changes": {"geometry": {"to": square(0.0, width)}}});
        let edit = with(tablet.on("update", id, &stands, &json!({})), &wider);
        tablet.must(outcome, &with(edit, &json!({"kind": "land_release"})));
    }
    // Nobody who works by the map walks where only one side says that it is clear.
    let observer = Map::of(server, &crew.observer, "read");
    let page = observer.items("land_release", &[]);
    assert_eq!(features(&page)[0]["properties"]["contested"], true);
    assert_eq!(observer.ids("land_release", &[("bbox", "0.0006,9,0.0009,11")]), Vec::<Uuid>::new());
    assert_eq!(country.im().ids("land_release", &[("bbox", "0.0008,9,0.0009,11")]), Vec::<Uuid>::new());
    assert_eq!(drawn(&country, &crew.observer, "land_release"), [id]);
    let listed = server.http().get("/v1/records?kind=land_release", &crew.im.log_in(server)).expect(200);
    assert_eq!(listed["features"][0]["contested"], true);
}

fn every_place_and_every_kind_that_somebody_names_is_shown(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew, area) = (&country.server, &country.crew, country.point);
    let version = record(server, &crew.im.log_in(server), area)["version"].clone();
    for (who, lon, kind, outcome) in
        [(&crew.surveyor, 0.51, "uxo", "applied"), (&crew.second, 0.53, "ap_mine", "conflict")]
    {
        let tablet = Tablet::enrol(server, crew, who);
        let point = json!({"type": "Point", "coordinates": [lon, 10.5]});
        let changes = json!({"changes": {"geometry": {"to": point}, "contamination": {"to": [kind]}}});
        tablet.must(outcome, &with(tablet.on("update", area, &version, &json!({})), &changes));
    }
    let page = country.im().items("hazardous_area_points", &[]);
    let shown = &features(&page)[0];
    assert_eq!(shown["geometry"]["coordinates"], json!([[0.51, 10.5], [0.53, 10.5]]), "{shown}");
    for near in ["0.509,10,0.511,11", "0.529,10,0.531,11"] {
        assert_eq!(country.im().ids("hazardous_area_points", &[("bbox", near)]), [area], "{near}");
    }
    for kind in ["uxo", "ap_mine"] {
        let filter = format!("A_CONTAINS(contamination,('{kind}'))");
        assert_eq!(country.im().ids("hazardous_area_points", &[("filter", &filter)]), [area], "{kind}");
    }
}

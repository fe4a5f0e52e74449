//! What map programs send: a collection's parameters and edited features. Nothing panics or takes long, and a filter that
//! was read answers for every feature.

use std::time::{Duration, Instant};

use cartagena::geometry::shape::Shape;
use cartagena::model::Role;
use cartagena::model::record::{Feature as Shown, Record};
use cartagena::model::role::Actor;
use cartagena::model::schema::Registry;
use cartagena::ogc::bbox::Bbox;
use cartagena::ogc::collection::Collection;
use cartagena::ogc::crs::Crs;
use cartagena::ogc::edit::{Edit, Manner};
use cartagena::ogc::feature::Feature;
use cartagena::ogc::filter::Filter;
use cartagena::ogc::interval::Interval;
use cartagena::ogc::page::Cursor;
use cartagena::ogc::sort::SortBy;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fuzz;

/// Longer than any filter of this size may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(2);

fn areas() -> Collection {
    let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
    let all = Collection::seen(Registry::embedded(), actor.sight(), true);
    all.into_iter().find(|one| one.id == "hazardous_area").unwrap()
}

fn properties() -> Value {
    json!({"name": "Area 1", "classification": "CHA", "contamination": ["uxo"], "reported_area_m2": 12.5,
        "date_identified": "2020-03-01", "contested": false})
}

#[test]
fn any_question_is_read_or_refused() {
    let collection = areas();
    let feature = Feature {
        id: Uuid::nil(),
        geometry: Some(geo::Point::new(18.0, 43.0).into()),
        properties: properties().as_object().unwrap().clone(),
    };
    fuzz("cql2", |case| {
        let text = String::from_utf8_lossy(case);
        let begun = Instant::now();
        for crs in [Crs::Crs84, Crs::WebMercator, Crs::Utm { zone: 34, north: true }] {
            for language in [None, Some("cql2-json")] {
                if let Ok(filter) = Filter::parse(&text, language, crs, &collection) {
                    let admitted = filter.admits(&feature);
                    let denied = Filter::Not(Box::new(filter)).admits(&feature);
                    assert!(!(admitted && denied), "{text}: both so and not so");
                }
            }
            if let Ok(bbox) = Bbox::parse(&text, crs) {
                assert!(bbox.parts().iter().flatten().all(|edge| edge.is_finite()), "{text}");
                bbox.meets(feature.geometry.as_ref());
            }
        }
        let _ = (Interval::parse(&text), Cursor::parse(&text), SortBy::parse(&text, &collection));
        assert!(begun.elapsed() < PATIENCE, "{text}: {:?}", begun.elapsed());
    });
}

#[test]
fn any_edited_feature_is_taken_or_refused() {
    let collection = areas();
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    let mut record = Record::blank(Uuid::nil(), "hazardous_area", 1, Uuid::nil(), Uuid::nil());
    for (name, value) in properties().as_object().unwrap() {
        record.set_field(name, value.clone());
    }
    record.set_field(
        "geometry",
        json!({"type": "Polygon", "coordinates": [[[18.123_456_78, 43.5], [18.2, 43.5], [18.2, 43.6]]]}),
    );
    let stands = Shown::of(record, 1);
    let drawn = Shape::read(stands.geometry.as_ref().unwrap()).unwrap().into_geometry();
    fuzz("geojson", |case| {
        let Ok(value) = serde_json::from_slice::<Value>(case) else { return };
        for body in [value.clone(), json!({"type": "Feature", "geometry": value, "properties": value})] {
            for manner in Manner::ALL {
                for crs in [Crs::Crs84, Crs::Epsg4326, Crs::Utm { zone: 34, north: true }] {
                    let (manner, collection) = (*manner, &collection);
                    let (stands, drawn) = (Some(&stands), Some(&drawn));
                    let edit = Edit { manner, collection, schema, crs, stands, drawn };
                    if let Err(faults) = edit.changes(&body) {
                        assert!(!faults.is_empty(), "{body}: refused without a word");
                    }
                }
            }
        }
    });
}

//! The ledger's ground as features of a map.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::book::Book;
use crate::geometry::display::DisplayError;
use crate::ledger::{ReleasedGround, RemainingGround};
use crate::ogc::bbox::Bbox;
use crate::ogc::collection::Ground;
use crate::ogc::feature::Feature;

/// The features that there are at the end of a day, by id; those that a box may meet, where there is one.
pub fn ids(book: &Book, ground: Ground, as_of: NaiveDate, bbox: Option<Bbox>) -> Vec<Uuid> {
    let mut ids = match ground {
        Ground::Remaining => book.ledger.open_ground(as_of, false),
        Ground::Contested => book.ledger.open_ground(as_of, true),
        Ground::Released => book.ledger.effective_releases(as_of),
    };
    let near =
        bbox.map(|bbox| bbox.parts().into_iter().map(|part| book.ledger.near_box(part)).collect::<Vec<_>>());
    if let Some(near) = near.and_then(|parts| parts.into_iter().collect::<Option<Vec<_>>>()) {
        ids.retain(|id| near.iter().any(|part| part.contains(id)));
    }
    ids
}

/// These features, by id; those that are no more are left out.
///
/// # Errors
/// Where a piece cannot be drawn.
pub fn features(
    book: &Book,
    ground: Ground,
    as_of: NaiveDate,
    ids: &[Uuid],
) -> Result<Vec<Feature>, DisplayError> {
    Ok(match ground {
        Ground::Remaining | Ground::Contested => {
            book.ledger.remaining_ground(as_of, ids)?.into_iter().map(|left| remaining(book, left)).collect()
        }
        Ground::Released => {
            book.ledger.released_ground(as_of, ids)?.into_iter().map(|gone| released(book, gone)).collect()
        }
    })
}

/// What is left of an area.
pub(super) fn remaining(book: &Book, ground: RemainingGround) -> Feature {
    let [admin1, admin2, admin3] = ground.admin;
    let properties = json!({
        "name": book.name(ground.hazard),
        "area_m2": ground.area.m2(),
        "hazardous_area": ground.hazard,
        "classification": ground.classification,
        "contamination": ground.contamination,
        "admin1": admin1,
        "admin2": admin2,
        "admin3": admin3,
        "organisation": ground.organisation,
        "contested": ground.contested,
        "since": ground.since,
    });
    Feature { id: ground.hazard, geometry: Some(ground.outline.into()), properties: members(properties) }
}

/// What a release has released.
pub(super) fn released(book: &Book, ground: ReleasedGround) -> Feature {
    let properties = json!({
        "name": book.name(ground.release),
        "area_m2": ground.area.m2(),
        "land_release": ground.release,
        "released_on": ground.released,
        "result": ground.result,
        "method": ground.method,
        "operator": ground.operator,
    });
    Feature { id: ground.release, geometry: Some(ground.outline.into()), properties: members(properties) }
}

fn members(properties: Value) -> Map<String, Value> {
    match properties {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

//! Sites and their hazardous areas, as the first survey found them.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::book::{Book, Course, fields};
use super::chance::Chance;
use super::country::District;
use super::shape::{Ground, offset};
use crate::model::role::Actor;

/// Areas of a site.
const AREAS: usize = 7;
/// Sites whose stories are told one by one (see `special`) were all found long ago.
pub(super) const TOLD: usize = 9;

/// What is going to become of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    Cancelled,
    PartCancelled,
    Reduced,
    Clearing,
    Cleared,
    BattleArea,
    Enlarged,
    Shrunk,
    Confirmed,
}

/// Shares of the fates, and how many of each begin as confirmed.
const FATES: [(Fate, f64, f64); 10] = [
    (Fate::Open, 0.32, 0.42),
    (Fate::Cancelled, 0.11, 0.0),
    (Fate::PartCancelled, 0.05, 0.0),
    (Fate::Reduced, 0.11, 0.9),
    (Fate::Clearing, 0.14, 1.0),
    (Fate::Cleared, 0.12, 1.0),
    (Fate::BattleArea, 0.06, 0.7),
    (Fate::Enlarged, 0.03, 0.7),
    (Fate::Shrunk, 0.02, 0.6),
    (Fate::Confirmed, 0.04, 0.0),
];

/// Neighbouring areas that were found together, in the care of one operator.
pub(super) struct Site {
    pub(super) number: usize,
    pub(super) origin: (f64, f64),
    pub(super) district: District,
    pub(super) operator: usize,
    pub(super) opened: NaiveDate,
    pub(super) areas: Vec<Area>,
}

/// A hazardous area and what the world knows of it.
pub(super) struct Area {
    pub(super) id: Uuid,
    /// Nothing where only a point and a reported size are known.
    pub(super) ground: Option<Ground>,
    pub(super) fate: Fate,
    pub(super) confirmed: bool,
    pub(super) contamination: &'static [&'static str],
    /// When it stood in the official books, if it does.
    pub(super) finalised: Option<NaiveDate>,
}

impl Site {
    /// One of the operator's surveyors.
    pub(super) fn surveyor(&self, book: &mut Book<'_>) -> Actor {
        let crew = book.cast.operators[self.operator].surveyors;
        book.chance.pick(&crew)
    }

    /// The team's name on the forms.
    pub(super) fn team(&self, book: &mut Book<'_>) -> String {
        let key = book.cast.operators[self.operator].key;
        format!("{key} team {}", book.chance.whole(1, 4))
    }
}

/// Finds a site: a survey, then its areas.
pub(super) fn open(book: &mut Book<'_>, number: usize, district: District) -> Site {
    let origin = district.place(&mut book.chance);
    let legacy = number < TOLD || book.chance.often(0.6);
    let ago = if legacy { book.chance.whole(1_950, 4_200) } else { book.chance.whole(35, 1_800) };
    let opened = book.ago(ago.unsigned_abs());
    let mut site = Site { number, origin, district, operator: number % 3, opened, areas: Vec::new() };
    let survey = first_survey(book, &site);
    for place in 0..AREAS {
        let area = identify(book, &site, place, survey);
        site.areas.push(area);
    }
    site
}

fn first_survey(book: &mut Book<'_>, site: &Site) -> Uuid {
    let surveyor = site.surveyor(book);
    let method: Value =
        book.chance.pick(&[&["interview", "field_visit"][..], &["desk_study", "imagery"]]).into();
    let row = book.chance.id();
    let survey = fields(json!({
        "survey_type": "NTS",
        "method": method,
        "result": book.chance.pick(&["SHA", "CHA"]),
        "start_date": site.opened - Days::new(6),
        "completion_date": site.opened,
        "areas_visited": [{"id": row, "name": site.district.name, "date": site.opened}],
        "informants_count": book.chance.whole(2, 15),
        "team": site.team(book),
        "admin1": site.district.province,
        "admin2": site.district.name,
        "geometry": {"type": "Point", "coordinates": [site.origin.0, site.origin.1]},
    }));
    let id = book.create(site.opened, surveyor, "survey", survey);
    book.approve(id, Course::Through);
    id
}

fn identify(book: &mut Book<'_>, site: &Site, place: usize, survey: Uuid) -> Area {
    let (fate, confirmed) = fate(&mut book.chance, site, place);
    let contamination = contamination(&mut book.chance, fate);
    let size = 2_000.0 * 150_f64.powf(book.chance.unit());
    let (size, ground) = ground(book, site, place, size);
    // About one in twenty is known from an old report only; nobody has walked around it.
    let pointed = place == 5 && fate == Fate::Open;
    let day = site.opened + Days::new(book.chance.whole(1, 25).unsigned_abs());
    let surveyor = site.surveyor(book);
    let mut record = about(book, site, confirmed, contamination, day);
    record.insert("survey_id".to_owned(), json!(survey));
    let patch = ground.whole();
    let factor = match (site.number, place) {
        (9 | 19, 0) => 1.45,
        (29, 0) => 0.7,
        (11 | 21 | 31, 0) => 1.1,
        _ => book.chance.between(0.97, 1.03),
    };
    let reported = if pointed { size } else { patch.area_m2() * factor };
    record.insert("reported_area_m2".to_owned(), json!(reported.round()));
    let geometry = if pointed {
        json!({"type": "Point", "coordinates": ground.point(&mut book.chance)})
    } else {
        record.insert("reference_point".to_owned(), json!({
            "position": ground.landmark(120.0), "description": "Painted stone beside the track (constructed)",
        }));
        record.insert(
            "benchmark".to_owned(),
            json!({
                "position": ground.landmark(15.0), "description": "Steel pin (constructed)",
            }),
        );
        patch.geojson()
    };
    record.insert("geometry".to_owned(), geometry);
    let id = book.create(day, surveyor, "hazardous_area", record);
    let course = if site.number < TOLD || fate != Fate::Open { Course::Through } else { Course::Usual };
    let finalised = book.approve(id, course);
    Area { id, ground: (!pointed).then_some(ground), fate, confirmed, contamination, finalised }
}

fn fate(chance: &mut Chance, site: &Site, place: usize) -> (Fate, bool) {
    match (site.number, place) {
        // Stories told one by one.
        (0, 0) => return (Fate::Clearing, true),
        (1..=3, 0 | 1) => return (Fate::Open, true),
        (6, 0) => return (Fate::Cleared, true),
        _ => {}
    }
    let mut left = chance.unit();
    for (fate, share, confirmed) in FATES {
        if left < share {
            return (fate, chance.often(confirmed));
        }
        left -= share;
    }
    (Fate::Open, false)
}

fn ground(book: &mut Book<'_>, site: &Site, place: usize, size: f64) -> (f64, Ground) {
    let chance = &mut book.chance;
    // Close enough that some neighbours overlap.
    let (angle, far) = (chance.between(0.0, std::f64::consts::TAU), chance.between(80.0, 950.0));
    let centre = offset(site.origin, far * angle.cos(), far * angle.sin());
    match (site.number, place) {
        (0, 0) => (40_000.0, Ground::blob(chance, offset(site.origin, -1_600.0, 0.0), 40_000.0)),
        // Far enough apart to be one outline of two parts, and away from the rest.
        (1, 0) => (30_000.0, Ground::blob(chance, offset(site.origin, 0.0, 1_900.0), 30_000.0)),
        (1, 1) => (24_000.0, Ground::blob(chance, offset(site.origin, 420.0, 1_900.0), 24_000.0)),
        (2 | 3, 0) => (60_000.0, Ground::blob(chance, offset(site.origin, 0.0, 1_900.0), 60_000.0)),
        (6, 0) => (12_000.0, Ground::blob(chance, offset(site.origin, 0.0, 1_900.0), 12_000.0)),
        _ => (size, Ground::random(chance, centre, size)),
    }
}

fn contamination(chance: &mut Chance, fate: Fate) -> &'static [&'static str] {
    if fate == Fate::BattleArea {
        return chance.pick(&[
            &["cluster_munition_remnant"][..],
            &["uxo"],
            &["cluster_munition_remnant", "uxo"],
        ]);
    }
    chance.pick(&[
        &["ap_mine"][..],
        &["ap_mine"],
        &["ap_mine"],
        &["ap_mine", "av_mine"],
        &["ap_mine", "uxo"],
        &["ap_mine_improvised"],
        &["av_mine"],
        &["ap_mine", "cluster_munition_remnant"],
    ])
}

/// Which duties ground with this contamination falls under.
pub(super) fn treaty_scope(contamination: &[&str]) -> Vec<&'static str> {
    let mut scope = Vec::new();
    if contamination.iter().any(|kind| kind.starts_with("ap_mine")) {
        scope.push("apmbc_article_5");
    }
    if contamination.contains(&"cluster_munition_remnant") {
        scope.push("ccm_article_4");
    }
    if contamination.contains(&"uxo") {
        scope.push("ccw_protocol_v");
    }
    if scope.is_empty() { vec!["none"] } else { scope }
}

/// Everything about an area but its place.
pub(super) fn about(
    book: &mut Book<'_>,
    site: &Site,
    confirmed: bool,
    contamination: &[&str],
    day: NaiveDate,
) -> super::book::Fields {
    let team = site.team(book);
    let chance = &mut book.chance;
    let evidence = if confirmed {
        chance.pick(&[("ordnance_seen", "direct"), ("detonation", "direct"), ("mine_record", "direct")])
    } else {
        chance.pick(&[
            ("statement", "indirect"),
            ("land_not_used", "indirect"),
            ("former_combat_zone", "indirect"),
        ])
    };
    let people: Vec<i64> = (0..4).map(|_| chance.whole(0, 60)).collect();
    fields(json!({
        "name": format!("{} {} (constructed)", site.district.name, site.number + 1),
        "classification": if confirmed { "CHA" } else { "SHA" },
        "classification_date": day,
        "classification_reason": "First survey",
        "status": "open",
        "status_date": day,
        "date_identified": day,
        "contamination": contamination,
        "treaty_scope": treaty_scope(contamination),
        "evidence": [{
            "id": chance.id(), "kind": evidence.0, "strength": evidence.1, "date": day,
            "source": "Informant (constructed)",
        }],
        "marking": chance.pick(&["none", "none", "signs", "improvised", "signs_and_fence", "destroyed"]),
        "land_use": [chance.pick(&["agriculture", "grazing", "forest", "road", "housing", "infrastructure"])],
        "blockage": [chance.pick(&["agriculture", "grazing", "drinking_water", "road", "return", "none"])],
        "slope": chance.pick(&["flat", "gentle", "steep", "mixed"]),
        "vegetation": chance.pick(&["none", "grass", "bush", "trees", "dense"]),
        "soil": chance.pick(&["sand", "loam", "clay", "laterite", "rock"]),
        "metal_contamination": chance.pick(&["none", "low", "medium", "high"]),
        "priority": chance.pick(&["high", "medium", "medium", "low"]),
        "direct_beneficiaries": {
            "girls": people[0], "boys": people[1], "women": people[2], "men": people[3],
        },
        "outside_state_control": chance.often(0.02),
        "geometry_method": chance.pick(&["gnss", "gnss", "gnss_differential", "bearing_distance", "imagery"]),
        "geometry_accuracy_m": chance.pick(&[0.5, 3.0, 5.0, 10.0]),
        "team": team,
        "admin1": site.district.province,
        "admin2": site.district.name,
    }))
}

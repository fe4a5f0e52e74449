//! Stories told one by one: lineage, a reopened area, accidents, and the mistakes that people make.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::area::{Area, Fate, Site, about};
use super::book::{Book, Course, Fields, Part, fields};
use super::field;
use super::order::DemoTask;
use super::shape::{Ground, Patch, offset};
use super::work::{Job, release};
use crate::model::Op;
use crate::model::mutation::Outcome;

/// Tells all of them. The sites are those of `area::TOLD`, and a few others.
pub(super) fn tell(book: &mut Book<'_>, sites: &[Site], tasks: &[DemoTask]) {
    merge(book, &sites[1]);
    split(book, &sites[2]);
    duplicate(book, &sites[3]);
    bow_ties(book, &sites[5]);
    reopen(book, &sites[6]);
    for (place, site) in sites.iter().enumerate().filter(|(place, _)| [4, 14, 24].contains(place)) {
        let ago = 90 + 300 * u64::try_from(place / 10).unwrap_or(0);
        let day = book.ago(ago).max(site.opened + Days::new(60));
        if let Some(area) = site.areas.iter().find(|area| area.ground.is_some()) {
            field::accident(book, site, area, day, place == 14);
        }
    }
    careless_releases(book, sites, tasks);
    for (site, meant) in [(&sites[7], Outcome::Quarantined), (&sites[8], Outcome::Conflict)] {
        amiss(book, site, meant);
    }
}

fn update(area: &Area, changes: Value) -> Part {
    Part { op: Op::Update, kind: "hazardous_area", id: area.id, fields: fields(changes) }
}

/// A new area with an outline, in the same words as all others.
fn new_area(book: &mut Book<'_>, site: &Site, area: &Area, patch: &Patch, day: NaiveDate) -> Fields {
    let mut record = about(book, site, area.confirmed, area.contamination, day);
    record.insert("geometry".to_owned(), patch.geojson());
    record.insert("reported_area_m2".to_owned(), json!(patch.area_m2().round()));
    record
}

/// One area turns out to be part of its neighbour.
fn merge(book: &mut Book<'_>, site: &Site) {
    let [into, from, ..] = site.areas.as_slice() else { return };
    let (Some(ground), Some(other)) = (&into.ground, &from.ground) else { return };
    let day = book.ago(800);
    let patch = ground.joined(other);
    let surveyor = site.surveyor(book);
    let size = patch.area_m2().round();
    let wider = json!({"geometry": patch.geojson(), "reported_area_m2": size, "date_of_information": day});
    let ended = json!({
        "merged_into": into.id, "lineage_reason": "One minefield, surveyed twice from both ends",
        "status": "closed", "status_date": day, "status_reason": "Merged", "date_of_information": day,
    });
    book.act(day, surveyor, vec![update(into, wider), update(from, ended)]);
    book.approve(into.id, Course::Through);
    book.approve(from.id, Course::Through);
}

/// A road through an area makes two of it.
fn split(book: &mut Book<'_>, site: &Site) {
    let area = &site.areas[0];
    let Some(ground) = &area.ground else { return };
    let day = book.ago(620);
    let surveyor = site.surveyor(book);
    let halves = [ground.slice(0.0, 0.5, 0.0), ground.slice(0.5, 1.0, 0.0)];
    let mut parts = Vec::new();
    for patch in &halves {
        let fields = new_area(book, site, area, patch, day);
        parts.push(Part { op: Op::Create, kind: "hazardous_area", id: book.chance.id(), fields });
    }
    let ids: Vec<Uuid> = parts.iter().map(|part| part.id).collect();
    parts.push(update(
        area,
        json!({
            "split_into": ids, "lineage_reason": "The road between the halves is in use",
            "status": "closed", "status_date": day, "status_reason": "Split", "date_of_information": day,
        }),
    ));
    book.act(day, surveyor, parts);
    for id in ids.into_iter().chain([area.id]) {
        book.approve(id, Course::Through);
    }
}

/// Another team brings the same area once more; and one brings an area that is none.
fn duplicate(book: &mut Book<'_>, site: &Site) {
    let area = &site.areas[0];
    let Some(ground) = &area.ground else { return };
    let day = book.ago(430);
    let surveyor = site.surveyor(book);
    let stray = Ground::blob(&mut book.chance, offset(site.origin, 0.0, -2_500.0), 9_000.0).whole();
    for (patch, same) in [(ground.whole(), true), (stray, false)] {
        let record = new_area(book, site, area, &patch, day);
        let id = book.create(day, surveyor, "hazardous_area", record);
        book.approve(id, Course::Through);
        let later = day + Days::new(75);
        let change = json!({
            "duplicate_of": same.then_some(area.id),
            "entered_in_error": (!same).then_some(true),
            "lineage_reason": if same { "In the books already" } else { "A training area" },
            "status": "closed", "status_date": later, "status_reason": "Not an area of its own",
            "date_of_information": later,
        });
        book.update(later, book.cast.im[0], id, fields(change));
        book.approve(id, Course::Through);
    }
}

/// Two outlines with vertices in the wrong order: one was returned, the other waits for somebody to see it.
fn bow_ties(book: &mut Book<'_>, site: &Site) {
    for (north, days, course) in [(2_400.0, 210, Course::Returned), (2_900.0, 25, Course::Stops(2))] {
        let day = book.ago(days);
        let ground = Ground::blob(&mut book.chance, offset(site.origin, 0.0, north), 15_000.0);
        let surveyor = site.surveyor(book);
        let record = new_area(book, site, &site.areas[0], &ground.whole().bow_tie(), day);
        let id = book.create(day, surveyor, "hazardous_area", record);
        book.approve(id, course);
    }
}

/// New evidence on ground that had been closed.
fn reopen(book: &mut Book<'_>, site: &Site) {
    let area = &site.areas[0];
    let day = book.ago(90);
    let surveyor = site.surveyor(book);
    let row = json!([{
        "id": book.chance.id(), "kind": "ordnance_seen", "strength": "direct", "date": day,
        "source": "Farmer (constructed)",
    }]);
    let change = json!({
        "status": "open", "status_date": day, "status_reason": "New evidence: a mine was seen by a farmer",
        "evidence": row, "date_of_information": day,
    });
    book.update(day, surveyor, area.id, fields(change));
    book.approve(area.id, Course::Through);
}

/// Cleared to no stated depth, and ground released that belongs to no area.
fn careless_releases(book: &mut Book<'_>, sites: &[Site], tasks: &[DemoTask]) {
    let mut left = 4_usize;
    for site in sites {
        let clearing = |area: &&Area| matches!(area.fate, Fate::Clearing) && area.ground.is_some();
        let Some(area) = site.areas.iter().rfind(clearing) else { continue };
        let ordered = |task: &&DemoTask| task.activity == "clearance" && task.hazards.contains(&area.id);
        let (Some(task), Some(ground)) = (tasks.iter().find(ordered), &area.ground) else { continue };
        if left == 0 || site.number == 0 {
            continue;
        }
        let nowhere = left.is_multiple_of(2);
        let far = Ground::blob(&mut book.chance, offset(site.origin, 4_200.0, 4_000.0), 6_000.0);
        let patch = if nowhere { far.whole() } else { ground.slice(0.85, 1.0, 0.0) };
        let day = book.ago(60 + 40 * u64::try_from(left).unwrap_or(0)).max(site.opened + Days::new(90));
        let job = Job {
            task: task.id,
            survey: None,
            result: "cleared",
            method: if nowhere { "mechanical" } else { "manual" },
            depth_cm: nowhere.then_some(20),
            patch,
            spill_m: 0.0,
            day,
            // Nobody noticed the first of them.
            course: if left > 2 { Course::Through } else { Course::Stops(2) },
        };
        release(book, site, area, &job);
        left -= 1;
    }
}

/// An edit that cannot be taken as it comes: of what another operator has, or of a version that is long past.
fn amiss(book: &mut Book<'_>, site: &Site, meant: Outcome) {
    let area = &site.areas[0];
    let day = book.ago(12);
    let change = json!({"status": "suspended", "status_date": day, "status_reason": "The river is in flood"});
    if meant == Outcome::Quarantined {
        let others = (site.operator + 1) % book.cast.operators.len();
        let stranger = book.cast.operators[others].surveyors[0];
        let base = book.version(area.id);
        book.amiss(day, stranger, update(area, change), base, meant);
        return;
    }
    let before = book.version(area.id);
    let [one, two, _] = book.cast.operators[site.operator].surveyors;
    let tasked = json!({"status": "tasked", "status_date": day, "status_reason": "Order expected"});
    book.update(day, one, area.id, fields(tasked));
    book.amiss(day, two, update(area, change), before, meant);
}

//! What comes with work in the field: ordnance, days of progress, inspections, handovers, accidents.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::area::{Area, Site};
use super::book::{Book, Course, fields};

/// What a release brings with it.
pub(super) fn after_release(
    book: &mut Book<'_>,
    site: &Site,
    area: &Area,
    (task, release): (Uuid, Uuid),
    day: NaiveDate,
    battle: bool,
) {
    if book.chance.often(0.45) {
        for _ in 0..book.chance.whole(1, 3) {
            item(book, site, area, (task, release), day);
        }
    }
    if book.chance.often(0.35) {
        progress(book, site, task, day - Days::new(3), battle);
    }
    if book.chance.often(0.1) {
        inspect(book, site, (task, release), day, battle);
    }
}

fn item(book: &mut Book<'_>, site: &Site, area: &Area, (task, release): (Uuid, Uuid), day: NaiveDate) {
    let Some(ground) = &area.ground else { return };
    let surveyor = site.surveyor(book);
    let found = day - Days::new(book.chance.whole(0, 3).unsigned_abs());
    let later = found + Days::new(book.chance.pick(&[0, 0, 0, 2, 9, 30]));
    let disposed = later <= book.today;
    let chance = &mut book.chance;
    let category = chance.pick(area.contamination);
    let quantity = chance.pick(&[1, 1, 1, 1, 2, 3, 6]);
    let record = fields(json!({
        "category": category,
        "model": format!("Sample {} type {} (constructed)", category.replace('_', " "), chance.whole(1, 5)),
        "quantity": quantity,
        "depth_cm": chance.pick(&[0, 2, 5, 8, 12, 15]),
        "condition": chance.pick(&["intact", "corroded", "corroded", "damaged"]),
        "found_date": found,
        "found_by": chance.pick(&["manual", "manual", "mdd", "visual"]),
        "disposal_method": disposed.then_some("destroyed_in_place"),
        "disposal_date": disposed.then_some(later),
        "disposed_quantity": disposed.then_some(quantity),
        "hazardous_area_id": area.id,
        "land_release_id": release,
        "task_id": task,
        "geometry_method": "gnss",
        "geometry_accuracy_m": 3.0,
        "date_of_information": found,
        "admin1": site.district.province,
        "admin2": site.district.name,
        "geometry": {"type": "Point", "coordinates": ground.point(chance)},
    }));
    let written = if disposed { later.max(day) } else { day };
    let id = book.create(written, surveyor, "eo_item", record);
    book.approve(id, Course::Usual);
}

fn progress(book: &mut Book<'_>, site: &Site, task: Uuid, day: NaiveDate, battle: bool) {
    let surveyor = site.surveyor(book);
    let team = site.team(book);
    let (activity, method) = if battle { ("bac", "bac_subsurface") } else { ("clearance", "manual") };
    let row = book.chance.id();
    let stopped = book.chance.often(0.3);
    let area: Value = json!({method: book.chance.whole(80, 900)});
    let record = fields(json!({
        "work_date": day,
        "team": team,
        "task_id": task,
        "activity": activity,
        "area_by_method_m2": area,
        "deminers_working": book.chance.whole(6, 18),
        "hours_worked": book.chance.pick(&[4.0, 5.5, 6.0, 6.5]),
        "stoppages": stopped.then(|| json!([{"id": row, "reason": "Heavy rain", "hours": 1.5}])),
        "date_of_information": day,
        "admin1": site.district.province,
        "admin2": site.district.name,
    }));
    let id = book.create(day, surveyor, "progress_report", record);
    book.approve(id, Course::Usual);
}

fn inspect(book: &mut Book<'_>, site: &Site, (task, release): (Uuid, Uuid), day: NaiveDate, battle: bool) {
    let day = day + Days::new(book.chance.whole(6, 30).unsigned_abs());
    if day > book.today {
        return;
    }
    let operator = &book.cast.operators[site.operator];
    let poor = book.chance.often(0.15);
    let row = book.chance.id();
    let found = json!([{
        "id": row, "severity": "minor", "text": "Lane markings were moved",
        "corrective_action": "Lanes marked anew", "closed_on": day,
    }]);
    let record = fields(json!({
        "inspection_date": day,
        "activity": if battle { "bac" } else { "clearance" },
        "inspection_type": "sampling",
        "inspected_organisation": operator.name,
        "inspected_organisation_id": operator.id,
        "inspecting_organisation": book.cast.authority_name,
        "inspecting_organisation_id": book.cast.authority,
        "task_id": task,
        "land_release_ids": [release],
        "sample_area_m2": book.chance.whole(60, 400),
        "depth_cm": 20,
        "eo_within_depth": i32::from(poor),
        "nonconformities": book.chance.often(0.3).then_some(found),
        "result": if poor { "fail" } else { "pass" },
        "date_of_information": day,
        "admin1": site.district.province,
        "admin2": site.district.name,
    }));
    let id = book.create(day, book.cast.qa[0], "qm_inspection", record);
    book.approve(id, Course::Through);
}

/// Hands an area's ground to those who live there.
pub(super) fn hand_over(book: &mut Book<'_>, site: &Site, area: &Area, day: NaiveDate) {
    let (Some(ground), true) = (&area.ground, day <= book.today) else { return };
    let supervisor = book.cast.operators[site.operator].supervisor;
    let patch = ground.whole();
    let signatory = book.chance.id();
    let record = fields(json!({
        "handover_date": day,
        "hazardous_area_ids": [area.id],
        "area_by_type_m2": {"cleared": patch.area_m2().round()},
        "depth_cm": 20,
        "limits": "The outline on the sketch, to the depth stated.",
        "residual_risk_statement": "Ordnance deeper than stated may remain: report what you see (constructed).",
        "signatories": [{
            "id": signatory, "name": "District elder (constructed)", "role": "For the community", "signed_on": day,
        }],
        "date_of_information": day,
        "admin1": site.district.province,
        "admin2": site.district.name,
        "geometry": patch.geojson(),
    }));
    let id = book.create(day, supervisor, "handover", record);
    book.approve(id, Course::Through);
}

/// An accident with its victims; the people are made up throughout.
pub(super) fn accident(book: &mut Book<'_>, site: &Site, area: &Area, day: NaiveDate, demining: bool) {
    let Some(ground) = &area.ground else { return };
    let supervisor = book.cast.operators[site.operator].supervisor;
    let killed = i32::from(!demining && book.chance.often(0.5));
    let record = fields(json!({
        "accident_date": day,
        "device_category": area.contamination[0],
        "demining_related": demining,
        "activity": if demining { "Clearance" } else { "Herding" },
        "marked": if demining { "yes" } else { "no" },
        "known_dangerous": if demining { "yes" } else { "unknown" },
        "killed": killed,
        "injured": 2 - killed,
        "hazardous_area_id": area.id,
        "geometry_method": "gnss",
        "geometry_accuracy_m": 5.0,
        "admin1": site.district.province,
        "admin2": site.district.name,
        "geometry": {"type": "Point", "coordinates": ground.point(&mut book.chance)},
    }));
    let accident = book.create(day, supervisor, "accident", record);
    book.approve(accident, Course::Through);
    for place in 0..2 {
        let dead = place < killed;
        let consent = (!dead).then_some(true);
        let record = fields(json!({
            "accident_id": accident,
            "sex": book.chance.pick(&["female", "male"]),
            "age_band": if demining { "30-59" } else { book.chance.pick(&["12-17", "18-29", "60+"]) },
            "status": if demining { "deminer" } else { "civilian" },
            "activity": if demining { "demining" } else { "herding" },
            "outcome": if dead { "killed" } else { "injured" },
            "injuries": (!dead).then_some(["fragments", "lower_limb"]),
            "consent_share_authority": consent,
            "consent_share_services": consent,
            "consent_share_anonymous": consent,
            "consent_date": consent.map(|_| day),
        }));
        let id = book.create(day, supervisor, "victim", record);
        book.approve(id, Course::Through);
    }
}

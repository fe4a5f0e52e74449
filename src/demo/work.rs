//! What is done about the areas: surveys, releases, the end.

use chrono::{Days, NaiveDate};
use serde_json::json;
use uuid::Uuid;

use super::area::{Area, Fate, Site, treaty_scope};
use super::book::{Book, Course, fields};
use super::field;
use super::shape::Patch;

/// A piece of work that is to be released.
pub(super) struct Job {
    pub(super) task: Uuid,
    pub(super) survey: Option<Uuid>,
    pub(super) result: &'static str,
    pub(super) method: &'static str,
    pub(super) depth_cm: Option<u32>,
    pub(super) patch: Patch,
    pub(super) spill_m: f64,
    /// Completion.
    pub(super) day: NaiveDate,
    pub(super) course: Course,
}

/// Works on one area; whether nothing is left to do.
pub(super) fn work(book: &mut Book<'_>, site: &Site, area: &Area, tasks: &[Uuid], begin: NaiveDate) -> bool {
    let begin = begin + Days::new(30);
    if begin + Days::new(20) > book.today {
        return false;
    }
    let told = [0, 6].contains(&site.number) && site.areas[0].id == area.id;
    match area.fate {
        Fate::Open => false,
        Fate::Cancelled => cancel(book, site, area, tasks[0], begin, 1.0),
        Fate::PartCancelled => {
            let share = book.chance.between(0.3, 0.7);
            cancel(book, site, area, tasks[0], begin, share)
        }
        Fate::Enlarged | Fate::Shrunk | Fate::Confirmed => redraw(book, site, area, tasks[0], begin),
        Fate::Reduced => {
            let share = book.chance.between(0.35, 0.7);
            let until = share + (1.0 - share) * book.chance.pick(&[0.5, 1.0]);
            reduce(book, site, area, tasks[0], begin, share)
                && clear(book, site, area, tasks[1], begin + Days::new(60), (share, until))
        }
        // Long finalised, so that two tablets may quarrel about it today …
        Fate::Clearing if told => {
            let days = [book.ago(700), book.ago(560)];
            slices(book, site, area, tasks[0], &days, (0.0, 0.4));
            false
        }
        // … and long closed, so that new evidence can open it again.
        Fate::Cleared if told => {
            let days = [book.ago(900), book.ago(760)];
            let last = slices(book, site, area, tasks[0], &days, (0.0, 1.0));
            end(book, site, area, last)
        }
        Fate::Clearing => {
            let until = book.chance.between(0.3, 0.8);
            clear(book, site, area, tasks[0], begin, (0.0, until))
        }
        Fate::Cleared | Fate::BattleArea => clear(book, site, area, tasks[0], begin, (0.0, 1.0)),
    }
}

/// Days of work between a begin and today, in their order.
fn days(book: &mut Book<'_>, begin: NaiveDate, count: i64) -> Vec<NaiveDate> {
    let span = (book.today - begin).num_days() - 2;
    let mut days: Vec<NaiveDate> =
        (0..count).map(|_| begin + Days::new(book.chance.whole(0, span.max(0)).unsigned_abs())).collect();
    days.sort_unstable();
    days
}

/// A survey of one area by its operator, on its own.
fn survey(
    book: &mut Book<'_>,
    site: &Site,
    area: &Area,
    task: Uuid,
    day: NaiveDate,
    (kind, result): (&str, &str),
) -> Uuid {
    let surveyor = site.surveyor(book);
    let method = if kind == "TS" { ["manual", "mechanical"] } else { ["interview", "field_visit"] };
    let record = fields(json!({
        "survey_type": kind,
        "method": method,
        "result": result,
        "start_date": day - Days::new(9),
        "completion_date": day,
        "processed_area_m2": (kind == "TS").then(|| book.chance.whole(500, 4_000)),
        "depth_cm": (kind == "TS").then_some(20),
        "informants_count": (kind == "NTS").then(|| book.chance.whole(3, 12)),
        "hazardous_area_ids": [area.id],
        "task_id": task,
        "team": site.team(book),
        "admin1": site.district.province,
        "admin2": site.district.name,
    }));
    let id = book.create(day, surveyor, "survey", record);
    book.approve(id, Course::Usual);
    id
}

fn cancel(book: &mut Book<'_>, site: &Site, area: &Area, task: Uuid, begin: NaiveDate, share: f64) -> bool {
    let Some(ground) = &area.ground else { return false };
    let day = days(book, begin, 1)[0];
    let survey = survey(book, site, area, task, day, ("NTS", "no_evidence"));
    let patch = if share < 1.0 { ground.slice(0.0, share, 0.0) } else { ground.whole() };
    let method = "non_technical_survey";
    let course = Course::Usual;
    let (survey, spill_m, depth_cm) = (Some(survey), 0.0, None);
    let job = Job { task, survey, result: "cancelled", method, depth_cm, patch, spill_m, day, course };
    let (_, finalised) = release(book, site, area, &job);
    if share < 1.0 { true } else { end(book, site, area, finalised) }
}

fn reduce(book: &mut Book<'_>, site: &Site, area: &Area, task: Uuid, begin: NaiveDate, share: f64) -> bool {
    let Some(ground) = &area.ground else { return false };
    // Early, so that clearance can follow.
    let soon = begin + Days::new(book.chance.whole(0, 45).unsigned_abs());
    let day = soon.min(book.today);
    let survey = survey(book, site, area, task, day, ("TS", "CHA"));
    let patch = ground.slice(0.0, share, 0.0);
    let method = "technical_survey";
    let course = Course::Usual;
    let (survey, spill_m, depth_cm) = (Some(survey), 0.0, None);
    let job = Job { task, survey, result: "reduced", method, depth_cm, patch, spill_m, day, course };
    release(book, site, area, &job).1.is_some()
}

/// New evidence: the outline grows or shrinks, or what was suspected is confirmed.
fn redraw(book: &mut Book<'_>, site: &Site, area: &Area, task: Uuid, begin: NaiveDate) -> bool {
    let Some(ground) = &area.ground else { return false };
    let day = days(book, begin, 1)[0];
    let factor = match area.fate {
        Fate::Enlarged => book.chance.between(1.1, 1.4),
        Fate::Shrunk => book.chance.between(0.6, 0.85),
        _ => book.chance.between(0.8, 0.95),
    };
    let result = if area.fate == Fate::Confirmed { "CHA" } else { "redrawn" };
    let survey = survey(book, site, area, task, day, ("NTS", result));
    let patch = ground.scaled(factor).whole();
    let mut change = fields(json!({
        "geometry": patch.geojson(),
        "reported_area_m2": patch.area_m2().round(),
        "survey_id": survey,
        "date_of_information": day,
    }));
    if area.fate == Fate::Confirmed {
        let row = json!([{
            "id": book.chance.id(), "kind": "ordnance_seen", "strength": "direct", "date": day,
            "source": "Survey team (constructed)",
        }]);
        change.extend(fields(json!({
            "classification": "CHA", "classification_date": day,
            "classification_reason": "A mine was seen", "evidence": row,
        })));
    }
    let surveyor = site.surveyor(book);
    book.update(day, surveyor, area.id, change) && book.approve(area.id, Course::Through).is_some()
}

fn clear(
    book: &mut Book<'_>,
    site: &Site,
    area: &Area,
    task: Uuid,
    begin: NaiveDate,
    (from, to): (f64, f64),
) -> bool {
    if begin + Days::new(10) > book.today {
        return false;
    }
    let count = book.chance.whole(2, 5);
    let days = days(book, begin, count);
    let last = slices(book, site, area, task, &days, (from, to));
    to >= 1.0 && end(book, site, area, last)
}

/// Clears a share of an area slice by slice; the day on which all of it stood in the official books.
fn slices(
    book: &mut Book<'_>,
    site: &Site,
    area: &Area,
    task: Uuid,
    days: &[NaiveDate],
    (from, to): (f64, f64),
) -> Option<NaiveDate> {
    let ground = area.ground.as_ref()?;
    status(book, site, area, days[0] - Days::new(7), "in_progress", "Work began");
    let battle = area.fate == Fate::BattleArea;
    let count = f64::from(u32::try_from(days.len()).unwrap_or(1));
    let (mut bound, mut all) = (from, Some(NaiveDate::MIN));
    for (place, day) in (1_u32..).zip(days) {
        let next = from + (to - from) * f64::from(place) / count;
        // Some ground is processed twice, and some lanes run on over the boundary.
        let again = if bound > from && book.chance.often(0.18) { 0.12 } else { 0.0 };
        let spill_m = if book.chance.often(0.2) { book.chance.between(3.0, 18.0) } else { 0.0 };
        let (result, methods) = if battle {
            ("bac_cleared", ["bac_surface", "bac_subsurface", "bac_subsurface", "mixed"])
        } else {
            ("cleared", ["manual", "manual", "mdd", "mechanical"])
        };
        let method = book.chance.pick(&methods);
        let patch = ground.slice(bound - again, next, spill_m);
        let course = if [0, 6].contains(&site.number) { Course::Through } else { Course::Usual };
        let depth_cm = (!battle).then(|| book.chance.pick(&[13, 20, 20, 30]));
        let job = Job { task, survey: None, result, method, depth_cm, patch, spill_m, day: *day, course };
        let (id, finalised) = release(book, site, area, &job);
        field::after_release(book, site, area, (task, id), *day, battle);
        all = all.zip(finalised).map(|(before, this)| before.max(this));
        bound = next;
    }
    all
}

/// Puts ground forward for release; when it stood in the official books, if it does.
pub(super) fn release(book: &mut Book<'_>, site: &Site, area: &Area, job: &Job) -> (Uuid, Option<NaiveDate>) {
    let size = job.patch.area_m2();
    let field_work = job.result != "cancelled";
    let markers: Vec<_> = area
        .ground
        .iter()
        .filter(|_| field_work)
        .map(|ground| json!({"id": book.chance.id(), "name": "PM1", "point": ground.landmark(2.0)}))
        .collect();
    let record = fields(json!({
        "result": job.result,
        "method": job.method,
        "depth_cm": job.depth_cm,
        "fade_out_m": (job.spill_m > 0.0).then(|| job.spill_m.round()),
        "start_date": job.day - Days::new(book.chance.whole(4, 40).unsigned_abs()),
        "completion_date": job.day,
        "reported_area_m2": (size * book.chance.between(0.98, 1.02)).round(),
        "treaty_scope": treaty_scope(area.contamination),
        "task_id": job.task,
        "survey_id": job.survey,
        "hazardous_area_ids": [area.id],
        "man_hours": (size / book.chance.between(4.0, 12.0)).round(),
        "permanent_markers": markers,
        "geometry_method": book.chance.pick(&["gnss", "gnss_differential", "total_station"]),
        "geometry_accuracy_m": book.chance.pick(&[0.1, 0.5, 3.0]),
        "date_of_information": job.day,
        "team": site.team(book),
        "admin1": site.district.province,
        "admin2": site.district.name,
        "geometry": job.patch.geojson(),
    }));
    let surveyor = site.surveyor(book);
    let written = (job.day + Days::new(book.chance.whole(1, 5).unsigned_abs())).min(book.today);
    let id = book.create(written, surveyor, "land_release", record);
    (id, book.approve(id, job.course))
}

/// What an operator says of the progress on an area.
pub(super) fn status(
    book: &mut Book<'_>,
    site: &Site,
    area: &Area,
    day: NaiveDate,
    word: &str,
    reason: &str,
) {
    let surveyor = site.surveyor(book);
    let change =
        json!({"status": word, "status_date": day, "status_reason": reason, "date_of_information": day});
    if book.update(day, surveyor, area.id, fields(change)) {
        book.approve(area.id, Course::Through);
    }
}

/// Closes an area whose releases are all official; `false` where they are not, or not yet.
fn end(book: &mut Book<'_>, site: &Site, area: &Area, finalised: Option<NaiveDate>) -> bool {
    let Some(finalised) = finalised else {
        status(book, site, area, book.ago(1), "work_complete", "The operator reports completion");
        return false;
    };
    let day = finalised + Days::new(2);
    let change = json!({
        "status": "closed", "status_date": day, "status_reason": "All ground released",
        "date_of_information": day,
    });
    // Only the authority says that land is released.
    if !book.update(day, book.cast.im[0], area.id, fields(change)) {
        return false;
    }
    book.approve(area.id, Course::Through);
    if book.chance.often(0.55) {
        field::hand_over(book, site, area, day + Days::new(14));
    }
    true
}

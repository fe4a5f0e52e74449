//! The authority's orders: which areas, what, by whom, and when they end.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::json;
use uuid::Uuid;

use super::area::{Area, Fate, Site};
use super::book::{Book, Course, Part, fields};
use super::work::work;
use crate::model::Op;

/// A task of the demonstration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoTask {
    /// The task.
    pub id: Uuid,
    /// The operator's organisation.
    pub operator: Uuid,
    /// What is to be done.
    pub activity: &'static str,
    /// On which areas.
    pub hazards: Vec<Uuid>,
    /// Whether work goes on: something for a tablet to follow.
    pub open: bool,
}

/// Which orders an area needs, in their order.
fn activities(fate: Fate) -> &'static [&'static str] {
    match fate {
        Fate::Open => &[],
        Fate::Cancelled | Fate::PartCancelled | Fate::Enlarged | Fate::Shrunk | Fate::Confirmed => &["NTS"],
        Fate::Reduced => &["TS", "clearance"],
        Fate::Clearing | Fate::Cleared => &["clearance"],
        Fate::BattleArea => &["bac"],
    }
}

/// Does everything on a site up to today.
pub(super) fn run(book: &mut Book<'_>, site: &Site) -> Vec<DemoTask> {
    let mut orders: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    for (place, area) in site.areas.iter().enumerate().filter(|(_, area)| area.finalised.is_some()) {
        for activity in activities(area.fate) {
            orders.entry(activity).or_default().push(place);
        }
    }
    let known = site.areas.iter().filter_map(|area| area.finalised).max().unwrap_or(book.today);
    let begin = known.max(book.ago(1_830)) + Days::new(book.chance.whole(15, 420).unsigned_abs());
    let mut tasks: Vec<DemoTask> =
        orders.iter().filter_map(|(activity, places)| order(book, site, activity, places, begin)).collect();
    let mut finished: BTreeMap<Uuid, bool> = BTreeMap::new();
    for area in &site.areas {
        let task = |activity: &str| {
            tasks.iter().find(|task| task.activity == activity && task.hazards.contains(&area.id))
        };
        let given: Vec<Uuid> = activities(area.fate).iter().filter_map(|a| task(a)).map(|t| t.id).collect();
        if given.is_empty() || given.len() < activities(area.fate).len() {
            continue;
        }
        let done = work(book, site, area, &given, begin);
        for task in given {
            *finished.entry(task).or_insert(true) &= done;
        }
    }
    for task in &mut tasks {
        let done = finished.get(&task.id).copied().unwrap_or(false);
        task.open = !(done && complete(book, task.id));
        if task.open {
            let began = json!({"status": "in_progress", "start_date": begin + Days::new(12)});
            if book.update(begin + Days::new(12), book.cast.directors[0], task.id, fields(began)) {
                book.approve(task.id, Course::Through);
            }
        }
    }
    tasks
}

fn order(
    book: &mut Book<'_>,
    site: &Site,
    activity: &'static str,
    places: &[usize],
    day: NaiveDate,
) -> Option<DemoTask> {
    let operator = &book.cast.operators[site.operator];
    let areas: Vec<&Area> = places.iter().map(|place| &site.areas[*place]).collect();
    let hazards: Vec<Uuid> = areas.iter().map(|area| area.id).collect();
    let size: f64 = areas.iter().filter_map(|area| Some(area.ground.as_ref()?.whole().area_m2())).sum();
    let share = book.chance.pick(&[60, 75, 100]);
    let mut donors = vec![
        json!({"id": book.chance.id(), "donor": "First Sample Donor (constructed)", "share_percent": share}),
    ];
    if share < 100 {
        donors.push(json!({"id": book.chance.id(), "donor": "Second Sample Donor (constructed)", "share_percent": 100 - share}));
    }
    let task = fields(json!({
        "order_number": format!("CONSTRUCTED ORDER {} {activity}", site.number + 1),
        "activity": activity,
        "status": "issued",
        "operator": operator.name,
        "operator_id": operator.id,
        "hazardous_area_ids": hazards,
        "depth_cm": (activity == "clearance").then_some(20),
        "standard": "Sample standard for land release (constructed)",
        "planned_area_m2": size.round(),
        "planned_start": day + Days::new(10),
        "planned_end": day + Days::new(900),
        "donor_shares": donors,
        "admin1": site.district.province,
        "admin2": site.district.name,
    }));
    let id = book.chance.id();
    let part = Part { op: Op::Create, kind: "task", id, fields: task };
    book.act(day, book.cast.directors[0], vec![part])?;
    book.approve(id, Course::Through);
    Some(DemoTask { id, operator: operator.id, activity, hazards, open: true })
}

/// Ends a task with its last work; `false` where something of it is still under review today.
fn complete(book: &mut Book<'_>, task: Uuid) -> bool {
    let day = book.last_used(task) + Days::new(20);
    let done = json!({"status": "completed", "completion_date": day});
    let ended = book.update(day, book.cast.directors[0], task, fields(done));
    if ended {
        book.approve(task, Course::Through);
    }
    ended
}

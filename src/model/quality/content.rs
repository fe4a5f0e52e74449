//! What the properties say, without the geometry.

use serde_json::Value;

use super::rules::{
    AREA_MISMATCH, AREA_MISMATCH_LARGE, CLEARED_WITHOUT_DEPTH, CLOSED_WITHOUT_RELEASE,
    CONFIRMED_WITHOUT_DIRECT_EVIDENCE, CRITICAL_NONCONFORMITY_PASSED, DISPOSAL_WITHOUT_DATE,
    DISPOSED_MORE_THAN_FOUND, LINEAGE_AMBIGUOUS, METHOD_CANNOT_GIVE_RESULT, ORDNANCE_IN_PASSED_SAMPLE,
    REFERENCE_SPELT_TWICE, REFERENCE_UNTIDY, SELF_INSPECTION, SPOT_TASK_WITH_AREA,
};
use super::{Context, Findings, View, normal_reference};

/// Fields that name a record for people.
const REFERENCES: &[&str] = &["reference", "local_reference", "order_number"];
/// What ends an area's own life.
const LINEAGE: &[&str] = &["merged_into", "split_into", "duplicate_of", "entered_in_error"];

pub(super) fn check(view: &View<'_>, context: &Context<'_>, findings: &mut Findings) {
    references(view, context, findings);
    reported_area(view, context, findings);
    match view.kind {
        "hazardous_area" => hazardous_area(view, context, findings),
        "land_release" => land_release(view, context, findings),
        "progress_report" => spot_task(view, findings),
        "eo_item" => eo_item(view, findings),
        "qm_inspection" => inspection(view, findings),
        _ => {}
    }
}

fn references(view: &View<'_>, context: &Context<'_>, findings: &mut Findings) {
    for name in REFERENCES {
        let Some(given) = view.text(name) else { continue };
        let pointer = format!("/properties/{name}");
        if given.split_whitespace().collect::<Vec<_>>().join(" ") != given {
            findings.add(&REFERENCE_UNTIDY, pointer.clone(), format!("{given:?} has blanks to spare"));
        }
        let other = context.other_references.and_then(|known| known.get(&normal_reference(given)));
        if let Some(other) = other {
            findings.add(&REFERENCE_SPELT_TWICE, pointer, format!("another record has {other:?}"));
        }
    }
}

fn reported_area(view: &View<'_>, context: &Context<'_>, findings: &mut Findings) {
    let (Some(reported), Some(calculated)) = (view.number("reported_area_m2"), context.calculated_area_m2)
    else {
        return;
    };
    // Points have no area, and their reported one is all that is known.
    if calculated <= 0.0 {
        return;
    }
    let difference = (reported - calculated) / calculated;
    let rule = match difference.abs() {
        size if size > 0.20 => &AREA_MISMATCH_LARGE,
        size if size > 0.05 => &AREA_MISMATCH,
        _ => return,
    };
    let message =
        format!("{reported:.0} m² reported, {calculated:.0} m² calculated: {:+.1} %", difference * 100.0);
    findings.add(rule, "/properties/reported_area_m2", message);
}

/// Whether a lineage field says something: `false`, null and an empty list do not.
fn is_stated(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

fn hazardous_area(view: &View<'_>, context: &Context<'_>, findings: &mut Findings) {
    let ends: Vec<&&str> = LINEAGE.iter().filter(|name| is_stated(view.properties.get(**name))).collect();
    if let [_, second, ..] = ends[..] {
        let message = format!("{ends:?} cannot all be true");
        findings.add(&LINEAGE_AMBIGUOUS, format!("/properties/{second}"), message);
    }
    let status = view.text("status").unwrap_or_default();
    if matches!(status, "released" | "closed") && context.has_release == Some(false) && ends.is_empty() {
        let message = format!("{status}, but no approved release is linked");
        findings.add(&CLOSED_WITHOUT_RELEASE, "/properties/status", message);
    }
    let mut evidence = view.rows("evidence").map(|(_, row)| &row["strength"]).peekable();
    // Without any rows the evidence may be in the survey; rows that are all indirect contradict.
    if view.text("classification") == Some("CHA")
        && evidence.peek().is_some()
        && evidence.all(|strength| strength == "indirect")
    {
        let message = "confirmed, but every evidence row is indirect";
        findings.add(&CONFIRMED_WITHOUT_DIRECT_EVIDENCE, "/properties/evidence", message);
    }
}

fn land_release(view: &View<'_>, context: &Context<'_>, findings: &mut Findings) {
    let result = view.text("result").unwrap_or_default();
    if result == "cleared" && view.number("depth_cm").is_none_or(|depth| depth <= 0.0) {
        findings.add(&CLEARED_WITHOUT_DEPTH, "/properties/depth_cm", "cleared to no stated depth");
    }
    if let Some(method) = view.text("method")
        && !may_give(method, result, context.survey_may_clear)
    {
        let message = format!("{method} may not give {result}");
        findings.add(&METHOD_CANNOT_GIVE_RESULT, "/properties/method", message);
    }
    if let Some(survey) = context.survey_type {
        let fits = match (survey, result) {
            ("NTS", result) => result == "cancelled",
            ("TS", "cleared") => context.survey_may_clear,
            ("TS", result) => result == "reduced",
            _ => true,
        };
        if !fits {
            let message = format!("a survey of type {survey} may not give {result}");
            findings.add(&METHOD_CANNOT_GIVE_RESULT, "/properties/survey_id", message);
        }
    }
}

/// NTS cancels and nothing else; TS reduces, with its own or with clearance assets; clearance clears;
/// battle-area clearance is kept apart.
fn may_give(method: &str, result: &str, survey_may_clear: bool) -> bool {
    let bac = matches!(method, "bac_surface" | "bac_subsurface");
    match result {
        "cancelled" => method == "non_technical_survey",
        "reduced" => method != "non_technical_survey",
        "cleared" if method == "technical_survey" => survey_may_clear,
        "cleared" => method != "non_technical_survey" && !bac,
        "bac_cleared" => bac || method == "mixed",
        _ => true,
    }
}

fn spot_task(view: &View<'_>, findings: &mut Findings) {
    let areas = view.properties.get("area_by_method_m2").and_then(Value::as_object);
    let total: f64 = areas.into_iter().flat_map(|areas| areas.values()).filter_map(Value::as_f64).sum();
    if view.text("activity") == Some("eod_spot") && total > 0.0 {
        let message = format!("a spot task with {total:.0} m²");
        findings.add(&SPOT_TASK_WITH_AREA, "/properties/area_by_method_m2", message);
    }
}

fn eo_item(view: &View<'_>, findings: &mut Findings) {
    if let (Some(found), Some(disposed)) = (view.number("quantity"), view.number("disposed_quantity"))
        && disposed > found
    {
        let message = format!("{disposed} disposed of, {found} found");
        findings.add(&DISPOSED_MORE_THAN_FOUND, "/properties/disposed_quantity", message);
    }
    let method = view.text("disposal_method");
    if method.is_some_and(|method| method != "left_marked") && view.date("disposal_date").is_none() {
        findings.add(&DISPOSAL_WITHOUT_DATE, "/properties/disposal_date", "disposed of on no stated day");
    }
}

fn inspection(view: &View<'_>, findings: &mut Findings) {
    let passed = view.text("result").is_some_and(|result| result != "fail");
    let items = view.number("eo_within_depth").unwrap_or_default();
    if passed && items > 0.0 {
        let message = format!("{items} items within depth, and not failed");
        findings.add(&ORDNANCE_IN_PASSED_SAMPLE, "/properties/result", message);
    }
    for (index, row) in view.rows("nonconformities") {
        if passed && row["severity"] == "critical" && row["closed_on"].is_null() {
            let pointer = format!("/properties/nonconformities/{index}");
            findings.add(&CRITICAL_NONCONFORMITY_PASSED, pointer, "critical, open, and not failed");
        }
    }
    let same = |name: &str, other: &str| {
        let pair = (view.text(name), view.text(other));
        matches!(pair, (Some(a), Some(b)) if normal_reference(a) == normal_reference(b))
    };
    for name in ["organisation_id", "organisation"] {
        let inspecting = format!("inspecting_{name}");
        if same(&inspecting, &format!("inspected_{name}")) {
            let message = "the inspecting organisation is the inspected one";
            findings.add(&SELF_INSPECTION, format!("/properties/{inspecting}"), message);
        }
    }
}

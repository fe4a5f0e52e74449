mod outline;

use serde_json::json;

use super::*;

const TODAY: &str = "2026-11-23";
const CAMBODIA: Extent = Extent { west: 102.3, south: 9.9, east: 107.7, north: 14.7 };
const ID: &str = "01920000-0000-7000-8000-000000000001";

fn context<'a>() -> Context<'a> {
    Context { country: Some(CAMBODIA), ..Context::new(TODAY.parse().unwrap()) }
}

fn found(kind: &str, properties: &Value, geometry: Option<&Value>, context: &Context<'_>) -> Vec<Finding> {
    let properties = properties.as_object().unwrap();
    check(&View { kind, properties, geometry }, context)
}

/// Rule and pointer of every finding.
fn places(findings: &[Finding]) -> Vec<(&'static str, &str)> {
    findings.iter().map(|finding| (finding.rule, finding.pointer.as_str())).collect()
}

fn polygon(ring: &[[f64; 2]]) -> Value {
    json!({"type": "Polygon", "coordinates": [ring]})
}

/// A plain square in Cambodia, 110 m wide, with more decimals than anybody types.
fn square() -> Value {
    polygon(&[
        [104.900_123_4, 11.550_987_6],
        [104.901_123_4, 11.550_987_6],
        [104.901_123_4, 11.551_987_6],
        [104.900_123_4, 11.551_987_6],
        [104.900_123_4, 11.550_987_6],
    ])
}

fn area() -> Value {
    json!({"classification": "SHA", "status": "open", "contamination": ["ap_mine"]})
}

/// What the rules find in an outline alone.
fn of_outline(geometry: &Value) -> Vec<Finding> {
    found("hazardous_area", &area(), Some(geometry), &context())
}

/// What the rules find in the properties of a record with a sound outline.
fn of_record(kind: &str, properties: &Value) -> Vec<Finding> {
    found(kind, properties, Some(&square()), &context())
}

fn release(changes: &Value) -> Value {
    let mut release = json!({
        "result": "cleared", "method": "manual", "depth_cm": 20, "start_date": "2026-01-10",
        "completion_date": "2026-02-20",
    });
    let fields = changes.as_object().unwrap().clone();
    release.as_object_mut().unwrap().extend(fields);
    release
}

#[test]
fn every_rule_has_its_own_name_and_a_source() {
    let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        assert!(rule.name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{}", rule.name);
        assert!(rule.title.ends_with('.') && !rule.source.is_empty(), "{}", rule.name);
    }
}

#[test]
fn sound_records_are_left_alone() {
    assert_eq!(of_record("hazardous_area", &area()), []);
    assert_eq!(of_record("land_release", &release(&json!({}))), []);
    let task = json!({"planned_start": "2027-01-01", "planned_end": "2027-05-01"});
    assert_eq!(found("task", &task, None, &context()), [], "plans may lie ahead, and need no place");
}

#[test]
fn the_gravest_comes_first_and_each_place_once() {
    let broken = release(&json!({"depth_cm": null, "completion_date": "2025-01-01", "reference": " A"}));
    let findings = of_record("land_release", &broken);
    let severities: Vec<_> = findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Hold, Severity::Error, Severity::Warning]);
}

#[test]
fn dates_are_in_order_and_not_ahead() {
    let findings = of_record("land_release", &release(&json!({"completion_date": "2026-01-09"})));
    assert_eq!(places(&findings), [("dates_out_of_order", "/properties/completion_date")]);
    let accepted = release(&json!({"qa_accepted_on": "2026-02-19"}));
    let findings = of_record("land_release", &accepted);
    assert_eq!(places(&findings), [("dates_out_of_order", "/properties/qa_accepted_on")]);
    assert_eq!(of_record("land_release", &release(&json!({"qa_accepted_on": "2026-02-20"}))), []);

    let ahead = release(&json!({"completion_date": "2026-11-24"}));
    let findings = of_record("land_release", &ahead);
    assert_eq!(places(&findings), [("date_in_future", "/properties/completion_date")]);
    assert_eq!(of_record("land_release", &release(&json!({"completion_date": TODAY}))), []);
    let findings = of_record("accident", &json!({"accident_date": "0202-05-01"}));
    assert_eq!(places(&findings), [("date_too_early", "/properties/accident_date")]);
}

#[test]
fn dates_in_rows_count_and_tombstones_do_not() {
    let mut record = area();
    record["evidence"] = json!([
        {"id": ID, "removed": true, "date": "2030-01-01"}, {"id": ID, "strength": "direct", "date": "2030-01-01"},
    ]);
    let findings = of_record("hazardous_area", &record);
    assert_eq!(places(&findings), [("date_in_future", "/properties/evidence/1/date")]);
    let task = json!({"suspensions": [{"id": ID, "from": "2026-03-05", "to": "2026-03-01"}]});
    let findings = of_record("task", &task);
    assert_eq!(places(&findings), [("dates_out_of_order", "/properties/suspensions/0/to")]);
    let early = json!({"date_of_information": "2026-03-05", "date_of_report": "2026-03-01"});
    let findings = of_record("survey", &early);
    assert_eq!(places(&findings), [("report_before_information", "/properties/date_of_report")]);
}

#[test]
fn cleared_needs_a_depth() {
    for depth in [json!(null), json!(0)] {
        let findings = of_record("land_release", &release(&json!({"depth_cm": depth})));
        assert_eq!(places(&findings), [("cleared_without_depth", "/properties/depth_cm")]);
    }
    let surface = json!({"result": "bac_cleared", "method": "bac_surface", "depth_cm": null});
    assert_eq!(of_record("land_release", &release(&surface)), []);
}

#[test]
fn closed_needs_a_release() {
    let mut record = area();
    record["status"] = json!("closed");
    let with = |has_release| Context { has_release, ..context() };
    let findings = found("hazardous_area", &record, Some(&square()), &with(Some(false)));
    assert_eq!(places(&findings), [("closed_without_release", "/properties/status")]);
    for known in [Some(true), None] {
        assert_eq!(found("hazardous_area", &record, Some(&square()), &with(known)), []);
    }
    record["duplicate_of"] = json!(ID);
    assert_eq!(found("hazardous_area", &record, Some(&square()), &with(Some(false))), []);
    record["entered_in_error"] = json!(true);
    let findings = found("hazardous_area", &record, Some(&square()), &with(Some(false)));
    assert_eq!(places(&findings), [("lineage_ambiguous", "/properties/entered_in_error")]);
}

#[test]
fn a_method_gives_only_its_own_results() {
    let judge = |result: &str, method: &str| {
        let findings = of_record("land_release", &release(&json!({"result": result, "method": method})));
        findings.is_empty() || places(&findings) != [("method_cannot_give_result", "/properties/method")]
    };
    for (result, allowed, refused) in [
        ("cancelled", "non_technical_survey", "manual"),
        ("cancelled", "non_technical_survey", "technical_survey"),
        ("reduced", "technical_survey", "non_technical_survey"),
        ("reduced", "mdd", "non_technical_survey"),
        ("cleared", "mixed", "non_technical_survey"),
        ("cleared", "mechanical", "bac_surface"),
        ("cleared", "mdr", "technical_survey"),
        ("bac_cleared", "bac_subsurface", "manual"),
    ] {
        assert!(judge(result, allowed), "{allowed} gives {result}");
        assert!(!judge(result, refused), "{refused} does not give {result}");
    }
    let processed = release(&json!({"method": "technical_survey"}));
    let allowed = Context { survey_may_clear: true, ..context() };
    assert_eq!(found("land_release", &processed, Some(&square()), &allowed), []);
}

#[test]
fn a_survey_gives_only_its_own_results() {
    let judge = |survey, result: &str, method: &str| {
        let context = Context { survey_type: Some(survey), ..context() };
        let release = release(&json!({"result": result, "method": method}));
        let findings = found("land_release", &release, Some(&square()), &context);
        places(&findings) != [("method_cannot_give_result", "/properties/survey_id")]
    };
    assert!(judge("NTS", "cancelled", "non_technical_survey"));
    assert!(judge("TS", "reduced", "technical_survey"));
    assert!(!judge("NTS", "reduced", "technical_survey"));
    assert!(!judge("TS", "cancelled", "non_technical_survey"));
    assert!(!judge("TS", "cleared", "manual"));
}

#[test]
fn confirmed_needs_direct_evidence() {
    let mut record = area();
    record["classification"] = json!("CHA");
    assert_eq!(of_record("hazardous_area", &record), [], "the evidence may be in the survey");
    record["evidence"] = json!([
        {"id": ID, "strength": "indirect"}, {"id": ID, "removed": true, "strength": "direct"},
    ]);
    let findings = of_record("hazardous_area", &record);
    assert_eq!(places(&findings), [("confirmed_without_direct_evidence", "/properties/evidence")]);
    record["evidence"][1]["removed"] = json!(false);
    assert_eq!(of_record("hazardous_area", &record), []);
}

#[test]
fn spot_tasks_have_no_square_metres() {
    let report = |activity: &str| json!({"activity": activity, "area_by_method_m2": {"manual": 40.0}});
    let findings = of_record("progress_report", &report("eod_spot"));
    assert_eq!(places(&findings), [("spot_task_with_area", "/properties/area_by_method_m2")]);
    assert_eq!(of_record("progress_report", &report("clearance")), []);
}

#[test]
fn found_and_disposed_agree() {
    let item = json!({"quantity": 2, "disposed_quantity": 3, "disposal_method": "destroyed_in_place",
                      "found_date": "2026-02-02", "disposal_date": "2026-02-01"});
    let findings = of_record("eo_item", &item);
    assert_eq!(
        places(&findings),
        [
            ("dates_out_of_order", "/properties/disposal_date"),
            ("disposed_more_than_found", "/properties/disposed_quantity"),
        ]
    );
    let undated = json!({"quantity": 2, "disposal_method": "handed_over"});
    let findings = of_record("eo_item", &undated);
    assert_eq!(places(&findings), [("disposal_without_date", "/properties/disposal_date")]);
    let left = json!({"quantity": 2, "disposed_quantity": 0, "disposal_method": "left_marked"});
    assert_eq!(of_record("eo_item", &left), []);
}

#[test]
fn inspections_mean_what_they_found() {
    let inspection = json!({
        "result": "pass", "eo_within_depth": 1, "inspected_organisation": "Halo ", "inspecting_organisation": "HALO",
        "nonconformities": [{"id": ID, "severity": "critical", "text": "lane"},
                            {"id": ID, "severity": "critical", "text": "tape", "closed_on": "2026-01-01"},
                            {"id": ID, "severity": "minor", "text": "sign"}],
    });
    let findings = of_record("qm_inspection", &inspection);
    assert_eq!(
        places(&findings),
        [
            ("ordnance_in_passed_sample", "/properties/result"),
            ("critical_nonconformity_passed", "/properties/nonconformities/0"),
            ("self_inspection", "/properties/inspecting_organisation"),
        ]
    );
    let failed = json!({"result": "fail", "eo_within_depth": 1, "inspecting_organisation": "NMAA",
                        "inspected_organisation": "HALO", "nonconformities": inspection["nonconformities"]});
    assert_eq!(of_record("qm_inspection", &failed), []);
}

#[test]
fn references_are_tidy_and_written_one_way() {
    let mut record = area();
    record["local_reference"] = json!("MF-12 ");
    let findings = of_record("hazardous_area", &record);
    assert_eq!(places(&findings), [("reference_untidy", "/properties/local_reference")]);
    record["local_reference"] = json!("MF-12");
    let others = HashMap::from([(normal_reference("mf-12 "), "mf-12 ".to_owned())]);
    let context = Context { other_references: Some(&others), ..context() };
    let findings = found("hazardous_area", &record, Some(&square()), &context);
    assert_eq!(places(&findings), [("reference_spelt_twice", "/properties/local_reference")]);
    record["local_reference"] = json!("MF-13");
    assert_eq!(found("hazardous_area", &record, Some(&square()), &context), []);
}

#[test]
fn reported_and_calculated_area_agree() {
    let judge = |reported: f64| {
        let mut record = area();
        record["reported_area_m2"] = json!(reported);
        let context = Context { calculated_area_m2: Some(10_000.0), ..context() };
        let findings = found("hazardous_area", &record, Some(&square()), &context);
        findings.first().map(|finding| (finding.rule, finding.severity))
    };
    assert_eq!(judge(10_500.0), None);
    assert_eq!(judge(9_500.0), None);
    assert_eq!(judge(10_501.0), Some(("area_mismatch", Severity::Warning)));
    assert_eq!(judge(12_000.0), Some(("area_mismatch", Severity::Warning)));
    assert_eq!(judge(7_999.0), Some(("area_mismatch_large", Severity::Hold)));
}

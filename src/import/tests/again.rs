//! A file that comes again: the same, mended, or read in another way. No square metre may be counted twice.

use serde_json::json;

use super::*;
use crate::model::Stage;
use crate::model::role::Actor;

fn square(lon: f64) -> Value {
    let east = lon + 0.01;
    json!({"type": "Polygon",
        "coordinates": [[[lon, 43.6], [east, 43.6], [east, 43.61], [lon, 43.61], [lon, 43.6]]]})
}

fn numbered(status: &str, lon: f64) -> String {
    collection(&[(json!({"objectid": 7, "status": status}), square(lon))])
}

/// What a hazardous area needs besides its status.
fn rest(contamination: &str) -> Wishes {
    let set = pairs(&[("classification", "SHA"), ("contamination", contamination)]);
    Wishes { set, ..Wishes::default() }
}

fn records(house: &House) -> i64 {
    house.store.head().unwrap().seq
}

#[test]
fn a_row_that_changed_is_no_second_record() {
    let house = House::new();
    let (_, first) = house.import(&numbered("open", 18.6), "hazardous_area", rest("uxo"));
    assert_eq!(first[0].source_id.as_deref(), Some("7"));
    let before = records(&house);
    let (summary, lines) = house.import(&numbered("suspended", 18.7), "hazardous_area", rest("uxo"));
    assert_eq!(counts(&summary), BTreeMap::from([(Outcome::Differs, 1)]));
    assert_eq!(lines[0].record_id, first[0].record_id);
    assert_eq!(lines[0].reasons[0], "the record has something else in geometry, status");
    assert!(summary.to_string().contains("--id"), "it says what to do: {summary}");
    assert!(summary.is_fruitless());
    assert_eq!(records(&house), before, "nothing was written");
}

#[test]
fn other_options_make_no_second_record() {
    let house = House::new();
    let bare = collection(&[(json!({"status": "open", "soil": "clay"}), square(18.6))]);
    for text in [numbered("open", 18.9), bare] {
        let (_, first) = house.import(&text, "hazardous_area", rest("uxo"));
        assert_eq!(first[0].outcome, Outcome::Taken);
        let (summary, lines) = house.import(&text, "hazardous_area", rest("ap_mine"));
        assert_eq!(summary.count(Outcome::Differs), 1, "{summary}");
        assert_eq!(lines[0].record_id, first[0].record_id);
    }
    let source = Source::read(numbered("open", 18.6).as_bytes(), &Reading::default()).unwrap();
    let dropped = Wishes { drop_unmapped: true, ..rest("uxo") };
    let (dry, _) = house.take(&source, "hazardous_area", dropped, |job| job.dry_run = true);
    assert_eq!(dry.count(Outcome::Differs), 1, "a dry run foretells it");
}

#[test]
fn an_id_that_is_named_later_finds_what_was_taken_by_content() {
    let house = House::new();
    let text = collection(&[(json!({"status": "open", "sheet": "K-12"}), square(18.6))]);
    let (_, first) = house.import(&text, "hazardous_area", rest("uxo"));
    let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
    let ids = Ids::choose(&source, Some("sheet"), None).unwrap();
    let schema = house.store.registry().latest("hazardous_area").unwrap();
    let mapping = Mapping::new(schema, rest("uxo")).unwrap();
    let job = |ids| Job {
        source: &source,
        mapping: &mapping,
        ids,
        actor: house.actor,
        captured: None,
        update: false,
        submit: true,
        dry_run: false,
    };
    let mut lines = Vec::new();
    let again = run(&house.store, &job(&ids), &mut |line| lines.push(line.clone())).unwrap();
    assert_eq!((again.count(Outcome::Duplicate), again.submitted), (1, 1), "{again}");
    assert_eq!(lines[0].record_id, first[0].record_id);
    // Another source that numbers alike has other things.
    let ids = Ids::choose(&source, Some("sheet"), Some("another archive")).unwrap();
    let other = run(&house.store, &job(&ids), &mut |_| {}).unwrap();
    assert_eq!(other.count(Outcome::Taken), 1, "{other}");
}

#[test]
fn another_id_or_another_spelling_of_it_makes_no_second_record() {
    let house = House::new();
    let row = |columns: Value| collection(&[(columns, square(18.6))]);
    let first = row(json!({"objectid": 7, "status": "open"}));
    let (_, lines) = house.import(&first, "hazardous_area", rest("uxo"));
    let spelt = row(json!({"objectid": 7.0, "status": "open"}));
    let (again, _) = house.import(&spelt, "hazardous_area", rest("uxo"));
    assert_eq!(again.count(Outcome::Taken), 0, "{again}");
    let braces = "{6D41AB5E-0F0D-4C3E-9B5A-0B6A3B1D0C11}";
    let (named, after) = house.import(
        &row(json!({"globalid": braces, "objectid": 7, "status": "open"})),
        "hazardous_area",
        rest("uxo"),
    );
    assert_eq!(named.count(Outcome::Differs), 1, "{named}");
    assert_eq!(after[0].record_id, lines[0].record_id);
    // The number alone is no proof.
    let elsewhere =
        collection(&[(json!({"globalid": braces, "objectid": 7, "status": "open"}), square(18.9))]);
    assert_eq!(house.import(&elsewhere, "hazardous_area", rest("uxo")).0.count(Outcome::Taken), 1);
    let bare = collection(&[(
        json!({"globalid": "6d41ab5e0f0d4c3e9b5a0b6a3b1d0c11", "status": "open"}),
        square(18.9),
    )]);
    assert_eq!(house.import(&bare, "hazardous_area", rest("uxo")).0.count(Outcome::Taken), 0);
    // Two numbers that run beside each other, and things at the middle of one village.
    let at = |id: u8, row: u8| {
        (
            json!({"id": id, "objectid": row, "status": "open"}),
            json!({"type": "Point", "coordinates": [18.3, 43.3]}),
        )
    };
    let villages = House::new();
    assert_eq!(
        villages.import(&collection(&[at(3, 2)]), "hazardous_area", rest("uxo")).0.count(Outcome::Taken),
        1
    );
    assert_eq!(
        villages.import(&collection(&[at(4, 3)]), "hazardous_area", rest("uxo")).0.count(Outcome::Taken),
        1
    );
    // No column at all, where one was found before.
    let source = Source::read(first.as_bytes(), &Reading::default()).unwrap();
    let ids = Ids::choose(&source, Some("-"), None).unwrap();
    let mapping =
        Mapping::new(house.store.registry().latest("hazardous_area").unwrap(), rest("uxo")).unwrap();
    let job = Job {
        source: &source,
        mapping: &mapping,
        ids: &ids,
        actor: house.actor,
        captured: None,
        update: false,
        submit: false,
        dry_run: false,
    };
    let by_content = run(&house.store, &job, &mut |_| {}).unwrap();
    assert_eq!(by_content.count(Outcome::Duplicate), 1, "{by_content}");
}

#[test]
fn one_id_twice_in_a_file_is_said() {
    let house = House::new();
    let row = |name: &str, lon: f64| (json!({"fid": 1, "status": "open", "name": name}), square(lon));
    let text = collection(&[row("A", 18.6), row("A", 18.6), row("B", 18.7)]);
    let (summary, lines) = house.import(&text, "hazardous_area", rest("uxo"));
    let outcomes: Vec<Outcome> = lines.iter().map(|line| line.outcome).collect();
    assert_eq!(outcomes, [Outcome::Taken, Outcome::Duplicate, Outcome::Differs]);
    assert!(lines[2].reasons[1].contains("feature 1"), "{:?}", lines[2].reasons);
    let text = summary.to_string();
    assert!(text.contains("same id and says the same") && text.contains("says something else"), "{text}");
}

#[test]
fn a_mended_row_follows_one_that_was_quarantined() {
    let house = House::new();
    let (first, lines) = house.import(&numbered("opened", 18.6), "hazardous_area", rest("uxo"));
    assert_eq!(first.count(Outcome::Quarantined), 1);
    assert!(first.is_fruitless());
    let (again, _) = house.import(&numbered("opened", 18.6), "hazardous_area", rest("uxo"));
    assert!(again.count(Outcome::Duplicate) == 1 && again.is_fruitless(), "{again}");
    let waiting = || {
        let sight = house.actor.sight();
        house.store.list_quarantine(None, false, 0, 10, sight).unwrap().len()
    };
    assert_eq!(waiting(), 1);
    // Another file's seventh row lies elsewhere: it may be another thing of the same number.
    let elsewhere = House::new();
    elsewhere.import(&numbered("opened", 18.6), "hazardous_area", rest("uxo"));
    elsewhere.import(&numbered("open", 18.9), "hazardous_area", rest("uxo"));
    let left = elsewhere.store.list_quarantine(None, false, 0, 10, elsewhere.actor.sight()).unwrap();
    assert_eq!(left.len(), 1, "its repair is still to be done");
    let (mended, after) = house.import(&numbered("open", 18.6), "hazardous_area", rest("uxo"));
    assert_eq!(waiting(), 0, "nobody has to repair it any more");
    assert!(mended.count(Outcome::Taken) == 1 && !mended.is_fruitless(), "{mended}");
    assert_eq!(after[0].record_id, lines[0].record_id, "whichever is repaired, it is one record");
}

#[test]
fn a_later_run_puts_forward_the_drafts_of_an_earlier_one() {
    let house = House::new();
    let text = numbered("open", 18.6);
    let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
    let submit = |actor: Option<Actor>| {
        house.take(&source, "hazardous_area", rest("uxo"), |job| {
            job.submit = true;
            job.captured = None;
            job.actor = actor.unwrap_or(job.actor);
        })
    };
    let (_, lines) = house.import(&text, "hazardous_area", rest("uxo"));
    // Somebody who may not is refused; that does not stand in the way of somebody who may.
    let observer = house.person("donor", Role::Observer);
    let (refused, told) = submit(Some(observer));
    assert_eq!(refused.submitted, 0);
    assert!(told[0].reasons.last().unwrap().starts_with("not put forward: "), "{:?}", told[0].reasons);
    // The author need not be the one of the first run.
    let colleague = house.person("im2", Role::ImOfficer);
    assert_eq!(submit(Some(colleague)).0.submitted, 1);
    assert_eq!(house.record(&lines[0]).stage, Stage::Submitted);
    assert_eq!(submit(None).0.submitted, 0, "once");
}

#[test]
fn reasons_are_counted() {
    let house = House::new();
    let tie = json!({"type": "Polygon",
        "coordinates": [[[18.6, 43.6], [18.61, 43.61], [18.61, 43.6], [18.6, 43.61], [18.6, 43.6]]]});
    let row = |id: u8, geometry: &Value| (json!({"id": id, "status": "open"}), geometry.clone());
    let text = collection(&[row(1, &tie), row(2, &tie), row(3, &Value::Null)]);
    let (summary, _) = house.import(&text, "hazardous_area", rest("uxo"));
    let text = summary.to_string();
    assert!(
        text.contains("2 self_intersection: A ring crosses or touches itself. (first: feature 1)"),
        "{text}"
    );
    assert!(text.contains("1 geometry_missing"), "{text}");
}

//! A real sheet of a minefield map, which is not part of the project: the test is left out where it is not there.

use std::path::PathBuf;

use super::*;
use crate::import::Reading;

fn sheet() -> Option<Source> {
    let folder = std::env::var_os("CARTAGENA_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let file = folder.join("bih_sheet_2882-III.geojson");
    if !file.exists() {
        return None;
    }
    Some(Source::open(&file, &Reading::default()).unwrap())
}

fn suspected() -> Wishes {
    Wishes { filter: pairs(&[("typeArea", "Suspected Minefield")]), ..hazard() }
}

fn cleared() -> Wishes {
    Wishes {
        filter: pairs(&[("typeArea", "Cleared Areas")]),
        set: pairs(&[("result", "cleared"), ("method", "manual"), ("completion_date", "30/06/2020")]),
        ..Wishes::default()
    }
}

#[test]
fn the_sheet_is_taken_once_and_nothing_is_lost() {
    let Some(sheet) = sheet() else { return };
    let house = House::new();
    let (first, lines) = house.take(&sheet, "hazardous_area", suspected(), |_| {});
    assert_eq!(counts(&first), BTreeMap::from([(Outcome::Taken, 236), (Outcome::Skipped, 165)]));
    assert_eq!(first.proposed, 14);
    let without =
        lines.iter().filter(|line| line.outcome == Outcome::Taken && line.area_m2.is_none()).count();
    assert_eq!(without, 60);

    let (released, lines) = house.take(&sheet, "land_release", cleared(), |_| {});
    let expected = [(Outcome::Taken, 106), (Outcome::Quarantined, 1), (Outcome::Skipped, 294)];
    assert_eq!(counts(&released), BTreeMap::from(expected));
    assert_eq!(released.proposed, 15);
    let held = lines.iter().find(|line| line.outcome == Outcome::Quarantined).unwrap();
    assert!(held.reasons[0].contains("/geometry is required"), "{:?}", held.reasons);

    let head = house.store.head().unwrap();
    for (kind, wishes) in [("hazardous_area", suspected()), ("land_release", cleared())] {
        let (again, _) = house.take(&sheet, kind, wishes, |_| {});
        assert_eq!(again.count(Outcome::Taken) + again.count(Outcome::Quarantined), 0);
    }
    assert_eq!(house.store.head().unwrap(), head, "a second run adds nothing to the log");
}

#[test]
fn a_dry_run_foretells_and_writes_nothing() {
    let Some(sheet) = sheet() else { return };
    let house = House::new();
    let head = house.store.head().unwrap();
    let (dry, _) = house.take(&sheet, "land_release", cleared(), |job| job.dry_run = true);
    assert_eq!(house.store.head().unwrap(), head);
    let (wet, _) = house.take(&sheet, "land_release", cleared(), |_| {});
    assert_eq!(counts(&dry), counts(&wet));
    let (dry, _) = house.take(&sheet, "land_release", cleared(), |job| job.dry_run = true);
    assert_eq!(dry.count(Outcome::Duplicate), 107);
}

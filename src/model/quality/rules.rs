//! The table of all rules.

use serde::Serialize;

use super::Severity;

/// A rule's public face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rule {
    /// Stable name; findings, settings and statistics refer to it.
    pub name: &'static str,
    /// What its findings ask for.
    pub severity: Severity,
    /// What it finds, in one line.
    pub title: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
}

macro_rules! rules {
    ($($constant:ident $name:literal $severity:ident $title:literal $source:ident;)+) => {
        $(
            #[doc = $title]
            pub(super) static $constant: Rule =
                Rule { name: $name, severity: Severity::$severity, title: $title, source: $source };
        )+

        /// All rules, to serve as documentation.
        pub static RULES: &[&Rule] = &[$(&$constant),+];
    };
}

/// The errors that people really make.
const ERRORS: &str = "docs/domain.md §5, field geometry";
/// What an activity may do.
const WORDS: &str = "docs/domain.md §1, IMAS 07.11";
/// The life of a hazardous area.
const LIFE: &str = "docs/domain.md §2";
/// Records and their fields.
const FIELDS: &str = "docs/domain.md §4, IMAS 05.10";
/// How square metres are counted.
const LEDGER: &str = "docs/domain.md §6";
/// Segregation of roles.
const ROLES: &str = "docs/domain.md §3";

rules! {
    DATE_IN_FUTURE "date_in_future" Error
        "A date of something that has happened lies in the future." ERRORS;
    DATE_TOO_EARLY "date_too_early" Warning
        "A date before 1900: most often a slip in the year." ERRORS;
    DATES_OUT_OF_ORDER "dates_out_of_order" Error
        "Something ended, was disposed of or was accepted before it began, was found or was complete." ERRORS;
    REPORT_BEFORE_INFORMATION "report_before_information" Warning
        "The report is older than the information in it." FIELDS;

    CLEARED_WITHOUT_DEPTH "cleared_without_depth" Hold
        "Cleared means cleared to a specified depth, and none is given." ERRORS;
    CLOSED_WITHOUT_RELEASE "closed_without_release" Hold
        "The area is released or closed, but no approved release is linked to it." ERRORS;
    METHOD_CANNOT_GIVE_RESULT "method_cannot_give_result" Hold
        "The method or the survey may not lead to this result: NTS cancels, TS reduces, clearance clears." WORDS;
    CONFIRMED_WITHOUT_DIRECT_EVIDENCE "confirmed_without_direct_evidence" Warning
        "A confirmed area needs direct evidence; none of its evidence rows is direct." WORDS;
    LINEAGE_AMBIGUOUS "lineage_ambiguous" Error
        "An area was merged, split, a duplicate or an error: only one of these." LIFE;
    SPOT_TASK_WITH_AREA "spot_task_with_area" Error
        "EOD spot tasks are points and never add square metres." WORDS;
    DISPOSED_MORE_THAN_FOUND "disposed_more_than_found" Error
        "More items disposed of than were found." FIELDS;
    DISPOSAL_WITHOUT_DATE "disposal_without_date" Warning
        "A disposal without a date belongs to no reporting year." FIELDS;
    ORDNANCE_IN_PASSED_SAMPLE "ordnance_in_passed_sample" Hold
        "Ordnance within depth in sampled cleared land fails the lot." FIELDS;
    CRITICAL_NONCONFORMITY_PASSED "critical_nonconformity_passed" Error
        "Passed with a critical nonconformity that is still open." FIELDS;
    SELF_INSPECTION "self_inspection" Error
        "An organisation inspected its own work." ROLES;
    REFERENCE_UNTIDY "reference_untidy" Warning
        "A reference begins or ends with a blank, or has two in a row." ERRORS;
    REFERENCE_SPELT_TWICE "reference_spelt_twice" Warning
        "Another record has this reference, differing at most in case or blanks." ERRORS;

    GEOMETRY_MISSING "geometry_missing" Warning
        "No geometry: the record lives in the reported-only account." LEDGER;
    GEOMETRY_UNREADABLE "geometry_unreadable" Hold
        "The geometry is not GeoJSON, is empty or holds something other than numbers." ERRORS;
    COORDINATE_OUT_OF_RANGE "coordinate_out_of_range" Error
        "Longitude beyond ±180 or latitude beyond ±90." ERRORS;
    OUTLINE_TOO_LARGE "outline_too_large" Hold
        "More members, rings or vertices than an outline may have: it is kept, but not drawn or counted." ERRORS;
    TOO_FEW_VERTICES "too_few_vertices" Hold
        "A ring with fewer than three different vertices encloses nothing." ERRORS;
    RING_NOT_CLOSED "ring_not_closed" Warning
        "The last position of a ring must repeat the first." ERRORS;
    CLOSING_POINT_REPEATED "closing_point_repeated" Warning
        "The closing point of a ring stands there more than once." ERRORS;
    VERTEX_REPEATED "vertex_repeated" Warning
        "The same vertex twice in a row, within a millionth of a degree." ERRORS;
    SELF_INTERSECTION "self_intersection" Hold
        "A ring crosses or touches itself." ERRORS;
    SCRAMBLED_ORDER "scrambled_order" Hold
        "The vertices of a ring look scrambled: in another order the ring is simple and shorter." ERRORS;
    LEG_TOO_LONG "leg_too_long" Error
        "Two neighbouring vertices are more than 5 km apart." ERRORS;
    VERTEX_MISSING "vertex_missing" Warning
        "The outline does not have as many corners as the traverse it was computed from." ERRORS;
    OUTLINE_REPEATED "outline_repeated" Hold
        "The same ring again: another record's outline was pasted, or the same one twice." ERRORS;
    AREA_MISMATCH "area_mismatch" Warning
        "Reported and calculated area differ by more than 5 %." ERRORS;
    AREA_MISMATCH_LARGE "area_mismatch_large" Hold
        "Reported and calculated area differ by more than 20 %." ERRORS;

    OUTSIDE_COUNTRY "outside_country" Hold
        "Coordinates outside the programme's country." ERRORS;
    SWAPPED_LAT_LON "swapped_lat_lon" Hold
        "Outside the country, but inside with latitude and longitude swapped." ERRORS;
    SIGN_LOST "sign_lost" Hold
        "Outside the country, but inside with another sign." ERRORS;
    WRONG_ZONE "wrong_zone" Hold
        "Outside the country, but inside if moved by one UTM zone." ERRORS;
    OTHER_DATUM "other_datum" Info
        "Entered on another datum than WGS 84: left untransformed it would lie 100 to 600 m off." ERRORS;
    DMS_AS_DECIMALS "dms_as_decimals" Warning
        "The coordinates look like degrees, minutes and seconds typed as decimal degrees: nothing from 60 to 99." ERRORS;
    FAR_FROM_ADMIN_AREA "far_from_admin_area" Warning
        "The geometry lies far from the stated admin area." ERRORS;
}

//! What goes into the ledger: hazardous areas with their versions and ends, and releases.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use geo::MultiPolygon;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A code that is not one of the known values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {kind}")]
pub struct UnknownCode {
    /// What was expected.
    pub kind: &'static str,
    /// What was found.
    pub value: String,
}

macro_rules! coded {
    ($(#[$about:meta])* $name:ident, $kind:literal { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// All values, in the order of the standard.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code in records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(code: &str) -> Result<Self, UnknownCode> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    other => Err(UnknownCode { kind: $kind, value: other.to_owned() }),
                }
            }
        }
    };
}

coded! {
    /// How sure the programme is (IMAS 08.10): the evidence is indirect or direct.
    Classification, "classification" {
        /// Confirmed hazardous area.
        Cha = "cha",
        /// Suspected hazardous area.
        Sha = "sha",
    }
}

coded! {
    /// What the ground is thought to hold.
    Contamination, "kind of contamination" {
        /// Anti-personnel mines.
        ApMine = "ap_mine",
        /// Improvised, victim-operated anti-personnel mines.
        ApMineImprovised = "ap_mine_improvised",
        /// Anti-vehicle mines.
        AvMine = "av_mine",
        /// Improvised anti-vehicle mines.
        AvMineImprovised = "av_mine_improvised",
        /// Cluster munition remnants.
        ClusterMunitionRemnant = "cluster_munition_remnant",
        /// Unexploded ordnance.
        Uxo = "uxo",
        /// Abandoned ordnance.
        Axo = "axo",
        /// Booby traps.
        BoobyTrap = "booby_trap",
        /// Other improvised devices.
        IedOther = "ied_other",
        /// Not known.
        Unknown = "unknown",
    }
}

coded! {
    /// Which duty of which treaty ground falls under.
    TreatyScope, "treaty scope" {
        /// Mine Ban Convention, Article 5: anti-personnel mines, improvised ones included.
        ApmbcArticle5 = "apmbc_article_5",
        /// Convention on Cluster Munitions, Article 4.
        CcmArticle4 = "ccm_article_4",
    }
}

coded! {
    /// How ground was released (IMAS 07.11); battle-area clearance is kept apart.
    ReleaseResult, "release result" {
        /// No evidence after non-technical survey.
        Cancelled = "cancelled",
        /// No evidence after technical survey.
        Reduced = "reduced",
        /// Cleared to the specified depth.
        Cleared = "cleared",
        /// Battle-area clearance.
        BacCleared = "bac_cleared",
    }
}

coded! {
    /// Why a hazardous area left the books.
    EndReason, "end reason" {
        /// Its ground went into another area.
        MergedInto = "merged_into",
        /// Its ground went into several areas.
        SplitInto = "split_into",
        /// It was in the books twice.
        DuplicateOf = "duplicate_of",
        /// It should never have been in the books.
        EnteredInError = "entered_in_error",
        /// Withdrawn for another reason; its ground counts as shrunk by revision.
        Retired = "retired",
    }
}

impl TreatyScope {
    /// The duties that ground with any of these falls under.
    pub fn over(kinds: &BTreeSet<Contamination>) -> BTreeSet<Self> {
        let covered = |scope: &Self| kinds.iter().any(|kind| scope.covers(*kind));
        Self::ALL.iter().copied().filter(covered).collect()
    }

    /// Whether ground with this contamination falls under the duty.
    pub const fn covers(self, contamination: Contamination) -> bool {
        match self {
            Self::ApmbcArticle5 => {
                matches!(contamination, Contamination::ApMine | Contamination::ApMineImprovised)
            }
            Self::CcmArticle4 => matches!(contamination, Contamination::ClusterMunitionRemnant),
        }
    }
}

/// The end of a hazardous area in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HazardEnd {
    /// From this day on it no longer counts.
    pub date: NaiveDate,
    /// Why.
    pub reason: EndReason,
}

/// What was held true of a hazardous area from a date on.
#[derive(Debug, Clone, PartialEq)]
pub struct HazardVersion {
    /// First day on which it holds.
    pub effective: NaiveDate,
    /// WGS 84; `None` for areas known by a point and a reported size only.
    pub outline: Option<MultiPolygon<f64>>,
    /// The size as reported, m²; counts only where there is no outline, in an account of its own.
    pub reported_area_m2: Option<f64>,
    /// Confirmed or suspected.
    pub classification: Classification,
    /// What it is thought to hold.
    pub contamination: BTreeSet<Contamination>,
    /// The organisation that reported it.
    pub organisation: Uuid,
    /// The duties it falls under where somebody decided otherwise than the contamination says.
    pub treaty_scope: Option<BTreeSet<TreatyScope>>,
    /// Codes of admin levels 1 to 3.
    pub admin: [Option<String>; 3],
    /// Released or closed as its record says. Ground follows releases alone; an area without an outline has nothing
    /// else to leave its account by.
    pub closed: bool,
    /// New evidence: the ground is contaminated whatever was released before `effective`.
    pub reopened: bool,
    /// Two people disagree about it; carried to the pieces, without effect on figures.
    pub contested: bool,
}

/// A hazardous area.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard {
    /// Identity.
    pub id: Uuid,
    /// Breaks ties of dates; the order in which the programme learnt of it.
    pub sequence: i64,
    /// By effective date; of two with the same date the later one in the list holds.
    pub versions: Vec<HazardVersion>,
    /// How it left the books, if it did.
    pub end: Option<HazardEnd>,
}

/// One polygon released by one method with one result.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Identity.
    pub id: Uuid,
    /// Breaks ties of dates.
    pub sequence: i64,
    /// The day that puts its ground into a year; which day that is, the programme decides.
    pub effective: NaiveDate,
    /// WGS 84.
    pub outline: MultiPolygon<f64>,
    /// Result.
    pub result: ReleaseResult,
    /// Method code, if recorded.
    pub method: Option<String>,
    /// The organisation that did it.
    pub operator: Uuid,
    /// Duties it counts under though it is battle-area clearance, which counts under none unless stated.
    pub treaty_scope: BTreeSet<TreatyScope>,
    /// Hazardous areas the record names; figures follow the ground, this is for comparison.
    pub hazards: Vec<Uuid>,
}

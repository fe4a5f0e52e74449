//! What to ask the ledger: which ground, and how to divide it into rows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fact::{Classification, Contamination, ReleaseResult, TreatyScope};

/// What a filter lets through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Want<T> {
    /// Everything.
    #[default]
    Any,
    /// Ground about which the records say nothing.
    Nothing,
    /// This value only.
    Only(T),
}

impl<T> Want<T> {
    pub(crate) fn admits<F>(&self, found: Option<&F>) -> bool
    where
        T: std::borrow::Borrow<F>,
        F: PartialEq + ?Sized,
    {
        match self {
            Self::Any => true,
            Self::Nothing => found.is_none(),
            Self::Only(wanted) => found.is_some_and(|found| found == wanted.borrow()),
        }
    }
}

/// A way of dividing ground into rows. Rows of any combination are disjoint and add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Calendar years of a period; a balance only.
    Year,
    /// Province.
    Admin1,
    /// District.
    Admin2,
    /// Commune.
    Admin3,
    /// Confirmed or suspected.
    Classification,
    /// The kinds of contamination joined by `+`.
    Contamination,
    /// Who released the ground by the end of the row's period, else who reported the area.
    Operator,
    /// How the ground was released by the end of the row's period; none if it was not.
    Result,
    /// With which method.
    Method,
}

/// Which ground counts, and the cuts that make rows. The default is all ground in one row.
///
/// Filters and cuts agree: filtering by the values of a row's key and cutting by nothing gives the same row again.
///
/// A filter on what can change – admin codes, classification, contamination, the owning area – moves ground in and
/// out as it changes, and a balance shows that as reclassified.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Cuts, in the order of the rows' keys.
    pub cuts: Vec<Cut>,
    /// Codes of admin levels 1 to 3.
    pub admin: [Want<String>; 3],
    /// Confirmed or suspected only.
    pub classification: Option<Classification>,
    /// Exactly this mixture of contamination; the empty set is `unknown`.
    pub contamination: Option<BTreeSet<Contamination>>,
    /// Ground under this treaty duty only.
    pub scope: Option<TreatyScope>,
    /// Ground of this organisation only; see [`Cut::Operator`].
    pub operator: Option<Uuid>,
    /// Ground released so by the end of the period, or not released by then.
    pub result: Want<ReleaseResult>,
    /// Ground released with this method by the end of the period, or without a method on record.
    pub method: Want<String>,
    /// Ground owned by these areas only.
    pub hazards: Option<BTreeSet<Uuid>>,
    /// Ground released by these releases only, by the end of the period.
    pub releases: Option<BTreeSet<Uuid>>,
}

impl Query {
    /// All ground, in rows by these cuts.
    pub fn by(cuts: impl IntoIterator<Item = Cut>) -> Self {
        Self { cuts: cuts.into_iter().collect(), ..Self::default() }
    }
}

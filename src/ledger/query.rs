//! What to ask the ledger: which ground, and how to divide it into rows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fact::{Classification, TreatyScope};

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
/// A filter on what can change – admin codes, classification, contamination, the owning area – moves ground in and
/// out as it changes, and a balance shows that as reclassified.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Cuts, in the order of the rows' keys.
    pub cuts: Vec<Cut>,
    /// Codes of admin levels 1 to 3; `None` takes all.
    pub admin: [Option<String>; 3],
    /// Confirmed or suspected only.
    pub classification: Option<Classification>,
    /// Ground under this treaty duty only.
    pub scope: Option<TreatyScope>,
    /// Ground of this organisation only; see [`Cut::Operator`].
    pub operator: Option<Uuid>,
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

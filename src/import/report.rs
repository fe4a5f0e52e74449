//! What became of every feature, line by line and in sum.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;

use uuid::Uuid;

use crate::export::disarmed;
use crate::model::vocabulary;

/// How the reason of a feature begins whose id was there before in the same file.
pub(super) const NAMESAKE: &str = "a feature before it in the file has the same id";

/// Most reasons that a summary shows for one outcome.
const REASONS: usize = 20;

vocabulary! {
    /// What became of a feature. Every feature of a file has exactly one.
    pub enum Outcome {
        /// It is a record now.
        Taken = "taken",
        /// It is an export that came back, and changed its record.
        Edited = "edited",
        /// It is stored and a person decides.
        Quarantined = "quarantined",
        /// It is stored and disagrees with a record that is there.
        Conflict = "conflict",
        /// It is stored and waits for a record that it points to.
        Parked = "parked",
        /// It was taken before.
        Duplicate = "duplicate",
        /// It was taken before and says something else now. Nothing was written.
        Differs = "differs",
        /// The filter did not want it.
        Skipped = "skipped",
        /// It is no feature, or its row is broken.
        Unreadable = "unreadable",
    }
}

/// What became of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its place in the file, from 1.
    pub number: usize,
    /// Its id in the file.
    pub source_id: Option<String>,
    /// Its record's id.
    pub record_id: Option<Uuid>,
    /// What became of it.
    pub outcome: Outcome,
    /// Area as entered, m².
    pub area_m2: Option<f64>,
    /// Area of a proposed repair, m².
    pub proposed_m2: Option<f64>,
    /// Why a person should look at it, in words that many features share.
    pub flags: BTreeSet<String>,
    /// It was put forward for review.
    pub is_submitted: bool,
    /// Why, and everything else that there is to say.
    pub reasons: Vec<String>,
}

impl Line {
    /// A line that says no more than the outcome.
    pub fn new(number: usize, outcome: Outcome) -> Self {
        Self {
            number,
            source_id: None,
            record_id: None,
            outcome,
            area_m2: None,
            proposed_m2: None,
            flags: BTreeSet::new(),
            is_submitted: false,
            reasons: Vec::new(),
        }
    }

    /// Whether a person should look at it.
    pub fn is_flagged(&self) -> bool {
        !self.flags.is_empty()
    }
}

/// What became of all features.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Features of the file.
    pub features: usize,
    /// How many came to what.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Of those taken: with a repair proposed.
    pub proposed: usize,
    /// Of those taken: with something that a person should look at.
    pub flagged: usize,
    /// Of those taken: why a person should look at them, how many, and the first of them.
    pub flags: BTreeMap<String, (usize, usize)>,
    /// Put forward for review.
    pub submitted: usize,
    /// Why features were not simply taken: how many, and the first of them.
    pub reasons: BTreeMap<(Outcome, String), (usize, usize)>,
    /// Nothing was written.
    pub is_dry: bool,
}

impl Summary {
    /// Counts a line.
    pub fn add(&mut self, line: &Line) {
        self.features += 1;
        *self.outcomes.entry(line.outcome).or_default() += 1;
        self.submitted += usize::from(line.is_submitted);
        match line.outcome {
            Outcome::Taken => {
                self.proposed += usize::from(line.proposed_m2.is_some());
                self.flagged += usize::from(line.is_flagged());
                for flag in &line.flags {
                    self.flags.entry(flag.clone()).or_insert((0, line.number)).0 += 1;
                }
            }
            Outcome::Skipped => {}
            Outcome::Duplicate => {
                // Other remarks on it were made when it was taken.
                let tells = |reason: &&String| ["first: ", NAMESAKE].iter().any(|it| reason.starts_with(it));
                let first = line.reasons.first().filter(tells).cloned();
                if let Some(first) = first {
                    self.reasons.entry((line.outcome, first)).or_insert((0, line.number)).0 += 1;
                }
            }
            outcome => {
                let reason = line.reasons.first().cloned().unwrap_or_default();
                self.reasons.entry((outcome, reason)).or_insert((0, line.number)).0 += 1;
            }
        }
    }

    /// How many features came to this.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// Whether features were asked for and none of them is in the store now.
    pub fn is_fruitless(&self) -> bool {
        let held = self
            .reasons
            .iter()
            .filter(|((outcome, reason), _)| *outcome == Outcome::Duplicate && reason.starts_with("first: "));
        let held: usize = held.map(|(_, (count, _))| count).sum();
        self.features > 0
            && self.count(Outcome::Taken) + self.count(Outcome::Edited) + self.count(Outcome::Duplicate)
                == held
    }

    fn write_reasons(&self, outcome: Outcome, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.reasons.iter().filter(|((of, _), _)| *of == outcome);
        write_counts(16, reasons.map(|((_, reason), count)| (reason, count)).collect(), out)
    }
}

/// The most frequent reasons, each with its first feature.
fn write_counts(
    indent: usize,
    mut reasons: Vec<(&String, &(usize, usize))>,
    out: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (reason, (count, first)) in reasons.iter().take(REASONS) {
        writeln!(out, "{count:>indent$} {reason} (first: feature {first})")?;
    }
    match reasons.len().saturating_sub(REASONS) {
        0 => Ok(()),
        more => writeln!(out, "{:>indent$} … and {more} other reasons: --report has them all", ""),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dry = if self.is_dry { " (dry run: nothing was written)" } else { "" };
        writeln!(out, "{} features{dry}", self.features)?;
        for outcome in Outcome::ALL {
            let count = self.count(*outcome);
            if count == 0 && *outcome != Outcome::Taken {
                continue;
            }
            writeln!(out, "{count:>8} {outcome}")?;
            if *outcome == Outcome::Taken {
                let parts = [
                    (self.proposed, "with a proposed repair (stored as entered)"),
                    (self.flagged, "flagged for a person to look at"),
                ];
                for (part, what) in parts.iter().filter(|(part, _)| *part > 0) {
                    writeln!(out, "{part:>16} {what}")?;
                }
                write_counts(24, self.flags.iter().collect(), out)?;
            }
            self.write_reasons(*outcome, out)?;
        }
        if self.submitted > 0 {
            writeln!(out, "{:>8} put forward for review", self.submitted)?;
        }
        if self.count(Outcome::Differs) > 0 {
            writeln!(
                out,
                "Features that differ were left alone: correct their records if the file is right (--update does that \
                 with an edited export of this server). Where they are other things, name the column that identifies \
                 them with --id, or their file with --source."
            )?;
        }
        if self.count(Outcome::Quarantined) > 0 && !self.is_dry {
            writeln!(
                out,
                "Quarantined features are stored: repair them in the review, or import a mended file."
            )?;
        }
        Ok(())
    }
}

/// Writes lines as CSV.
#[derive(Debug)]
pub struct Report<W: Write>(csv::Writer<W>);

impl<W: Write> Report<W> {
    /// A report with its header.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(to: W) -> csv::Result<Self> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record([
            "feature",
            "source_id",
            "record_id",
            "outcome",
            "area_m2",
            "proposed_area_m2",
            "flagged",
            "submitted",
            "reasons",
        ])?;
        Ok(Self(writer))
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, line: &Line) -> csv::Result<()> {
        let area = |area: Option<f64>| area.map(|area| format!("{area:.3}")).unwrap_or_default();
        self.0.write_record([
            line.number.to_string(),
            disarmed(line.source_id.as_deref().unwrap_or_default()).into_owned(),
            line.record_id.map(|id| id.to_string()).unwrap_or_default(),
            line.outcome.to_string(),
            area(line.area_m2),
            area(line.proposed_m2),
            line.is_flagged().to_string(),
            line.is_submitted.to_string(),
            disarmed(&line.reasons.join("; ")).into_owned(),
        ])
    }

    /// Brings everything to its place.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

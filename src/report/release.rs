//! How a land release's versions become a fact of the ledger.

use chrono::{Days, NaiveDate};
use serde_json::Value;
use uuid::Uuid;

use super::fact::{Doubt, Fact, Reading, Rules, Surveyed, date, text, treaty_scope};
use crate::ledger::{Release, ReleaseResult};
use crate::model::Stage;
use crate::programme::DateRule;

impl Rules<'_> {
    pub(super) fn release(&self, record: &Surveyed<'_>, last: usize) -> Reading {
        let left_out = |why: String| Reading::nothing(Some(Doubt::LeftOut(why)));
        if record.line.contested {
            return left_out(
                "a contested release: it releases nothing until the conflict is settled".to_owned(),
            );
        }
        let (version, ground) = (record.version(last), record.ground(last));
        let fields = &version.properties;
        let Some(outline) = ground.counted(self.basis) else {
            let why = ground.fault(self.basis);
            let why = why.map_or_else(|| "no polygon".to_owned(), |fault| format!("its outline: {fault}"));
            return left_out(format!("a release without ground that can be counted: {why}"));
        };
        let Some(result) = text(fields, "result").and_then(|code| code.parse::<ReleaseResult>().ok()) else {
            return left_out("a release without a result that can be read".to_owned());
        };
        let named = fields.get("hazardous_area_ids").and_then(Value::as_array);
        let release = Release {
            id: record.line.id,
            sequence: record.line.created_seq,
            effective: self.released_on(record, last),
            outline: outline.clone(),
            result,
            method: text(fields, "method").map(str::to_owned),
            operator: record.line.organisation,
            treaty_scope: treaty_scope(fields).unwrap_or_default(),
            hazards: named
                .into_iter()
                .flatten()
                .filter_map(|id| Uuid::parse_str(id.as_str()?).ok())
                .collect(),
        };
        let ahead = release.effective > version.recorded_at.date_naive() + Days::new(1);
        let doubt = if ahead {
            let day = release.effective;
            Some(Doubt::LeftOut(format!("a release that takes effect only on {day}: is the day right?")))
        } else {
            ground.repaired(self.basis).map(Doubt::Repaired)
        };
        Reading { fact: Fact::Release(release), doubt, name: None }
    }

    /// The day that puts a release's ground into a year. It does not depend on the basis: stages are looked for among
    /// all versions.
    fn released_on(&self, record: &Surveyed<'_>, last: usize) -> NaiveDate {
        let fields = &record.version(last).properties;
        let completed = date(fields, "completion_date");
        let versions = &record.line.versions;
        let finalised = versions.iter().position(|version| version.stage == Stage::Finalised);
        // The acceptance that led to the first finalisation; a later one is of an amendment.
        let under_review = &versions[..finalised.unwrap_or(versions.len())];
        let accepted = under_review.iter().rposition(|version| version.stage == Stage::OpsValidated);
        let day_of = |index: Option<usize>| index.map(|index| versions[index].recorded_at.date_naive());
        let day = match self.date_rule {
            DateRule::Completion => completed,
            DateRule::QaAcceptance => date(fields, "qa_accepted_on")
                .or_else(|| day_of(accepted))
                .or_else(|| day_of(finalised))
                .or(completed),
            DateRule::Finalisation => day_of(finalised).or(completed),
        };
        day.unwrap_or_else(|| record.version(last).recorded_at.date_naive())
    }
}

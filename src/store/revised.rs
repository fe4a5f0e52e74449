//! What has become of somebody's edits since they were answered: one that waited was taken up, or the nation decided
//! otherwise than the camp had.

use std::collections::BTreeMap;

use diesel::prelude::*;
use uuid::Uuid;

use super::column::{Document, Id};
use super::schema::log;
use super::{Result, Store};
use crate::model::mutation::Outcome;
use crate::sync::memory::Answer;

/// So many are told at most; a tablet that was away for longer reads the newest.
const MOST: i64 = 10_000;

impl Store {
    /// The last word on edits of an author that came after place `since` in the log, by edit.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn revised(&self, author: Uuid, since: i64) -> Result<Vec<Answer>> {
        let made = diesel::alias!(log as made);
        let rows: Vec<(Id, i64, String, Document)> = self.read(|connection| {
            Ok(log::table
                .inner_join(made.on(made.field(log::subject).eq(log::subject)))
                .filter(log::entry.eq_any(["rebased", "unparked"]))
                // The same outcome on another version says nothing new of the edit.
                .filter(log::outcome.ne("changed"))
                .filter(log::seq.gt(since))
                .filter(made.field(log::entry).eq("mutation"))
                .filter(made.field(log::actor).eq(Some(Id(author))))
                .order(log::seq.desc())
                .limit(MOST)
                .select((log::subject, log::seq, log::outcome, log::answer))
                .load(connection)?)
        })?;
        let mut last = BTreeMap::new();
        for (id, seq, outcome, told) in rows.into_iter().rev() {
            last.insert(id.0, answer(id.0, seq, outcome.parse()?, told));
        }
        Ok(last.into_values().collect())
    }
}

/// What an entry says; those of a camp that lays its edits anew say no more than the outcome.
fn answer(edit: Uuid, seq: i64, outcome: Outcome, told: Document) -> Answer {
    let mut answer = told.read().unwrap_or_else(|_says_no_more| Answer::new(edit, outcome));
    answer.seq = Some(seq);
    answer.version = matches!(outcome, Outcome::Applied | Outcome::Merged).then_some(edit);
    answer.conflict_id = (outcome == Outcome::Conflict).then_some(edit);
    answer
}

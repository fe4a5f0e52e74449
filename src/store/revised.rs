//! What has become of somebody's edits since they were answered: one that waited was taken up, or the nation decided
//! otherwise than the camp had.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use uuid::Uuid;

use super::Result;
use super::Store;
use super::backend::DbConnection;
use super::column::{Document, Id};
use super::schema::{log, parked, quarantine};
use crate::model::mutation::Outcome;
use crate::sync::memory::{Answer, Problem};

/// So many are told at most; a tablet that was away for longer reads the newest.
const MOST: i64 = 10_000;

/// Bind variables in one statement.
const IDS: usize = 1_000;

type Row = (Id, i64, String, Document);

impl Store {
    /// The last word on edits of an author that came after place `since` in the log, by edit, and from 0 on every edit; and
    /// on every duplicate among `answers`, which say what it came to first.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn revised(&self, author: Uuid, since: i64, answers: &[Answer]) -> Result<Vec<Answer>> {
        let again = answers.iter().filter(|answer| answer.outcome == Outcome::Duplicate);
        let again: Vec<Id> = again.map(|answer| Id(answer.mutation_id)).collect();
        self.read(|connection| {
            let mut rows = since_then(connection, author, since)?;
            if since == 0 {
                rows.extend(as_they_came(connection, author)?);
            }
            for ids in again.chunks(IDS) {
                rows.extend(of_these(connection, ids)?);
            }
            rows.sort_by_key(|(_, seq, ..)| *seq);
            let mut last = BTreeMap::new();
            for (id, seq, outcome, told) in rows {
                last.insert(id.0, answer(id.0, seq, outcome.parse()?, told));
            }
            give_reasons(connection, &mut last)?;
            Ok(last.into_values().collect())
        })
    }
}

fn since_then(connection: &mut DbConnection, author: Uuid, since: i64) -> Result<Vec<Row>> {
    let made = diesel::alias!(log as made);
    Ok(log::table
        .inner_join(made.on(made.field(log::subject).eq(log::subject)))
        // As it stands in the partial index: SQLite would not see that bound words are the same.
        .filter(sql::<Bool>("log.entry in ('rebased', 'unparked')"))
        // The same outcome on another version says nothing new of the edit.
        .filter(log::outcome.ne("changed"))
        .filter(log::seq.gt(since))
        .filter(made.field(log::entry).eq("mutation"))
        .filter(made.field(log::actor).eq(Some(Id(author))))
        .order(log::seq.desc())
        .limit(MOST)
        .select((log::subject, log::seq, log::outcome, log::answer))
        .load(connection)?)
}

/// What edits came to when they came: another server may have said otherwise.
fn as_they_came(connection: &mut DbConnection, author: Uuid) -> Result<Vec<Row>> {
    Ok(log::table
        .filter(log::entry.eq("mutation"))
        .filter(log::actor.eq(Some(Id(author))))
        .order(log::seq.desc())
        .limit(MOST)
        .select((log::subject, log::seq, log::outcome, log::answer))
        .load(connection)?)
}

fn of_these(connection: &mut DbConnection, edits: &[Id]) -> Result<Vec<Row>> {
    Ok(log::table
        .filter(log::subject.eq_any(edits))
        .filter(sql::<Bool>("log.entry in ('rebased', 'unparked')"))
        .filter(log::outcome.ne("changed"))
        .select((log::subject, log::seq, log::outcome, log::answer))
        .load(connection)?)
}

/// What an entry says; those of a camp that lays its edits anew say no more than the outcome.
fn answer(edit: Uuid, seq: i64, outcome: Outcome, told: Document) -> Answer {
    let mut answer = told.read().unwrap_or_else(|_says_no_more| Answer::new(edit, outcome));
    answer.seq = Some(seq);
    answer.version = matches!(outcome, Outcome::Applied | Outcome::Merged).then_some(edit);
    answer.conflict_id = (outcome == Outcome::Conflict).then_some(edit);
    answer
}

/// Why an edit is in quarantine, and what it waits for.
fn give_reasons(connection: &mut DbConnection, answers: &mut BTreeMap<Uuid, Answer>) -> Result<()> {
    let bare = |answer: &&Answer| answer.problem.is_none() && answer.waiting_for.is_none();
    let bare = answers.values().filter(bare);
    let held = bare.filter(|answer| matches!(answer.outcome, Outcome::Quarantined | Outcome::Parked));
    let held: Vec<Id> = held.map(|answer| Id(answer.mutation_id)).collect();
    for ids in held.chunks(IDS) {
        let why: Vec<(Id, Document)> = quarantine::table
            .filter(quarantine::mutation_id.eq_any(ids))
            .select((quarantine::mutation_id, quarantine::problem))
            .load(connection)?;
        for (id, problem) in why {
            let problem: Problem = problem.read()?;
            answers.entry(id.0).and_modify(|answer| answer.problem = Some(problem));
        }
        let what: Vec<(Id, String)> = parked::table
            .filter(parked::mutation_id.eq_any(ids))
            .select((parked::mutation_id, parked::waiting_for))
            .load(connection)?;
        for (id, thing) in what {
            answers.entry(id.0).and_modify(|answer| answer.waiting_for = Some(thing));
        }
    }
    Ok(())
}

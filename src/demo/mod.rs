//! The constructed programme that `cartagena demo` fills its database with.
//!
//! A made-up country in the open sea with everything that a real programme has: people, hazardous areas, orders,
//! surveys, releases, their reviews, and the mistakes of five years. It comes out the same for the same seed, day and
//! people, and goes into the database through the same door and rules as a tablet's edits. Every record says that it
//! is constructed. Nothing here knows SQL, the web or the clock.

mod area;
mod book;
mod cast;
mod chance;
mod country;
mod field;
mod order;
mod shape;
mod special;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::model::Op;
use crate::model::mutation::Outcome;
use crate::programme::Programme;
use crate::store::account::{Account, Organisation};
use crate::store::push::OwnAction;
use crate::store::{Result, Store, StoreError};
use crate::sync::memory::Answer;

pub use book::Step;
pub use cast::{Cast, Operator};
pub use order::DemoTask;

/// Sites; each has seven areas.
const SITES: usize = 42;
/// Mutations that go into one transaction, about. More are faster, fewer show progress sooner.
const BATCH: usize = 600;

/// A finalised, confirmed area with an open task, for two tablets to quarrel about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contest {
    /// The area.
    pub hazard: Uuid,
    /// A task that holds it.
    pub task: Uuid,
    /// The operator whose surveyors may edit it.
    pub operator: Uuid,
}

/// Everything that the demonstration consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The country's settings.
    pub programme: Programme,
    /// What people did, in the order of the days.
    pub actions: Vec<Step>,
    /// The orders of the authority.
    pub tasks: Vec<DemoTask>,
    /// What two tablets may quarrel about.
    pub contest: Contest,
}

impl World {
    /// Makes up the world up to `today`.
    pub fn build(seed: u64, today: NaiveDate, cast: &Cast) -> Self {
        let mut chance = chance::Chance::new(seed);
        let programme = country::programme(&mut chance, today);
        let districts = country::districts();
        let mut book = book::Book::new(cast, chance, today);
        let mut sites = Vec::with_capacity(SITES);
        for number in 0..SITES {
            sites.push(area::open(&mut book, number, districts[number % districts.len()].clone()));
        }
        let mut tasks = Vec::new();
        for site in &sites {
            tasks.extend(order::run(&mut book, site));
        }
        special::tell(&mut book, &sites, &tasks);
        let hazard = sites[0].areas[0].id;
        let held = tasks.iter().find(|task| task.activity == "clearance" && task.hazards.contains(&hazard));
        let contest = Contest {
            hazard,
            task: held.map_or(Uuid::nil(), |task| task.id),
            operator: cast.operators[sites[0].operator].id,
        };
        Self { programme, actions: book.close(), tasks, contest }
    }

    /// How many records of each kind are made.
    pub fn records(&self) -> BTreeMap<String, u64> {
        let mut records = BTreeMap::new();
        let made = self.actions.iter().flat_map(|step| &step.mutations);
        for mutation in made.filter(|mutation| mutation.op == Op::Create) {
            *records.entry(mutation.kind.clone()).or_default() += 1;
        }
        records
    }
}

/// What [`seed`] has put into the database.
#[derive(Debug, Clone)]
pub struct Seeded {
    /// Every organisation.
    pub organisations: Vec<Organisation>,
    /// Every account; all have the password whose hash was given.
    pub accounts: Vec<Account>,
    /// The operators.
    pub operators: Vec<Operator>,
    /// Every task with its operator; tablets follow the open ones.
    pub tasks: Vec<DemoTask>,
    /// What two tablets may quarrel about.
    pub contest: Contest,
    /// How many mutations had which outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How many records of each kind there are.
    pub records: BTreeMap<String, u64>,
}

/// Fills an empty database. `password_hash` becomes everybody's password, so that it is fit for demonstrations only;
/// `progress` is told how many mutations of how many are stored.
///
/// # Errors
/// What the store reports; `Refused` where the demonstration is there already, or where a mutation came out
/// otherwise than meant.
pub fn seed(
    store: &Store,
    seed: u64,
    today: NaiveDate,
    password_hash: &str,
    mut progress: impl FnMut(u64, u64),
) -> Result<Seeded> {
    let (organisations, accounts) = cast::hire(store, password_hash)?;
    let cast = Cast::of(&accounts);
    let world = World::build(seed, today, &cast);
    store.set_programme(world.programme.clone(), None, None)?;
    let total = world.actions.iter().map(|step| step.mutations.len()).sum::<usize>();
    let mut outcomes = BTreeMap::new();
    let mut done = 0;
    for batch in batches(&world.actions) {
        let own = |step: &Step| OwnAction { actor: step.actor, mutations: step.mutations.clone() };
        let answers = store.push_own(batch.iter().map(own).collect())?;
        check(batch, &answers)?;
        for answer in &answers {
            *outcomes.entry(answer.outcome).or_default() += 1;
        }
        done += answers.len();
        progress(done as u64, total as u64);
    }
    let records = world.records();
    let World { tasks, contest, .. } = world;
    Ok(Seeded { organisations, accounts, operators: cast.operators, tasks, contest, outcomes, records })
}

/// Actions in their order, about [`BATCH`] mutations at a time.
fn batches(actions: &[Step]) -> Vec<&[Step]> {
    let mut batches = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (place, step) in actions.iter().enumerate() {
        size += step.mutations.len();
        if size >= BATCH || place + 1 == actions.len() {
            batches.push(&actions[start..=place]);
            (start, size) = (place + 1, 0);
        }
    }
    batches
}

/// Whether every mutation came out as it was meant to.
fn check(batch: &[Step], answers: &[Answer]) -> Result<()> {
    let meant = batch.iter().flat_map(|step| step.mutations.iter().map(move |mutation| (step, mutation)));
    for ((step, mutation), answer) in meant.zip(answers) {
        if answer.outcome == step.meant && answer.mutation_id == mutation.mutation_id {
            continue;
        }
        let faults = answer.problem.iter().flat_map(|problem| {
            let faults = problem.faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message));
            std::iter::once(problem.detail.clone()).chain(faults)
        });
        let why: Vec<String> = faults.chain(answer.waiting_for.clone()).collect();
        let detail = format!(
            "the {} of {} {} on {} was {}, not {}: {}",
            mutation.op,
            mutation.kind,
            mutation.record_id,
            step.day,
            answer.outcome,
            step.meant,
            why.join("; ")
        );
        return Err(StoreError::refused("demo", detail));
    }
    Ok(())
}

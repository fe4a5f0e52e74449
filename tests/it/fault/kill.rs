//! The generator stops: the server is killed in mid-push, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use uuid::Uuid;

use super::witness::{action_of, assert_all_there, assert_kept, id_of, ids, logged};
use crate::support::program::{rounds, seed};
use crate::support::{Crew, Place, Program, Reply, Tablet, on_both};

on_both!(what_was_acknowledged_outlives_every_kill);

const TABLETS: usize = 3;
const ACTIONS: usize = 24;
/// Actions of a push.
const PUSH: usize = 4;
/// Pushes of a tablet in a day.
const PUSHES: u32 = 6;

/// Tablets, and everything that they have sent and heard of.
struct Season {
    program: Program,
    im: String,
    tablets: Vec<Tablet>,
    actions: Vec<Vec<Uuid>>,
    seqs: BTreeMap<Uuid, i64>,
    /// Pushes that were not answered, and those of them that were stored all the same.
    unanswered: (usize, usize),
}

fn what_was_acknowledged_outlives_every_kill(place: &Place) {
    let mut random = StdRng::seed_from_u64(seed());
    let (program, crew) = Program::begin(place);
    let mut season = Season::begin(program, &crew);
    // How long a push takes when nothing happens tells which moments are in the midst of one.
    let usual = season.calm_day() / PUSHES;
    for _ in 0..rounds("FAULT_ROUNDS", 15) {
        let answered = random.random_range(0..TABLETS * ACTIONS / PUSH);
        season.day_with_a_kill(answered, usual.mul_f64(random.random_range(0.0..1.2)));
    }
    let (lost, stored) = season.unanswered;
    println!("{lost} pushes were not answered, {stored} of them were stored");
    let records = season.actions.len();
    assert_all_there(&season.program, &season.im, &season.actions, records);
}

impl Season {
    fn begin(program: Program, crew: &Crew) -> Self {
        let tablets = (0..TABLETS).map(|_| Tablet::enrol(&program, crew, &crew.surveyor)).collect();
        let im = crew.im.log_in(&program);
        Self { program, im, tablets, actions: Vec::new(), seqs: BTreeMap::new(), unanswered: (0, 0) }
    }

    /// What every tablet has made since the last push.
    fn work(&mut self) -> Vec<Vec<Vec<Value>>> {
        let work: Vec<Vec<Vec<Value>>> =
            self.tablets.iter().map(|tablet| (0..ACTIONS).map(|_| action_of(tablet)).collect()).collect();
        self.actions.extend(work.iter().flatten().map(|action| ids(action)));
        work
    }

    fn calm_day(&mut self) -> Duration {
        let work = self.work();
        let begun = Instant::now();
        let answers = push_all(&self.tablets, &work, |_| ());
        let taken = begun.elapsed();
        self.hear_all(answers);
        taken
    }

    /// The kill comes some time after so many pushes were answered.
    fn day_with_a_kill(&mut self, answered: usize, later: Duration) {
        let work = self.work();
        let answers = push_all(&self.tablets, &work, |heard| {
            while heard.load(Ordering::SeqCst) < answered {
                thread::sleep(Duration::from_micros(100));
            }
            thread::sleep(later);
            self.program.kill();
        });
        // What was underway: each tablet's first push without an answer.
        let underway: Vec<Uuid> = work
            .iter()
            .zip(&answers)
            .filter_map(|(pushes, answers)| Some(ids(&pushes.chunks(PUSH).nth(answers.len())?[0])[0]))
            .collect();
        for answer in answers.into_iter().flatten() {
            self.hear(answer);
        }
        self.program.start();
        let log = logged(&self.program, &self.im);
        self.unanswered.0 += underway.len();
        self.unanswered.1 += underway.iter().filter(|id| log.contains_key(id)).count();
        let acknowledged: BTreeSet<Uuid> = self.seqs.keys().copied().collect();
        assert_kept(&log, &self.actions, &acknowledged);
        for tablet in &mut self.tablets {
            tablet.move_to(&self.program);
        }
        let answers = push_all(&self.tablets, &work, |_| ());
        self.hear_all(answers);
    }

    /// What all tablets are told while nothing happens: all that each has made is stored.
    fn hear_all(&mut self, answers: Vec<Vec<Reply>>) {
        for (place, answers) in answers.into_iter().enumerate() {
            assert_eq!(answers.len(), ACTIONS / PUSH, "every push is answered");
            let last = answers.into_iter().map(|answer| self.hear(answer)).last();
            assert_eq!(last, Some(self.tablets[place].made()));
        }
    }

    /// What a tablet is told: everything is stored, and what was told before is told again. Gives how far it is told
    /// that its edits are stored.
    fn hear(&mut self, answer: Reply) -> i64 {
        let answer = answer.expect(200);
        for result in answer["results"].as_array().unwrap() {
            let seq = result["seq"].as_i64().unwrap();
            let before = self.seqs.insert(id_of(result, "mutation_id"), seq);
            assert!(
                before.is_none_or(|before| before == seq && result["outcome"] == "duplicate"),
                "{result}"
            );
            assert!(["applied", "duplicate"].contains(&result["outcome"].as_str().unwrap()), "{result}");
        }
        answer["durable"]["device_seq_through"].as_i64().unwrap()
    }
}

/// Every tablet pushes its work, all tablets at once, while something happens that may look at how many pushes were
/// answered; each stops where it hears nothing.
fn push_all(
    tablets: &[Tablet],
    work: &[Vec<Vec<Value>>],
    meanwhile: impl FnOnce(&AtomicUsize),
) -> Vec<Vec<Reply>> {
    let heard = AtomicUsize::new(0);
    let push = |tablet: &Tablet, work: &[Vec<Value>]| -> Vec<Reply> {
        let mut answers = Vec::new();
        for push in work.chunks(PUSH) {
            let Some(answer) = tablet.try_push(push) else { break };
            heard.fetch_add(1, Ordering::SeqCst);
            answers.push(answer);
        }
        answers
    };
    thread::scope(|scope| {
        let push = &push;
        let pairs = tablets.iter().zip(work);
        let pushes: Vec<_> = pairs.map(|(tablet, work)| scope.spawn(move || push(tablet, work))).collect();
        meanwhile(&heard);
        pushes.into_iter().map(|push| push.join().unwrap()).collect()
    })
}

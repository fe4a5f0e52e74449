//! One push, sent 32 times at once over as many connections.

use std::collections::BTreeSet;
use std::thread;

use super::witness::{action_of, assert_all_there, ids};
use crate::support::{Place, Program, Tablet, on_both};

on_both!(of_32_copies_one_is_stored);

const COPIES: usize = 32;

fn of_32_copies_one_is_stored(place: &Place) {
    let (program, crew) = Program::begin(place);
    let tablet = Tablet::enrol(&program, &crew, &crew.surveyor);
    let push = [action_of(&tablet), action_of(&tablet)];
    let answers: Vec<_> = thread::scope(|scope| {
        let copies: Vec<_> = (0..COPIES).map(|_| scope.spawn(|| tablet.push(&push).expect(200))).collect();
        copies.into_iter().map(|copy| copy.join().unwrap()).collect()
    });
    for edit in 0..4 {
        let told: Vec<_> = answers.iter().map(|answer| &answer["results"][edit]).collect();
        let outcomes = |word| told.iter().filter(|result| result["outcome"] == word).count();
        assert_eq!((outcomes("applied"), outcomes("duplicate")), (1, COPIES - 1));
        let seqs: BTreeSet<i64> = told.iter().map(|result| result["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs.len(), 1, "{seqs:?}");
    }
    let actions = push.each_ref().map(|action| ids(action));
    assert_all_there(&program, &crew.im.log_in(&program), &actions, 2);
}

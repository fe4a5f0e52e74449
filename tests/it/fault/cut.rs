//! The link drops: connections are cut at every class of place, and the tablet sends again.

use std::collections::BTreeSet;
use std::thread;

use super::witness::{action_of, assert_all_there, assert_kept, ids, logged};
use crate::support::chopper::{Chopper, Cut, Passed};
use crate::support::program::eventually;
use crate::support::{Place, Program, Tablet, on_both};

on_both!(a_push_over_a_cut_connection_is_whole_or_absent);

fn a_push_over_a_cut_connection_is_whole_or_absent(place: &Place) {
    let (program, crew) = Program::begin(place);
    let im = crew.im.log_in(&program);
    let mut tablet = Tablet::enrol(&program, &crew, &crew.surveyor);
    let network = Chopper::before(&program);
    tablet.move_to(&network);
    let mut actions = Vec::new();
    let mut acknowledged = BTreeSet::new();
    let (whole, head) = measure(&network, &tablet, &mut actions);
    acknowledged.extend(actions.iter().flatten().copied());
    for cut in cuts(whole, head) {
        let txns: Vec<_> = (0..3).map(|_| action_of(&tablet)).collect();
        actions.extend(txns.iter().map(|action| ids(action)));
        network.cut(cut);
        let answer = tablet.try_push(&txns);
        assert!(answer.is_none(), "{cut:?}: it was heard whole");
        // Read while the server may still be at it, as a colleague's tablet would.
        assert_kept(&logged(&program, &im), &actions, &acknowledged);
        network.cut(Cut::Nowhere);
        let answer = tablet.push(&txns).expect(200);
        assert_eq!(answer["durable"]["device_seq_through"], tablet.made(), "{cut:?}");
        acknowledged.extend(txns.iter().flat_map(|action| ids(action)));
        assert_kept(&logged(&program, &im), &actions, &acknowledged);
    }
    assert_all_there(&program, &im, &actions, actions.len());
}

/// How long a push and its answer are, and how much of the push is its head.
fn measure(network: &Chopper, tablet: &Tablet, actions: &mut Vec<Vec<uuid::Uuid>>) -> (Passed, usize) {
    let txns: Vec<_> = (0..3).map(|_| action_of(tablet)).collect();
    actions.extend(txns.iter().map(|action| ids(action)));
    let body = tablet.body(&txns).to_string().len();
    tablet.push(&txns).expect(200);
    let whole = eventually("the connection ends", || {
        thread::yield_now();
        Some(network.passed()).filter(|passed| passed.request > 0)
    });
    (whole, whole.request - body)
}

/// Every class of place: the request line, the headers, their end, the body's first, middle and last byte, the
/// answer's first byte, its head, its body, its last byte.
fn cuts(whole: Passed, head: usize) -> Vec<Cut> {
    let body = whole.request - head;
    let request =
        [0, 1, 4, 14, 20, 60, head - 3, head - 1, head, head + 1, head + body / 2, whole.request - 10];
    // An answer may be some bytes shorter than the one that was measured: moments are written without trailing zeros.
    let answer = [0, 1, 9, 15, 100, whole.answer / 2, whole.answer - 60];
    request.map(Cut::Request).into_iter().chain(answer.map(Cut::Answer)).collect()
}

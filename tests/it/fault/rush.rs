//! Thirty tablets come home at the same hour, each with 500 edits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cartagena::client::transport::{Request, Response, TransportError};
use cartagena::client::{Client, ClientError, Http, Transport};
use uuid::Uuid;

use super::witness::{logged, pulled};
use crate::support::client::{enrolled, new_area};
use crate::support::tablet::square;
use crate::support::{Crew, Place, Program, on_both};

on_both!(thirty_tablets_with_500_edits_all_get_through);

const TABLETS: usize = 30;
const EDITS: usize = 500;

fn thirty_tablets_with_500_edits_all_get_through(place: &Place) {
    let crew = Program::prepare(place);
    let mut program = Program::new(place);
    // Few enough that a server says 429 now and then, which the client has to obey.
    program.set("LIMITS__PUSHES_PER_SECOND", "1");
    program.set("LIMITS__PUSH_MUTATIONS", "100");
    program.start();
    let tablets: Vec<Client> = (0..TABLETS).map(|number| laden(place, &program, &crew, number)).collect();
    thread::scope(|scope| {
        for mut tablet in tablets {
            scope.spawn(move || {
                insist(&mut tablet);
                assert_eq!(tablet.pending().unwrap(), 0);
            });
        }
    });
    println!("told to wait {} times so far, on either database", WAITS.load(Ordering::Relaxed));
    let im = crew.im.log_in(&program);
    let log = logged(&program, &im);
    assert_eq!(log.len(), TABLETS * EDITS);
    assert!(log.values().all(|places| places.len() == 1));
    assert_eq!(pulled(&program, &im).len(), TABLETS * EDITS);
    program.verify();
}

/// How often a tablet was told to wait.
static WAITS: AtomicUsize = AtomicUsize::new(0);

/// Plain HTTP that notes when it waits.
struct Obedient(Http);

impl Transport for Obedient {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        self.0.send(request)
    }

    fn wait(&mut self, time: Duration) {
        WAITS.fetch_add(1, Ordering::Relaxed);
        thread::sleep(time);
    }
}

/// A tablet after weeks without a network.
fn laden(place: &Place, program: &Program, crew: &Crew, number: usize) -> Client {
    let mut tablet = enrolled(place, program, crew, &crew.surveyor, Box::new(Obedient(Http::default())));
    // No two areas overlap: that would be a finding of each about all others.
    let far = |place: usize| square(0.002 * f64::from(u32::try_from(number * EDITS + place).unwrap()));
    for day in 0..EDITS / 10 {
        let areas = (0..10).map(|hour| new_area(Uuid::now_v7()).set("geometry", far(day * 10 + hour)));
        tablet.act(areas.collect()).unwrap();
    }
    tablet
}

/// A person presses "sync" until it is done.
fn insist(tablet: &mut Client) {
    loop {
        match tablet.sync() {
            Ok(_) => return,
            // A connection that rested for long is closed by a server that has much to do.
            Err(ClientError::Busy | ClientError::Transport(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

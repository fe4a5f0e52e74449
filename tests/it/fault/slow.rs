//! Clients that take for ever: what they send is cut off by a time limit, and nobody else waits for them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::witness::{action_of, assert_all_there, ids};
use crate::support::program::PATIENCE;
use crate::support::{Place, Program, Serving, Tablet, on_both};

on_both!(dribbling_and_idle_clients_are_cut_and_hold_up_nobody);

const IDLE: usize = 400;
const DRIBBLING: usize = 40;
/// A byte now and then, faster than any limit on silence.
const DRIBBLE: Duration = Duration::from_millis(100);

fn dribbling_and_idle_clients_are_cut_and_hold_up_nobody(place: &Place) {
    let crew = Program::prepare(place);
    let mut program = Program::new(place);
    program.set("LIMITS__REQUEST_SECONDS", "2");
    program.set("LIMITS__BODY_SECONDS", "4");
    program.start();
    let tablet = Tablet::enrol(&program, &crew, &crew.surveyor);
    let mut actions = Vec::new();
    thread::scope(|scope| {
        let idle: Vec<TcpStream> = (0..IDLE).map(|_| connect(&program)).collect();
        let heads = (0..DRIBBLING).map(|_| "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned());
        let push = format!(
            "POST /v1/sync/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 100000\r\n\r\n{{",
            tablet.token
        );
        // A body of which nothing more comes at all must not be waited for either.
        let log_in = "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{".to_owned();
        let silent: Vec<_> = (0..5).map(|_| silent(&program, &log_in)).collect();
        let bodies = (0..DRIBBLING).map(|_| push.clone());
        let dribbling: Vec<_> = heads
            .chain(bodies)
            .map(|begin| {
                let program = &program;
                scope.spawn(move || dribble(program, &begin))
            })
            .collect();
        while !dribbling.iter().all(thread::ScopedJoinHandle::is_finished) {
            let action = [action_of(&tablet)];
            tablet.push(&action).expect(200);
            actions.push(ids(&action[0]));
        }
        for client in dribbling {
            client.join().unwrap();
        }
        for connection in idle.into_iter().chain(silent) {
            assert_closed(connection);
        }
    });
    let im = crew.im.log_in(&program);
    assert_all_there(&program, &im, &actions, actions.len());
}

fn connect(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(program.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn silent(program: &Program, begin: &str) -> TcpStream {
    let mut stream = connect(program);
    stream.write_all(begin.as_bytes()).unwrap();
    stream
}

/// Sends a beginning, then a byte now and then until the server will have no more of it.
fn dribble(program: &Program, begin: &str) {
    let mut stream = silent(program, begin);
    let begun = Instant::now();
    while stream.write_all(b"x").is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the server listens for ever to {begin:?}");
        thread::sleep(DRIBBLE);
    }
}

fn assert_closed(mut stream: TcpStream) {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(fault) => assert_eq!(fault.kind(), ErrorKind::ConnectionReset),
    }
}

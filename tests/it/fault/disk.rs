//! The disk is full: pushes wait, nothing that was accepted is lost, and once there is room the server goes on by itself.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use super::witness::{assert_all_there, assert_kept, ids, logged};
use crate::support::disk::SmallDisk;
use crate::support::people::PASSWORD;
use crate::support::place::run;
use crate::support::postgres::{ACCOUNT, Cluster, is_root};
use crate::support::program::eventually;
use crate::support::tablet::{action, with};
use crate::support::{Backend, Crew, Place, Program, Reply, Serving as _, Tablet};

/// Says that a full disk could not be had, past the capturing of output.
fn say_skipped(reason: &str) {
    let text = format!("\nSKIPPED: no test on a disk that is really full was run: {reason}\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[test]
fn sqlite_on_a_full_disk_waits_and_goes_on() {
    let disk = match SmallDisk::new(24) {
        Ok(disk) => disk,
        Err(reason) => return say_skipped(&reason),
    };
    run(Backend::Sqlite, |place| {
        let crew = Program::prepare(place);
        let made = place.database_url().trim_start_matches("sqlite:");
        std::fs::copy(made, disk.outside().join("server.db")).unwrap();
        let mut program = Program::new(place);
        program.set("DATABASE_URL", &format!("sqlite:{}", disk.path().join("server.db").display()));
        program.by_means_of(&disk.enter());
        program.start();
        let full = |full: bool| if full { disk.fill() } else { disk.free() };
        wait_and_go_on(program, &crew, full);
    });
}

#[test]
fn postgres_on_a_full_disk_waits_and_goes_on() {
    let disk = match SmallDisk::new(48) {
        Ok(disk) if is_root() => disk,
        Ok(_) => return say_skipped("a PostgreSQL of ours runs under another account only for root"),
        Err(reason) => return say_skipped(&reason),
    };
    let cluster = Cluster::start(&disk.enter()).unwrap();
    // The database's own files fill the disk; its write-ahead log is elsewhere: without room for that the whole
    // cluster stops, which is an outage.
    let files = disk.outside().join("files");
    std::fs::create_dir(&files).unwrap();
    assert!(Command::new("chown").arg(ACCOUNT).arg(&files).status().unwrap().success());
    cluster
        .administer(&format!("create tablespace small location '{}'", disk.path().join("files").display()));
    let place = Place::on(Backend::Postgres, cluster.create_database("tablespace small"));
    let (program, crew) = Program::begin(&place);
    wait_and_go_on(program, &crew, |full| if full { disk.fill() } else { disk.free() });
}

/// What everybody can do without a file system of their own: files may not grow beyond a limit. SQLite meets another
/// error by it than on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn sqlite_whose_files_may_not_grow_waits_and_goes_on() {
    run(Backend::Sqlite, |place| {
        let crew = Program::prepare(place);
        let mut program = Program::new(place);
        // The signal that comes with the error would end the program.
        let deaf = ["sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"];
        program.by_means_of(&deaf.map(str::to_owned));
        // What the tests' own output is written to may be a file as well.
        program.set("LOG", "off");
        program.start();
        let process = program.id().to_string();
        wait_and_go_on(program, &crew, |full| {
            let limit = if full { "--fsize=400000:" } else { "--fsize=unlimited:" };
            assert!(Command::new("prlimit").args(["--pid", &process, limit]).status().unwrap().success());
        });
    });
}

/// Some ten kilobytes in two edits.
fn bulky(tablet: &Tablet) -> Vec<Value> {
    let remarks = json!({"remarks": "x".repeat(8_000)});
    let area =
        || tablet.create("hazardous_area", Uuid::now_v7(), &with(crate::support::tablet::area(), &remarks));
    action(vec![area(), area()])
}

#[track_caller]
fn assert_told_to_wait(reply: &Reply) {
    assert_eq!(
        (reply.status, &reply.body["type"]),
        (503, &json!("urn:cartagena:problem:retry")),
        "{}",
        reply.body
    );
    assert!(reply.header("retry-after").is_some());
}

fn wait_and_go_on(mut program: Program, crew: &Crew, full: impl Fn(bool)) {
    let im = crew.im.log_in(&program);
    let tablet = Tablet::enrol(&program, crew, &crew.surveyor);
    let (mut actions, mut acknowledged) = (Vec::new(), BTreeSet::new());
    for _ in 0..2 {
        let mut waiting: Vec<Vec<Vec<Value>>> = Vec::new();
        full(true);
        // There may be some room yet in what the database has reserved.
        while waiting.len() < 3 {
            assert!(actions.len() < 20_000, "the disk does not get full");
            let push: Vec<_> = (0..4).map(|_| bulky(&tablet)).collect();
            actions.extend(push.iter().map(|action| ids(action)));
            let reply = tablet.push(&push);
            if reply.status == 200 {
                acknowledged.extend(push.iter().flat_map(|action| ids(action)));
            } else {
                assert_told_to_wait(&reply);
                waiting.push(push);
            }
        }
        assert_others_are_told_too(&program, &tablet);
        // Whoever reads is not concerned.
        assert_kept(&logged(&program, &im), &actions, &acknowledged);
        full(false);
        for push in waiting {
            let answer = eventually("there is room again", || {
                let reply = tablet.push(&push);
                if reply.status != 200 {
                    assert_told_to_wait(&reply);
                }
                (reply.status == 200).then_some(reply.body)
            });
            assert!(
                answer["results"].as_array().unwrap().iter().all(|result| result["outcome"] == "applied")
            );
            acknowledged.extend(push.iter().flat_map(|action| ids(action)));
        }
    }
    program.must_run();
    assert_all_there(&program, &im, &actions, actions.len() * 2);
}

/// A full disk is nobody's mistake, whatever else was to be written.
fn assert_others_are_told_too(program: &Program, tablet: &Tablet) {
    let http = program.http();
    let mut refused = 0;
    // A little may still fit somewhere.
    for _ in 0..200 {
        let log_in = http.post("/v1/auth/login", "", &json!({"login": "im", "password": PASSWORD}));
        let unreadable = http.post("/v1/sync/push", &tablet.token, &json!({"protocol": "x".repeat(16_000)}));
        for reply in [log_in, unreadable] {
            if reply.status == 503 {
                assert_told_to_wait(&reply);
                refused += 1;
            } else {
                assert!([200, 400].contains(&reply.status), "{}: {}", reply.status, reply.body);
            }
        }
        if refused > 3 {
            break;
        }
    }
    assert!(refused > 0, "the disk is not full");
    assert_eq!(http.get("/healthz", "").status, 200);
}

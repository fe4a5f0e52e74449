//! Bodies that are meant to hurt, or might as well be: each gets a clear answer, costs little, and what can be kept is kept.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::witness::{action_of, assert_all_there, id_of, ids, pulled};
use crate::support::program::rounds;
use crate::support::tablet::{area, with};
use crate::support::{Crew, Place, Program, Reply, Serving as _, Tablet, on_both};

on_both!(
    a_bomb_costs_a_bounded_memory,
    countless_vertices_keep_nobody_waiting,
    an_endless_nesting_is_kept_and_answered,
    what_cannot_be_unpacked_is_kept_and_answered,
);

const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body).unwrap();
    gzip.finish().unwrap()
}

fn begin(place: &Place) -> (Program, Crew, Tablet) {
    let (program, crew) = Program::begin(place);
    let tablet = Tablet::enrol(&program, &crew, &crew.surveyor);
    (program, crew, tablet)
}

fn send(program: &Program, tablet: &Tablet, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    program.http().post_bytes("/v1/sync/push", &tablet.token, headers, body)
}

/// It is told that it cannot be read and where it is kept.
#[track_caller]
fn assert_kept(reply: Reply, because: &str) {
    let told = reply.expect(400);
    assert!(told["receipt"].as_str().is_some_and(|id| id.parse::<Uuid>().is_ok()), "{told}");
    assert!(told["detail"].as_str().unwrap().contains(because), "{told}");
}

/// A push that is what it should be is still taken, and the server is the one that was started.
#[track_caller]
fn assert_well(mut program: Program, crew: &Crew, tablet: &Tablet, mut kept: Vec<Vec<Uuid>>) {
    let action = [action_of(tablet)];
    tablet.push(&action).expect(200);
    kept.push(ids(&action[0]));
    program.must_run();
    assert_all_there(&program, &crew.im.log_in(&program), &kept, 1);
}

#[cfg(target_os = "linux")]
fn a_bomb_costs_a_bounded_memory(place: &Place) {
    const TOGETHER: usize = 16;
    /// In KiB: far less than one of the bombs.
    const BOUND: u64 = 600 << 10;
    let (program, crew, tablet) = begin(place);
    // A gibibyte each: pieces of a gzip file may follow one another.
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(1 << 10);
    let before = program.memory_kib("VmHWM");
    thread::scope(|scope| {
        for path in ["/v1/sync/push", "/v1/auth/login"].repeat(TOGETHER / 2) {
            let (program, tablet, bomb) = (&program, &tablet, &bomb);
            scope.spawn(move || {
                let told = program.http().post_bytes(path, &tablet.token, &[GZIP], bomb).expect(413);
                assert!(told["max_bytes"].is_u64(), "{told}");
            });
        }
    });
    let after = program.memory_kib("VmHWM");
    println!("{TOGETHER} bombs of 1 GiB: at most {before} KiB before, {after} KiB after");
    assert!(after - before < BOUND, "{before} KiB became {after} KiB");
    assert_well(program, &crew, &tablet, Vec::new());
}

#[cfg(not(target_os = "linux"))]
fn a_bomb_costs_a_bounded_memory(_: &Place) {}

/// A circle of so many corners, and a scribble on whole degrees: as many vertices as fit into a usual push.
fn polygons(vertices: u32) -> [Value; 2] {
    let circle = |vertex: u32| {
        let angle = f64::from(vertex % vertices) / f64::from(vertices) * std::f64::consts::TAU;
        [18.0 + 0.1 * angle.cos(), 44.0 + 0.1 * angle.sin()]
    };
    let scribble = |vertex: u32| {
        let vertex = vertex % vertices;
        [vertex * 7 % 10, vertex % 1_000 * vertex % 9].map(f64::from)
    };
    let polygon = |ring: Vec<[f64; 2]>| json!({"type": "Polygon", "coordinates": [ring]});
    [polygon((0..=vertices).map(circle).collect()), polygon((0..=vertices).map(scribble).collect())]
}

/// `FAULT_VERTICES=1000000` takes a minute without optimisation.
fn countless_vertices_keep_nobody_waiting(place: &Place) {
    let crew = Program::prepare(place);
    let mut program = Program::new(place);
    program.set("LIMITS__PUSH_BYTES", &(64 << 20).to_string());
    program.start();
    let (honest, giant) =
        (Tablet::enrol(&program, &crew, &crew.surveyor), Tablet::enrol(&program, &crew, &crew.second));
    let mut actions = Vec::new();
    let vertices = u32::try_from(rounds("FAULT_VERTICES", 60_000)).unwrap();
    for polygon in polygons(vertices) {
        let fields = with(area(), &json!({"geometry": polygon}));
        let edit = giant.create("hazardous_area", Uuid::now_v7(), &fields);
        actions.push(ids(std::slice::from_ref(&edit)));
        let over = AtomicBool::new(false);
        let answer = thread::scope(|scope| {
            let pushing = scope.spawn(|| {
                let answer = giant.push(&[vec![edit]]).expect(200);
                over.store(true, Ordering::SeqCst);
                answer
            });
            let mut served = 0;
            while !over.load(Ordering::SeqCst) {
                let action = [action_of(&honest)];
                honest.push(&action).expect(200);
                actions.push(ids(&action[0]));
                served += 1;
            }
            println!("{vertices} vertices; meanwhile {served} pushes were served");
            pushing.join().unwrap()
        });
        let result = &answer["results"][0];
        assert!(["applied", "quarantined"].contains(&result["outcome"].as_str().unwrap()), "{result}");
    }
    let im = crew.im.log_in(&program);
    let applied = pulled(&program, &im).len();
    assert_all_there(&program, &im, &actions, applied);
}

fn an_endless_nesting_is_kept_and_answered(place: &Place) {
    let (program, crew, tablet) = begin(place);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let deep = nested(10_000);
    let push = |edit: &str| {
        let body = format!(r#"{{"protocol": 1, "device_id": "{}", "txns": [[{edit}]]}}"#, tablet.device);
        send(&program, &tablet, &[], body.as_bytes())
    };
    for body in [deep.clone(), format!(r#"{{"protocol": {}"#, r#"{"a":"#.repeat(10_000))] {
        assert_kept(send(&program, &tablet, &[], body.as_bytes()), "cannot be read");
    }
    let edit = || tablet.create("hazardous_area", Uuid::now_v7(), &json!({"name": "here"})).to_string();
    let named = |name: &str| edit().replace(r#""here""#, name);
    assert_kept(push(&deep), "/txns/0/0");
    assert_kept(push(&tablet.area(Uuid::now_v7()).to_string().replace("\"SHA\"", &deep)), "/txns/0/0");
    // What can be read as an edit is one, and a human sees it.
    let beside = edit().replacen('{', &format!(r#"{{"unknown": {deep}, "#), 1);
    let mut kept = Vec::new();
    for edit in [named(&nested(100)), beside] {
        let result = push(&edit).expect(200)["results"][0].clone();
        assert_eq!(
            (&result["outcome"], &result["problem"]["code"]),
            (&json!("quarantined"), &json!("content"))
        );
        kept.push(vec![id_of(&result, "mutation_id")]);
    }
    assert_well(program, &crew, &tablet, kept);
}

fn what_cannot_be_unpacked_is_kept_and_answered(place: &Place) {
    let (program, crew, tablet) = begin(place);
    let whole = tablet.body(&[]).to_string();
    let packed = gzip(whole.as_bytes());
    let mut damaged = packed.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    for (encoding, body) in [
        ("gzip", &packed[..packed.len() - 1]),
        ("gzip", &packed[..packed.len() / 2]),
        ("gzip", &packed[..5]),
        ("gzip", damaged.as_slice()),
        ("gzip", whole.as_bytes()),
        ("deflate", packed.as_slice()),
        ("br", packed.as_slice()),
        ("nonsense", whole.as_bytes()),
    ] {
        let told = send(&program, &tablet, &[("Content-Encoding", encoding)], body);
        assert_kept(told, "unpacked");
    }
    assert_kept(send(&program, &tablet, &[], &packed), "cannot be read");
    for encoding in ["gzip", "x-gzip", "GZIP"] {
        send(&program, &tablet, &[("Content-Encoding", encoding)], &packed).expect(200);
    }
    send(&program, &tablet, &[("Content-Encoding", "identity")], whole.as_bytes()).expect(200);
    assert_well(program, &crew, &tablet, Vec::new());
}

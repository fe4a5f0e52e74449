//! A record's claim is what lets a file in: for its own organisation, whatever was said of it and whatever others hold.

use std::fs;

use cartagena::config::Limits;
use cartagena::model::Hash;
use cartagena::store::DatabaseUrl;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::support::file::{Scene, Sender, area_with, bytes, claim, name_of, number};
use crate::support::server::patient_limits;
use crate::support::tablet::with;
use crate::support::{Place, Reply, Tablet, on_both};

on_both!(
    nobody_learns_what_others_hold,
    the_hash_decides_where_claims_differ,
    a_claim_over_the_limit_is_stored_and_its_file_is_not,
    a_revoked_device_may_still_hand_over_its_files,
    claims_of_any_kind_are_stored,
    claims_that_older_programs_took_are_found,
);

/// What an answer tells besides the time and the request's own id.
fn tells(reply: &Reply, file: &str) -> (u16, String, Vec<(String, String)>) {
    let spoken = |text: &str| text.replace(file, "FILE");
    // Whether the line is kept depends on how much of a refused body had come by then.
    let headers = reply.headers.iter().filter(|(name, _)| *name != "date" && *name != "connection");
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), spoken(value.to_str().unwrap()))).collect();
    headers.sort();
    (reply.status, spoken(&reply.body.to_string()), headers)
}

fn nobody_learns_what_others_hold(place: &Place) {
    let scene = Scene::open(place, 5_000);
    scene.sender().whole(&scene.file);
    let (there, nowhere) = (&scene.file, &bytes(2, 5_000));
    let tablet = Tablet::enrol(&scene.server, &scene.crew, &scene.crew.stranger);
    let other = Sender::new(&scene.server, &tablet.token);
    let both = |ask: &dyn Fn(&[u8], &str) -> Reply, expected: u16, what: &str| {
        let (name_there, name_nowhere) = (name_of(there), name_of(nowhere));
        let one = ask(there, &name_there);
        let two = ask(nowhere, &name_nowhere);
        assert_eq!(one.status, expected, "{what}: {}", one.body);
        assert_eq!(tells(&one, &name_there), tells(&two, &name_nowhere), "{what}");
    };
    // Nobody of theirs claims either.
    both(&|_, name| other.head(name), 404, "head, unclaimed");
    both(&|file, name| other.patch(name, 0, file), 404, "patch, unclaimed");
    both(&|file, name| other.create(name, file.len()), 404, "post, unclaimed");
    both(&|_, name| other.get(name, &[]).0, 404, "get, unclaimed");
    let claims = [claim("a.jpg", there, "image/jpeg"), claim("a.jpg", nowhere, "image/jpeg")];
    let record = area_with(&tablet, &claims);
    both(&|_, name| other.head(name), 200, "head");
    both(&|file, name| other.create(name, file.len()), 201, "post");
    both(&|file, name| other.patch(name, file.len(), &[]), 409, "a part at the end");
    both(&|_, name| other.get(name, &[]).0, 404, "get");
    both(&|file, name| other.patch(name, 0, &file[..2_000]), 204, "the first part");
    both(&|_, name| other.head(name), 200, "head of a part");
    let listed = |tablet: &Tablet| {
        let path = format!("/v1/records/{record}/attachments");
        scene.server.http().get(&path, &tablet.token).expect(200)["attachments"].clone()
    };
    for attached in listed(&tablet).as_array().unwrap() {
        assert_eq!(
            (&attached["state"], &attached["bytes_here"]),
            (&json!("partial"), &json!(2_000)),
            "{attached}"
        );
    }
    both(&|_, name| other.patch(name, 2_000, &[0; 3_000]), 460, "another file");
    both(&|file, name| other.patch(name, 0, file), 204, "the whole");
    both(&|_, name| other.head(name), 200, "head of the whole");
    both(&|_, name| other.get(name, &[("Range", "bytes=0-0")]).0, 206, "get of the whole");
    for attached in listed(&tablet).as_array().unwrap() {
        assert_eq!(attached["state"], "complete", "{attached}");
    }
    // It is kept once.
    let folder = scene.server.data().join("blobs").join(&scene.name[..2]);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    // What one organisation holds another one's reader does not get by it.
    let owner = scene.sender();
    assert_eq!(owner.get(&name_of(nowhere), &[]).0.status, 404);
    assert_eq!(owner.get(&scene.name, &[]).1, scene.file);
}

fn the_hash_decides_where_claims_differ(place: &Place) {
    let scene = Scene::open(place, 1_000);
    let sender = scene.sender();
    // Said too long, too short, and to have none; each of the files has 1 000 bytes.
    let files: Vec<(Vec<u8>, u64)> = [(10, 1_005), (11, 900), (12, 0), (13, u64::MAX)]
        .map(|(seed, said)| (bytes(seed, 1_000), said))
        .to_vec();
    for (file, said) in &files {
        let name = name_of(file);
        let wrong = with(claim("x.bin", file, "application/octet-stream"), &json!({"size": said}));
        let record = area_with(
            &scene.tablet,
            &[wrong.clone(), claim("x.bin", file, "application/octet-stream"), wrong],
        );
        match said {
            0 => assert_eq!(sender.head(&name).status, 422),
            &u64::MAX => assert_eq!(sender.head(&name).status, 413),
            said => assert_eq!(number(&sender.head(&name), "upload-length"), usize::try_from(*said).unwrap()),
        }
        assert_eq!(sender.create(&name, 1_000).status, 201, "{said}");
        assert_eq!(number(&sender.head(&name), "upload-length"), 1_000, "{said}");
        assert_eq!(sender.patch(&name, 0, &file[..600]).status, 204);
        assert_eq!(sender.patch(&name, 600, &file[600..]).status, 204, "{said}");
        assert_eq!(sender.get(&name, &[]).1, *file);
        let path = format!("/v1/records/{record}/attachments");
        let listed = scene.server.http().get(&path, &scene.tablet.token).expect(200);
        assert!(listed["attachments"][0]["problem"].as_str().unwrap().contains("has 1000"), "{listed}");
        assert!(listed["attachments"][1]["problem"].is_null(), "{listed}");
        let shown =
            scene.server.http().get(&format!("/v1/records/{record}"), &scene.tablet.token).expect(200);
        assert_eq!(shown["attachments"], json!({"claimed": 1, "here": 1}));
    }
    // The one file that has no bytes.
    let empty = claim("empty.txt", b"", "text/plain");
    area_with(&scene.tablet, &[empty]);
    assert_eq!(number(&sender.head(&name_of(b"")), "upload-length"), 0);
    let (reply, read) = sender.get(&name_of(b""), &[]);
    assert_eq!((reply.status, read.len()), (200, 0));
}

fn a_claim_over_the_limit_is_stored_and_its_file_is_not(place: &Place) {
    let limits = Limits { blob_bytes: 1_000, ..patient_limits() };
    let scene = Scene::with_limits(place, 1_001, limits);
    let (sender, name) = (scene.sender(), &scene.name);
    assert_eq!(scene.count(), json!({"claimed": 1, "here": 0}), "the record is stored all the same");
    assert_eq!(sender.head(name).status, 413);
    for refused in [sender.patch(name, 0, &scene.file), sender.create(name, 1_001)] {
        let told = refused.expect(413);
        assert_eq!(told["max_bytes"], 1_000, "{told}");
    }
    assert!(scene.attachment()["problem"].as_str().unwrap().contains("1000 bytes"));
    let fits = bytes(3, 1_000);
    area_with(&scene.tablet, &[claim("fits.jpg", &fits, "image/jpeg")]);
    sender.whole(&fits);
}

fn a_revoked_device_may_still_hand_over_its_files(place: &Place) {
    let scene = Scene::open(place, 2_000);
    let revoke = format!("/v1/devices/{}/revoke", scene.tablet.device);
    scene.server.http().post(&revoke, &scene.crew.admin.log_in(&scene.server), &json!({})).expect(204);
    // What it pushes goes into quarantine; the photos of that come too.
    let late = bytes(4, 500);
    let edit = with(
        scene.tablet.area(Uuid::now_v7()),
        &json!({"attachments": [claim("late.jpg", &late, "image/jpeg")]}),
    );
    scene.tablet.must("quarantined", &edit);
    let sender = scene.sender();
    sender.whole(&scene.file);
    sender.whole(&late);
    assert_eq!(sender.get(&scene.name, &[]).0.status, 401, "it may hand over, not read");
    assert_eq!(scene.server.store().count_awaited().unwrap(), 0);
}

fn claims_of_any_kind_are_stored(place: &Place) {
    let scene = Scene::open(place, 10);
    let long = "x".repeat(5_000);
    let claims = json!([
        {"name": "a/../../b\u{202e}.jpg", "sha256": "ab", "size": 1, "media_type": ""},
        {"name": long, "sha256": long, "size": 2, "media_type": long},
        {"name": "upper.bin", "sha256": name_of(b"upper").to_uppercase(), "size": 5, "media_type": "text/plain"},
    ]);
    let record = area_with(&scene.tablet, claims.as_array().unwrap());
    let path = format!("/v1/records/{record}/attachments");
    let listed = scene.server.http().get(&path, &scene.tablet.token).expect(200);
    let problems: Vec<bool> =
        listed["attachments"].as_array().unwrap().iter().map(|one| one["problem"].is_string()).collect();
    assert_eq!(problems, [true, true, false], "{listed}");
    scene.sender().whole(b"upper");
    // The same mutation twice in one push, and once more: one claim.
    let file = bytes(5, 10);
    let edit =
        with(scene.tablet.area(Uuid::now_v7()), &json!({"attachments": [claim("x", &file, "image/png")]}));
    scene.tablet.push(&[vec![edit.clone()], vec![edit.clone()]]).expect(200);
    scene.tablet.must("duplicate", &edit);
    assert_eq!(
        scene.server.store().find_expected(Hash::of_bytes(&file), scene.crew.operator).unwrap().unwrap().size,
        10
    );
}

fn claims_that_older_programs_took_are_found(place: &Place) {
    let mut scene = Scene::open(place, 10);
    let long = "x".repeat(5_000);
    let odd = json!([
        {"name": long, "sha256": "AB", "size": u64::MAX, "media_type": long},
        {"name": "two", "sha256": name_of(b"two").to_uppercase(), "size": 3, "media_type": "text/plain"},
    ]);
    let record = area_with(&scene.tablet, odd.as_array().unwrap());
    // A text with U+0000 is in quarantine, and no database of documents can look into it.
    let nul = json!({"attachments": [{"name": "a\u{0}", "sha256": "", "size": 1, "media_type": ""}]});
    scene.tablet.must("quarantined", &with(scene.tablet.area(Uuid::now_v7()), &nul));
    let listed = |scene: &Scene| {
        let of = |record: Uuid| {
            let path = format!("/v1/records/{record}/attachments");
            scene.server.http().get(&path, &scene.tablet.token).expect(200)
        };
        [of(scene.record), of(record)]
    };
    let before = listed(&scene);
    assert_eq!(before[1]["attachments"].as_array().unwrap().len(), 2);
    scene.server.stop();
    // The database as it was before this program knew of claims.
    let down = "drop table blob_holder; drop table blob; drop table claim; \
                delete from __diesel_schema_migrations where version in ('20261125000001', '20261126000000')";
    match place.database() {
        DatabaseUrl::Sqlite(path) => SqliteConnection::establish(&path).unwrap().batch_execute(down).unwrap(),
        DatabaseUrl::Postgres(url) => PgConnection::establish(&url).unwrap().batch_execute(down).unwrap(),
    }
    scene.server.restart();
    assert_eq!(listed(&scene), before);
    scene.sender().whole(&scene.file);
}

//! A file comes whole or is asked for again, whatever the line does.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::file::{Scene, number, path};
use crate::support::{Place, on_both};

on_both!(
    a_file_goes_on_where_the_line_broke,
    an_offset_survives_a_restart,
    parts_fit_or_are_refused,
    tus_says_what_it_is,
    a_part_is_what_its_checksum_says,
    another_file_is_kept_aside_and_begins_again,
    one_hand_at_a_time,
);

/// Bytes that the web server may hold without having handed them on.
const HANDED_ON: usize = 200_000;

fn a_file_goes_on_where_the_line_broke(place: &Place) {
    let scene = Scene::open(place, 1_200_000);
    let sender = scene.sender();
    let first = sender.head(&scene.name);
    assert_eq!((first.status, number(&first, "upload-offset")), (200, 0), "a claim is enough");
    assert_eq!(number(&first, "upload-length"), scene.file.len());
    assert_eq!(first.header("cache-control"), Some("no-store"));
    assert_eq!(scene.count(), json!({"claimed": 1, "here": 0}));
    assert_eq!(scene.attachment()["state"], "absent");
    // Before the first byte, after it, within a piece, at the edge of one, beyond it, and one byte before the end.
    let mut at = 0;
    for sent in [0, 1, 1_000, 262_144, 600_000, usize::MAX] {
        let sent = sent.min(scene.file.len() - 1 - at);
        scene.break_off(at, sent);
        // What the web server itself had taken in and not handed on when the line broke is lost with it.
        let least = at + if sent > HANDED_ON { sent - HANDED_ON } else { sent };
        let come = sender.offset(&scene.name);
        assert!(come >= least && come <= at + sent, "{sent} bytes were sent from {at}, {come} are here");
        at = come;
    }
    let attached = scene.attachment();
    assert_eq!((&attached["state"], &attached["bytes_here"]), (&json!("partial"), &json!(at)));
    assert_eq!(sender.get(&scene.name, &[]).0.status, 404, "half a file is none");
    let done = sender.patch(&scene.name, at, &scene.file[at..]);
    assert_eq!((done.status, number(&done, "upload-offset")), (204, scene.file.len()));
    assert_eq!(scene.count(), json!({"claimed": 1, "here": 1}));
    assert_eq!(scene.attachment()["state"], "complete");
    assert_eq!(sender.get(&scene.name, &[]).1, scene.file);
    // The last answer was lost: it is told again, and what is here does not change any more.
    assert_eq!(sender.offset(&scene.name), scene.file.len());
    assert_eq!(sender.patch(&scene.name, scene.file.len(), &[]).status, 204);
    assert_eq!(sender.patch(&scene.name, 0, b"other bytes").status, 409);
    assert_eq!(sender.get(&scene.name, &[]).1, scene.file);
}

fn an_offset_survives_a_restart(place: &Place) {
    let mut scene = Scene::open(place, 10_000);
    assert_eq!(scene.sender().patch(&scene.name, 0, &scene.file[..4_000]).status, 204);
    scene.server.restart();
    assert_eq!(scene.sender().offset(&scene.name), 4_000);
    // All had come, and the power went before it was looked at: it is looked at now.
    let partial = scene.server.data().join("uploads").join(scene.crew.operator.to_string()).join(&scene.name);
    let mut rest = fs::OpenOptions::new().append(true).open(&partial).unwrap();
    rest.write_all(&scene.file[4_000..]).unwrap();
    assert_eq!(scene.count()["here"], 0);
    scene.server.restart();
    assert_eq!(scene.sender().offset(&scene.name), scene.file.len());
    assert_eq!(scene.count()["here"], 1);
    assert_eq!(scene.sender().get(&scene.name, &[]).1, scene.file);
    assert!(!partial.exists());
    // The shelf was lost: what is not here is asked for again.
    fs::remove_dir_all(scene.server.data().join("blobs")).unwrap();
    assert_eq!(scene.sender().get(&scene.name, &[]).0.status, 503);
    assert_eq!(scene.sender().offset(&scene.name), 0);
    scene.sender().whole(&scene.file);
    assert_eq!(scene.sender().get(&scene.name, &[]).1, scene.file);
}

fn parts_fit_or_are_refused(place: &Place) {
    let scene = Scene::open(place, 3_000);
    let (sender, name, file) = (scene.sender(), &scene.name, &scene.file);
    assert_eq!(sender.patch(name, 0, &file[..1_000]).status, 204);
    for (offset, what) in
        [(0, "a part that came already"), (2_000, "one that comes too early"), (5_000, "one beyond the end")]
    {
        let refused = sender.patch(name, offset, &file[..1_000]);
        assert_eq!(refused.header("tus-resumable"), Some("1.0.0"));
        let told = refused.expect(409);
        assert_eq!(
            (&told["offset"], &told["type"]),
            (&json!(1_000), &json!("urn:cartagena:problem:offset")),
            "{what}"
        );
    }
    let longer = [&file[1_000..], b"more"].concat();
    assert_eq!(sender.patch(name, 1_000, &longer).expect(413)["length"], 3_000);
    assert_eq!(sender.offset(name), 1_000, "nothing of a part that is too long is taken");
    assert_eq!(sender.patch(name, 1_000, &file[1_000..2_000]).status, 204);
    assert_eq!(sender.patch(name, 2_000, &[]).status, 204);
    assert_eq!(sender.patch(name, 2_000, &file[2_000..]).status, 204);
    assert_eq!(sender.get(name, &[]).1, *file);
}

fn tus_says_what_it_is(place: &Place) {
    let scene = Scene::open(place, 100);
    let http = scene.server.http();
    for path in ["/v1/blobs".to_owned(), path(&scene.name)] {
        let (offer, _) = http.raw("OPTIONS", &path, "", &[], &[]);
        assert_eq!(offer.status, 204);
        assert_eq!(offer.header("tus-version"), Some("1.0.0"));
        assert_eq!(offer.header("tus-extension"), Some("creation,checksum"));
        assert_eq!(offer.header("tus-checksum-algorithm"), Some("sha1,sha256"));
        assert_eq!(number(&offer, "tus-max-size"), 100 * 1024 * 1024);
    }
    let token = &scene.tablet.token;
    let part = ("Content-Type", "application/offset+octet-stream");
    let at = ("Upload-Offset", "0");
    let tus = ("Tus-Resumable", "1.0.0");
    let patch = |headers: &[(&str, &str)]| http.raw("PATCH", &path(&scene.name), token, headers, b"x").0;
    for headers in [&[part, at] as &[_], &[("Tus-Resumable", "0.2.2"), part, at]] {
        let refused = patch(headers);
        assert_eq!((refused.status, refused.header("tus-version")), (412, Some("1.0.0")));
    }
    for headers in [
        &[tus, at] as &[_],
        &[tus, at, ("Content-Type", "image/jpeg")],
        &[tus, part, at, ("Content-Encoding", "gzip")],
    ] {
        assert_eq!(patch(headers).status, 415, "{headers:?}");
    }
    for headers in [
        &[tus, part] as &[_],
        &[tus, part, ("Upload-Offset", "-1")],
        &[tus, part, at, ("Upload-Checksum", "md5 AA==")],
    ] {
        assert_eq!(patch(headers).status, 400, "{headers:?}");
    }
    assert_eq!(http.raw("HEAD", &path("lane3.jpg"), token, &[tus], &[]).0.status, 400);
    let anonymous = http.raw("HEAD", &path(&scene.name), "", &[tus], &[]).0;
    assert_eq!((anonymous.status, anonymous.header("tus-resumable")), (401, Some("1.0.0")));
    let sender = scene.sender();
    assert_eq!(sender.create(&scene.name, 100).header("location"), Some(path(&scene.name).as_str()));
    let nameless = http.raw("POST", "/v1/blobs", token, &[tus, ("Upload-Length", "100")], &[]).0;
    assert!(nameless.expect(400)["detail"].as_str().unwrap().contains("Upload-Metadata"));
    assert_eq!(sender.offset(&scene.name), 0, "nothing of all this was taken");
    let post = |headers: &[(&str, &str)]| http.raw("POST", &path(&scene.name), token, headers, &scene.file).0;
    assert_eq!(post(&[tus, part, at]).status, 400);
    assert_eq!(
        post(&[tus, part, at, ("X-HTTP-Method-Override", "PATCH")]).status,
        204,
        "behind a proxy of old"
    );
    assert_eq!(sender.offset(&scene.name), 100);
}

fn a_part_is_what_its_checksum_says(place: &Place) {
    let scene = Scene::open(place, 2_000);
    let (sender, name, file) = (scene.sender(), &scene.name, &scene.file);
    let sha256 = |part: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::digest(part)));
    let sent = |part: &[u8], said: &str, at| sender.patch_with(name, at, part, &[("Upload-Checksum", said)]);
    assert_eq!(sent(&file[..1_000], &sha256(&file[..1_000]), 0).status, 204);
    let mut harmed = file[1_000..1_500].to_vec();
    harmed[7] ^= 1;
    let refused = sent(&harmed, &sha256(&file[1_000..1_500]), 1_000);
    assert_eq!(refused.expect(460)["offset"], 1_000);
    assert_eq!(sender.offset(name), 1_000);
    let sha1 = format!("sha1 {}", STANDARD.encode(sha1::Sha1::digest(&file[1_000..])));
    assert_eq!(sent(&file[1_000..], &sha1, 1_000).status, 204);
    assert_eq!(sender.get(name, &[]).1, *file);
}

fn another_file_is_kept_aside_and_begins_again(place: &Place) {
    let scene = Scene::open(place, 2_000);
    let (sender, name) = (scene.sender(), &scene.name);
    let mut harmed = scene.file.clone();
    harmed[1_999] ^= 1;
    assert_eq!(sender.patch(name, 0, &harmed[..1_000]).status, 204);
    let told = sender.patch(name, 1_000, &harmed[1_000..]).expect(460);
    assert_eq!((&told["offset"], &told["type"]), (&json!(0), &json!("urn:cartagena:problem:checksum")));
    assert_eq!(sender.offset(name), 0);
    assert_eq!(scene.count()["here"], 0);
    let aside = scene.server.data().join("uploads").join("aside");
    let kept: Vec<_> = fs::read_dir(aside).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read(kept[0].path()).unwrap(), harmed);
    assert!(kept[0].file_name().into_string().unwrap().starts_with(name));
    sender.whole(&scene.file);
    assert_eq!(sender.get(name, &[]).1, scene.file);
}

fn one_hand_at_a_time(place: &Place) {
    let scene = Scene::open(place, 50_000);
    let (sender, name) = (scene.sender(), &scene.name);
    let mut line = scene.begin_part(0, 10_000);
    scene.wait_until_begun();
    let refused = sender.patch(name, 0, &scene.file);
    assert_eq!(refused.expect(423)["type"], "urn:cartagena:problem:locked");
    line.write_all(&scene.file[10_000..]).unwrap();
    line.shutdown(Shutdown::Write).unwrap();
    let mut said = String::new();
    line.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 204"), "{said}");
    assert_eq!(sender.get(name, &[]).1, scene.file);
}

//! Bundles: whatever somebody has put on a stick, nothing panics, half of one is never taken, and what a server holds
//! afterwards can be verified.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cartagena::bundle::{self, BundleError};
use cartagena::store::Store;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::fuzz;
use crate::support::{Crew, Place, TestServer, on_both};

on_both!(any_bundle_is_taken_or_refused);

fn any_bundle_is_taken_or_refused(place: &Place) {
    let nation = TestServer::start(place);
    let crew = Crew::hire(nation.store());
    let beside = place.another();
    let camp = TestServer::start(&beside);
    camp.store().begin_following().unwrap();
    let mut taken = [0, 0];
    fuzz("bundle", |case| {
        // The camp has followed nothing of this nation yet.
        camp.store().go_back_to(Uuid::now_v7(), 0).unwrap();
        for (server, taken) in [&nation, &camp].into_iter().zip(&mut taken) {
            let file = play(case, server.store(), &crew);
            *taken += usize::from(take(server.store(), &file));
        }
    });
    assert!(taken[0] > 5 && taken[1] > 3, "hardly any bundle was whole: {taken:?}");
    for server in [&nation, &camp] {
        let verdict = server.store().verify(&mut |_, _, _| ()).unwrap();
        assert!(verdict.is_sound(), "{:?}", verdict.named);
    }
}

fn take(store: &Store, file: &[u8]) -> bool {
    let before = store.head().unwrap();
    match bundle::import(store, None, || Ok(file)) {
        Err(BundleError::NotWhole | BundleError::Newer(_) | BundleError::Unreadable { .. }) => {
            assert_eq!(store.head().unwrap(), before, "something of it was taken");
            false
        }
        // The store says what does not follow; what came before it is taken.
        Err(_) => false,
        Ok(_) => true,
    }
}

/// A case as a bundle: its header and parts as lines, with ids that are new each time, the chain and the trailer worked
/// out. What is no such case is a bundle as it stands.
fn play(case: &[u8], store: &Store, crew: &Crew) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(case).into_owned();
    let epoch = store.upstream().unwrap().and_then(|there| there.epoch).unwrap_or_default();
    for (name, id) in [("@author", crew.supervisor.id), ("@organisation", crew.operator), ("@epoch", epoch)] {
        text = text.replace(name, &id.to_string());
    }
    for name in ["@a", "@b", "@c", "@d", "@device", "@x"] {
        text = text.replace(&format!("\"{name}\""), &format!("\"{}\"", Uuid::now_v7()));
    }
    let programme = store.people(Uuid::nil()).unwrap().programme.to_string();
    text = text.replace("\"@programme\"", &programme);
    let mut lines = Vec::new();
    if let Some(mut case) = serde_json::from_str::<Value>(&text).ok().filter(Value::is_object) {
        let mut hash = vec![0; 32];
        for entry in case
            .get_mut("parts")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .filter_map(Value::as_array_mut)
            .flatten()
        {
            seal(entry, &mut hash);
        }
        if let Some(last) = case.pointer_mut("/header/head/entry_hash").filter(|last| *last == "@last") {
            *last = json!(hex::encode(&hash));
        }
        lines.push(case["header"].clone());
        lines.extend(case["parts"].as_array().into_iter().flatten().cloned());
    }
    let mut written: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    if lines.is_empty() {
        written = text.into_bytes();
    }
    let entries: usize = lines.iter().skip(1).map(|part| part.as_array().map_or(0, Vec::len)).sum();
    let end = json!({"entries": entries, "sha256": hex::encode(Sha256::digest(&written))});
    written.extend(format!("{end}\n").into_bytes());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&written).unwrap();
    packed.finish().unwrap()
}

/// Packs an entry's body and works out its place in the chain, where the case leaves that open.
fn seal(entry: &mut Value, hash: &mut Vec<u8>) {
    if !entry.is_object() {
        return;
    }
    let body = match &entry["body"] {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    if !entry["body"].is_string() {
        entry["body"] = json!(STANDARD.encode(&body));
    }
    if entry["entry_hash"] == "@chain" {
        let outcome = entry["outcome"].as_str().unwrap_or_default();
        let next = Sha256::new()
            .chain_update(&*hash)
            .chain_update(entry["seq"].as_i64().unwrap_or_default().to_be_bytes())
            .chain_update(&body)
            .chain_update(outcome.as_bytes());
        *hash = next.finalize().to_vec();
        entry["entry_hash"] = json!(hex::encode(&*hash));
    }
}

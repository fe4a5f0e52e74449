//! The client library keeps files and sends them after the records, whatever the network does.

use std::fs;
use std::io::Read as _;

use cartagena::client::lossy::Lossy;
use cartagena::client::{Client, ClientError, Files, Http};
use cartagena::config::Limits;
use cartagena::model::Hash;
use uuid::Uuid;

use crate::support::client::{enrolled, new_area, plain};
use crate::support::file::{Sender, bytes, name_of};
use crate::support::server::patient_limits;
use crate::support::{Crew, Place, TestServer, on_both};

on_both!(the_client_sends_its_files, a_bad_network_brings_every_file_in_the_end, files_never_hold_up_records,);

fn the_client_sends_its_files(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let from = place.folder.path().join("DCIM_0001.jpg");
    let file = bytes(1, 1_300_000);
    fs::write(&from, &file).unwrap();
    let area = Uuid::now_v7();
    let database = place.folder.path().join("tablet.db");
    {
        let mut tablet = Client::open(&database).unwrap();
        tablet.enrol(server.url(), &crew.offer(&server, &crew.surveyor), "tablet").unwrap();
        let kept = tablet.keep_file(&from, "image/jpeg").unwrap();
        assert_eq!(
            (kept.name.as_str(), kept.size, kept.sha256),
            ("DCIM_0001.jpg", 1_300_000, name_of(&file))
        );
        assert_eq!(tablet.files_to_come().unwrap(), 0, "no edit claims it yet");
        let kept = tablet.keep_file(&from, "image/jpeg").unwrap();
        tablet.edit(new_area(area).attach(kept)).unwrap();
        assert_eq!(tablet.files_to_come().unwrap(), 1);
    }
    // The camera's card is gone, and the battery was flat.
    fs::remove_file(&from).unwrap();
    let mut tablet = Client::open(&database).unwrap();
    let report = tablet.sync().unwrap();
    assert_eq!(report.files, Files { sent: 1, ..Files::default() });
    assert_eq!(tablet.sync().unwrap().files, Files::default());
    let sender = Sender::new(&server, &crew.im.log_in(&server));
    assert_eq!(sender.get(&name_of(&file), &[]).1, file);
    let mut read = Vec::new();
    tablet.open_file(Hash::of_bytes(&file)).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, file, "it stays here too");
    // A file that was harmed on the tablet is not sent, and others go past it.
    let (harmed, good) = (place.folder.path().join("h.jpg"), place.folder.path().join("g.jpg"));
    fs::write(&harmed, bytes(2, 1_000)).unwrap();
    fs::write(&good, bytes(3, 2_000)).unwrap();
    let kept = tablet.keep_file(&harmed, "image/jpeg").unwrap();
    fs::write(place.folder.path().join("tablet.db.files").join(&kept.sha256), b"rot").unwrap();
    tablet.edit(new_area(Uuid::now_v7()).attach(kept)).unwrap();
    let kept = tablet.keep_file(&good, "image/jpeg").unwrap();
    tablet.edit(new_area(Uuid::now_v7()).attach(kept)).unwrap();
    let files = tablet.sync().unwrap().files;
    assert_eq!(
        (files.sent, files.to_come, files.bytes_to_come, files.refused.len()),
        (1, 1, 1_000, 1),
        "{files:?}"
    );
    assert!(matches!(tablet.keep_file(&place.folder.path().join("none"), "x"), Err(ClientError::File(_))));
}

fn a_bad_network_brings_every_file_in_the_end(place: &Place) {
    let mut server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut tablet = enrolled(place, &server, &crew, &crew.surveyor, Box::new(Http::default()));
    let files: Vec<Vec<u8>> =
        (0..4).map(|seed| bytes(seed, 900_000 + usize::try_from(seed).unwrap())).collect();
    for (number, file) in files.iter().enumerate() {
        let from = place.folder.path().join(format!("{number}.jpg"));
        fs::write(&from, file).unwrap();
        let kept = tablet.keep_file(&from, "image/jpeg").unwrap();
        tablet.edit(new_area(Uuid::now_v7()).attach(kept)).unwrap();
    }
    tablet.use_transport(Box::new(Lossy::new(Http::default(), 7, 0.2, 0.3)));
    let (mut sent, mut rounds, mut interrupted) = (0, 0, 0);
    while sent < files.len() {
        rounds += 1;
        assert!(rounds < 300, "a lossy network lets something through now and then");
        match tablet.sync() {
            Ok(report) => {
                sent += report.files.sent;
                interrupted += usize::from(report.files.interrupted.is_some());
                assert!(report.files.refused.is_empty(), "{:?}", report.files);
            }
            Err(ClientError::Transport(_)) => {}
            Err(other) => panic!("{other}"),
        }
        if rounds == 3 {
            server.restart();
            tablet.move_to(server.url()).unwrap();
        }
    }
    assert!(interrupted > 0, "the network was too good to prove anything");
    let sender = Sender::new(&server, &crew.im.log_in(&server));
    for file in &files {
        assert_eq!(sender.get(&name_of(file), &[]).1, *file);
    }
    assert!(
        !server.data().join("uploads").join("aside").read_dir().unwrap().any(|_| true),
        "none was begun anew"
    );
}

fn files_never_hold_up_records(place: &Place) {
    let limits = Limits { blob_bytes: 1_000, ..patient_limits() };
    let server = TestServer::with_limits(place, limits);
    let crew = Crew::hire(server.store());
    let mut tablet = plain(place, &server, &crew, &crew.surveyor);
    let (large, small) = (place.folder.path().join("large.mp4"), place.folder.path().join("small.jpg"));
    fs::write(&large, bytes(1, 1_001)).unwrap();
    fs::write(&small, bytes(2, 1_000)).unwrap();
    for from in [&large, &small] {
        let kept = tablet.keep_file(from, "video/mp4").unwrap();
        tablet.edit(new_area(Uuid::now_v7()).attach(kept)).unwrap();
    }
    let report = tablet.sync().unwrap();
    assert_eq!((report.pushed, report.files.sent, report.files.to_come), (2, 1, 1));
    assert!(report.files.refused[0].1.contains("an attachment may have 1000 here"), "{:?}", report.files);
    tablet.edit(new_area(Uuid::now_v7())).unwrap();
    assert_eq!(tablet.sync().unwrap().pushed, 1);
}

//! A stock tus client, as others have written it, sends a file to the real server.
//!
//! It is `tuspy`, a Python library, in a virtual environment beside the build (`.ci/run` makes it) or wherever
//! `CARTAGENA_TEST_TUS_PYTHON` says.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::support::file::{Sender, area_with, bytes, claim, name_of, path};
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(a_stock_client_sends_a_file_and_goes_on_where_it_stopped);

/// Sends a file in parts, stops in the midst of it, and goes on with another client that only knows the address.
const SCRIPT: &str = r#"
import sys
from tusclient import client
url, token, file, name, middle = sys.argv[1:]
tus = client.TusClient(url + "/v1/blobs", headers={"Authorization": "Bearer " + token})
first = tus.uploader(file, chunk_size=100_000, metadata={"sha256": name, "filename": "a.jpg"}, upload_checksum=True)
first.upload(stop_at=int(middle))
print(first.url, first.offset)
second = tus.uploader(file, chunk_size=150_000, url=first.url)
assert second.offset == int(middle), second.offset
second.upload()
print(second.offset)
"#;

/// A Python that has the library.
fn python() -> Option<PathBuf> {
    let beside = std::env::current_exe().unwrap().ancestors().nth(3)?.join("tus-client/bin/python");
    let offered = std::env::var_os("CARTAGENA_TEST_TUS_PYTHON").map(PathBuf::from);
    offered.into_iter().chain([beside, PathBuf::from("python3")]).find(|python| {
        let asked = Command::new(python).args(["-c", "import tusclient"]).output();
        asked.is_ok_and(|asked| asked.status.success())
    })
}

fn a_stock_client_sends_a_file_and_goes_on_where_it_stopped(place: &Place) {
    let Some(python) = python() else {
        let reason = "there is no Python with `tuspy`: `.ci/run` installs one";
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "in CI a stock tus client must be tried: {reason}"
        );
        let text = format!("\nSKIPPED: no stock tus client was tried: {reason}\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    };
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let file = bytes(1, 1_000_000);
    let name = name_of(&file);
    let from = place.folder.path().join("a.jpg");
    std::fs::write(&from, &file).unwrap();
    let run = || {
        let mut client = Command::new(&python);
        client.args(["-c", SCRIPT, server.url(), &tablet.token]).arg(&from).args([&name, "400000"]);
        let done = client.output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let (sent, said) = run();
    assert!(!sent && said.contains("404"), "nobody has claimed it yet: {said}");
    area_with(&tablet, &[claim("a.jpg", &file, "image/jpeg")]);
    let (sent, said) = run();
    assert!(sent, "{said}");
    assert_eq!(said.trim(), format!("{}{} 400000\n1000000", server.url(), path(&name)));
    assert_eq!(Sender::new(&server, &tablet.token).get(&name, &[]).1, file);
}

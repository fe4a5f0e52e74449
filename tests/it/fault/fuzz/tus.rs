//! Headers and parts of uploads: whatever comes, the server answers and runs, counts no byte that did not come, and takes
//! the real file in the end.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use uuid::Uuid;

use super::fuzz;
use crate::support::file::{bytes, claim, name_of};
use crate::support::tablet::with;
use crate::support::{Place, Program, Serving as _, Tablet, on_both};

on_both!(any_upload_is_answered);

fn any_upload_is_answered(place: &Place) {
    let (mut program, crew) = Program::begin(place);
    let tablet = Tablet::enrol(&program, &crew, &crew.surveyor);
    let file = bytes(7, 10);
    let name = name_of(&file);
    let area =
        with(tablet.area(Uuid::now_v7()), &json!({"attachments": [claim("a.jpg", &file, "image/jpeg")]}));
    tablet.must("applied", &area);
    let play = |case: &[u8]| {
        let text = String::from_utf8_lossy(case);
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let head = head
            .replace("@file", &name)
            .replace("@name", &STANDARD.encode(&name))
            .replace("@organisation", &crew.other.to_string())
            .replace('\n', "\r\n");
        let who = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {}", tablet.token);
        format!("{head}\r\n{who}\r\n\r\n{body}").into_bytes()
    };
    fuzz("tus", |case| {
        if let Some(status) = ask(program.url(), &play(case)) {
            assert!(!(500..600).contains(&status) || status == 501, "{status}");
        }
    });
    program.must_run();
    // Whatever of it came before, the client begins where the server stands, and anew if that was something else.
    let http = program.http();
    let path = format!("/v1/blobs/{name}");
    let tus = ("Tus-Resumable", "1.0.0");
    let length = file.len().to_string();
    let metadata = format!("sha256 {}", STANDARD.encode(&name));
    let headers = [tus, ("Upload-Length", length.as_str()), ("Upload-Metadata", metadata.as_str())];
    // What the last case has sent may still be being written.
    let begun = Instant::now();
    let status = loop {
        let status = http.raw("POST", "/v1/blobs", &tablet.token, &headers, &[]).0.status;
        if status != 423 || begun.elapsed() > Duration::from_mins(1) {
            break status;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(status, 201);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let head = http.raw("HEAD", &path, &tablet.token, &[tus], &[]).0;
        let offset: usize = head.header("Upload-Offset").unwrap().parse().unwrap();
        assert!(offset <= file.len(), "{offset}");
        let at = offset.to_string();
        let kind = ("Content-Type", "application/offset+octet-stream");
        let headers = [tus, kind, ("Upload-Offset", at.as_str())];
        let sent = http.raw("PATCH", &path, &tablet.token, &headers, &file[offset..]).0;
        statuses.push(sent.status);
    }
    assert_eq!(statuses.last(), Some(&204), "{statuses:?}");
    let im = crew.im.log_in(&program);
    assert_eq!(http.raw("GET", &path, &im, &[], &[]).1, file);
    program.verify();
}

/// Sends bytes as they are; the status of the answer, if it is one of HTTP.
fn ask(url: &str, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may have answered and closed before it has read all.
    let _ = stream.write_all(request).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    if let Err(fault) = stream.read_to_end(&mut answer) {
        assert_eq!(fault.kind(), std::io::ErrorKind::ConnectionReset, "the server hangs");
    }
    let line = String::from_utf8_lossy(&answer);
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

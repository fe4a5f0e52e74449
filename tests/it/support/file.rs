//! Files that records claim, and a sender that speaks bare tus.

use std::io::Write as _;
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cartagena::config::Limits;
use cartagena::model::Hash;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::patient_limits;
use super::tablet::with;
use super::{Crew, Http, Place, Reply, Tablet, TestServer};

/// Bytes that no compression and no luck makes equal to others.
pub(crate) fn bytes(seed: u64, many: usize) -> Vec<u8> {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    let mut random = StdRng::seed_from_u64(seed);
    (0..many).map(|_| random.random()).collect()
}

/// The name of a file.
pub(crate) fn name_of(bytes: &[u8]) -> String {
    Hash::of_bytes(bytes).to_hex()
}

/// A claim of a file, as a mutation has it.
pub(crate) fn claim(name: &str, bytes: &[u8], media_type: &str) -> Value {
    json!({"name": name, "sha256": name_of(bytes), "size": bytes.len(), "media_type": media_type})
}

/// Makes a hazardous area that claims files; its record.
pub(crate) fn area_with(tablet: &Tablet, claims: &[Value]) -> Uuid {
    let id = Uuid::now_v7();
    tablet.must("applied", &with(tablet.area(id), &json!({"attachments": claims})));
    id
}

/// Somebody who sends files.
pub(crate) struct Sender {
    http: Http,
    token: String,
}

const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");

impl Sender {
    pub(crate) fn new(server: &TestServer, token: &str) -> Self {
        Self { http: server.http(), token: token.to_owned() }
    }

    /// How far a file has come.
    pub(crate) fn head(&self, file: &str) -> Reply {
        self.http.raw("HEAD", &path(file), &self.token, &[TUS], &[]).0
    }

    /// The offset of a file, once nobody holds it.
    #[track_caller]
    pub(crate) fn offset(&self, file: &str) -> usize {
        for _ in 0..500 {
            let reply = self.head(file);
            if reply.status == 200 {
                return number(&reply, "upload-offset");
            }
            assert_eq!(reply.status, 423, "{reply:?}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("somebody holds the upload for ever");
    }

    /// Sends a part.
    pub(crate) fn patch(&self, file: &str, offset: usize, part: &[u8]) -> Reply {
        self.patch_with(file, offset, part, &[])
    }

    pub(crate) fn patch_with(&self, file: &str, offset: usize, part: &[u8], more: &[(&str, &str)]) -> Reply {
        let offset = offset.to_string();
        let mut headers = vec![
            TUS,
            ("Content-Type", "application/offset+octet-stream"),
            ("Upload-Offset", offset.as_str()),
        ];
        headers.extend(more);
        self.http.raw("PATCH", &path(file), &self.token, &headers, part).0
    }

    /// Begins an upload as stock clients do.
    pub(crate) fn create(&self, file: &str, length: usize) -> Reply {
        let metadata = format!("filename {},sha256 {}", STANDARD.encode("a.jpg"), STANDARD.encode(file));
        let length = length.to_string();
        let headers = [TUS, ("Upload-Length", length.as_str()), ("Upload-Metadata", metadata.as_str())];
        self.http.raw("POST", "/v1/blobs", &self.token, &headers, &[]).0
    }

    /// Sends a whole file in one part.
    #[track_caller]
    pub(crate) fn whole(&self, bytes: &[u8]) {
        let reply = self.patch(&name_of(bytes), 0, bytes);
        assert_eq!(reply.status, 204, "{}", reply.body);
    }

    /// The file as it is read, with further headers.
    pub(crate) fn get(&self, file: &str, headers: &[(&str, &str)]) -> (Reply, Vec<u8>) {
        self.http.raw("GET", &path(file), &self.token, headers, &[])
    }
}

pub(crate) fn path(file: &str) -> String {
    format!("/v1/blobs/{file}")
}

/// A header that is a number.
#[track_caller]
pub(crate) fn number(reply: &Reply, name: &str) -> usize {
    let value = reply.header(name).unwrap_or_else(|| panic!("no {name} in {reply:?}"));
    value.parse().unwrap()
}

/// Everything that an upload needs: a server, a tablet, a file that a record claims.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) crew: Crew,
    pub(crate) tablet: Tablet,
    pub(crate) file: Vec<u8>,
    pub(crate) name: String,
    pub(crate) record: Uuid,
}

impl Scene {
    pub(crate) fn open(place: &Place, many: usize) -> Self {
        Self::with_limits(place, many, patient_limits())
    }

    pub(crate) fn with_limits(place: &Place, many: usize, limits: Limits) -> Self {
        let server = TestServer::with_limits(place, limits);
        let crew = Crew::hire(server.store());
        let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
        let file = bytes(1, many);
        let record = area_with(&tablet, &[claim("lane3.jpg", &file, "image/jpeg")]);
        Self { name: name_of(&file), server, crew, tablet, file, record }
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender::new(&self.server, &self.tablet.token)
    }

    /// Begins a part and breaks the line after `sent` bytes of it, once the server has it in hand.
    pub(crate) fn break_off(&self, offset: usize, sent: usize) {
        let line = self.begin_part(offset, sent);
        self.wait_until_begun();
        drop(line);
    }

    /// Waits until the server has a part in hand.
    pub(crate) fn wait_until_begun(&self) {
        let begun = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            self.sender().head(&self.name).status == 423
        });
        assert!(begun, "an offset that moves is none");
    }

    /// A line on which a part has begun, with all that is left of the file announced and `sent` bytes of it sent.
    pub(crate) fn begin_part(&self, offset: usize, sent: usize) -> TcpStream {
        let mut line = TcpStream::connect(self.server.url().trim_start_matches("http://")).unwrap();
        let head = format!(
            "PATCH {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n\
             Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
            path(&self.name),
            self.tablet.token,
            self.file.len() - offset,
        );
        line.write_all(head.as_bytes()).unwrap();
        line.write_all(&self.file[offset..offset + sent]).unwrap();
        line.flush().unwrap();
        line
    }

    /// What is said of the record's first file.
    pub(crate) fn attachment(&self) -> Value {
        let path = format!("/v1/records/{}/attachments", self.record);
        self.server.http().get(&path, &self.tablet.token).expect(200)["attachments"][0].clone()
    }

    /// How many files the record is said to claim and how many are here.
    pub(crate) fn count(&self) -> Value {
        let path = format!("/v1/records/{}", self.record);
        self.server.http().get(&path, &self.tablet.token).expect(200)["attachments"].clone()
    }
}

//! Files on their way to a server: tus 1.0, in parts, from wherever the server says that it stands.

use std::io;

use super::call::Refusal;
use super::session::Session;
use super::transport::{Method, Request, Response};
use super::{Client, ClientError, Result};
use crate::model::Hash;
use crate::sync::memory::Standing;

/// Bytes of one part: what a line of 64 kbit/s carries in about a minute.
const PART: u64 = 512 * 1024;
/// How often a file is begun anew, or a place in it looked for again, in one sync.
const PATIENCE: u32 = 3;
/// The server looked at what came, and it was something else.
const CHECKSUM_MISMATCH: u16 = 460;

/// A file that is to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) name: Hash,
    pub(super) size: u64,
}

/// How a server stands towards a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stands {
    /// So much of it has come.
    pub(super) offset: u64,
    /// The national server has it whole.
    pub(super) national: bool,
}

/// Where a file goes to, and as who.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// `/v1/blobs`, and what follows it in a query.
    pub(super) query: String,
    pub(super) standing: Standing,
    /// How often the place is looked for again, or the file begun anew.
    pub(super) patience: u32,
}

/// Gives the bytes of a file from an offset on: as many as are asked for.
pub(super) type Bytes<'b> = &'b mut dyn FnMut(u64, usize) -> io::Result<Vec<u8>>;

impl Client {
    /// Sends a file from where the server stands, at most about `most` bytes of it; says where it stands then.
    pub(super) fn upload(&mut self, due: Due, to: &Target, most: u64, bytes: Bytes<'_>) -> Result<Stands> {
        let (mut tries, mut sent) = (0, 0);
        let mut stands = self.ask_stands(due, to)?;
        let path = to.path(due.name);
        while stands.offset < due.size && sent < most {
            let offset = stands.offset;
            let part = bytes(offset, usize::try_from(PART.min(due.size - offset)).unwrap_or_default())?;
            sent += part.len() as u64;
            let headers = [
                ("Content-Type", "application/offset+octet-stream".to_owned()),
                ("Upload-Offset", offset.to_string()),
            ];
            let response = self.ask_tus(Method::Patch, &path, &headers, Some(part), to.standing)?;
            if response.status == 204 {
                stands.offset = count(&response, "Upload-Offset")?;
                if stands.offset == due.size {
                    return self.ask_stands(due, to);
                }
                if stands.offset <= offset {
                    return Err(ClientError::NotOurs { status: 204 });
                }
                continue;
            }
            // It stands elsewhere than we thought, or begins anew.
            tries += 1;
            if !matches!(response.status, 409 | CHECKSUM_MISMATCH) || tries > to.patience {
                return Err(refused(&response));
            }
            stands = self.ask_stands(due, to)?;
        }
        Ok(stands)
    }

    /// Where the server stands; it is told the file's true length, should it think otherwise.
    pub(super) fn ask_stands(&mut self, due: Due, to: &Target) -> Result<Stands> {
        for _ in 0..2 {
            let response = self.ask_tus(Method::Head, &to.path(due.name), &[], None, to.standing)?;
            if response.status == 200 {
                let length = count(&response, "Upload-Length")?;
                if length == due.size {
                    let offset = count(&response, "Upload-Offset")?;
                    // Only a server that says so is believed: a tablet may hold the only other copy.
                    let national = response.header("Upload-National").is_some_and(|said| said == "true");
                    return Ok(Stands { offset, national: national && offset == due.size });
                }
            } else if !matches!(response.status, 413 | 422) {
                return Err(refused(&response));
            }
            let headers = [
                ("Upload-Length", due.size.to_string()),
                ("Upload-Metadata", format!("sha256 {}", base64(&due.name.to_hex()))),
            ];
            let path = format!("/v1/blobs{}", to.query);
            let response = self.ask_tus(Method::Post, &path, &headers, None, to.standing)?;
            if response.status != 201 {
                return Err(refused(&response));
            }
        }
        Err(ClientError::NotOurs { status: 200 })
    }

    fn ask_tus(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<Vec<u8>>,
        standing: Standing,
    ) -> Result<Response> {
        if standing == Standing::Good {
            self.freshen()?;
        }
        let session = Session::load(&mut self.connection)?;
        let mut headers = headers.to_vec();
        headers.push(("Tus-Resumable", "1.0.0".to_owned()));
        let url = format!("{}{path}", session.server_url);
        let request = Request { url, token: Some(session.access_token), body, method: Some(method), headers };
        let response = self.send_patiently(&request)?;
        if response.header("Tus-Resumable").is_none() {
            return Err(ClientError::NotOurs { status: response.status });
        }
        if response.status == 401 {
            return Err(ClientError::LoggedOut("files are not taken from this device any more".to_owned()));
        }
        Ok(response)
    }
}

impl Target {
    /// The server's own place for what a device of this standing sends.
    pub(super) fn own(standing: Standing) -> Self {
        Self { query: String::new(), standing, patience: PATIENCE }
    }

    fn path(&self, file: Hash) -> String {
        format!("/v1/blobs/{}{}", file.to_hex(), self.query)
    }
}

fn count(response: &Response, name: &str) -> Result<u64> {
    let value = response.header(name).and_then(|value| value.parse().ok());
    value.ok_or(ClientError::NotOurs { status: response.status })
}

/// What a refusal says; the answer to a HEAD says no more than its status.
fn refused(response: &Response) -> ClientError {
    if let Ok(refusal) = Refusal::read(response) {
        return refusal.into_error(response.status);
    }
    let detail = match response.status {
        404 => "the server knows no record of this organisation that claims the file",
        423 => "an earlier connection still holds the upload: it goes on with the next sync",
        _ => "the server does not take the file",
    };
    ClientError::Refused { status: response.status, problem: String::new(), detail: detail.to_owned() }
}

fn base64(text: &str) -> String {
    use ::base64::Engine as _;

    ::base64::engine::general_purpose::STANDARD.encode(text)
}

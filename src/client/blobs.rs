//! Files that belong to edits: kept beside the client's own file, and sent after the records, in parts.
//!
//! An edit travels first and says which files belong to it; they follow as the network allows. A part that was lost
//! is sent again from where the server says that it stands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::call::Refusal;
use super::schema::{attached, file, outbox};
use super::session::Session;
use super::transport::{Method, Request, Response};
use super::{Client, ClientError, Result};
use crate::model::mutation::Attachment;
use crate::model::{Hash, Mutation};
use crate::sync::memory::Standing;

/// Bytes of one part: what a line of 64 kbit/s carries in about a minute.
const PART: u64 = 512 * 1024;
/// How often a file is begun anew, or a place in it looked for again, in one sync.
const PATIENCE: u32 = 3;
/// The server looked at what came, and it was something else.
const CHECKSUM_MISMATCH: u16 = 460;

/// How the files of this client stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Files that the server came to have whole just now.
    pub sent: usize,
    /// Files that it does not have yet.
    pub to_come: usize,
    /// Their bytes, with what it may have of them already.
    pub bytes_to_come: u64,
    /// Files that it did not take, and why. They stay here, and others go past them.
    pub refused: Vec<(Hash, String)>,
    /// Why sending stopped before its end, if it did; the records had been synced by then.
    pub interrupted: Option<String>,
}

/// A file that is to be sent.
#[derive(Debug, Clone, Copy)]
struct Due {
    name: Hash,
    size: u64,
}

/// Where the files of a client's database are kept.
pub(super) fn folder_beside(database: &Path) -> PathBuf {
    let mut folder = database.as_os_str().to_owned();
    folder.push(".files");
    folder.into()
}

/// Notes which kept files an edit claims. Part of the caller's transaction.
pub(super) fn note(connection: &mut SqliteConnection, mutation: &Mutation) -> Result<()> {
    for attachment in &mutation.attachments {
        diesel::insert_or_ignore_into(attached::table)
            .values((
                attached::mutation_id.eq(mutation.mutation_id.to_string()),
                attached::sha256.eq(attachment.sha256.to_ascii_lowercase()),
            ))
            .execute(connection)?;
    }
    Ok(())
}

impl Client {
    /// Keeps a copy of a file and says how an edit claims it ([`super::Edit::attach`]). The copy is on the disk when
    /// this comes back; [`Client::sync`] sends it once the edit has arrived.
    ///
    /// # Errors
    /// `File` where it cannot be read or there is no room for it.
    pub fn keep_file(&mut self, path: &Path, media_type: &str) -> Result<Attachment> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fs::create_dir_all(&self.files)?;
        let beside = self.files.join(format!("{}.new", Uuid::new_v4()));
        let copied = copy(path, &beside);
        if copied.is_err() {
            // Half a copy is of no use; the first error is the one worth telling.
            let _ = fs::remove_file(&beside);
        }
        let (hash, size) = copied?;
        fs::rename(&beside, self.file_at(hash))?;
        File::open(&self.files)?.sync_all()?;
        diesel::insert_or_ignore_into(file::table)
            .values((file::sha256.eq(hash.to_hex()), file::size.eq(i64::try_from(size).unwrap_or(i64::MAX))))
            .execute(&mut self.connection)?;
        Ok(Attachment { name, sha256: hash.to_hex(), size, media_type: media_type.to_owned() })
    }

    /// The bytes of a file that is kept here.
    ///
    /// # Errors
    /// `File` where it is not.
    pub fn open_file(&self, name: Hash) -> Result<File> {
        Ok(File::open(self.file_at(name))?)
    }

    /// How many files that edits claim the server is not known to have.
    ///
    /// # Errors
    /// `NotEnrolled`
    pub fn files_to_come(&mut self) -> Result<usize> {
        let session = Session::load(&mut self.connection)?;
        Ok(to_come(&mut self.connection, &session, false)?.len())
    }

    fn file_at(&self, name: Hash) -> PathBuf {
        self.files.join(name.to_hex())
    }

    /// Sends the files of edits that have arrived. What the network does to them is no error of the sync, which has
    /// brought its records home by then.
    pub(super) fn send_files(&mut self, standing: Standing) -> Result<Files> {
        let session = Session::load(&mut self.connection)?;
        let mut files = Files::default();
        for due in to_come(&mut self.connection, &session, true)? {
            match self.send_file(due, standing) {
                Ok(()) => {
                    diesel::update(file::table.find(due.name.to_hex()))
                        .set(file::epoch.eq(&session.epoch))
                        .execute(&mut self.connection)?;
                    files.sent += 1;
                }
                Err(
                    fault @ (ClientError::Transport(_)
                    | ClientError::Busy
                    | ClientError::NotOurs { .. }
                    | ClientError::LoggedOut(_)
                    | ClientError::Revoked(_)),
                ) => {
                    files.interrupted = Some(fault.to_string());
                    break;
                }
                Err(fault @ (ClientError::Refused { .. } | ClientError::File(_))) => {
                    files.refused.push((due.name, fault.to_string()));
                }
                Err(other) => return Err(other),
            }
        }
        let left = to_come(&mut self.connection, &session, false)?;
        files.to_come = left.len();
        files.bytes_to_come = left.iter().map(|due| due.size).sum();
        Ok(files)
    }

    fn send_file(&mut self, due: Due, standing: Standing) -> Result<()> {
        let mut bytes = self.whole_file(due)?;
        let path = format!("/v1/blobs/{}", due.name.to_hex());
        let mut tries = 0;
        let mut offset = self.ask_offset(due, &path, standing)?;
        while offset < due.size {
            let mut part = vec![0; usize::try_from(PART.min(due.size - offset)).unwrap_or_default()];
            bytes.seek(SeekFrom::Start(offset))?;
            bytes.read_exact(&mut part)?;
            let headers = [
                ("Content-Type", "application/offset+octet-stream".to_owned()),
                ("Upload-Offset", offset.to_string()),
            ];
            let response = self.ask_tus(Method::Patch, &path, &headers, Some(part), standing)?;
            if response.status == 204 {
                offset = count(&response, "Upload-Offset")?;
                continue;
            }
            // It stands elsewhere than we thought, or begins anew.
            tries += 1;
            if !matches!(response.status, 409 | CHECKSUM_MISMATCH) || tries > PATIENCE {
                return Err(refused(&response));
            }
            offset = self.ask_offset(due, &path, standing)?;
        }
        Ok(())
    }

    /// A file that is still what it was when it was kept: sending another one would be in vain.
    fn whole_file(&self, due: Due) -> Result<File> {
        let mut file = self.open_file(due.name)?;
        let (hash, _) = pass_on(&mut file, &mut io::sink())?;
        if hash == due.name {
            return Ok(file);
        }
        Err(io::Error::other(format!("the file {} is not what it was when it was kept", due.name.to_hex()))
            .into())
    }

    /// Where the server stands; it is told the file's true length, should it think otherwise.
    fn ask_offset(&mut self, due: Due, path: &str, standing: Standing) -> Result<u64> {
        for _ in 0..2 {
            let response = self.ask_tus(Method::Head, path, &[], None, standing)?;
            if response.status == 200 {
                let length = count(&response, "Upload-Length")?;
                if length == due.size {
                    return count(&response, "Upload-Offset");
                }
            } else if !matches!(response.status, 413 | 422) {
                return Err(refused(&response));
            }
            let headers = [
                ("Upload-Length", due.size.to_string()),
                ("Upload-Metadata", format!("sha256 {}", base64(&due.name.to_hex()))),
            ];
            let response = self.ask_tus(Method::Post, "/v1/blobs", &headers, None, standing)?;
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

/// Files that edits claim and that the server is not known to have: all of them, or those whose edits have arrived.
fn to_come(connection: &mut SqliteConnection, session: &Session, arrived: bool) -> Result<Vec<Due>> {
    let claimed = attached::table
        .inner_join(outbox::table.on(outbox::mutation_id.eq(attached::mutation_id)))
        .filter(attached::sha256.eq(file::sha256));
    let mut query = file::table
        .filter(file::epoch.is_null().or(file::epoch.ne(&session.epoch)))
        .order(file::size)
        .select((file::sha256, file::size))
        .into_boxed();
    query = if arrived {
        query.filter(exists(claimed.filter(outbox::epoch.eq(&session.epoch))))
    } else {
        query.filter(exists(claimed))
    };
    let rows: Vec<(String, i64)> = query.load(connection)?;
    rows.into_iter()
        .map(|(name, size)| {
            let hash = Hash::from_hex(&name).ok_or(ClientError::Unreadable(name))?;
            Ok(Due { name: hash, size: size.unsigned_abs() })
        })
        .collect()
}

/// Copies a file onto the disk; gives its hash and size.
fn copy(from: &Path, to: &Path) -> io::Result<(Hash, u64)> {
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
    let passed = pass_on(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()?;
    Ok(passed)
}

fn pass_on(from: &mut impl io::Read, to: &mut impl io::Write) -> io::Result<(Hash, u64)> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok((Hash(hasher.finalize().into()), size)),
            Ok(read) => read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(fault),
        };
        hasher.update(&piece[..read]);
        to.write_all(&piece[..read])?;
        size += read as u64;
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

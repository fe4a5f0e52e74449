//! Files that belong to edits: kept beside the client's own file, and sent after the records, in parts.
//!
//! An edit travels first and says which files belong to it; they follow as the network allows. A part that was lost
//! is sent again from where the server says that it stands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use diesel::sqlite::SqliteConnection;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::schema::{attached, file, outbox};
use super::session::Session;
use super::tus::{Due, Stands, Target};
use super::{Client, ClientError, Result};
use crate::model::mutation::Attachment;
use crate::model::{Hash, Mutation};
use crate::sync::memory::Standing;

/// How the files of this client stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Files that the server came to have whole just now.
    pub sent: usize,
    /// Files that it does not have yet.
    pub to_come: usize,
    /// Their bytes, with what it may have of them already.
    pub bytes_to_come: u64,
    /// Files that the server, a camp's, has and that its nation is not known to have: as long as there are any, this
    /// client may hold the only other copy.
    pub not_national: usize,
    /// Files that it did not take, and why. They stay here, and others go past them.
    pub refused: Vec<(Hash, String)>,
    /// Why sending stopped before its end, if it did; the records had been synced by then.
    pub interrupted: Option<String>,
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
        Ok(dues(&mut self.connection, &session, Which::ToCome)?.len())
    }

    /// How many files that edits claim the national server is not known to have: only at 0 may they be thrown away
    /// with their tablet.
    ///
    /// # Errors
    /// `NotEnrolled`
    pub fn files_pending(&mut self) -> Result<usize> {
        let session = Session::load(&mut self.connection)?;
        let here = dues(&mut self.connection, &session, Which::NotNational)?.len();
        Ok(dues(&mut self.connection, &session, Which::ToCome)?.len() + here)
    }

    fn file_at(&self, name: Hash) -> PathBuf {
        self.files.join(name.to_hex())
    }

    /// Sends the files of edits that have arrived. What the network does to them is no error of the sync, which has
    /// brought its records home by then.
    pub(super) fn send_files(&mut self, standing: Standing) -> Result<Files> {
        let session = Session::load(&mut self.connection)?;
        let to = Target::own(standing);
        let mut files = Files::default();
        for (due, had) in dues(&mut self.connection, &session, Which::Arrived)? {
            match self.send_file(due, had, &to) {
                Ok(stands) => {
                    keep(&mut self.connection, due, stands, &session)?;
                    files.sent += usize::from(!had && stands.offset == due.size);
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
        let left = dues(&mut self.connection, &session, Which::ToCome)?;
        files.to_come = left.len();
        files.bytes_to_come = left.iter().map(|(due, _)| due.size).sum();
        files.not_national = dues(&mut self.connection, &session, Which::NotNational)?.len();
        Ok(files)
    }

    /// Sends what the server lacks of a file. Where it `had` it whole, the bytes are only read if it has lost them.
    fn send_file(&mut self, due: Due, had: bool, to: &Target) -> Result<Stands> {
        if had {
            let stands = self.ask_stands(due, to)?;
            if stands.offset == due.size {
                return Ok(stands);
            }
        }
        let mut file = self.whole_file(due)?;
        self.upload(due, to, u64::MAX, &mut |offset, count| {
            let mut part = vec![0; count];
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut part)?;
            Ok(part)
        })
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
}

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// That the server is not known to have.
    ToCome,
    /// That the server has, and the nation behind it is not known to have.
    NotNational,
    /// Of both, those whose edits have arrived.
    Arrived,
}

/// Files that edits claim, the smallest first, each with whether the server is known to have it whole.
fn dues(connection: &mut SqliteConnection, session: &Session, which: Which) -> Result<Vec<(Due, bool)>> {
    let claimed = attached::table
        .inner_join(outbox::table.on(outbox::mutation_id.eq(attached::mutation_id)))
        .filter(attached::sha256.eq(file::sha256));
    // Of a server that was not met yet nothing is known.
    let strange = session.epoch.is_none();
    let to_come =
        file::epoch.is_null().or(file::epoch.ne(&session.epoch)).or(strange.into_sql::<Nullable<Bool>>());
    let not_national = file::national.is_null().or(file::national.ne(&session.epoch));
    let query = file::table.order(file::size).select((file::sha256, file::size, file::epoch)).into_boxed();
    let query = match which {
        Which::ToCome => query.filter(to_come).filter(exists(claimed)),
        Which::NotNational => {
            query.filter(file::epoch.eq(&session.epoch)).filter(not_national).filter(exists(claimed))
        }
        Which::Arrived => {
            let own = outbox::device_id.eq(&session.device_id);
            let durable = own.and(outbox::device_seq.le(session.durable_through));
            let arrived =
                outbox::epoch.is_not_null().and(outbox::epoch.eq(&session.epoch)).or(durable.nullable());
            query.filter(not_national).filter(exists(claimed.filter(arrived)))
        }
    };
    let rows: Vec<(String, i64, Option<String>)> = query.load(connection)?;
    rows.into_iter()
        .map(|(name, size, epoch)| {
            let hash = Hash::from_hex(&name).ok_or(ClientError::Unreadable(name))?;
            Ok((Due { name: hash, size: size.unsigned_abs() }, epoch.is_some() && epoch == session.epoch))
        })
        .collect()
}

/// Notes how the server stands towards a file.
fn keep(connection: &mut SqliteConnection, due: Due, stands: Stands, session: &Session) -> Result<()> {
    let here = session.epoch.as_ref().filter(|_| stands.offset == due.size);
    let national = here.filter(|_| stands.national);
    diesel::update(file::table.find(due.name.to_hex()))
        .set((file::epoch.eq(here), file::national.eq(national)))
        .execute(connection)?;
    Ok(())
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

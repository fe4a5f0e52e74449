//! The log as a file, for a stick where there is no network (docs/sync.md §4).
//!
//! One JSON value on a line, packed with gzip and, with a passphrase, sealed by age: a [`Header`], parts of the log, each
//! of whole actions, and a `Trailer` with the hash of everything before it. A camp follows its nation's bundle as it
//! follows its log; any other server takes a bundle as it takes a camp's push. Both may be done again, in any order and
//! mixed with the network.

use std::io::{self, BufRead as _, BufReader, Read, Write};

use age::secrecy::SecretString;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::passed_on::PassedOn;
use crate::store::{Store, StoreError};
use crate::sync::memory::Answer;
use crate::sync::wire::{LogEntry, LogHead, LogPage, People, SERVER};

/// What this program writes.
const FORMAT: u32 = 1;
/// Entries of one part, about.
const PART: i64 = 500;
/// Bytes of one line at most: a bundle comes from anywhere.
const LONGEST_LINE: u64 = 256 << 20;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format: 1.
    pub cartagena_bundle: u32,
    /// Where the log stood.
    pub head: LogHead,
    /// The first entry.
    pub from: i64,
    /// The people and the settings of the programme: a camp can be set up from a bundle alone.
    pub people: People,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Trailer {
    entries: usize,
    /// SHA-256 of every byte before this line, hexadecimal.
    sha256: String,
}

/// One line between them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Part(Vec<LogEntry>),
    End(Trailer),
}

/// What became of a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Entries in it.
    pub entries: usize,
    /// Edits that this server did not have.
    pub new: usize,
    /// Whether it was followed as the nation's log.
    pub followed: bool,
    /// A schema in which the log goes on and that this program is too old to know: what comes after it was not taken.
    pub unknown_schema: Option<String>,
}

/// What can be wrong with a bundle. Nothing of it is taken before all of it was looked through.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read or written.
    #[error("the bundle cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// It is sealed, or sealed with another passphrase.
    #[error("the bundle cannot be opened: {0}")]
    Sealed(String),
    /// It is no bundle of ours.
    #[error("line {line} is not of a bundle: {fault}")]
    Unreadable {
        /// From 1.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// It is not what was written: cut off, or changed.
    #[error("the bundle is not whole: copy it again")]
    NotWhole,
    /// A newer program wrote it.
    #[error("the bundle has format {0}, this program reads {FORMAT}: use a newer one")]
    Newer(u32),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the log from an entry on; gives how many entries there are. `head` is where the log stands, signed.
///
/// # Errors
/// Where the store cannot be read or the file written.
pub fn export(
    store: &Store,
    head: LogHead,
    from: i64,
    passphrase: Option<SecretString>,
    to: impl Write,
) -> Result<usize, BundleError> {
    match passphrase {
        None => write_packed(store, head, from, to).map(|(entries, _)| entries),
        Some(passphrase) => {
            let sealed = age::Encryptor::with_user_passphrase(passphrase).wrap_output(to)?;
            let (entries, sealed) = write_packed(store, head, from, sealed)?;
            sealed.finish()?.flush()?;
            Ok(entries)
        }
    }
}

fn write_packed<W: Write>(store: &Store, head: LogHead, from: i64, to: W) -> Result<(usize, W), BundleError> {
    let mut out = Hashing { inner: GzEncoder::new(to, Compression::default()), hash: Sha256::new() };
    let end = head.seq;
    let people = store.people(uuid::Uuid::nil())?;
    out.line(&Header { cartagena_bundle: FORMAT, head, from, people })?;
    let (mut next, mut entries) = (from, 0);
    loop {
        let mut part = store.log_entries(next, PART)?;
        part.retain(|entry| entry.seq <= end);
        let Some(last) = part.last() else { break };
        next = last.seq + 1;
        entries += part.len();
        out.line(&Line::Part(part))?;
    }
    let sha256 = hex::encode(out.hash.clone().finalize());
    out.line(&Line::End(Trailer { entries, sha256 }))?;
    let mut inner = out.inner.finish()?;
    inner.flush()?;
    Ok((entries, inner))
}

struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Hashing<W> {
    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.inner.write_all(&line)
    }
}

/// Takes a bundle, which `open` opens from its beginning as often as it is called: it is read once to see that it is
/// whole, and once to be taken.
///
/// # Errors
/// See [`BundleError`]; what was taken before the store failed stays, and the rest can be taken by doing it again.
pub fn import<R: Read>(
    store: &Store,
    passphrase: Option<&SecretString>,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Taken, BundleError> {
    let mut header = None;
    read(open()?, passphrase, |line| {
        if let Piece::Header(read) = line {
            header = Some(read);
        }
        Ok(())
    })?;
    let header = header.ok_or(BundleError::NotWhole)?;
    let upstream = store.upstream()?;
    let followed =
        upstream.is_some_and(|upstream| upstream.epoch.is_none_or(|epoch| epoch == header.head.epoch));
    if followed {
        store.take_people(header.people.clone())?;
    }
    let mut taken = Taken { followed, ..Taken::default() };
    read(open()?, passphrase, |line| {
        let Piece::Part(entries) = line else { return Ok(()) };
        taken.entries += entries.len();
        if taken.unknown_schema.is_some() {
            return Ok(());
        }
        taken.new += if followed {
            let page = LogPage { server: SERVER.to_owned(), head: header.head.clone(), entries };
            let before = store.upstream()?.map_or(0, |upstream| upstream.seq);
            let after = store.follow(page)?;
            taken.unknown_schema = after.unknown_schema;
            usize::try_from(after.seq - before).unwrap_or_default()
        } else {
            take(store, entries)?
        };
        Ok(())
    })?;
    Ok(taken)
}

/// Takes a part as a camp's push.
fn take(store: &Store, entries: Vec<LogEntry>) -> Result<usize, BundleError> {
    let edits = entries.into_iter().filter(|entry| entry.entry == "mutation");
    let edits: Vec<PassedOn> = edits.map(PassedOn::try_from).collect::<Result<_, _>>()?;
    let answers = store.push_passed_on(edits)?;
    let new = |answer: &&Answer| answer.first.is_none();
    Ok(answers.iter().filter(new).count())
}

enum Piece {
    Header(Header),
    Part(Vec<LogEntry>),
}

/// Reads a bundle line by line to its trailer.
fn read<R: Read>(
    from: R,
    passphrase: Option<&SecretString>,
    mut line: impl FnMut(Piece) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    let mut from = BufReader::new(from);
    let sealed = from.fill_buf()?.starts_with(b"age-encryption.org/");
    match (sealed, passphrase) {
        (false, _) => read_packed(from, &mut line),
        (true, None) => {
            Err(BundleError::Sealed("it is sealed: give its passphrase with --passphrase-file".to_owned()))
        }
        (true, Some(passphrase)) => {
            let not_ours = |fault: age::DecryptError| BundleError::Sealed(fault.to_string());
            let sealed = age::Decryptor::new_buffered(from).map_err(not_ours)?;
            let identity = age::scrypt::Identity::new(passphrase.clone());
            let opened =
                sealed.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(not_ours)?;
            read_packed(opened, &mut line)
        }
    }
}

fn read_packed(
    from: impl Read,
    line: &mut impl FnMut(Piece) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    let mut lines = BufReader::new(GzDecoder::new(from));
    let (mut hash, mut number, mut entries) = (Sha256::new(), 0, 0);
    loop {
        let mut text = Vec::new();
        // A stick that was pulled out ends in the middle of the packing.
        lines
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut text)
            .map_err(|_cut| BundleError::NotWhole)?;
        number += 1;
        if text.last() != Some(&b'\n') {
            return Err(BundleError::NotWhole);
        }
        let unreadable =
            |fault: serde_json::Error| BundleError::Unreadable { line: number, fault: fault.to_string() };
        if number == 1 {
            let header: Header = serde_json::from_slice(&text).map_err(unreadable)?;
            if header.cartagena_bundle > FORMAT {
                return Err(BundleError::Newer(header.cartagena_bundle));
            }
            line(Piece::Header(header))?;
        } else {
            match serde_json::from_slice(&text).map_err(unreadable)? {
                Line::Part(part) => {
                    entries += part.len();
                    line(Piece::Part(part))?;
                }
                Line::End(trailer) => {
                    let sha256 = hex::encode(hash.finalize());
                    let whole = trailer == Trailer { entries, sha256 };
                    return if whole { Ok(()) } else { Err(BundleError::NotWhole) };
                }
            }
        }
        hash.update(&text);
    }
}

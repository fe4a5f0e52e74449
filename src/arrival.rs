//! How a file comes in: in parts onto the disk, then looked at whole, then onto the shelf and into the database.
//!
//! Knows the store and the places of attachments; knows nothing of the web. Everything blocks.

use std::io;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::blob::{Blobs, Upload, UploadId, media};
use crate::model::Hash;
use crate::store::{Store, StoreError};

/// A server as whoever sends files meets it.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Its database.
    pub store: &'a Store,
    /// Where its attachments lie.
    pub blobs: &'a Blobs,
    /// The most bytes that an attachment may have.
    pub most: u64,
}

/// Where an upload stands.
#[derive(Debug)]
pub enum Slot {
    /// The organisation has sent it whole.
    Done {
        /// Bytes.
        size: u64,
        /// The national server is known to have it too; this is one, or a camp that has passed it on.
        national: bool,
    },
    /// It is to come, as far as `length`.
    Open {
        /// What has come.
        upload: Upload,
        /// Bytes of the whole file.
        length: u64,
    },
}

/// Why a file, or a part of one, was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// No record of the organisation claims it.
    #[error(
        "no record of your organisation claims this file: push the edit that names it among its `attachments` first, then \
         send it"
    )]
    NotClaimed,
    /// Somebody else sends it just now.
    #[error("somebody is sending this file just now: ask again in a moment")]
    Locked,
    /// It is larger than an attachment may be.
    #[error(
        "the file has {length} bytes, an attachment may have {most} here: its record is stored all the same; make the file \
         smaller and claim it anew, or ask for a higher `limits.blob_bytes`"
    )]
    TooLarge {
        /// Bytes that it is said to have.
        length: u64,
        /// Bytes that it may have.
        most: u64,
    },
    /// Only one file has no bytes: a claim that says so of another one can only be mended by its sender.
    #[error(
        "the record's claim says that the file has no bytes, its hash says otherwise: give its true length with POST \
         /v1/blobs"
    )]
    ClaimedEmpty,
    /// More came than the file was said to have.
    #[error("the file was said to have {length} bytes, and this goes beyond them")]
    TooLong {
        /// Bytes that it was said to have.
        length: u64,
    },
    /// The part's checksum says something else.
    #[error("this part is not what its checksum says: send it again")]
    Checksum {
        /// Where it is to go on.
        offset: u64,
    },
    /// The whole file's hash is not its name.
    #[error(
        "all bytes have come, and their SHA-256 is not the file's name: they are kept aside for a person to look at, and \
         the upload begins again at 0"
    )]
    Another,
    /// The part broke off.
    #[error("the part broke off: go on at {offset}")]
    Broken {
        /// Where it is to go on.
        offset: u64,
    },
    /// The disk or the store of objects fails.
    #[error("an attachment cannot be written or read: {0}")]
    Disk(#[from] io::Error),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Arrival<'_> {
    /// Takes an organisation's upload of a file in hand. One that had come whole, and whose last answer was never
    /// given, is finished first: an offset at the end says that the file is here.
    ///
    /// # Errors
    /// `NotClaimed`, `Locked`, `TooLarge`, `ClaimedEmpty`; a disk that fails.
    pub fn open(&self, file: Hash, organisation: Uuid) -> Result<Slot, NotTaken> {
        let expected = self.store.find_expected(file, organisation)?.ok_or(NotTaken::NotClaimed)?;
        if let Some(done) = expected.done
            && self.blobs.shelf.size(file)? == Some(done.size)
        {
            return Ok(Slot::Done { size: done.size, national: done.national });
        }
        let upload = self.blobs.uploads.take(UploadId { organisation, file })?.ok_or(NotTaken::Locked)?;
        let length = upload.declared().unwrap_or(expected.size);
        self.within_limit(length)?;
        is_possible(file, length)?;
        self.proceed(upload, file, organisation, length)
    }

    fn proceed(&self, upload: Upload, file: Hash, organisation: Uuid, length: u64) -> Result<Slot, NotTaken> {
        if upload.offset() < length {
            return Ok(Slot::Open { upload, length });
        }
        match self.finish(upload, length) {
            // It was another file, and has been put aside: the upload begins again.
            Ok(_) | Err(NotTaken::Another) => self.open(file, organisation),
            Err(other) => Err(other),
        }
    }

    fn within_limit(&self, length: u64) -> Result<(), NotTaken> {
        let most = self.most;
        if length <= most { Ok(()) } else { Err(NotTaken::TooLarge { length, most }) }
    }

    /// Takes what the sender says of a file's length, where the record's claim says something else: the hash decides.
    ///
    /// # Errors
    /// As [`Arrival::open`].
    pub fn declare(&self, file: Hash, organisation: Uuid, length: u64) -> Result<(), NotTaken> {
        self.within_limit(length)?;
        is_possible(file, length)?;
        if let Slot::Open { mut upload, length: expected } = self.open_at(file, organisation, length)?
            && expected != length
        {
            // It is the same file, whatever was said of its length: what has come of it stays.
            if upload.offset() > length {
                upload.cut_back(0)?;
            }
            upload.declare(length)?;
        }
        Ok(())
    }

    /// The same as [`Arrival::open`] for a sender who knows the length better than an impossible claim.
    fn open_at(&self, file: Hash, organisation: Uuid, length: u64) -> Result<Slot, NotTaken> {
        match self.open(file, organisation) {
            Err(NotTaken::TooLarge { .. } | NotTaken::ClaimedEmpty) => {
                let upload = self.blobs.uploads.take(UploadId { organisation, file })?;
                let upload = upload.ok_or(NotTaken::Locked)?;
                Ok(Slot::Open { upload, length: length + 1 })
            }
            other => other,
        }
    }

    /// Ends a part; gives the offset that is on the disk.
    ///
    /// # Errors
    /// `Broken`, `Checksum`, `TooLong`, `Another`; a disk that fails.
    pub fn end(&self, part: Part, end: End) -> Result<u64, NotTaken> {
        let Part { mut upload, length, begun, checksum, over, .. } = part;
        upload.sync()?;
        match (end, checksum) {
            _ if over => {
                upload.cut_back(begun)?;
                return Err(NotTaken::TooLong { length });
            }
            // Its sender wanted all of the part or nothing of it.
            (End::Broken, Some(_)) => upload.cut_back(begun)?,
            (End::Whole, Some(checksum)) if !checksum.holds() => {
                upload.cut_back(begun)?;
                return Err(NotTaken::Checksum { offset: begun });
            }
            (End::Whole | End::Broken, _) => {}
        }
        let offset = upload.offset();
        if offset == length {
            return self.finish(upload, length);
        }
        match end {
            End::Broken => Err(NotTaken::Broken { offset }),
            End::Whole => Ok(offset),
        }
    }

    /// Looks at a file that has come whole, puts it on the shelf and notes it. One that is another file than its name
    /// says is put aside.
    fn finish(&self, mut upload: Upload, length: u64) -> Result<u64, NotTaken> {
        let UploadId { organisation, file } = upload.id();
        if upload.offset() != length || upload.hash()? != file {
            upload.set_aside()?;
            metrics::counter!("cartagena_uploads_total", "outcome" => "aside").increment(1);
            return Err(NotTaken::Another);
        }
        let media_type = media::of_file(upload.path())?;
        self.blobs.shelf.put(file, upload.path())?;
        self.store.insert_blob(file, length, media_type, organisation)?;
        upload.forget()?;
        metrics::counter!("cartagena_uploads_total", "outcome" => "whole").increment(1);
        Ok(length)
    }
}

fn is_possible(file: Hash, length: u64) -> Result<(), NotTaken> {
    if length > 0 || file == Hash::of_bytes(b"") { Ok(()) } else { Err(NotTaken::ClaimedEmpty) }
}

/// The checksum of one part, as tus lets a sender give it.
#[derive(Debug)]
pub struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

#[derive(Debug)]
enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// What a part is to come to; nothing where the algorithm is not known.
    pub fn of(algorithm: &str, expected: Vec<u8>) -> Option<Self> {
        let hasher = match algorithm {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            _ => return None,
        };
        Some(Self { hasher, expected })
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn holds(&self) -> bool {
        match &self.hasher {
            Hasher::Sha1(hasher) => hasher.clone().finalize().as_slice() == self.expected,
            Hasher::Sha256(hasher) => hasher.clone().finalize().as_slice() == self.expected,
        }
    }
}

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of it came.
    Whole,
    /// The line broke.
    Broken,
}

/// A part of a file that is coming in.
#[derive(Debug)]
pub struct Part {
    upload: Upload,
    length: u64,
    begun: u64,
    checksum: Option<Checksum>,
    over: bool,
}

impl Part {
    /// A part that begins where the upload stands.
    pub fn begin(upload: Upload, length: u64, checksum: Option<Checksum>) -> Self {
        Self { begun: upload.offset(), upload, length, checksum, over: false }
    }

    /// Writes bytes down, as far as there is room for them in the file; false where there are too many.
    ///
    /// # Errors
    /// Where the disk is full or fails.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let room = usize::try_from(self.length - self.upload.offset()).unwrap_or(usize::MAX);
        let fitting = &bytes[..room.min(bytes.len())];
        if let Some(checksum) = &mut self.checksum {
            checksum.update(fitting);
        }
        if !fitting.is_empty() {
            self.upload.append(fitting)?;
        }
        self.over |= fitting.len() < bytes.len();
        Ok(!self.over)
    }
}

//! Uploads that come in parts. What has come is what lies on the disk: the size of a partial file is its offset, and
//! there is nothing else to keep in step with it.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{make_folder, sync_folder};
use crate::model::Hash;

/// Files whose hash was not their name and that are kept to be looked at. Beyond that the oldest is given up, and
/// the log says so.
const KEPT_ASIDE: usize = 100;
/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// An upload: every organisation has its own, so that none learns what another one holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId {
    /// Who sends it.
    pub organisation: Uuid,
    /// What it is to be.
    pub file: Hash,
}

/// The uploads that are not whole yet.
#[derive(Debug)]
pub struct Uploads {
    folder: PathBuf,
    aside: PathBuf,
    busy: Arc<Mutex<HashSet<UploadId>>>,
}

/// The right to change one upload, until it is dropped.
#[derive(Debug)]
struct Lock {
    id: UploadId,
    busy: Arc<Mutex<HashSet<UploadId>>>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Uploads {
    /// Opens the folder, which is made if there is none.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let aside = folder.join("aside");
        make_folder(&aside)?;
        Ok(Self { folder: folder.to_owned(), aside, busy: Arc::default() })
    }

    /// Takes an upload in hand; nothing where somebody else has it.
    ///
    /// # Errors
    /// Where the disk cannot be read.
    pub fn take(&self, id: UploadId) -> io::Result<Option<Upload>> {
        if !self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return Ok(None);
        }
        let lock = Lock { id, busy: Arc::clone(&self.busy) };
        let path = self.path(id);
        let file = match OpenOptions::new().read(true).append(true).open(&path) {
            // Another server on the same folder has its own list of what is busy.
            Ok(file) if file.try_lock().is_err() => return Ok(None),
            Ok(file) => {
                // Whoever wrote it last may not have come to this.
                file.sync_all()?;
                Some(file)
            }
            Err(fault) if fault.kind() == ErrorKind::NotFound => None,
            Err(fault) => return Err(fault),
        };
        let offset = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|found| found.len()))?;
        Ok(Some(Upload { aside: self.aside.clone(), lock, path, file, offset }))
    }

    /// How much of an upload has come. To be shown; only [`Upload::offset`] is a promise.
    pub fn come(&self, id: UploadId) -> u64 {
        fs::metadata(self.path(id)).map_or(0, |found| found.len())
    }

    fn path(&self, id: UploadId) -> PathBuf {
        self.folder.join(id.organisation.to_string()).join(id.file.to_hex())
    }
}

/// An upload in hand: nobody else changes it meanwhile.
#[derive(Debug)]
pub struct Upload {
    aside: PathBuf,
    lock: Lock,
    path: PathBuf,
    file: Option<File>,
    offset: u64,
}

impl Upload {
    /// Which one it is.
    pub fn id(&self) -> UploadId {
        self.lock.id
    }

    /// How many bytes have come.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where they lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long the sender said that the file is, where a record's claim says otherwise.
    pub fn declared(&self) -> Option<u64> {
        fs::read_to_string(self.declaration()).ok()?.trim().parse().ok()
    }

    /// Keeps how long the sender says that the file is.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn declare(&self, length: u64) -> io::Result<()> {
        let folder = self.make_folder()?;
        let mut file = File::create(self.declaration())?;
        write!(file, "{length}")?;
        file.sync_all()?;
        sync_folder(folder)
    }

    fn declaration(&self) -> PathBuf {
        self.path.with_extension("length")
    }

    fn make_folder(&self) -> io::Result<&Path> {
        let folder = self.path.parent().ok_or(ErrorKind::NotFound)?;
        make_folder(folder)?;
        Ok(folder)
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let folder = self.make_folder()?;
            let file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
            file.try_lock().map_err(io::Error::from)?;
            sync_folder(folder)?;
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Adds bytes to its end. They are safe once [`Upload::sync`] has come back.
    ///
    /// # Errors
    /// Where the disk is full or fails; as much as fitted is there.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file()?;
        let written = file.write_all(bytes);
        let offset = file.metadata()?.len();
        self.offset = offset;
        written
    }

    /// Puts what has come on the disk.
    ///
    /// # Errors
    /// Where the disk fails: then nothing may be said of the offset.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file()?.sync_all()
    }

    /// Gives up what came after an offset.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn cut_back(&mut self, offset: u64) -> io::Result<()> {
        let file = self.file()?;
        file.set_len(offset)?;
        file.sync_all()?;
        self.offset = offset;
        Ok(())
    }

    /// The hash of what has come, read back from the disk.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn hash(&mut self) -> io::Result<Hash> {
        let file = self.file()?;
        file.seek(SeekFrom::Start(0))?;
        hash(file)
    }

    /// Puts what has come aside, because it is not what it was to be; the upload begins again at 0.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn set_aside(mut self) -> io::Result<()> {
        self.file = None;
        let UploadId { organisation, file } = self.lock.id;
        let name = format!("{}.{organisation}.{}", file.to_hex(), Utc::now().timestamp_micros());
        tracing::warn!(file = file.to_hex(), %organisation, kept = name, "an upload had another hash than its name");
        fs::rename(&self.path, self.aside.join(name))?;
        sync_folder(&self.aside)?;
        sync_folder(self.make_folder()?)?;
        give_up_oldest(&self.aside)
    }

    /// Forgets the partial file: it is on the shelf.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn forget(mut self) -> io::Result<()> {
        self.file = None;
        for path in [self.path.clone(), self.declaration()] {
            match fs::remove_file(path) {
                Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
                _ => {}
            }
        }
        sync_folder(self.make_folder()?)
    }
}

/// Makes room among the files that were put aside.
fn give_up_oldest(aside: &Path) -> io::Result<()> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(aside)? {
        let entry = entry?;
        kept.push((entry.metadata()?.modified()?, entry.path()));
    }
    kept.sort();
    let many = kept.len().saturating_sub(KEPT_ASIDE);
    for (_, path) in kept.into_iter().take(many) {
        tracing::warn!(file = %path.display(), "too many uploads of another hash are kept: the oldest is given up");
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The hash of everything that can be read.
pub(super) fn hash(from: &mut impl io::Read) -> io::Result<Hash> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(Hash(hasher.finalize().into())),
            Ok(read) => read,
            Err(fault) if fault.kind() == ErrorKind::Interrupted => continue,
            Err(fault) => return Err(fault),
        };
        hasher.update(&piece[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(of: &[u8]) -> UploadId {
        UploadId { organisation: Uuid::nil(), file: Hash::of_bytes(of) }
    }

    #[test]
    fn an_upload_is_in_one_hand_and_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(folder.path()).unwrap();
        let mut upload = uploads.take(id(b"abcdef")).unwrap().unwrap();
        assert!(uploads.take(id(b"abcdef")).unwrap().is_none());
        assert!(uploads.take(id(b"another")).unwrap().is_some());
        upload.append(b"abc").unwrap();
        upload.sync().unwrap();
        drop(upload);
        let uploads = Uploads::open(folder.path()).unwrap();
        let mut upload = uploads.take(id(b"abcdef")).unwrap().unwrap();
        assert_eq!(upload.offset(), 3);
        upload.append(b"def").unwrap();
        assert_eq!(upload.hash().unwrap(), Hash::of_bytes(b"abcdef"));
        upload.cut_back(1).unwrap();
        assert_eq!((upload.offset(), uploads.come(id(b"abcdef"))), (1, 1));
    }

    #[test]
    fn what_is_kept_aside_is_bounded_and_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(folder.path()).unwrap();
        for number in 0..KEPT_ASIDE + 5 {
            let mut upload = uploads.take(id(b"x")).unwrap().unwrap();
            assert_eq!(upload.offset(), 0);
            upload.append(number.to_string().as_bytes()).unwrap();
            upload.set_aside().unwrap();
        }
        let kept: Vec<_> = fs::read_dir(folder.path().join("aside")).unwrap().map(Result::unwrap).collect();
        let texts: HashSet<String> =
            kept.iter().map(|file| fs::read_to_string(file.path()).unwrap()).collect();
        assert_eq!(kept.len(), KEPT_ASIDE);
        assert!(texts.contains(&(KEPT_ASIDE + 4).to_string()) && !texts.contains("0"));
    }
}

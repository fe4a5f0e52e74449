//! Where whole files lie: a folder, or a store that speaks S3.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{BlobError, make_folder, sync_folder, upload};
use crate::model::Hash;

/// Bytes that are sent to or asked of a store of objects at a time; S3 takes no smaller parts than 5 MiB.
const PART: usize = 8 * 1024 * 1024;

/// Where whole files lie, each under its hash.
#[derive(Debug)]
pub enum Shelf {
    /// `file:<folder>`
    Folder(PathBuf),
    /// `s3://<bucket>/<prefix>`, and for tests `memory:`
    Remote(Remote),
}

impl Shelf {
    /// The place that a URL names. A folder is made when the first file comes.
    ///
    /// # Errors
    /// Where the URL is not understood, or the store's settings are not whole.
    pub fn open(url: &str) -> Result<Self, BlobError> {
        if let Some(folder) = url.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
            let folder = PathBuf::from(folder.trim_start_matches("//"));
            return Ok(Self::Folder(folder));
        }
        if url == "memory:" {
            return Ok(Self::Remote(Remote::of(Arc::new(object_store::memory::InMemory::new()), "")?));
        }
        match url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((bucket, prefix)) if !bucket.is_empty() => {
                Ok(Self::Remote(Remote::of(bucket_of(bucket)?, prefix)?))
            }
            _ => Err(BlobError::Url(url.to_owned())),
        }
    }

    /// Puts a whole file there. One that is there already is replaced: it is the same if it is sound, and whoever
    /// sends it cannot tell by the time it takes.
    ///
    /// # Errors
    /// Where the disk or the store fails.
    pub fn put(&self, name: Hash, from: &Path) -> io::Result<()> {
        match self {
            Self::Folder(folder) => put_into(&path_in(folder, name), from),
            Self::Remote(remote) => remote.put(name, from),
        }
    }

    /// How many bytes a file has; nothing where it is not there.
    ///
    /// # Errors
    /// Where the disk or the store fails.
    pub fn size(&self, name: Hash) -> io::Result<Option<u64>> {
        match self {
            Self::Folder(folder) => match fs::metadata(path_in(folder, name)) {
                Ok(found) => Ok(Some(found.len())),
                Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
                Err(fault) => Err(fault),
            },
            Self::Remote(remote) => remote.size(name),
        }
    }

    /// A reader of a part of a file.
    ///
    /// # Errors
    /// `NotFound`; where the disk or the store fails.
    pub fn read(&self, name: Hash, range: Range<u64>) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Folder(folder) => {
                let mut file = File::open(path_in(folder, name))?;
                file.seek(SeekFrom::Start(range.start))?;
                Ok(Box::new(file.take(range.end.saturating_sub(range.start))))
            }
            Self::Remote(remote) => Ok(Box::new(remote.read(name, range))),
        }
    }

    /// What is wrong with a file that should be here, if anything is.
    ///
    /// # Errors
    /// Where the disk or the store fails otherwise than by not having it.
    pub fn fault(&self, name: Hash, size: u64) -> io::Result<Option<&'static str>> {
        match self.size(name)? {
            None => Ok(Some("is missing")),
            Some(found) if found != size => Ok(Some("has another size")),
            Some(_) => {
                let found = upload::hash(&mut self.read(name, 0..size)?)?;
                Ok((found != name).then_some("has another hash: its bytes have changed"))
            }
        }
    }
}

/// Two letters of the hash make a folder, so that none grows too long to list.
fn path_in(folder: &Path, name: Hash) -> PathBuf {
    let name = name.to_hex();
    folder.join(&name[..2]).join(name)
}

/// Puts a file in its place, whole or not at all. The one it comes from stays until the database knows of it.
fn put_into(place: &Path, from: &Path) -> io::Result<()> {
    let folder = place.parent().ok_or(ErrorKind::NotFound)?;
    make_folder(folder)?;
    let beside = folder.join(format!("{}.new", Uuid::new_v4()));
    if fs::hard_link(from, &beside).is_err() {
        // Another disk, or one that knows no links.
        fs::copy(from, &beside)?;
        File::open(&beside)?.sync_all()?;
    }
    fs::rename(&beside, place)?;
    // A link to the very file that is there already is left where it was.
    match fs::remove_file(&beside) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    sync_folder(folder)
}

#[cfg(feature = "s3")]
fn bucket_of(bucket: &str) -> Result<Arc<dyn ObjectStore>, BlobError> {
    let store = object_store::aws::AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "s3"))]
fn bucket_of(_bucket: &str) -> Result<Arc<dyn ObjectStore>, BlobError> {
    Err(BlobError::WithoutS3)
}

/// A store of objects. It is asked from threads that may wait; its own runtime carries the requests.
#[derive(Debug, Clone)]
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    runtime: Arc<Background>,
}

/// A runtime that may be dropped anywhere: tokio's own must not be inside another one.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Remote {
    fn of(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, BlobError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { store, prefix: Key::from(prefix), runtime: Arc::new(Background(Some(runtime))) })
    }

    fn wait<T>(&self, work: BoxFuture<'_, object_store::Result<T>>) -> io::Result<T> {
        let runtime = self.runtime.0.as_ref().ok_or(ErrorKind::NotConnected)?;
        runtime.block_on(work).map_err(|fault| match fault {
            object_store::Error::NotFound { .. } => ErrorKind::NotFound.into(),
            other => io::Error::other(other),
        })
    }

    fn key(&self, name: Hash) -> Key {
        self.prefix.clone().join(name.to_hex())
    }

    fn put(&self, name: Hash, from: &Path) -> io::Result<()> {
        let key = self.key(name);
        let mut file = File::open(from)?;
        if file.metadata()?.len() <= PART as u64 {
            let bytes = fs::read(from)?;
            return self.wait(Box::pin(self.store.put(&key, PutPayload::from(bytes)))).map(drop);
        }
        let mut parts = self.wait(Box::pin(self.store.put_multipart(&key)))?;
        let sent = self.put_parts(parts.as_mut(), &mut file);
        if sent.is_err() {
            // Parts that belong to nothing are paid for; the first error is the one worth telling.
            let _ = self.wait(parts.abort());
        }
        sent
    }

    fn put_parts(&self, parts: &mut dyn MultipartUpload, file: &mut File) -> io::Result<()> {
        loop {
            let mut part = Vec::with_capacity(PART);
            file.take(PART as u64).read_to_end(&mut part)?;
            if part.is_empty() {
                return self.wait(parts.complete()).map(drop);
            }
            self.wait(Box::pin(parts.put_part(PutPayload::from(part))))?;
        }
    }

    fn size(&self, name: Hash) -> io::Result<Option<u64>> {
        let key = self.key(name);
        match self.wait(Box::pin(self.store.head(&key))) {
            Ok(found) => Ok(Some(found.size)),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn read(&self, name: Hash, range: Range<u64>) -> RemoteReader {
        RemoteReader { remote: self.clone(), key: self.key(name), range, piece: io::Cursor::default() }
    }
}

/// Reads an object in pieces.
struct RemoteReader {
    remote: Remote,
    key: Key,
    range: Range<u64>,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for RemoteReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(into)?;
        if read > 0 || self.range.is_empty() {
            return Ok(read);
        }
        let end = self.range.end.min(self.range.start + PART as u64);
        let asked = self.range.start..end;
        let bytes = self.remote.wait(Box::pin(self.remote.store.get_range(&self.key, asked)))?;
        if bytes.is_empty() {
            return Ok(0);
        }
        self.range.start += bytes.len() as u64;
        self.piece = io::Cursor::new(bytes.to_vec());
        self.piece.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every shelf keeps what it is given, gives any part of it, and says what is wrong.
    fn keeps(shelf: &Shelf, harm: impl FnOnce(Hash)) {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("upload");
        let bytes: Vec<u8> = (0..PART + 100_000).map(|at| u8::try_from(at % 251).unwrap()).collect();
        fs::write(&from, &bytes).unwrap();
        let (name, size) = (Hash::of_bytes(&bytes), bytes.len() as u64);
        assert_eq!(shelf.fault(name, size).unwrap(), Some("is missing"));
        assert_eq!(
            shelf.read(name, 0..1).and_then(io::read_to_string).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        shelf.put(name, &from).unwrap();
        shelf.put(name, &from).unwrap();
        assert_eq!(shelf.size(name).unwrap(), Some(size));
        assert_eq!(shelf.fault(name, size).unwrap(), None);
        let mut part = Vec::new();
        let range = PART - 10..PART + 10;
        shelf.read(name, range.start as u64..range.end as u64).unwrap().read_to_end(&mut part).unwrap();
        assert_eq!(part, bytes[range]);
        harm(name);
        assert!(shelf.fault(name, size).unwrap().unwrap().contains("hash"));
        shelf.put(name, &from).unwrap();
        assert_eq!(shelf.fault(name, size).unwrap(), None, "what is sent again heals");
    }

    #[test]
    fn a_folder_keeps_files() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&format!("file:{}", folder.path().display())).unwrap();
        keeps(&shelf, |name| {
            // A disk that rots, and not the file that it was linked from.
            let path = path_in(folder.path(), name);
            let mut bytes = fs::read(&path).unwrap();
            bytes[1_000] ^= 1;
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
        });
        let left =
            fs::read_dir(folder.path()).unwrap().flat_map(|it| fs::read_dir(it.unwrap().path()).unwrap());
        assert_eq!(left.count(), 1, "nothing lies beside it");
    }

    #[test]
    fn a_store_of_objects_keeps_files() {
        let shelf = Shelf::open("memory:").unwrap();
        let Shelf::Remote(remote) = &shelf else { panic!("memory is a store of objects") };
        keeps(&shelf, |name| {
            let key = remote.key(name);
            let mut bytes = remote
                .wait(Box::pin(remote.store.get_range(&key, 0..(PART + 100_000) as u64)))
                .unwrap()
                .to_vec();
            bytes[1_000] ^= 1;
            remote.wait(Box::pin(remote.store.put(&key, PutPayload::from(bytes)))).unwrap();
        });
    }

    #[test]
    fn places_that_are_none_are_refused() {
        for url in ["", "file:", "s3://", "https://bucket", "/var/blobs"] {
            assert!(matches!(Shelf::open(url), Err(BlobError::Url(_))), "{url}");
        }
        #[cfg(not(feature = "s3"))]
        assert!(matches!(Shelf::open("s3://bucket/prefix"), Err(BlobError::WithoutS3)));
    }
}

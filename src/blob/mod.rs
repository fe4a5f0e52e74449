//! The bytes of attachments: uploads that come in parts, whole files on their shelf, thumbnails.
//!
//! A file is named by the SHA-256 of its bytes. Who may send or see it is decided above, by what records claim; here
//! is only what lies on the disk. Everything blocks: call it off the async threads.

pub mod media;
mod shelf;
pub mod thumbnail;
mod upload;

use std::io;
use std::path::Path;

pub use self::shelf::Shelf;
pub use self::upload::{Upload, UploadId, Uploads};

/// What can go wrong when the place of attachments is opened.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The URL names no place that we know.
    #[error("`{0}` is no place for attachments: `file:<folder>` or `s3://<bucket>/<prefix>`")]
    Url(String),
    /// The program was built without the network.
    #[error("this program was built without S3: build it with `--features s3`")]
    WithoutS3,
    /// The store of objects cannot be reached or is not set up.
    #[error("the store of attachments cannot be used: {0}")]
    Remote(#[from] object_store::Error),
    /// A folder cannot be made or read.
    #[error("the folder of attachments cannot be used: {0}")]
    Folder(#[from] io::Error),
}

/// Where attachments lie: those that are coming and those that are here.
#[derive(Debug)]
pub struct Blobs {
    /// Uploads that are not whole yet: always on this machine's disk.
    pub uploads: Uploads,
    /// Whole files.
    pub shelf: Shelf,
}

impl Blobs {
    /// Opens the uploads in the data folder and the shelf that `url` names.
    ///
    /// # Errors
    /// Where the URL is not understood or a folder cannot be made.
    pub fn open(data: &Path, url: &str) -> Result<Self, BlobError> {
        let shelf = Shelf::open(url)?;
        if let Shelf::Folder(folder) = &shelf {
            make_folder(folder)?;
        }
        Ok(Self { uploads: Uploads::open(&data.join("uploads"))?, shelf })
    }
}

/// Puts a folder's entries on the disk: a file that was made or renamed is only then there after a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Makes a folder that only its owner reads, and whatever it lies in, unless it is there.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    folder.parent().filter(|parent| parent.is_dir()).map_or(Ok(()), sync_folder)
}

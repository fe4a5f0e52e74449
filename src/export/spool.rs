//! Where files lie until they are whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

/// What a server that was killed has left behind is taken away after so long; no export takes a day.
const ABANDONED: Duration = Duration::from_hours(24);

/// A folder for files that are being written. They have no name, or lose it with the writer.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// The folder `exports` in the data folder.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("exports");
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(&folder)?.flatten() {
            let age = entry
                .metadata()
                .and_then(|known| known.modified())
                .map(|at| SystemTime::now().duration_since(at));
            if matches!(age, Ok(Ok(age)) if age > ABANDONED) {
                // Another process may have been faster.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(Self { folder })
    }

    /// The folder, for libraries that make their files themselves.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file without a name.
    pub(super) fn file(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.folder)
    }

    /// A file with a name, as SQLite wants it.
    pub(super) fn named(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.folder)
    }
}

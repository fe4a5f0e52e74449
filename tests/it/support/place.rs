//! A fresh database and a folder for one test.

use cartagena::store::DatabaseUrl;
use tempfile::TempDir;

use super::postgres;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A real file: WAL and its locks are part of what is tested.
    Sqlite,
    /// A database of its own in a real server.
    Postgres,
}

/// A fresh database and a folder, gone after the test.
pub(crate) struct Place {
    /// Which database it is.
    pub(crate) backend: Backend,
    /// For keys, files and the tablets' databases.
    pub(crate) folder: TempDir,
    url: String,
}

impl Place {
    /// A new place; nothing where the database cannot be had.
    fn new(backend: Backend) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match backend {
            Backend::Sqlite => format!("sqlite:{}", folder.path().join("server.db").display()),
            Backend::Postgres => postgres::create_database()?,
        };
        Some(Self { backend, folder, url })
    }

    /// A place on a database that is somebody else's to remove.
    pub(crate) fn on(backend: Backend, url: String) -> Self {
        Self { backend, folder: tempfile::tempdir().unwrap(), url }
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> DatabaseUrl {
        self.url.parse().unwrap()
    }

    /// The same as it is written in a configuration.
    pub(crate) fn database_url(&self) -> &str {
        &self.url
    }

    /// Makes another place's database a copy of this one, on which nothing may be running.
    pub(crate) fn copy_database(&self, to: &Self) {
        match self.backend {
            Backend::Sqlite => {
                let file = |place: &Self| place.url.trim_start_matches("sqlite:").to_owned();
                // What is still in the write-ahead log belongs to it.
                for end in ["", "-wal"] {
                    let from = format!("{}{end}", file(self));
                    if std::fs::exists(&from).unwrap() {
                        std::fs::copy(from, format!("{}{end}", file(to))).unwrap();
                    }
                }
            }
            Backend::Postgres => postgres::copy_database(&self.url, &to.url),
        }
    }

    /// A second database of the same kind.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.backend).expect("there was one of this kind a moment ago")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.backend == Backend::Postgres {
            postgres::drop_database(&self.url);
        }
    }
}

/// Runs a test in a new place, or says that it was skipped.
pub(crate) fn run(backend: Backend, test: impl FnOnce(&Place)) {
    if let Some(place) = Place::new(backend) {
        test(&place);
    }
}

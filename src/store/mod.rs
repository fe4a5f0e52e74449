//! The database: the only place that knows SQL. Functions take and give domain types.
//!
//! Every write goes through one door, [`txn::SyncTxn`], which locks the clock, appends to the log and
//! moves the clock (docs/sync.md §5). Everything else reads.

pub mod absent;
pub mod account;
pub mod alarm;
pub(crate) mod backend;
pub mod backup;
pub mod blob;
pub mod book;
pub mod claim;
pub(crate) mod column;
pub mod conflict;
pub mod decide;
pub mod device;
mod drawn;
pub mod edit;
pub mod feature;
pub mod follow;
mod ground;
mod hazardous;
pub mod history;
mod journal;
pub mod map;
pub mod map_password;
mod membership;
mod memory;
pub mod migration;
pub mod named;
pub mod passed_on;
pub mod people;
mod prefetch;
pub mod programme;
pub mod pull;
pub mod push;
pub mod quality;
pub mod quarantine;
mod raw;
mod rebase;
pub mod rebuild;
pub mod record;
mod replica;
pub mod revised;
mod row;
mod schema;
pub mod scope;
pub mod token;
pub mod turn;
pub mod txn;
pub mod upstream;
pub mod verify;
pub mod waiting;
pub mod watch;
pub mod writer;

use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::Pool;

pub use self::backend::DatabaseUrl;
use self::backend::{DbConnection, Opener};
use self::ground::GroundCache;
pub use self::raw::insert_raw;
use self::replica::Replica;
use self::txn::{Clock, SyncTxn};
use self::writer::Writer;
use crate::model::schema::{Fault, Registry};

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that we know.
    #[error("a database URL begins with `sqlite:` and a file, or with `postgres://`")]
    Url,
    /// The database cannot be reached.
    #[error("the database cannot be opened: {0}")]
    Connection(String),
    /// The database was made by a newer version of this program.
    #[error(
        "the database was written by a newer version (it has migration {0}, which this program does not know): run that version"
    )]
    Newer(String),
    /// The database has not been set up, or is older than the program.
    #[error("the database lacks {0} migration(s): run `cartagena migrate`")]
    Older(usize),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Migration(String),
    /// What was asked for is not there, or not for the asker.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The request does not fit what stands.
    #[error("{detail}")]
    Refused {
        /// A stable word for programs.
        code: &'static str,
        /// In words, with what to do.
        detail: String,
    },
    /// An edit that cannot be taken as it is; nothing of it is stored.
    #[error("{detail}")]
    NotAccepted {
        /// In words.
        detail: String,
        /// Every fault, with its place.
        faults: Vec<Fault>,
    },
    /// The writer has too much to do or is shutting down.
    #[error("the server cannot take more writes just now: try again")]
    Busy,
    /// The database went away, is full or had to give up for now: nobody's mistake, and another time it may work.
    #[error("the database cannot do this now: {0}")]
    Away(String),
    /// A query failed.
    #[error("the database failed: {0}")]
    Query(diesel::result::Error),
    /// The database holds something that this program did not write.
    #[error("the database holds an unreadable value: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// A refusal with a stable word and an explanation.
    pub fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused { code, detail: detail.into() }
    }
}

impl From<diesel::result::Error> for StoreError {
    fn from(fault: diesel::result::Error) -> Self {
        if backend::will_pass(&fault) { Self::Away(fault.to_string()) } else { Self::Query(fault) }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(fault: serde_json::Error) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

impl From<crate::model::UnknownWord> for StoreError {
    fn from(fault: crate::model::UnknownWord) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

/// A result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The store: one queue of writers, a pool of readers, and perhaps a replica that helps them.
#[derive(Clone)]
pub struct Store {
    url: DatabaseUrl,
    readers: Pool<Opener>,
    replica: Option<Arc<Replica>>,
    writer: Arc<Writer>,
    registry: &'static Registry,
    ground: Arc<GroundCache>,
}

impl Store {
    /// Opens a database that has been migrated.
    ///
    /// # Errors
    /// Where it cannot be reached or its migrations are not this program's.
    pub fn open(url: &DatabaseUrl, registry: &'static Registry, readers: u32) -> Result<Self> {
        let mut connection = url.connect().map_err(|fault| StoreError::Connection(fault.to_string()))?;
        migration::check(&mut connection)?;
        txn::ensure_clock(&mut connection)?;
        let readers = Pool::builder()
            .max_size(readers)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(5))
            .build(Opener(url.clone()))
            .map_err(|fault| StoreError::Connection(fault.to_string()))?;
        let ground = Arc::new(GroundCache::default());
        let writer = Arc::new(Writer::start(url.clone(), connection, registry, Arc::clone(&ground)));
        Ok(Self { url: url.clone(), readers, replica: None, writer, registry, ground })
    }

    /// The store with a streaming replica of its database, which may be away, and so many connections to it.
    ///
    /// # Errors
    /// Where the URL is not PostgreSQL's.
    pub fn with_replica(self, url: &DatabaseUrl, readers: u32) -> Result<Self> {
        Ok(Self { replica: Some(Arc::new(Replica::seek(url, readers)?)), ..self })
    }

    /// The schemas that the store validates with.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// Reads on one snapshot. Blocks: call it off the async threads.
    pub(crate) fn read<T>(&self, body: impl FnOnce(&mut DbConnection) -> Result<T>) -> Result<T> {
        let mut connection = self.readers.get().map_err(|fault| StoreError::Connection(fault.to_string()))?;
        backend::read_transaction(&mut connection, body)
    }

    /// Reads on one snapshot what only the log's order decides – records, versions, conflicts, findings, digests, the
    /// log –, on the replica where it holds everything that is committed now.
    ///
    /// Nothing that changes without moving the clock may be read so: sessions, devices, alarms.
    pub(crate) fn read_feed<T>(&self, body: impl Fn(&mut DbConnection) -> Result<T>) -> Result<T> {
        if let Some(replica) = &self.replica
            && let Some(answer) = replica.read(&self.clock()?, &body)
        {
            return Ok(answer);
        }
        self.read(body)
    }

    /// Reads with one statement, without a transaction around it: what almost every request asks, twice as fast.
    pub(crate) fn read_once<T>(&self, statement: impl FnOnce(&mut DbConnection) -> Result<T>) -> Result<T> {
        let mut connection = self.readers.get().map_err(|fault| StoreError::Connection(fault.to_string()))?;
        statement(&mut connection)
    }

    /// Where the log stands.
    fn clock(&self) -> Result<Clock> {
        self.read_once(txn::read_clock)
    }

    /// Writes through the one door, in a transaction of its own. Blocks: call it off the async threads.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        body: impl FnOnce(&mut SyncTxn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.act(body)
    }

    /// Whether a reader can be had and answers.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn ready(&self) -> Result<()> {
        self.head().map(|_| ())
    }

    /// Finishes what the writer has accepted and takes no more.
    pub fn shut_down(&self) {
        self.writer.shut_down();
    }
}

//! One connection type for both databases, and how connections are opened.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, R2D2Connection};

use super::StoreError;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub(crate) enum DbConnection {
    /// PostgreSQL
    Postgres(PgConnection),
    /// SQLite
    Sqlite(SqliteConnection),
}

/// Expands one query body for whichever database is connected: for what the common dialect lacks
/// (batch insert, `ON CONFLICT`, `RETURNING` a struct).
macro_rules! on_backend {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::store::backend::DbConnection::Postgres($c) => $body,
            $crate::store::backend::DbConnection::Sqlite($c) => $body,
        }
    };
}
pub(super) use on_backend;

/// Which database, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:path/to/file.db`
    Sqlite(String),
    /// `postgres://…`
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = StoreError;

    /// Refuses what it does not know instead of creating a SQLite file of that name.
    fn from_str(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(path.trim_start_matches("//").to_owned())),
            _ => Err(StoreError::Url),
        }
    }
}

impl DatabaseUrl {
    /// Opens one connection and makes it safe: SQLite waits for its turn, syncs every commit to the disk and
    /// keeps foreign keys.
    ///
    /// # Errors
    /// The database's own words, without the URL: it may hold a password.
    pub(crate) fn connect(&self) -> Result<DbConnection, ConnectionError> {
        match self {
            Self::Postgres(url) => Ok(DbConnection::Postgres(PgConnection::establish(url)?)),
            Self::Sqlite(path) => {
                let mut connection = SqliteConnection::establish(path)?;
                connection
                    .batch_execute(
                        "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; \
                         pragma foreign_keys = on; pragma cache_size = -65536; pragma temp_store = memory; \
                         pragma trusted_schema = off;",
                    )
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(DbConnection::Sqlite(connection))
            }
        }
    }
}

/// What the databases say of faults that pass, where Diesel has no kind for them: SQLite's texts are fixed, PostgreSQL's
/// are English unless its `lc_messages` says otherwise – then such a fault is answered as one of ours.
const PASSING: [&str; 14] = [
    "database or disk is full",
    "disk I/O error",
    "database is locked",
    "unable to open database file",
    "No space left on device",
    "could not extend file",
    "terminating connection",
    "the database system is",
    "deadlock detected",
    "canceling statement",
    // What libpq says of a connection that broke under a question.
    "server closed the connection",
    "no connection to the server",
    "data from server",
    "data to server",
];

/// Whether a fault is the database's state and not the query's: a lost connection, a full disk, a turn that did not come.
pub(super) fn will_pass(fault: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind as Kind, Error};
    match fault {
        Error::DatabaseError(
            Kind::ClosedConnection
            | Kind::UnableToSendCommand
            | Kind::SerializationFailure
            | Kind::ReadOnlyTransaction,
            _,
        )
        // The connection broke in an earlier transaction.
        | Error::BrokenTransactionManager
        | Error::AlreadyInTransaction
        | Error::NotInTransaction => true,
        Error::DatabaseError(_, said) => PASSING.iter().any(|words| said.message().contains(words)),
        // Diesel asks for the numbers of types when it first needs them, and says so of any fault that this meets.
        Error::SerializationError(said) | Error::QueryBuilderError(said) => {
            said.to_string().starts_with("Failed to find a type oid")
        }
        Error::RollbackErrorOnCommit { commit_error, .. } => will_pass(commit_error),
        _ => false,
    }
}

/// For how long after it was used a connection is held to be sound. A busy server would else ask for a sign of life before
/// every question, which takes as long as the question.
const SOUND: Duration = Duration::from_secs(1);

/// Hands connections to the pool of readers.
#[derive(Debug, Clone)]
pub(super) struct Opener(pub(super) DatabaseUrl);

/// A connection of the pool, and when it was given back.
pub(super) struct Pooled {
    connection: DbConnection,
    rested_since: Instant,
}

impl Deref for Pooled {
    type Target = DbConnection;

    fn deref(&self) -> &DbConnection {
        &self.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut DbConnection {
        &mut self.connection
    }
}

impl ManageConnection for Opener {
    type Connection = Pooled;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Pooled, r2d2::Error> {
        let mut connection = self.0.connect().map_err(r2d2::Error::ConnectionError)?;
        if let DbConnection::Sqlite(sqlite) = &mut connection {
            // There are many readers, and the system keeps the file in memory for all of them.
            sqlite.batch_execute("pragma cache_size = -8192").map_err(r2d2::Error::QueryError)?;
        }
        Ok(Pooled { connection, rested_since: Instant::now() })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), r2d2::Error> {
        if pooled.rested_since.elapsed() < SOUND {
            return Ok(());
        }
        pooled.connection.ping().map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.rested_since = Instant::now();
        std::thread::panicking() || pooled.connection.is_broken()
    }
}

/// Runs `body` in a writing transaction. SQLite takes its write lock at once: a reader that turns
/// writer half-way cannot wait for it.
pub(super) fn write_transaction<T, E: From<diesel::result::Error>>(
    connection: &mut DbConnection,
    body: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    match connection {
        DbConnection::Postgres(c) => AnsiTransactionManager::begin_transaction(c)?,
        DbConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
    }
    match body(connection) {
        Ok(value) => {
            <DbConnection as TransactionManager<DbConnection>>::commit_transaction(connection)?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one worth telling.
            let _ = <DbConnection as TransactionManager<DbConnection>>::rollback_transaction(connection);
            Err(error)
        }
    }
}

/// Runs `body` on one snapshot of the database.
pub(super) fn read_transaction<T, E: From<diesel::result::Error>>(
    connection: &mut DbConnection,
    body: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    match connection {
        DbConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            c,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )?,
        DbConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction(c)?,
    }
    let result = body(connection);
    <DbConnection as TransactionManager<DbConnection>>::rollback_transaction(connection)?;
    result
}

//! Work that one process at a time may do, however many share the database: PostgreSQL's advisory locks.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::backend::DbConnection;
use super::{Result, Store, StoreError};

define_sql_function! {
    /// Takes a lock of the session, or says that somebody has it.
    fn pg_try_advisory_lock(key: BigInt) -> Bool;
}

define_sql_function! {
    /// Waits for a lock of the session. What it gives is of PostgreSQL's type `void`, which is read as nothing.
    fn pg_advisory_lock(key: BigInt) -> Nullable<Text>;
}

/// Work for one.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// Migrations.
    Migrate,
    /// A camp's passes to its nation: two at once would spend one refresh token twice, which is how theft looks.
    Relay,
}

impl Work {
    /// The lock's number; PostgreSQL counts those of each database by themselves.
    fn key(self) -> i64 {
        match self {
            Self::Migrate => 0x6361_7274_0001,
            Self::Relay => 0x6361_7274_0002,
        }
    }
}

/// The right to do some work. It ends with its value, and with the process.
pub struct Turn {
    /// The lock is the connection's, and ends with it however that ends. SQLite has none: its server is one process.
    _held: Option<DbConnection>,
}

impl Store {
    /// The right to do some work, unless another process is at it.
    pub fn take_turn(&self, work: Work) -> Result<Option<Turn>> {
        let mut connection = self.url.connect().map_err(|fault| StoreError::Connection(fault.to_string()))?;
        let DbConnection::Postgres(held) = &mut connection else { return Ok(Some(Turn { _held: None })) };
        let ours = diesel::select(pg_try_advisory_lock(work.key())).get_result(held)?;
        Ok(if ours { Some(Turn { _held: Some(connection) }) } else { None })
    }
}

/// Waits until this connection is the only one at some work; it is until it is closed.
pub(super) fn await_turn(connection: &mut DbConnection, work: Work) -> Result<()> {
    if let DbConnection::Postgres(connection) = connection {
        diesel::select(pg_advisory_lock(work.key())).execute(connection)?;
    }
    Ok(())
}

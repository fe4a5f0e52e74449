//! The client's own SQLite file.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::error::{ClientError, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/tablet");

/// Opens the file, makes it safe against a flat battery, and brings it up to this program.
pub(super) fn open(path: &Path) -> Result<SqliteConnection> {
    let failed = |fault: &dyn std::fmt::Display| ClientError::Open(fault.to_string());
    let path = path.to_str().ok_or_else(|| failed(&"its path is not UTF-8"))?;
    let mut connection = SqliteConnection::establish(path).map_err(|fault| failed(&fault))?;
    connection
        .batch_execute(
            "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; \
             pragma foreign_keys = on; pragma trusted_schema = off;",
        )
        .map_err(|fault| failed(&fault))?;
    connection.run_pending_migrations(MIGRATIONS).map_err(|fault| failed(&fault))?;
    Ok(connection)
}

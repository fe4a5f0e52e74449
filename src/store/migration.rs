//! Migrations, embedded in the binary.

use diesel::dsl::{select, sql};
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::backend::{DatabaseUrl, DbConnection};
use super::turn::{Work, await_turn};
use super::{Result, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings a database up to this program and says what was run.
///
/// # Errors
/// Where the database is newer than the program, cannot be reached, or a migration fails.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>> {
    let mut connection = url.connect().map_err(|fault| StoreError::Connection(fault.to_string()))?;
    // Processes that are started together meet here first.
    await_turn(&mut connection, Work::Migrate)?;
    refuse_newer(&mut connection)?;
    let failed = |fault: Box<dyn std::error::Error + Send + Sync>| StoreError::Migration(fault.to_string());
    let names = |run: Vec<MigrationVersion<'_>>| run.iter().map(ToString::to_string).collect();
    match &mut connection {
        DbConnection::Postgres(c) => c.run_pending_migrations(POSTGRES).map(names).map_err(failed),
        DbConnection::Sqlite(c) => c.run_pending_migrations(SQLITE).map(names).map_err(failed),
    }
}

/// Refuses a database whose migrations are not exactly this program's. Writes nothing.
///
/// # Errors
/// `Newer` or `Older`.
pub(crate) fn check(connection: &mut DbConnection) -> Result<()> {
    // Diesel makes its table when it is asked what was applied.
    if !is_begun(connection)? {
        return Err(StoreError::Older(known(connection)?.len()));
    }
    refuse_newer(connection)?;
    let applied = applied(connection)?.len();
    let known = known(connection)?.len();
    if applied < known { Err(StoreError::Older(known - applied)) } else { Ok(()) }
}

fn is_begun(connection: &mut DbConnection) -> Result<bool> {
    let there = match connection {
        DbConnection::Postgres(c) => {
            select(sql::<Bool>("to_regclass('__diesel_schema_migrations') is not null")).get_result(c)
        }
        DbConnection::Sqlite(c) => select(sql::<Bool>(
            "exists (select 1 from sqlite_master where name = '__diesel_schema_migrations')",
        ))
        .get_result(c),
    };
    Ok(there?)
}

fn refuse_newer(connection: &mut DbConnection) -> Result<()> {
    let known = known(connection)?;
    match applied(connection)?.into_iter().find(|version| !known.contains(version)) {
        Some(version) => Err(StoreError::Newer(version)),
        None => Ok(()),
    }
}

fn applied(connection: &mut DbConnection) -> Result<Vec<String>> {
    let versions = match connection {
        DbConnection::Postgres(c) => c.applied_migrations(),
        DbConnection::Sqlite(c) => c.applied_migrations(),
    };
    let versions = versions.map_err(|fault| StoreError::Migration(fault.to_string()))?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

fn known(connection: &DbConnection) -> Result<Vec<String>> {
    fn versions<DB: diesel::backend::Backend>(
        migrations: diesel::migration::Result<Vec<Box<dyn Migration<DB>>>>,
    ) -> Result<Vec<String>> {
        let migrations = migrations.map_err(|fault| StoreError::Migration(fault.to_string()))?;
        Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
    }
    match connection {
        DbConnection::Postgres(_) => versions::<diesel::pg::Pg>(POSTGRES.migrations()),
        DbConnection::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(SQLITE.migrations()),
    }
}

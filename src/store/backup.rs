//! Copies of a database, and databases that were restored from one.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::backend::DbConnection;
use super::{Result, Store, StoreError};

impl Store {
    /// Copies an SQLite database into a new file while it is being written to: what had been committed when the copy
    /// began, in one piece.
    ///
    /// # Errors
    /// `Refused` where the database is PostgreSQL, which has tools of its own; where the file cannot be written.
    pub fn copy_into(&self, file: &Path) -> Result<()> {
        let mut connection = self.readers.get().map_err(|fault| StoreError::Connection(fault.to_string()))?;
        match &mut **connection {
            DbConnection::Postgres(_) => Err(StoreError::refused(
                "postgres",
                "this database is PostgreSQL's: copy it with `pg_dump --format=custom`, together with the folder `keys`; \
                 bring it back with `pg_restore` and then run `cartagena restore` without a folder",
            )),
            DbConnection::Sqlite(connection) => {
                diesel::sql_query("vacuum into ?")
                    .bind::<Text, _>(file.to_string_lossy())
                    .execute(connection)?;
                Ok(())
            }
        }
    }

    /// Begins a new epoch because this database was brought back from a copy: tablets push again what the copy lacks.
    pub fn begin_epoch(&self) -> Result<()> {
        self.write(|txn| {
            txn.renew_epoch()?;
            Ok(())
        })
    }
}

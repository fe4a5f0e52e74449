//! The yardstick of `cartagena bench`: the same bytes inserted in the same batches with the same care for the disk,
//! and nothing else.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::backend::{DatabaseUrl, on_backend, write_transaction};
use super::{Result, StoreError};

diesel::table! {
    bench_raw (seq) {
        seq -> BigInt,
        body -> Binary,
    }
}

/// Inserts `bodies` in batches, one transaction each, into a table of its own that is dropped again; gives the time.
///
/// # Errors
/// Where the database cannot be reached or written.
pub fn insert_raw(url: &DatabaseUrl, bodies: &[Vec<u8>], batch: usize) -> Result<Duration> {
    let mut connection = url.connect().map_err(|fault| StoreError::Connection(fault.to_string()))?;
    let blob = match url {
        DatabaseUrl::Sqlite(_) => "blob",
        DatabaseUrl::Postgres(_) => "bytea",
    };
    connection.batch_execute("drop table if exists bench_raw")?;
    connection.batch_execute(&format!(
        "create table bench_raw (seq bigint not null primary key, body {blob} not null)"
    ))?;
    let begun = Instant::now();
    let mut seq = 0_i64;
    for bodies in bodies.chunks(batch) {
        let rows: Vec<_> = bodies
            .iter()
            .map(|body| {
                seq += 1;
                (bench_raw::seq.eq(seq), bench_raw::body.eq(body))
            })
            .collect();
        write_transaction::<_, StoreError>(&mut connection, |connection| {
            on_backend!(connection, |c| diesel::insert_into(bench_raw::table).values(&rows).execute(c))?;
            Ok(())
        })?;
    }
    let taken = begun.elapsed();
    connection.batch_execute("drop table bench_raw")?;
    Ok(taken)
}

//! Integration tests over real HTTP, on both databases: one file for each promise.
//!
//! SQLite needs nothing. PostgreSQL comes from `CARTAGENA_TEST_POSTGRES_URL` (somebody who may create databases) or,
//! without it, from a private cluster that is started once and ends with the tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod access;
mod attachment;
mod blob;
mod body;
mod browser;
mod bundle;
mod claim;
mod command;
mod conflict;
mod console;
mod export;
mod fault;
mod feed;
mod figures;
mod formats;
mod harness;
mod idempotency;
mod import;
mod ledger;
mod network;
mod offline;
mod ogc;
mod openapi;
mod photo;
mod quarantine;
mod relay;
mod review;
mod round_trip;
mod schema;
mod session;
mod several;
mod sight;
mod tus;
mod waiting;

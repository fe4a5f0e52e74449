//! Cartagena: the record-keeping backend of a mine-clearance programme.
//!
//! The map of the house; arrows go down only, and the pure rooms know neither the database nor the web.
//!
//! - [`cli`] – the command line
//! - [`demo`] – the constructed programme of `cartagena demo`
//! - [`http`] – the web: one file per resource, and the console that is built from `web/`
//! - [`report`] – the live books and the figures that people hand in
//! - [`relay`] – a camp server's way to its nation
//! - [`bundle`] – the log as a file, for a stick
//! - [`client`] – the offline client: a tablet's file, its outbox, its way to a server
//! - [`exchange`] – what a server answers to devices, whatever carries the bytes
//! - [`arrival`] – how attachments come in, whatever carries the bytes
//! - [`auth`] – who somebody is and what they may do
//! - [`import`] – files of features become records
//! - [`export`] – features become files that other programs open
//! - [`store`] – the database: the only place that knows Diesel, with one door for writers
//! - [`programme`] – what a country sets: its ground, its units, its treaty dates, its rules of counting
//! - [`blob`] – the bytes of attachments: uploads in parts, whole files, thumbnails
//! - [`sync`] – pure: the rules by which edits are taken, merged, parked and compared
//! - [`ogc`] – pure: collections, filters, reference systems and pages of OGC API – Features
//! - [`tile`] – pure: vector tiles, found, thinned, cut and written
//! - [`treaty`] – pure: entry into force, deadlines, extensions, reporting dates
//! - [`ledger`] – pure: overlay into disjoint pieces, balance, forecast
//! - [`geometry`] – pure: outlines, validity and repair, geodesic measures, exact overlay
//! - [`planted`] – faults that tests plant to see that they are found
//! - [`model`] – what is recorded: kinds, records, mutations; plain types that know nothing else

pub mod arrival;
pub mod auth;
pub mod blob;
pub mod bundle;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod exchange;
pub mod export;
pub mod geometry;
pub mod http;
pub mod import;
pub mod ledger;
pub mod model;
pub mod ogc;
pub mod planted;
pub mod programme;
pub mod relay;
pub mod report;
pub mod store;
pub mod sync;
pub mod tile;
pub mod treaty;

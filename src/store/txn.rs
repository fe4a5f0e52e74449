//! The one door for writers: a transaction that can only be had by locking the clock (docs/sync.md §5).
//!
//! What it writes is gathered and goes to the database in a few large statements at the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::backend::{DbConnection, on_backend, write_transaction};
use super::column::{Document, Id, Instant};
use super::ground::GroundCache;
use super::quality::{self, Findings};
use super::rebase::Rebase;
use super::row::{Head, LogRow, Shapes, VersionRow};
use super::schema::{finding, link, log, pending, record, sync_clock, version};
use super::scope::{Scope, read_digest, write_digest};
use super::{Result, membership, watch};
use crate::model::Record;
use crate::model::schema::Registry;
use crate::planted::{Fault, is_planted};
use crate::sync::memory::Known;

/// What stands before the first entry of a log.
pub(super) const GENESIS: [u8; 32] = [0; 32];

/// SQLite allows 32 766 bind variables in a statement; the widest row has 25 columns.
pub(super) const ROWS_PER_STATEMENT: usize = 1_000;

/// Where the log stands.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) epoch: Uuid,
    pub(super) seq: i64,
    pub(super) head_hash: Vec<u8>,
    pub(super) server_device: Uuid,
    pub(super) server_seq: i64,
    /// Whether this server is a camp that follows a national server.
    pub(super) follows: bool,
}

pub(super) type ClockRow = (Id, i64, Vec<u8>, Id, i64, bool);

impl Clock {
    pub(super) fn of((epoch, seq, head_hash, server_device, server_seq, follows): ClockRow) -> Self {
        Self { epoch: epoch.0, seq, head_hash, server_device: server_device.0, server_seq, follows }
    }
}

/// What has been looked up, so that no row is read twice in a transaction. `None`: known not to be there.
#[derive(Default)]
pub(super) struct Cache {
    pub(super) known: HashMap<Uuid, Option<Known>>,
    pub(super) numbered: HashMap<(Uuid, i64), Option<Uuid>>,
    pub(super) heads: HashMap<Uuid, Option<Head>>,
    pub(super) versions: HashMap<Uuid, Option<Record>>,
    pub(super) waiting: Option<HashSet<String>>,
    pub(super) shapes: Shapes,
    pub(super) findings: Findings,
}

/// What will be written at the end.
#[derive(Default)]
pub(super) struct Buffer {
    pub(super) log: Vec<LogRow>,
    pub(super) versions: Vec<VersionRow>,
    pub(super) changed: BTreeMap<Uuid, Changed>,
    /// Records that are here no longer, as they were: made at a camp, and not taken by the nation.
    pub(super) gone: Vec<Head>,
    /// Mutations that a national server does not have yet, with their places in this log.
    pub(super) pending: Vec<(Id, i64)>,
}

/// A record that the transaction changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    /// The version it had before, if it was there.
    pub(super) before: Option<Uuid>,
    /// Whether its fields changed, and not only its stage or contest.
    pub(super) content: bool,
    /// Whether conflicts about it were opened or settled.
    pub(super) contest: bool,
}

impl Changed {
    /// A change of a record that stood at a version before.
    pub(super) fn from(before: Option<Uuid>) -> Self {
        Self { before, content: false, contest: false }
    }
}

/// A writing transaction that holds the clock.
pub struct SyncTxn<'c> {
    pub(super) connection: &'c mut DbConnection,
    pub(super) registry: &'c Registry,
    pub(super) ground: &'c GroundCache,
    pub(super) clock: Clock,
    pub(super) now: Instant,
    pub(super) skew_ms: Option<i64>,
    pub(super) cache: Cache,
    pub(super) buffer: Buffer,
    /// On a camp, while it lays its edits on what the nation tells.
    pub(super) rebase: Option<Rebase>,
}

impl<'c> SyncTxn<'c> {
    /// Runs `body` under the locked clock and commits what it wrote.
    pub(super) fn run<T>(
        connection: &'c mut DbConnection,
        registry: &'c Registry,
        ground: &'c GroundCache,
        body: impl FnOnce(&mut SyncTxn<'_>) -> Result<T>,
    ) -> Result<T> {
        write_transaction(connection, |connection| {
            let clock = lock_clock(connection)?;
            let mut txn = SyncTxn {
                connection,
                registry,
                ground,
                clock,
                now: Instant::now(),
                skew_ms: None,
                cache: Cache::default(),
                buffer: Buffer::default(),
                rebase: None,
            };
            let before = txn.clock.seq;
            let value = body(&mut txn)?;
            txn.flush()?;
            if txn.clock.seq > before {
                watch::announce(txn.connection)?;
            }
            Ok(value)
        })
    }

    /// Now, as this transaction has it.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.now.0
    }

    /// The place of the newest entry.
    pub fn seq(&self) -> i64 {
        self.clock.seq
    }

    /// The number of the next edit that is made on this server itself, and the server as a device.
    pub(super) fn own_number(&mut self) -> (Uuid, i64) {
        self.clock.server_seq += 1;
        (self.clock.server_device, self.clock.server_seq)
    }

    /// Appends to the log's chain: `SHA-256(previous ‖ seq ‖ body ‖ outcome)`.
    pub(super) fn append(&mut self, mut row: LogRow) -> i64 {
        self.clock.seq += 1;
        row.seq = self.clock.seq;
        row.entry_hash = chain(&self.clock.head_hash, row.seq, &row.body, &row.outcome);
        self.clock.head_hash.clone_from(&row.entry_hash);
        self.buffer.log.push(row);
        self.clock.seq
    }

    /// Puts a security-relevant act on record. `what` says it without personal data or secrets.
    pub(super) fn act(&mut self, act: &str, subject: Uuid, actor: Option<Uuid>, what: &Value) -> i64 {
        let row = LogRow {
            seq: 0,
            entry: "act".to_owned(),
            subject: Id(subject),
            device_id: None,
            device_seq: None,
            record_id: None,
            outcome: act.to_owned(),
            answer: Document(Value::Null),
            actor: actor.map(Id),
            received_at: self.now,
            skew_ms: None,
            body: what.to_string().into_bytes(),
            entry_hash: Vec::new(),
            role: None,
            organisation: None,
        };
        self.append(row)
    }

    /// Begins a new epoch: cursors and acknowledgements of the old one no longer hold.
    pub(super) fn renew_epoch(&mut self) -> Result<()> {
        if is_planted(Fault::NoEpochOnRestore) {
            return Ok(());
        }
        let old = std::mem::replace(&mut self.clock.epoch, Uuid::new_v4());
        let epoch = self.clock.epoch;
        // Its own numbers went back with it: it goes on as another device.
        self.clock.server_device = Uuid::new_v4();
        self.clock.server_seq = 0;
        self.act("epoch_renewed", epoch, None, &serde_json::json!({"from": old, "to": epoch}));
        diesel::update(sync_clock::table)
            .set((
                sync_clock::epoch.eq(Id(epoch)),
                sync_clock::server_device.eq(Id(self.clock.server_device)),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        for rows in buffer.log.chunks(ROWS_PER_STATEMENT) {
            on_backend!(&mut *self.connection, |c| diesel::insert_into(log::table).values(rows).execute(c))?;
        }
        for rows in buffer.versions.chunks(ROWS_PER_STATEMENT) {
            on_backend!(&mut *self.connection, |c| {
                diesel::insert_into(version::table).values(rows).execute(c)
            })?;
        }
        for rows in buffer.pending.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<_> =
                rows.iter().map(|(id, seq)| (pending::mutation_id.eq(id), pending::seq.eq(seq))).collect();
            on_backend!(&mut *self.connection, |c| {
                diesel::insert_into(pending::table).values(rows).execute(c)
            })?;
        }
        for gone in &buffer.gone {
            self.forget(gone)?;
        }
        if !buffer.changed.is_empty() {
            self.flush_records(&buffer.changed)?;
            self.flush_digests(&buffer.changed)?;
            membership::update(self, &buffer.changed)?;
            quality::update(self, &buffer.changed)?;
        }
        let clock = &self.clock;
        diesel::update(sync_clock::table)
            .set((
                sync_clock::seq.eq(clock.seq),
                sync_clock::head_hash.eq(&clock.head_hash),
                sync_clock::server_seq.eq(clock.server_seq),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    fn flush_records(&mut self, changed: &BTreeMap<Uuid, Changed>) -> Result<()> {
        use diesel::upsert::excluded;

        let mut rows = Vec::with_capacity(changed.len());
        let mut links = Vec::new();
        for id in changed.keys() {
            let head = self.changed_head(*id);
            rows.push(head.row(tier_of(self.registry, &head.record)));
            if !changed[id].content {
                continue;
            }
            links.extend(links_of(self.registry, &head.record));
        }
        for rows in rows.chunks(ROWS_PER_STATEMENT) {
            on_backend!(&mut *self.connection, |c| {
                diesel::insert_into(record::table)
                    .values(rows)
                    .on_conflict(record::record_id)
                    .do_update()
                    .set((
                        record::version.eq(excluded(record::version)),
                        record::official.eq(excluded(record::official)),
                        record::author.eq(excluded(record::author)),
                        record::stage.eq(excluded(record::stage)),
                        record::retired.eq(excluded(record::retired)),
                        record::contested.eq(excluded(record::contested)),
                        record::seq.eq(excluded(record::seq)),
                        record::hands.eq(excluded(record::hands)),
                    ))
                    .execute(c)
            })?;
        }
        if is_planted(Fault::HardDelete) {
            diesel::delete(record::table.filter(record::retired.eq(true))).execute(self.connection)?;
        }
        let before: Vec<Id> = changed
            .iter()
            .filter(|(_, was)| was.before.is_some() && was.content)
            .map(|(id, _)| Id(*id))
            .collect();
        for ids in before.chunks(ROWS_PER_STATEMENT) {
            diesel::delete(link::table.filter(link::from_id.eq_any(ids))).execute(self.connection)?;
            diesel::delete(finding::table.filter(finding::record_id.eq_any(ids))).execute(self.connection)?;
        }
        for rows in links.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<_> = rows
                .iter()
                .map(|(from, field, to)| {
                    (link::from_id.eq(Id(*from)), link::field.eq(field), link::to_id.eq(Id(*to)))
                })
                .collect();
            on_backend!(&mut *self.connection, |c| {
                diesel::insert_into(link::table).values(rows).on_conflict_do_nothing().execute(c)
            })?;
        }
        Ok(())
    }

    fn flush_digests(&mut self, changed: &BTreeMap<Uuid, Changed>) -> Result<()> {
        let mut scopes: BTreeMap<String, Vec<(Uuid, Changed, Uuid)>> = BTreeMap::new();
        for (id, was) in changed {
            let head = self.changed_head(*id);
            let mut put = |scope: String| {
                scopes.entry(scope).or_default().push((*id, *was, head.record.version));
            };
            put(Scope::Everything.key());
            if tier_of(self.registry, &head.record) < PERSONAL {
                put(Scope::Content.key());
                put(Scope::Organisation(head.record.organisation).key());
            }
        }
        for (scope, records) in scopes {
            let mut digest = read_digest(self.connection, &scope)?;
            for (id, was, version) in records {
                if let Some(before) = was.before {
                    digest.remove(id, before);
                }
                digest.add(id, version);
            }
            write_digest(self.connection, &scope, digest)?;
        }
        Ok(())
    }

    /// The head of a record that this transaction has changed.
    pub(super) fn changed_head(&self, id: Uuid) -> &Head {
        self.cache.heads.get(&id).and_then(Option::as_ref).expect("a changed record's head is in the cache")
    }
}

/// Personal records (tier 3) are in no scope but everything.
pub(super) const PERSONAL: i16 = 3;

/// The tier of a record's kind.
pub(super) fn tier_of(registry: &Registry, record: &Record) -> i16 {
    registry.latest(&record.kind).map_or(PERSONAL, |schema| i16::from(schema.tier()))
}

/// The next hash of the log's chain.
pub(super) fn chain(previous: &[u8], seq: i64, body: &[u8], outcome: &str) -> Vec<u8> {
    Sha256::new()
        .chain_update(previous)
        .chain_update(seq.to_be_bytes())
        .chain_update(body)
        .chain_update(outcome.as_bytes())
        .finalize()
        .to_vec()
}

/// Everything that a record's reference fields point at.
fn links_of(registry: &Registry, record: &Record) -> Vec<(Uuid, String, Uuid)> {
    let Some(schema) = registry.latest(&record.kind) else { return Vec::new() };
    record
        .properties
        .iter()
        .flat_map(|(field, value)| {
            schema.references(field, value).into_iter().map(|to| (record.id, field.clone(), to))
        })
        .collect()
}

/// The columns of a [`ClockRow`].
pub(super) const CLOCK: (
    sync_clock::epoch,
    sync_clock::seq,
    sync_clock::head_hash,
    sync_clock::server_device,
    sync_clock::server_seq,
    sync_clock::follows,
) = (
    sync_clock::epoch,
    sync_clock::seq,
    sync_clock::head_hash,
    sync_clock::server_device,
    sync_clock::server_seq,
    sync_clock::follows,
);

/// Where the log stands, in this snapshot.
pub(super) fn read_clock(connection: &mut DbConnection) -> Result<Clock> {
    Ok(Clock::of(sync_clock::table.select(CLOCK).first::<ClockRow>(connection)?))
}

/// Locks the clock. SQLite's `BEGIN IMMEDIATE` has done it already.
fn lock_clock(connection: &mut DbConnection) -> Result<Clock> {
    let query = sync_clock::table.select(CLOCK);
    let row: ClockRow = match connection {
        DbConnection::Postgres(c) => query.for_update().first(c)?,
        DbConnection::Sqlite(c) => query.first(c)?,
    };
    Ok(Clock::of(row))
}

/// Makes the clock of a new database: its epoch begins.
pub(super) fn ensure_clock(connection: &mut DbConnection) -> Result<()> {
    let row = (
        sync_clock::id.eq(1_i16),
        sync_clock::epoch.eq(Id(Uuid::new_v4())),
        sync_clock::seq.eq(0_i64),
        sync_clock::head_hash.eq(GENESIS.to_vec()),
        sync_clock::server_device.eq(Id(Uuid::new_v4())),
        sync_clock::server_seq.eq(0_i64),
    );
    on_backend!(connection, |c| {
        diesel::insert_into(sync_clock::table).values(row).on_conflict_do_nothing().execute(c)
    })?;
    Ok(())
}

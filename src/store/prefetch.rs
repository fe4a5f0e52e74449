//! Reads, in a few statements, what the mutations of a batch will ask about.

use std::collections::HashSet;

use diesel::prelude::*;
use uuid::Uuid;

use super::Result;
use super::column::{Document, Id};
use super::row::{Head, RecordRow, VersionRow};
use super::schema::{log, record, version};
use super::txn::SyncTxn;
use crate::model::{Hash, Record};
use crate::sync::memory::{Known, Received};

/// Bind variables in one statement.
const IDS_PER_STATEMENT: usize = 5_000;

/// Reads what the batch will ask about into the transaction's cache.
pub(super) fn batch(txn: &mut SyncTxn<'_>, batch: &[&Received]) -> Result<()> {
    let ids: Vec<Uuid> = batch.iter().map(|received| received.id()).collect();
    known(txn, &ids)?;
    let devices: HashSet<Uuid> = batch.iter().map(|received| received.device).collect();
    for device in devices {
        let numbers: Vec<i64> = batch
            .iter()
            .filter(|received| received.device == device)
            .map(|received| received.mutation.device_seq)
            .collect();
        numbered(txn, device, &numbers)?;
    }
    let mut records: HashSet<Uuid> = HashSet::new();
    for received in batch {
        let mutation = &received.mutation;
        records.insert(mutation.record_id);
        if let Some(schema) = txn.registry.schema(&mutation.kind, mutation.schema) {
            let values =
                mutation.changes.iter().filter_map(|(name, change)| Some((name, change.to.as_ref()?)));
            records.extend(values.flat_map(|(name, to)| schema.references(name, to)));
        }
    }
    heads(txn, &records.into_iter().collect::<Vec<_>>())?;
    let bases: Vec<Uuid> = batch
        .iter()
        .filter_map(|received| received.mutation.base_version)
        .filter(|base| !txn.cache.versions.contains_key(base) && !ids.contains(base))
        .collect();
    versions(txn, &bases)
}

/// Which of these mutations are stored.
pub(super) fn known(txn: &mut SyncTxn<'_>, ids: &[Uuid]) -> Result<()> {
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let rows: Vec<(Id, Document, Vec<u8>)> = log::table
            .filter(log::entry.eq("mutation"))
            .filter(log::subject.eq_any(ids.iter().copied().map(Id)))
            .select((log::subject, log::answer, log::body))
            .load(txn.connection)?;
        txn.cache.known.extend(ids.iter().map(|id| (*id, None)));
        for (id, answer, body) in rows {
            let known = Known { answer: answer.read()?, bytes: Hash::of_bytes(&body) };
            txn.cache.known.insert(id.0, Some(known));
        }
    }
    Ok(())
}

/// Which mutations have these numbers on a device.
pub(super) fn numbered(txn: &mut SyncTxn<'_>, device: Uuid, numbers: &[i64]) -> Result<()> {
    for numbers in numbers.chunks(IDS_PER_STATEMENT) {
        let rows: Vec<(Option<i64>, Id)> = log::table
            .filter(log::device_id.eq(Id(device)))
            .filter(log::device_seq.eq_any(numbers.iter().copied().map(Some)))
            .order(log::seq.desc())
            .select((log::device_seq, log::subject))
            .load(txn.connection)?;
        txn.cache.numbered.extend(numbers.iter().map(|number| ((device, *number), None)));
        for (number, id) in rows {
            txn.cache.numbered.insert((device, number.unwrap_or_default()), Some(id.0));
        }
    }
    Ok(())
}

/// The heads of these records, and with them the versions that they stand at.
pub(super) fn heads(txn: &mut SyncTxn<'_>, ids: &[Uuid]) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().filter(|id| !txn.cache.heads.contains_key(id)).copied().collect();
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let rows: Vec<(RecordRow, VersionRow)> = record::table
            .inner_join(version::table.on(version::version_id.eq(record::version)))
            .filter(record::record_id.eq_any(ids.iter().copied().map(Id)))
            .select((RecordRow::as_select(), VersionRow::as_select()))
            .load(txn.connection)?;
        txn.cache.heads.extend(ids.iter().map(|id| (*id, None)));
        for (row, version) in rows {
            let head = Head::of(row, version)?;
            txn.cache.versions.insert(head.record.version, Some(head.record.clone()));
            txn.cache.heads.insert(head.record.id, Some(head));
        }
    }
    Ok(())
}

/// These versions, on whatever line.
pub(super) fn versions(txn: &mut SyncTxn<'_>, ids: &[Uuid]) -> Result<()> {
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let rows = txn.version_rows(&ids.iter().copied().map(Id).collect::<Vec<_>>())?;
        txn.cache.versions.extend(ids.iter().map(|id| (*id, None)));
        for row in rows {
            let id = row.version_id.0;
            let record: Record = row.into_record()?;
            txn.cache.versions.insert(id, Some(record));
        }
    }
    Ok(())
}

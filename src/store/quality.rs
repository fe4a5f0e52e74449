//! Findings of the quality rules: worked out when a record's head moves, kept with the record.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::backend::on_backend;
use super::column::Id;
use super::ground::Ground;
use super::schema::{finding, link, record};
use super::txn::{Changed, SyncTxn};
use super::{Result, Store};
use crate::model::quality::{self, Context, Finding, View};
use crate::model::{Op, Record};
use crate::sync::memory::Received;
use crate::sync::merge;

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

/// Findings in records that are being made, worked out before the writer's turn comes.
pub(super) type Findings = HashMap<Uuid, Vec<Finding>>;

/// Finds anew what is wrong with the records whose fields the transaction changed; their old findings are gone.
pub(super) fn update(txn: &mut SyncTxn<'_>, changed: &BTreeMap<Uuid, Changed>) -> Result<()> {
    let mut rows = Vec::new();
    for id in changed.iter().filter(|(_, was)| was.content).map(|(id, _)| *id) {
        let head = txn.changed_head(id);
        let (seq, version) = (head.seq, head.record.version);
        let findings = match txn.cache.findings.remove(&version) {
            Some(findings) => findings,
            None => inspect(txn, id)?,
        };
        rows.extend(findings.into_iter().map(|found| {
            (
                finding::record_id.eq(Id(id)),
                finding::rule.eq(found.rule),
                finding::pointer.eq(found.pointer),
                finding::severity.eq(found.severity.as_str()),
                finding::message.eq(found.message),
                finding::seq.eq(seq),
            )
        }));
    }
    for rows in rows.chunks(1_000) {
        on_backend!(&mut *txn.connection, |c| diesel::insert_into(finding::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// Looks at a record with all that the database knows beside it.
pub(super) fn inspect(txn: &mut SyncTxn<'_>, id: Uuid) -> Result<Vec<Finding>> {
    let ground = txn.ground.current(txn.connection)?;
    let head = txn.changed_head(id).clone();
    let closed = matches!(head.record.field("status").as_str(), Some("closed" | "released"));
    let has_release = if closed && head.record.kind == "hazardous_area" {
        let releases: i64 = link::table
            .inner_join(record::table.on(record::record_id.eq(link::from_id)))
            .filter(link::to_id.eq(Id(id)))
            .filter(record::kind.eq("land_release"))
            .filter(record::retired.eq(false))
            .filter(record::official.is_not_null())
            .count()
            .get_result(txn.connection)?;
        Some(releases > 0)
    } else {
        None
    };
    let area = head.shape.as_ref().map(|shape| shape.area_m2);
    Ok(look(
        &head.record.kind,
        &head.record.properties,
        head.record.geometry.as_ref(),
        area,
        has_release,
        &ground,
    ))
}

/// Looks at a record that is being made, with what can be known of it outside the writer.
pub(super) fn look_at_new(
    received: &Received,
    area_m2: Option<f64>,
    ground: &Ground,
) -> Option<Vec<Finding>> {
    let mutation = &received.mutation;
    let closed = mutation.changes.get("status").and_then(|change| change.to.as_ref()?.as_str());
    if mutation.op != Op::Create || matches!(closed, Some("closed" | "released")) {
        return None;
    }
    let blank = Record::blank(mutation.record_id, &mutation.kind, mutation.schema, Uuid::nil(), Uuid::nil());
    let made = merge::intended(&blank, mutation, None);
    Some(look(&made.kind, &made.properties, made.geometry.as_ref(), area_m2, None, ground))
}

fn look(
    kind: &str,
    properties: &Map<String, Value>,
    geometry: Option<&Value>,
    area_m2: Option<f64>,
    has_release: Option<bool>,
    ground: &Ground,
) -> Vec<Finding> {
    let context = Context {
        country: ground.country,
        admin_areas: &ground.admin_areas,
        calculated_area_m2: area_m2,
        has_release,
        ..Context::new(chrono::Utc::now().date_naive())
    };
    quality::check(&View { kind, properties, geometry }, &context)
}

impl Store {
    /// Findings, in the log's order.
    pub fn list_findings(&self, query: &FindingQuery) -> Result<Vec<StoredFinding>> {
        type Row = (Id, String, Id, String, String, String, String, i64);
        let rows: Vec<Row> = self.read_feed(|connection| {
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

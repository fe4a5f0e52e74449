//! What a client shows: the server's state with the client's own edits laid on it (sync.md §6).

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;
use uuid::Uuid;

use super::error::Result;
use super::outbox;
use super::schema::record;
use super::session::Session;
use crate::model::record::Feature;
use crate::model::schema::Registry;
use crate::model::{Mutation, Record};
use crate::sync::rebase::rebase;

/// A record as its author should see it.
#[derive(Debug, Clone)]
pub struct View {
    /// The record with this client's edits on it.
    pub record: Record,
    /// The place in the server's log of the state beneath; nothing where the server has told none.
    pub seq: Option<i64>,
    /// How many of this client's edits are laid on it.
    pub pending: usize,
    /// The outlines of a contested record's other candidates.
    pub candidates: Vec<Value>,
}

/// One record.
pub(super) fn record(
    connection: &mut SqliteConnection,
    registry: &Registry,
    session: &Session,
    id: Uuid,
) -> Result<Option<View>> {
    let told: Option<String> =
        record::table.find(id.to_string()).select(record::feature).first(connection).optional()?;
    let told = told.as_deref().map(serde_json::from_str).transpose()?;
    let pending = outbox::replayed(connection, Some(id))?;
    lay(told, &pending, registry, session)
}

/// Every record, or those of one kind, by id. Retired ones are there and say so.
pub(super) fn records(
    connection: &mut SqliteConnection,
    registry: &Registry,
    session: &Session,
    kind: Option<&str>,
) -> Result<Vec<View>> {
    let mut query = record::table.select(record::feature).into_boxed();
    if let Some(kind) = kind {
        query = query.filter(record::kind.eq(kind));
    }
    let told: Vec<String> = query.load(connection)?;
    let mut both: BTreeMap<Uuid, (Option<Feature>, Vec<Mutation>)> = BTreeMap::new();
    for text in told {
        let feature: Feature = serde_json::from_str(&text)?;
        both.insert(feature.id, (Some(feature), Vec::new()));
    }
    for mutation in outbox::replayed(connection, None)? {
        if kind.is_none_or(|kind| kind == mutation.kind) {
            both.entry(mutation.record_id).or_default().1.push(mutation);
        }
    }
    let views = both.into_values().map(|(told, pending)| lay(told, &pending, registry, session));
    views.filter_map(Result::transpose).collect()
}

fn lay(
    told: Option<Feature>,
    pending: &[Mutation],
    registry: &Registry,
    session: &Session,
) -> Result<Option<View>> {
    let seq = told.as_ref().map(|feature| feature.seq);
    let candidates = told.as_ref().map(|feature| feature.candidates.clone()).unwrap_or_default();
    let state = rebase(told.map(Feature::into_record), pending, registry, &session.actor()?);
    Ok(state.map(|record| View { record, seq, pending: pending.len(), candidates }))
}

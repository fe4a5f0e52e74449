//! What an earlier run has already brought.

use std::collections::BTreeMap;

use serde_json::Value;

use super::identity;
use super::ours::{self, Ours};
use super::take::{Job, Prepared, words_of};
use crate::model::mutation::GEOMETRY;
use crate::model::record::Feature as Record;
use crate::model::role::{Drafts, Sight};
use crate::model::{Change, Hash};
use crate::ogc::collection::Collection;
use crate::store::{Result, Store, StoreError};
use crate::sync::merge::REFERENCE;

/// What is known of a feature.
pub(super) enum Known {
    /// Nothing.
    No,
    /// It is this record already, in the same words.
    Same(Box<Record>),
    /// It is this record already, in other words, and which fields they are.
    Differs(Box<Record>, String),
    /// It is a record of this server, exported and come back.
    Ours(Box<Record>, Ours),
}

/// Looks for the record that a feature is. Nothing is written over it: people may have worked on it since, and which
/// of the two is right is not for a program to say.
pub(super) fn look(
    store: &Store,
    job: &Job<'_>,
    collections: &[Collection],
    prepared: &Prepared,
) -> Result<Known> {
    let identity = &prepared.identity;
    for own in &identity.own {
        let found = find(store, prepared, *own)?;
        if let Some(record) = found.filter(|record| record.kind == prepared.mutation.kind) {
            let ours = ours::look(store, job, collections, &record, prepared)?;
            return Ok(Known::Ours(record, ours));
        }
    }
    let mut found = None;
    // An earlier run may have taken its id as it is spelt, or not have known of it.
    for id in [Some(identity.record), identity.as_spelt, Some(identity.by_content)].into_iter().flatten() {
        if found.is_none() {
            found = find(store, prepared, id)?;
        }
    }
    let Some(record) = found else { return by_another_name(store, job, prepared) };
    if record.version == prepared.mutation.mutation_id
        || is_known(store.find_mutation(prepared.mutation.mutation_id))?
    {
        return Ok(Known::Same(record));
    }
    Ok(match difference(&record, &prepared.mutation.changes) {
        None => Known::Same(record),
        Some(what) => Known::Differs(record, what),
    })
}

/// The record that an earlier run knew by another id: of the very same words, or on the very same ground. The id alone is
/// no proof, because two sources may number alike.
fn by_another_name(store: &Store, job: &Job<'_>, prepared: &Prepared) -> Result<Known> {
    let changes = &prepared.mutation.changes;
    let words = words_of(changes);
    for other in &prepared.identity.others {
        let Some(record) = find(store, prepared, *other)? else { continue };
        if is_known(store.find_mutation(identity::edit(*other, &words)))? {
            return Ok(Known::Same(record));
        }
        let ground = changes.get(GEOMETRY).and_then(|change| change.to.as_ref());
        let is_proof = !job.ids.is_asked() && ground.is_some_and(is_extended);
        if is_proof && ground == record.geometry.as_ref() {
            let what = difference(&record, changes).unwrap_or_default();
            return Ok(Known::Differs(record, format!("it was taken under another id, and {what}")));
        }
    }
    Ok(Known::No)
}

/// Whether ground is more than points: many things lie at the middle of a village.
fn is_extended(ground: &Value) -> bool {
    ground["type"].as_str().is_some_and(|type_| !type_.ends_with("Point"))
}

fn find(store: &Store, prepared: &Prepared, id: uuid::Uuid) -> Result<Option<Box<Record>>> {
    // Whatever the author may read: what is there must not come a second time.
    let everything = Sight {
        tier: i16::MAX,
        drafts: Drafts::All,
        organisation: uuid::Uuid::nil(),
        account: prepared.mutation.author,
        official_only: false,
    };
    match store.find_record(id, everything) {
        Ok(record) => Ok(Some(Box::new(record))),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn is_known<T>(found: Result<T>) -> Result<bool> {
    match found {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// In which fields the file says something else than the record.
fn difference(record: &Record, changes: &BTreeMap<String, Change>) -> Option<String> {
    let there = |name: &str| {
        let value = if name == GEOMETRY { record.geometry.as_ref() } else { record.properties.get(name) };
        Hash::of_value(&value)
    };
    let others = changes.iter().filter(|(name, change)| Hash::of_value(&change.to) != there(name));
    let others: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
    let more = record.properties.keys().filter(|name| !changes.contains_key(*name) && *name != REFERENCE);
    let more: Vec<&str> = more.map(String::as_str).collect();
    match (others.as_slice(), more.as_slice()) {
        ([], []) => None,
        ([], more) => Some(format!("the record also has {}", more.join(", "))),
        (others, _) => Some(format!("the record has something else in {}", others.join(", "))),
    }
}

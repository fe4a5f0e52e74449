//! An export that comes back: features that are records of this server, as somebody has edited them elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use geo::Geometry;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Outcome;
use super::take::{Job, Prepared, Submission};
use crate::export::disarmed;
use crate::geometry::shape::Shape;
use crate::model::mutation::GEOMETRY;
use crate::model::record::Feature as Record;
use crate::model::role::Actor;
use crate::model::{Change, Op, Stage};
use crate::ogc::collection::Collection;
use crate::ogc::crs::Crs;
use crate::ogc::edit::{Edit, Manner};
use crate::ogc::{draw, echo};
use crate::store::edit::Seen;
use crate::store::feature::Scan;
use crate::store::{Result, Store, StoreError};

/// What such a feature says of its record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ours {
    /// The same.
    Same,
    /// Something else.
    Changed(BTreeMap<String, Change>),
    /// That cannot be told, and why.
    Unknown(String),
}

/// Holds a feature against the record that it was exported from, as the importer sees it. What a map or a table makes of a
/// record is no difference: rings that turn another way, rounded positions, lists as text, what the server adds. An
/// empty cell changes nothing, because formats have none for some kinds of values.
pub(super) fn look(store: &Store, actor: Actor, record: &Record, prepared: &Prepared) -> Result<Ours> {
    let sight = actor.sight();
    let unseen =
        || Ours::Unknown("it is a record of this server that the importer may not see as it stands".into());
    let stands = match store.find_record(record.id, sight) {
        Ok(stands) => stands,
        Err(StoreError::NotFound(_)) => return Ok(unseen()),
        Err(fault) => return Err(fault),
    };
    let Some(schema) = store.registry().latest(&record.kind) else { return Ok(unseen()) };
    let drawn = stands.geometry.as_ref().and_then(Shape::read).map(Shape::into_geometry);
    let collections = Collection::seen(store.registry(), sight, false);
    let is_its = |one: &Collection| one.kind() == Some(&*record.kind) && one.holds(drawn.as_ref());
    let Some(collection) = collections.into_iter().find(is_its).map(Arc::new) else { return Ok(unseen()) };
    // Of what is contested, the ground of all sides was drawn.
    let scan =
        Scan { collection: Arc::clone(&collection), sight, at: store.head()?.seq, bbox: None, batch: 1 };
    let drawn = match store.find_feature(scan, record.id) {
        Ok(feature) => feature.geometry,
        Err(StoreError::NotFound(_)) => return Ok(unseen()),
        Err(fault) => return Err(fault),
    };
    let edit = Edit {
        manner: Manner::Update,
        collection: &collection,
        schema,
        crs: Crs::Crs84,
        stands: Some(&stands),
        drawn: drawn.as_ref(),
    };
    Ok(match edit.changes(&body(&collection, &stands, drawn.as_ref(), &prepared.mutation.changes)) {
        Ok(changes) if changes.is_empty() => Ours::Same,
        Ok(changes) => Ours::Changed(changes),
        Err(faults) => Ours::Unknown(
            faults
                .iter()
                .map(|fault| format!("{} {}", fault.pointer, fault.message))
                .collect::<Vec<_>>()
                .join("; "),
        ),
    })
}

/// What the feature says that a record of the collection can say. Its geometry is left out where it is the one that was
/// drawn: shapefiles turn rings round, which is no edit.
fn body(
    collection: &Collection,
    stands: &Record,
    drawn: Option<&Geometry<f64>>,
    changes: &BTreeMap<String, Change>,
) -> Value {
    // A table has an apostrophe before what a spreadsheet would take for a formula.
    let is_as_disarmed = |name: &str, value: &Value| {
        let stands = stands.properties.get(name).and_then(Value::as_str);
        stands.zip(value.as_str()).is_some_and(|(stands, given)| disarmed(stands) == given)
    };
    let as_drawn = |geometry: Option<&Geometry<f64>>| draw::written(geometry, collection.shape, Crs::Crs84);
    let said = changes.iter().filter_map(|(name, change)| Some((name, change.to.as_ref()?)));
    let (mut properties, mut body) = (Map::new(), Map::new());
    for (name, value) in said.filter(|(_, value)| !value.is_null()) {
        if name == GEOMETRY {
            let given = Shape::read(value).map(Shape::into_geometry);
            if given.is_some() && echo::is_same(&as_drawn(given.as_ref()), &as_drawn(drawn)) {
                continue;
            }
            body.insert(name.clone(), value.clone());
        } else if collection.property(name).is_some()
            && name != super::AS_ENTERED
            && !is_as_disarmed(name, value)
        {
            properties.insert(name.clone(), value.clone());
        }
    }
    body.insert("properties".to_owned(), Value::Object(properties));
    json!(body)
}

/// What becomes of an export that came back; its edit is put forward like a new record, and so is one that the same person
/// left as a draft in an earlier run.
pub(super) fn settle<'a>(
    store: &Store,
    job: &Job<'_>,
    prepared: &'a mut Prepared,
    record: &Record,
    ours: Ours,
) -> Result<Option<Submission<'a>>> {
    let line = &mut prepared.line;
    line.record_id = Some(record.id);
    line.outcome = Outcome::Differs;
    let changes = match ours {
        Ours::Same => {
            line.outcome = Outcome::Duplicate;
            let left = record.stage == Stage::Draft && record.author == job.actor.account && !record.retired;
            return Ok(left.then_some((record.id, record.version, line)));
        }
        Ours::Unknown(why) => {
            line.reasons.insert(0, why);
            return Ok(None);
        }
        Ours::Changed(changes) => changes,
    };
    let names = changes.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    if !job.update {
        line.reasons.insert(0, format!("it is a record of this server, which has something else in {names}"));
        return Ok(None);
    }
    let done = change(store, job.actor, record, prepared.identity.version, changes, job.dry_run)?;
    let (outcome, reason) = match &done {
        Ok(_) => (Outcome::Edited, format!("changed: {names}")),
        Err(why) => (Outcome::Differs, format!("not changed in {names}: {why}")),
    };
    line.outcome = outcome;
    line.reasons.insert(0, reason);
    Ok(done.ok().flatten().map(|version| (record.id, version, line)))
}

/// Makes the changes an edit of the record, a draft like any other; its version.
///
/// # Errors
/// Why not, in words: the record has moved on since it was exported, or is not the importer's to change. Or what the store
/// reports.
fn change(
    store: &Store,
    actor: Actor,
    record: &Record,
    exported: Option<Uuid>,
    changes: BTreeMap<String, Change>,
    is_dry: bool,
) -> Result<std::result::Result<Option<Uuid>, String>> {
    let Some(exported) = exported else {
        return Ok(Err(
            "the file has no `version` of it, and nobody can tell what was seen of the record".into()
        ));
    };
    if is_dry {
        return Ok(foretold(actor, record, exported).map(|()| None));
    }
    match store.correct(actor, record.id, Seen::Version(exported), changes, None) {
        Ok(answer) => Ok(Ok(answer.version)),
        Err(StoreError::Refused { detail, .. }) => Ok(Err(detail)),
        Err(StoreError::NotAccepted { detail, faults }) => {
            let faults = faults.iter().map(|fault| format!("; {} {}", fault.pointer, fault.message));
            Ok(Err(detail + &faults.collect::<String>()))
        }
        Err(StoreError::NotFound(_)) => Ok(Err("somebody else is amending the record".into())),
        Err(fault) => Err(fault),
    }
}

fn foretold(actor: Actor, record: &Record, exported: Uuid) -> std::result::Result<(), String> {
    if record.version != exported {
        return Err(format!("the record has moved on to version {} since it was exported", record.version));
    }
    actor.may_write(Op::Update, &record.kind, Some(&record.clone().into_record()))
}

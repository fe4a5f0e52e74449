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
use crate::model::record::{Feature as Record, name_of};
use crate::model::role::Actor;
use crate::model::schema::Fault;
use crate::model::{Change, Op, Stage};
use crate::ogc::collection::{Collection, Type};
use crate::ogc::crs::Crs;
use crate::ogc::edit::{Edit, Manner};
use crate::ogc::feature::Feature;
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
pub(super) fn look(
    store: &Store,
    job: &Job<'_>,
    collections: &[Collection],
    record: &Record,
    prepared: &Prepared,
) -> Result<Ours> {
    if job.source.cuts {
        let why = "it is a record of this server, and a shapefile cuts names and texts, so that an edit in it cannot be \
                   told: bring it back in a GeoPackage";
        return Ok(Ours::Unknown(why.to_owned()));
    }
    let Some((stands, shown, collection)) = shown(store, job.actor, collections, record)? else {
        let why = "it is a record of this server that the importer does not see as it stands";
        return Ok(Ours::Unknown(why.to_owned()));
    };
    let edit = Edit {
        manner: Manner::Update,
        collection: &collection,
        schema: job.mapping.schema(),
        crs: Crs::Crs84,
        stands: Some(&stands),
        drawn: shown.geometry.as_ref(),
    };
    Ok(match edit.changes(&body(&collection, &shown, prepared)) {
        Ok(changes) if changes.is_empty() => Ours::Same,
        Ok(changes) => Ours::Changed(changes),
        Err(faults) => Ours::Unknown(in_words(&faults)),
    })
}

/// A record and what its importer is shown of it: of what is contested, the ground of all sides and the gravest they say.
fn shown(
    store: &Store,
    actor: Actor,
    collections: &[Collection],
    record: &Record,
) -> Result<Option<(Record, Feature, Arc<Collection>)>> {
    let sight = actor.sight();
    let found = |stands: Record| {
        let drawn = stands.geometry.as_ref().and_then(Shape::read).map(Shape::into_geometry);
        let is_its = |one: &&Collection| one.kind() == Some(&*record.kind) && one.holds(drawn.as_ref());
        let Some(collection) = collections.iter().find(is_its).cloned().map(Arc::new) else {
            return Ok(None);
        };
        let at = store.head()?.seq;
        let scan = Scan { collection: Arc::clone(&collection), sight, at, bbox: None, batch: 1 };
        let shown = store.find_feature(scan, record.id)?;
        let is_of_one_state = shown.properties.get("version") == Some(&json!(stands.version));
        Ok(is_of_one_state.then_some((stands, shown, collection)))
    };
    match store.find_record(record.id, sight).and_then(found) {
        Err(StoreError::NotFound(_)) => Ok(None),
        other => other,
    }
}

/// What the feature says that a record of the collection can say, and that is not what was shown.
fn body(collection: &Collection, shown: &Feature, prepared: &Prepared) -> Value {
    let (mut properties, mut body) = (Map::new(), Map::new());
    let changes = &prepared.mutation.changes;
    let converted = changes.iter().filter_map(|(name, change)| Some((name, change.to.as_ref()?)));
    // Rows stand in a table as JSON.
    let nested = collection.properties.iter().filter(|property| property.type_ == Type::Nested);
    let columns = nested.filter_map(|property| prepared.columns.as_ref()?.get_key_value(&property.name));
    for (name, value) in converted.chain(columns).filter(|(_, value)| !value.is_null()) {
        if name == GEOMETRY {
            let as_drawn =
                |geometry: Option<&Geometry<f64>>| draw::written(geometry, collection.shape, Crs::Crs84);
            let given = Shape::read(value).map(Shape::into_geometry);
            if given.is_none()
                || !echo::is_same(&as_drawn(given.as_ref()), &as_drawn(shown.geometry.as_ref()))
            {
                body.insert(name.clone(), value.clone());
            }
        } else if collection.property(name).is_some()
            && name != super::AS_ENTERED
            && !is_shown(shown, name, value)
        {
            properties.insert(name.clone(), value.clone());
        }
    }
    body.insert("properties".to_owned(), Value::Object(properties));
    Value::Object(body)
}

/// Whether a value is the one that was exported. Tables put an apostrophe before what a spreadsheet would take for a
/// formula; XML and spreadsheets have line ends, and blanks at either end, of their own.
fn is_shown(shown: &Feature, name: &str, given: &Value) -> bool {
    // KML and GPX have one name of a thing: the best that people call the record by, or its id.
    let label = || name_of(&shown.properties).map_or_else(|| shown.id.to_string(), str::to_owned);
    if name == "name" && given.as_str().is_some_and(|given| given == label()) {
        return true;
    }
    let Some(shown) = shown.properties.get(name) else { return false };
    let plain = |text: &str| text.trim().replace("\r\n", "\n").replace('\r', "\n");
    match (shown, given) {
        (Value::String(shown), Value::String(given)) => {
            plain(shown) == plain(given) || plain(&disarmed(shown)) == plain(given)
        }
        _ => shown == given,
    }
}

fn in_words(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect::<Vec<_>>().join("; ")
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
            let is_later = prepared.identity.version.is_some_and(|exported| exported != record.version);
            let is_own =
                record.author == job.actor.account && record.stage == Stage::Draft && !record.retired;
            let left = job.update && is_later && is_own;
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
    let done = change(store, job, record, prepared.identity.version, changes)?;
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
    job: &Job<'_>,
    record: &Record,
    exported: Option<Uuid>,
    changes: BTreeMap<String, Change>,
) -> Result<std::result::Result<Option<Uuid>, String>> {
    let Some(exported) = exported else {
        return Ok(Err(
            "the file has no `version` of it, and nobody can tell what was seen of the record".into()
        ));
    };
    if record.contested {
        return Ok(Err(
            "the record is contested, and what was exported is no one version of it: settle that first"
                .into(),
        ));
    }
    if job.dry_run {
        return Ok(foretold(job, record, exported, &changes).map(|()| None));
    }
    match store.correct(job.actor, record.id, Seen::Version(exported), changes, None) {
        Ok(answer) => Ok(Ok(answer.version)),
        Err(StoreError::Refused { detail, .. }) => Ok(Err(detail)),
        Err(StoreError::NotAccepted { detail, faults }) => {
            Ok(Err(format!("{detail}; {}", in_words(&faults))))
        }
        Err(StoreError::NotFound(_)) => Ok(Err("somebody else is amending the record".into())),
        Err(fault) => Err(fault),
    }
}

/// What would become of an edit, as far as that can be told without writing.
fn foretold(
    job: &Job<'_>,
    record: &Record,
    exported: Uuid,
    changes: &BTreeMap<String, Change>,
) -> std::result::Result<(), String> {
    if record.version != exported {
        return Err(format!("the record has moved on to version {} since it was exported", record.version));
    }
    job.actor.may_write(Op::Update, &record.kind, Some(&record.clone().into_record()))?;
    let (mut properties, mut geometry) = (record.properties.clone(), record.geometry.clone());
    for (name, value) in changes.iter().filter_map(|(name, change)| Some((name, change.to.as_ref()?))) {
        if name == GEOMETRY {
            geometry = Some(value.clone());
        } else {
            properties.insert(name.clone(), value.clone());
        }
    }
    let type_ = geometry.as_ref().and_then(|geometry| geometry["type"].as_str());
    let faults = job.mapping.schema().validate(&properties, type_);
    if faults.is_empty() { Ok(()) } else { Err(in_words(&faults)) }
}

//! What readers are given: pages of records at their latest state, by the log's order (docs/sync.md §4).

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use uuid::Uuid;

use super::backend::DbConnection;
use super::column::Id;
use super::record::{contested_candidates, features, features_at, shown};
use super::schema::{log, membership, record};
use super::scope::{Scope, read_digest};
use super::txn::{Clock, PERSONAL, read_clock};
use super::{Result, Store};
use crate::model::record::Feature;
use crate::model::role::{Actor, Role, Sight};
use crate::planted::{Fault, is_planted};
use crate::sync::Digest;
use crate::sync::wire::LogHead;

/// Records on one page at most, whatever their size.
const PAGE: i64 = 2_000;
/// Records that are read at a time: a page ends by its bytes, and what it has no room for is not read.
const PART: usize = 250;

/// The head that a clock stands at, not signed.
pub(super) fn head_of(clock: &Clock) -> LogHead {
    let entry_hash = hex::encode(&clock.head_hash);
    LogHead { epoch: clock.epoch, seq: clock.seq, entry_hash, proof: String::new() }
}

/// One page of a scope.
#[derive(Debug, Clone)]
pub struct Page {
    /// Records at their latest state, each once, in the log's order.
    pub records: Vec<Feature>,
    /// Records that are no longer in the scope.
    pub leaves: Vec<Uuid>,
    /// Where the next page begins.
    pub cursor: i64,
    /// Whether there is a next page now.
    pub has_more: bool,
    /// On the last page: what the client should now hold.
    pub digest: Option<Digest>,
}

/// Whether an actor may follow a scope.
pub fn may_follow(actor: &Actor, scope: Scope) -> bool {
    match (scope, actor.role) {
        (Scope::Everything, role) => role == Role::ImOfficer,
        (Scope::Content, role) => matches!(role, Role::ImOfficer | Role::QaOfficer | Role::Authority),
        (Scope::Organisation(_), Role::ImOfficer | Role::QaOfficer | Role::Authority) => true,
        (Scope::Organisation(id), Role::Supervisor | Role::ProgrammeManager) => id == actor.organisation,
        (Scope::Task(_), role) => !matches!(role, Role::Observer | Role::Admin | Role::Relay),
        (Scope::Organisation(_), _) => false,
    }
}

impl Store {
    /// Where the log stands.
    pub fn head(&self) -> Result<LogHead> {
        Ok(head_of(&self.clock()?))
    }

    /// The scopes that an actor may follow: its tasks by their own records.
    pub fn list_scopes(&self, actor: &Actor) -> Result<Vec<Scope>> {
        let mut scopes = vec![Scope::Everything, Scope::Content, Scope::Organisation(actor.organisation)];
        let tasks: Vec<(Id, Id)> = self.read_feed(|connection| {
            Ok(record::table
                .filter(record::kind.eq("task"))
                .filter(record::retired.eq(false))
                .order(record::seq)
                .select((record::record_id, record::organisation))
                .load(connection)?)
        })?;
        scopes.extend(tasks.into_iter().map(|(id, _)| Scope::Task(id.0)));
        scopes.retain(|scope| may_follow(actor, *scope));
        Ok(scopes)
    }

    /// One page of a scope after `cursor`, and the head that it was read at. All of it is one snapshot.
    ///
    /// The page ends once its features hold about `limit_bytes` of JSON, but has at least one record.
    /// Fields above the reader's tier are left out.
    pub fn pull(
        &self,
        scope: Scope,
        cursor: i64,
        limit_bytes: usize,
        sight: Sight,
    ) -> Result<(Page, LogHead)> {
        let (mut page, head) = self.read_feed(|connection| {
            let clock = read_clock(connection)?;
            Ok((page(connection, scope, cursor, limit_bytes, clock.seq)?, head_of(&clock)))
        })?;
        page.records = page.records.into_iter().map(|feature| shown(feature, sight, self.registry)).collect();
        Ok((page, head))
    }
}

fn page(
    connection: &mut DbConnection,
    scope: Scope,
    cursor: i64,
    limit_bytes: usize,
    now: i64,
) -> Result<Page> {
    let mut places = places(connection, scope, cursor)?;
    if is_planted(Fault::SequenceCursor) && cursor > 0 && places.len() > 1 {
        places.remove(0);
    }
    let full = is_full(&places);
    let mut page = Page { records: Vec::new(), leaves: Vec::new(), cursor, has_more: full, digest: None };
    let (mut bytes, mut read) = (0, 0);
    let mut found = HashMap::new();
    for (index, place) in places.iter().enumerate() {
        // Records that joined a task's scope together share a place; a page never cuts between them.
        let cuts = index > 0 && place.seq != places[index - 1].seq;
        if cuts && bytes >= limit_bytes {
            page.has_more = true;
            break;
        }
        if index == read {
            let part = &places[index..places.len().min(index + PART)];
            found = shown_at(connection, part)?;
            read += part.len();
        }
        if matches!(place.shows, Shows::Nothing) {
            bytes += 40;
            page.leaves.push(place.id.0);
        } else if let Some(feature) = found.remove(&place.id.0) {
            bytes += weight(&feature);
            page.records.push(feature);
        }
        page.cursor = place.seq;
    }
    if !page.has_more {
        page.cursor = page.cursor.max(now);
        page.digest = Some(read_digest(connection, &scope.key())?);
    }
    Ok(page)
}

/// What a scope shows at these places.
fn shown_at(connection: &mut DbConnection, places: &[Place]) -> Result<HashMap<Uuid, Feature>> {
    let of_heads: Vec<Id> =
        places.iter().filter(|place| matches!(place.shows, Shows::Head)).map(|place| place.id).collect();
    let versions: Vec<Id> = places
        .iter()
        .filter_map(|place| match place.shows {
            Shows::Version(version) => Some(version),
            _ => None,
        })
        .collect();
    let heads = features(connection, &of_heads)?.into_iter().chain(features_at(connection, &versions)?);
    let mut found: HashMap<Uuid, Feature> = heads.map(|feature| (feature.id, feature)).collect();
    contested_candidates(connection, &mut found)?;
    Ok(found)
}

/// A record's place in a scope.
struct Place {
    seq: i64,
    id: Id,
    shows: Shows,
}

/// What a scope shows of a record.
#[derive(Clone, Copy)]
enum Shows {
    /// It as it stands.
    Head,
    /// This version: a task's scope shows no other organisation's drafts.
    Version(Id),
    /// It has left.
    Nothing,
}

fn places(connection: &mut DbConnection, scope: Scope, cursor: i64) -> Result<Vec<Place>> {
    let mut places = held_places(connection, scope, cursor)?;
    if !matches!(scope, Scope::Task(_)) {
        let last = places.last().filter(|_| is_full(&places)).map_or(i64::MAX, |place| place.seq);
        places.extend(withdrawn(connection, scope, cursor, last)?);
        places.sort_by_key(|place| place.seq);
    }
    Ok(places)
}

fn is_full(places: &[Place]) -> bool {
    i64::try_from(places.len()).unwrap_or(i64::MAX) >= PAGE
}

/// Records that a camp had made and its nation did not take.
fn withdrawn(connection: &mut DbConnection, scope: Scope, cursor: i64, last: i64) -> Result<Vec<Place>> {
    let mut query = log::table
        .filter(log::entry.eq("withdrawn"))
        .filter(log::seq.gt(cursor).and(log::seq.le(last)))
        .select((log::seq, log::subject))
        .into_boxed();
    let here = record::table.filter(record::record_id.eq(log::subject));
    query = match scope {
        Scope::Organisation(of) => query
            .filter(log::organisation.eq(Id(of)))
            .filter(not(exists(here.filter(record::organisation.eq(Id(of)))))),
        _ => query.filter(not(exists(here))),
    };
    let rows: Vec<(i64, Id)> = query.load(connection)?;
    Ok(rows.into_iter().map(|(seq, id)| Place { seq, id, shows: Shows::Nothing }).collect())
}

fn held_places(connection: &mut DbConnection, scope: Scope, cursor: i64) -> Result<Vec<Place>> {
    let of_records = |rows: Vec<(i64, Id)>| {
        rows.into_iter().map(|(seq, id)| Place { seq, id, shows: Shows::Head }).collect::<Vec<_>>()
    };
    let records = record::table
        .filter(record::seq.gt(cursor))
        .order(record::seq)
        .limit(PAGE)
        .select((record::seq, record::record_id));
    Ok(match scope {
        Scope::Everything => of_records(records.load(connection)?),
        Scope::Content => of_records(records.filter(record::tier.lt(PERSONAL)).load(connection)?),
        Scope::Organisation(organisation) => of_records(
            records
                .filter(record::organisation.eq(Id(organisation)))
                .filter(record::tier.lt(PERSONAL))
                .load(connection)?,
        ),
        Scope::Task(_) => {
            let key = scope.key();
            let at = |connection: &mut DbConnection, from: i64, limit: i64, to: Option<i64>| {
                let mut query = membership::table
                    .filter(membership::scope.eq(&key))
                    .filter(membership::seq.gt(from))
                    .order((membership::seq, membership::record_id))
                    .limit(limit)
                    .select((membership::seq, membership::record_id, membership::version))
                    .into_boxed();
                if let Some(to) = to {
                    query = query.filter(membership::seq.le(to));
                }
                query.load::<(i64, Id, Option<Id>)>(connection)
            };
            let mut rows = at(connection, cursor, PAGE, None)?;
            // Take the whole of the last place.
            if let Some((last, ..)) = rows.last().copied()
                && i64::try_from(rows.len()).unwrap_or(i64::MAX) >= PAGE
            {
                rows = at(connection, cursor, i64::MAX, Some(last))?;
            }
            let place = |(seq, id, version): (i64, Id, Option<Id>)| Place {
                seq,
                id,
                shows: version.map_or(Shows::Nothing, Shows::Version),
            };
            rows.into_iter().map(place).collect()
        }
    })
}

/// About how many bytes of JSON a feature is, without writing it.
fn weight(feature: &Feature) -> usize {
    fn of(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Null | serde_json::Value::Bool(_) => 5,
            serde_json::Value::Number(_) => 12,
            serde_json::Value::String(text) => text.len() + 2,
            serde_json::Value::Array(items) => items.iter().map(of).sum::<usize>() + 2,
            serde_json::Value::Object(fields) => {
                fields.iter().map(|(name, value)| name.len() + of(value) + 4).sum()
            }
        }
    }
    let fields: usize = feature.properties.iter().map(|(name, value)| name.len() + of(value) + 4).sum();
    let candidates: usize = feature.candidates.iter().map(of).sum();
    400 + fields + candidates + feature.geometry.as_ref().map_or(4, of)
}

impl Store {
    /// Whether a scope that the actor's role may follow is within its reach: a task of its own organisation,
    /// or one that its organisation was given.
    pub fn in_reach(&self, actor: &Actor, scope: Scope) -> Result<bool> {
        let Scope::Task(task) = scope else { return Ok(true) };
        if matches!(actor.role, Role::ImOfficer | Role::QaOfficer | Role::Authority) {
            return Ok(true);
        }
        let features = self.read(|connection| features(connection, &[Id(task)]))?;
        let own = actor.organisation.to_string();
        Ok(features.iter().any(|task| {
            task.kind == "task"
                && (task.organisation == actor.organisation
                    || task.properties.get("operator_id").and_then(|id| id.as_str()) == Some(&own))
        }))
    }

    /// Whether the log holds a head that a client remembers; one of another epoch says nothing.
    pub fn holds(&self, remembered: &LogHead) -> Result<bool> {
        self.read(|connection| {
            let clock = read_clock(connection)?;
            if remembered.epoch != clock.epoch || remembered.seq == 0 {
                return Ok(true);
            }
            let there: Option<Vec<u8>> =
                log::table.find(remembered.seq).select(log::entry_hash).first(connection).optional()?;
            Ok(there.is_some_and(|hash| hex::encode(hash) == remembered.entry_hash))
        })
    }

    /// Begins a new epoch because the log does not hold `missing`, a head that this server once stated: the database
    /// has gone back in time – it was restored from a copy –, and every client begins again.
    pub fn went_back(&self, missing: &LogHead) -> Result<()> {
        tracing::warn!(seq = missing.seq, "this database has gone back in time: a new epoch begins");
        let stale = missing.epoch;
        self.write(move |txn| {
            if txn.clock.epoch == stale {
                txn.renew_epoch()?;
            }
            Ok(())
        })
    }
}

//! Which records a task's scope holds (docs/sync.md §1): the task and its areas, what is linked to it, and what lies
//! within its buffer and has been put forward. A record that no longer belongs leaves, and clients are told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use uuid::Uuid;

use super::Result;
use super::backend::{DbConnection, on_backend};
use super::column::Id;
use super::row::{RecordRow, VersionRow};
use super::schema::{link, membership, record, version};
use super::scope::{Scope, read_digest, write_digest};
use super::txn::{Changed, PERSONAL, SyncTxn, tier_of};
use crate::model::Record;

/// How far around a task's areas its scope reaches, m. Enough to see what lies beyond the next lane.
const BUFFER_M: f64 = 1_000.0;
/// Metres in a degree of latitude, near enough for a buffer.
const METRES_PER_DEGREE: f64 = 111_320.0;

type Bbox = [f64; 4];
/// A task, one of its areas, and the box of the area.
type Link = (Id, Id, Option<f64>, Option<f64>, Option<f64>, Option<f64>);

/// A task with what its scope is made of.
struct TaskScope {
    task: Uuid,
    /// Whose drafts it shows: the organisation that made the task and the operator that it was given to. Of others' records
    /// it shows what was put forward, and of their amendments nothing until then.
    teams: BTreeSet<Uuid>,
    /// A retired task's scope holds the task alone, so that clients learn of its end and keep nothing that grows old.
    retired: bool,
    areas: BTreeSet<Uuid>,
    extents: Vec<Bbox>,
}

/// Brings the scopes of tasks up to what the transaction changed.
pub(super) fn update(txn: &mut SyncTxn<'_>, changed: &BTreeMap<Uuid, Changed>) -> Result<()> {
    let ended: Vec<Id> = changed
        .keys()
        .filter(|id| {
            let record = &txn.changed_head(**id).record;
            record.kind == "task" && record.retired
        })
        .map(|id| Id(*id))
        .collect();
    let tasks = load_tasks(txn.connection, &ended)?;
    if tasks.is_empty() {
        return Ok(());
    }
    let mut records: BTreeSet<Uuid> = changed.keys().copied().collect();
    for task in tasks.iter().filter(|task| task.is_redrawn(changed)) {
        records.extend(held_by(txn.connection, task.task)?);
        records.extend(around(txn.connection, &task.extents)?);
        records.extend(&task.areas);
        records.extend(linked_to(txn.connection, task.task)?);
    }
    super::prefetch::heads(txn, &records.iter().copied().collect::<Vec<_>>())?;
    let finalised = finalised(txn, &records)?;
    let present = present_in(txn.connection, &records)?;
    let mut moves: Vec<Move> = Vec::new();
    for id in records {
        let Some(Some(head)) = txn.cache.heads.get(&id) else { continue };
        let bbox = head.shape.as_ref().map(|shape| shape.bbox);
        let tier = tier_of(txn.registry, &head.record);
        for task in &tasks {
            let was = present.get(&(task.task, id)).copied();
            // A record belongs by what it shows: a draft that nobody approved moves it neither in nor out.
            let is = if tier >= PERSONAL {
                None
            } else if task.shows_head(&head.record) {
                belongs(&head.record, bbox, task).then_some(head.record.version)
            } else {
                let official = finalised.get(&id);
                official
                    .filter(|(record, bbox)| belongs(record, *bbox, task))
                    .map(|(record, _)| record.version)
            };
            // What readers see may stand although the record has moved on; it may be contested without moving.
            let moved =
                changed.get(&id).is_some_and(|changed| is == Some(head.record.version) || changed.contest);
            if is != was || (moved && is.is_some()) {
                // A record that only joins because its task was redrawn comes at the task's own place in the log.
                let seq = if changed.contains_key(&id) { head.seq } else { txn.clock.seq };
                moves.push(Move { task: task.task, id, seq, was, is });
            }
        }
    }
    write(txn.connection, &moves)
}

impl TaskScope {
    /// Whether the transaction changed what the scope is made of: the task, or the outline of one of its areas.
    fn is_redrawn(&self, changed: &BTreeMap<Uuid, Changed>) -> bool {
        changed.contains_key(&self.task) || self.areas.iter().any(|area| changed.contains_key(area))
    }
}

impl TaskScope {
    /// Whether the scope shows a record as it stands, and not its finalised version at most.
    fn shows_head(&self, record: &Record) -> bool {
        !record.stage.is_internal()
            || self.teams.contains(&record.organisation)
            || record.official == Some(record.version)
            // Who is sent to an area must know of it, approved or not.
            || (record.official.is_none() && self.areas.contains(&record.id))
    }
}

struct Move {
    task: Uuid,
    id: Uuid,
    seq: i64,
    /// The version that the scope, and its digest, has shown so far.
    was: Option<Uuid>,
    /// The version that it shows now.
    is: Option<Uuid>,
}

fn write(connection: &mut DbConnection, moves: &[Move]) -> Result<()> {
    let mut digests = HashMap::new();
    for step in moves {
        let scope = Scope::Task(step.task).key();
        if !digests.contains_key(&scope) {
            digests.insert(scope.clone(), read_digest(connection, &scope)?);
        }
        let digest = digests.entry(scope.clone()).or_default();
        if let Some(was) = step.was {
            digest.remove(step.id, was);
        }
        if let Some(is) = step.is {
            digest.add(step.id, is);
        }
        let version = step.is.map(Id);
        let row = (
            membership::scope.eq(&scope),
            membership::record_id.eq(Id(step.id)),
            membership::seq.eq(step.seq),
            membership::version.eq(version),
        );
        on_backend!(&mut *connection, |c| {
            diesel::insert_into(membership::table)
                .values(row)
                .on_conflict((membership::scope, membership::record_id))
                .do_update()
                .set((membership::seq.eq(step.seq), membership::version.eq(version)))
                .execute(c)
        })?;
    }
    for (scope, digest) in digests {
        write_digest(connection, &scope, digest)?;
    }
    Ok(())
}

/// Whether a record belongs into a task's scope.
fn belongs(record: &Record, bbox: Option<Bbox>, task: &TaskScope) -> bool {
    if task.retired {
        return record.id == task.task;
    }
    if record.id == task.task || task.areas.contains(&record.id) {
        return true;
    }
    let linked = record.properties.get("task_id").and_then(|task| task.as_str()).map(Uuid::parse_str);
    if linked == Some(Ok(task.task)) {
        return true;
    }
    let put_forward = !record.stage.is_internal() || record.official.is_some();
    put_forward && bbox.is_some_and(|bbox| task.extents.iter().any(|extent| touch(extent, &bbox)))
}

fn touch(a: &Bbox, b: &Bbox) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

fn buffered([min_lon, min_lat, max_lon, max_lat]: Bbox) -> Bbox {
    let lat = BUFFER_M / METRES_PER_DEGREE;
    let lon = lat / max_lat.abs().max(min_lat.abs()).to_radians().cos().max(0.01);
    [min_lon - lon, min_lat - lat, max_lon + lon, max_lat + lat]
}

/// The finalised versions of those records that stand at something else, with their boxes.
fn finalised(
    txn: &mut SyncTxn<'_>,
    records: &BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, (Record, Option<Bbox>)>> {
    let heads = records.iter().filter_map(|id| txn.cache.heads.get(id)?.as_ref());
    let amended = heads.filter(|head| head.record.official != Some(head.record.version));
    let wanted: Vec<Id> = amended.filter_map(|head| head.record.official.map(Id)).collect();
    let rows = txn.version_rows(&wanted)?;
    rows.into_iter()
        .map(|row| {
            let bbox = row.shape().map(|shape| shape.bbox);
            Ok((row.record_id.0, (row.into_record()?, bbox)))
        })
        .collect()
}

/// Every task in use, and those that have `ended` just now, with the buffered extents of its own outline and of its
/// areas.
fn load_tasks(connection: &mut DbConnection, ended: &[Id]) -> Result<Vec<TaskScope>> {
    let rows: Vec<(RecordRow, VersionRow)> = record::table
        .inner_join(version::table.on(version::version_id.eq(record::version)))
        .filter(record::kind.eq("task"))
        .filter(record::retired.eq(false).or(record::record_id.eq_any(ended)))
        .select((RecordRow::as_select(), VersionRow::as_select()))
        .load(connection)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Id> = rows.iter().map(|(row, _)| row.record_id).collect();
    // An area lies where it stands and, while somebody is amending it, also where it was finalised.
    let links: Vec<Link> = link::table
        .inner_join(record::table.on(record::record_id.eq(link::to_id)))
        .inner_join(
            version::table.on(version::version_id
                .eq(record::version)
                .or(version::version_id.nullable().eq(record::official).assume_not_null())),
        )
        .filter(link::from_id.eq_any(&ids))
        .filter(record::kind.eq("hazardous_area"))
        .select((
            link::from_id,
            link::to_id,
            version::min_lon,
            version::min_lat,
            version::max_lon,
            version::max_lat,
        ))
        .load(connection)?;
    let mut tasks: BTreeMap<Id, TaskScope> = rows
        .into_iter()
        .map(|(row, version)| {
            let extents = version.shape().map(|shape| buffered(shape.bbox)).into_iter().collect();
            let (task, retired, organisation) = (row.record_id.0, row.retired, row.organisation.0);
            let given_to = version.properties.0.get("operator_id").and_then(|id| id.as_str()?.parse().ok());
            let teams = std::iter::once(organisation).chain(given_to).collect();
            (row.record_id, TaskScope { task, teams, retired, areas: BTreeSet::new(), extents })
        })
        .collect();
    for (task, area, min_lon, min_lat, max_lon, max_lat) in links {
        let Some(task) = tasks.get_mut(&task) else { continue };
        task.areas.insert(area.0);
        if let (Some(a), Some(b), Some(c), Some(d)) = (min_lon, min_lat, max_lon, max_lat) {
            task.extents.push(buffered([a, b, c, d]));
        }
    }
    Ok(tasks.into_values().collect())
}

fn around(connection: &mut DbConnection, extents: &[Bbox]) -> Result<Vec<Uuid>> {
    let mut found = Vec::new();
    for [min_lon, min_lat, max_lon, max_lat] in extents {
        let ids: Vec<Id> = record::table
            .inner_join(
                version::table.on(version::version_id
                    .eq(record::version)
                    .or(version::version_id.nullable().eq(record::official).assume_not_null())),
            )
            .filter(version::min_lon.le(max_lon).and(version::max_lon.ge(min_lon)))
            .filter(version::min_lat.le(max_lat).and(version::max_lat.ge(min_lat)))
            .select(record::record_id)
            .load(connection)?;
        found.extend(ids.into_iter().map(|id| id.0));
    }
    Ok(found)
}

/// What a task's scope holds now.
fn held_by(connection: &mut DbConnection, task: Uuid) -> Result<Vec<Uuid>> {
    let ids: Vec<Id> = membership::table
        .filter(membership::scope.eq(Scope::Task(task).key()))
        .filter(membership::version.is_not_null())
        .select(membership::record_id)
        .load(connection)?;
    Ok(ids.into_iter().map(|id| id.0).collect())
}

fn linked_to(connection: &mut DbConnection, task: Uuid) -> Result<Vec<Uuid>> {
    let ids: Vec<Id> = link::table.filter(link::to_id.eq(Id(task))).select(link::from_id).load(connection)?;
    Ok(ids.into_iter().map(|id| id.0).collect())
}

/// Which of these records are in which task's scope now, each with the version that it shows.
fn present_in(
    connection: &mut DbConnection,
    records: &BTreeSet<Uuid>,
) -> Result<BTreeMap<(Uuid, Uuid), Uuid>> {
    let ids: Vec<Id> = records.iter().copied().map(Id).collect();
    let mut present = BTreeMap::new();
    for ids in ids.chunks(5_000) {
        let rows: Vec<(String, Id, Option<Id>)> = membership::table
            .filter(membership::record_id.eq_any(ids))
            .filter(membership::version.is_not_null())
            .select((membership::scope, membership::record_id, membership::version))
            .load(connection)?;
        for (scope, id, version) in rows {
            if let (Ok(Scope::Task(task)), Some(version)) = (scope.parse(), version) {
                present.insert((task, id.0), version.0);
            }
        }
    }
    Ok(present)
}

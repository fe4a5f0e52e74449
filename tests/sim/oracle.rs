//! What must be true at the end, whatever happened (docs/sync.md §8).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use cartagena::client::Client;
use cartagena::model::mutation::Outcome;
use cartagena::model::record::Feature;
use cartagena::model::role::Actor;
use cartagena::model::schema::MergeClass;
use cartagena::model::{Hash, Mutation, Op, Record, Role};
use cartagena::store::Store;
use cartagena::store::conflict::ConflictQuery;
use cartagena::store::scope::Scope;
use cartagena::sync::merge;
use serde_json::Value;
use uuid::Uuid;

use crate::age::Age;
use crate::line::look;
use crate::world::World;

/// A log as the oracle reads it: mutations in order, each with its last outcome.
struct History {
    mutations: Vec<(Uuid, Mutation)>,
    outcomes: HashMap<Uuid, Outcome>,
}

/// Checks everything.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn check(world: &mut World) -> Result<(), String> {
    let stores: Vec<Store> = look(&world.net).servers.iter().map(|server| server.store().clone()).collect();
    for (number, store) in stores.iter().enumerate() {
        let verdict = store.verify(&mut |_, _, _| {}).map_err(|fault| fault.to_string())?;
        if !verdict.is_sound() {
            return Err(format!("server {number}: {}", verdict.named.join("; ")));
        }
    }
    let national = &stores[0];
    let history = read_log(national)?;
    everything_arrived_once(world, &history)?;
    every_file_is_whole(world, national)?;
    nothing_waits(national)?;
    let lines = everything_is_somewhere(national, &history)?;
    heads_changed_by_those_who_saw_them(national, &lines, &history)?;
    for (number, camp) in stores.iter().enumerate().skip(1) {
        is_the_same(camp, national).map_err(|fault| format!("camp {number}: {fault}"))?;
    }
    everybody_sees_the_same(world, national)?;
    everybody_knows_what_became_of_it(world, &history)?;
    it_all_follows_from_the_log(national)
}

/// What is derived from the log comes out the same when it is derived again.
fn it_all_follows_from_the_log(store: &Store) -> Result<(), String> {
    let state = |store: &Store| Ok::<_, String>((all_records(store)?, beside(store)?));
    let before = state(store)?;
    let differing = store.rebuild(Box::new(|_, _| ())).map_err(|fault| format!("rebuild: {fault}"))?;
    if differing != 0 {
        return Err(format!(
            "{differing} entries of the log come to something else when they are laid down again"
        ));
    }
    let after = state(store)?;
    if before.1 != after.1 {
        return Err(format!("beside the records a rebuild makes {:?} of {:?}", after.1, before.1));
    }
    if let Some((id, feature)) = before.0.iter().find(|(id, feature)| after.0.get(id) != Some(feature)) {
        return Err(format!("a rebuild makes {:?} of {id}: {feature:?}", after.0.get(id)));
    }
    let verdict = store.verify(&mut |_, _, _| {}).map_err(|fault| fault.to_string())?;
    if verdict.is_sound() && before.0.len() == after.0.len() {
        return Ok(());
    }
    Err(format!("after a rebuild: {}", verdict.named.join("; ")))
}

/// A camp holds what the nation holds, and nothing else.
fn is_the_same(camp: &Store, national: &Store) -> Result<(), String> {
    let (here, there) = (all_records(camp)?, all_records(national)?);
    for (id, feature) in &there {
        let told = feature.clone().into_record();
        match here.get(id).cloned().map(Feature::into_record) {
            Some(record) if record == told => {}
            Some(record) => return Err(format!("it has {}, national is {}", brief(&record), brief(&told))),
            None => return Err(format!("it lacks {}", brief(&told))),
        }
    }
    if let Some(more) = here.values().find(|feature| !there.contains_key(&feature.id)) {
        return Err(format!("it has {}, which the nation has not", brief(&more.clone().into_record())));
    }
    let (ours, theirs) = (beside(camp)?, beside(national)?);
    // What a thing waits for first is not told anew when it turns out to wait for something else too.
    let (ours, theirs) = ((ours.0, ids(&ours.1), ours.2), (theirs.0, ids(&theirs.1), theirs.2));
    if ours != theirs {
        return Err(format!("it holds {ours:?} beside its records, the nation {theirs:?}"));
    }
    Ok(())
}

fn ids(waiting: &BTreeMap<Uuid, String>) -> BTreeSet<Uuid> {
    waiting.keys().copied().collect()
}

/// What stands beside the records: conflicts and who settled them, what waits, what is quarantined.
type Beside = (BTreeMap<Uuid, Option<Uuid>>, BTreeMap<Uuid, String>, BTreeSet<Uuid>);

fn beside(store: &Store) -> Result<Beside, String> {
    let which = ConflictQuery { settled: true, limit: i64::MAX, ..ConflictQuery::default() };
    let conflicts = store.list_conflicts(which, officer().sight()).map_err(|fault| fault.to_string())?;
    let parked = store.list_parked().map_err(|fault| fault.to_string())?;
    let quarantine = store
        .list_quarantine(None, true, 0, i64::MAX, officer().sight())
        .map_err(|fault| fault.to_string())?;
    Ok((
        conflicts.into_iter().map(|one| (one.id, one.settled.map(|settled| settled.by))).collect(),
        parked.into_iter().map(|one| (one.mutation_id, one.waiting_for)).collect(),
        quarantine.into_iter().map(|one| one.mutation_id).collect(),
    ))
}

/// Who may see everything.
fn officer() -> Actor {
    Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() }
}

fn read_log(store: &Store) -> Result<History, String> {
    let mut history = History { mutations: Vec::new(), outcomes: HashMap::new() };
    let mut from = 1;
    loop {
        let entries = store.log_entries(from, 500).map_err(|fault| fault.to_string())?;
        let Some(last) = entries.last() else { return Ok(history) };
        from = last.seq + 1;
        for entry in entries {
            if entry.entry == "act" {
                continue;
            }
            let outcome = entry.outcome.parse().map_err(|_word| format!("no outcome: {}", entry.outcome))?;
            history.outcomes.insert(entry.subject, outcome);
            if entry.entry == "mutation" {
                let body = base64::engine::general_purpose::STANDARD
                    .decode(&entry.body)
                    .map_err(|fault| fault.to_string())?;
                let mutation = serde_json::from_slice(&body).map_err(|fault| fault.to_string())?;
                history.mutations.push((entry.subject, mutation));
            }
        }
    }
}

/// Every edit that somebody was told was made is in the log, once.
fn everything_arrived_once(world: &World, history: &History) -> Result<(), String> {
    let mut count: HashMap<Uuid, usize> = HashMap::new();
    for (id, _) in &history.mutations {
        *count.entry(*id).or_default() += 1;
    }
    if let Some(lost) = world.entrusted.iter().find(|made| count.get(*made) != Some(&1)) {
        return Err(format!(
            "edit {lost}, which the nation was said to have, is in its log {:?} times",
            count.get(lost)
        ));
    }
    for (number, tablet) in world.tablets.iter().enumerate() {
        for made in &tablet.made {
            match count.get(made) {
                Some(1) => {}
                // Of what a revoked device handed over to a camp that was lost nobody can tell.
                None if tablet.revoked && world.lost_camps > 0 => {}
                other => return Err(format!("edit {made} of tablet {number} is in the log {other:?} times")),
            }
        }
    }
    Ok(())
}

/// Every file of whoever may still send is at the nation, byte for byte.
fn every_file_is_whole(world: &World, national: &Store) -> Result<(), String> {
    let shelf = look(&world.net).servers[0].shelf();
    let sending = world.tablets.iter().filter(|tablet| !tablet.revoked);
    let held =
        sending.flat_map(|tablet| tablet.claimed.iter().map(|file| (*file, tablet.person.organisation)));
    for (file, organisation) in world.entrusted_files.iter().copied().chain(held) {
        let name = file.to_hex();
        let expected = national.find_expected(file, organisation).map_err(|fault| fault.to_string())?;
        let done =
            expected.and_then(|expected| expected.done).ok_or(format!("the file {name} never came"))?;
        if let Some(fault) = shelf.fault(file, done.size).map_err(|fault| fault.to_string())? {
            return Err(format!("the file {name} {fault}"));
        }
    }
    Ok(())
}

/// What waits, waits for something that nobody has.
fn nothing_waits(store: &Store) -> Result<(), String> {
    let parked = store.list_parked().map_err(|fault| fault.to_string())?;
    let here: BTreeSet<String> =
        all_records(store)?.keys().map(ToString::to_string).chain(all_versions(store)?).collect();
    match parked.iter().find(|parked| here.contains(&parked.waiting_for)) {
        Some(parked) => {
            Err(format!("{} waits for {}, which is here", parked.mutation_id, parked.waiting_for))
        }
        None => Ok(()),
    }
}

fn all_versions(store: &Store) -> Result<Vec<String>, String> {
    let versions = store.versions().map_err(|fault| fault.to_string())?;
    Ok(versions.into_iter().map(|(_, record)| record.version.to_string()).collect())
}

/// Every mutation of the log is a version, a branch with a conflict, or waits or lies in quarantine.
fn everything_is_somewhere(store: &Store, history: &History) -> Result<BTreeMap<Uuid, Vec<Record>>, String> {
    let versions = store.versions().map_err(|fault| fault.to_string())?;
    let mut places: HashMap<Uuid, bool> = HashMap::new();
    let mut lines: BTreeMap<Uuid, Vec<Record>> = BTreeMap::new();
    for (branch, record) in versions {
        places.insert(record.version, branch);
        if !branch {
            lines.entry(record.id).or_default().push(record);
        }
    }
    let (conflicts, parked, quarantine) = beside(store)?;
    for (id, _) in &history.mutations {
        let outcome = history.outcomes[id];
        let there = match outcome {
            Outcome::Applied | Outcome::Merged => places.get(id) == Some(&false),
            Outcome::Conflict => places.get(id) == Some(&true) && conflicts.contains_key(id),
            Outcome::Parked => parked.contains_key(id),
            Outcome::Quarantined => quarantine.contains(id),
            Outcome::Duplicate | Outcome::Retry => false,
        };
        if !there {
            return Err(format!("edit {id} is said to be {outcome} and is not there"));
        }
    }
    let settling: BTreeMap<Uuid, &Mutation> =
        history.mutations.iter().map(|(id, mutation)| (*id, mutation)).collect();
    for (conflict, by) in conflicts {
        let Some(by) = by else { continue };
        let cites = settling.get(&by).is_some_and(|resolve| resolve.settles.contains(&conflict));
        if !cites {
            return Err(format!("conflict {conflict} was closed by {by}, which does not name it"));
        }
    }
    Ok(lines)
}

/// No head changed but by somebody who had seen what they changed; nothing retired came back by itself.
fn heads_changed_by_those_who_saw_them(
    store: &Store,
    lines: &BTreeMap<Uuid, Vec<Record>>,
    history: &History,
) -> Result<(), String> {
    let mutations: HashMap<Uuid, &Mutation> =
        history.mutations.iter().map(|(id, mutation)| (*id, mutation)).collect();
    let versions = store.versions().map_err(|fault| fault.to_string())?;
    let versions: HashMap<Uuid, Record> =
        versions.into_iter().map(|(_, record)| (record.version, record)).collect();
    for line in lines.values() {
        for pair in line.windows(2) {
            let [before, after] = pair else { continue };
            let mutation = mutations
                .get(&after.version)
                .ok_or_else(|| format!("version {} has no mutation", after.version))?;
            if before.retired && !after.retired && !matches!(mutation.op, Op::Restore | Op::Resolve) {
                return Err(format!("record {} came back by itself", after.id));
            }
            if mutation.base_version == Some(before.version) {
                continue;
            }
            if mutation.op != Op::Update {
                return Err(format!("a {} of {} had not seen what it changed", mutation.op, after.id));
            }
            saw(&versions, before, mutation)?;
        }
    }
    Ok(())
}

/// Whether an edit that was merged touches nothing that its author had not seen.
fn saw(versions: &HashMap<Uuid, Record>, before: &Record, mutation: &Mutation) -> Result<(), String> {
    let unseen =
        |what: &str| Err(format!("edit {} changed {what} of {} unseen", mutation.mutation_id, before.id));
    let schema = |version| Age::New.registry().schema(&mutation.kind, version).ok_or("a schema is gone");
    let (spoken, ruling) = (schema(mutation.schema)?, schema(mutation.schema.max(before.schema))?);
    let safety = |schema| mutation.changes.keys().any(|name| merge::is_safety(schema, name));
    if safety(spoken) || safety(ruling) {
        let base = mutation.base_version.and_then(|base| versions.get(&base));
        let stood = |schema| {
            base.map(|base| merge::safety_hash(base, schema)) == Some(merge::safety_hash(before, schema))
        };
        if mutation.seen != Some(merge::safety_hash(before, spoken)) || !stood(ruling) {
            return unseen("safety fields");
        }
    }
    for (name, change) in &mutation.changes {
        let (Some(to), class) = (&change.to, ruling.merge_class(name)) else { continue };
        let stood = before.field(name);
        let named = Value::from(Hash::of_value(stood).to_string());
        let seen = change.from.as_ref().is_some_and(|from| from == stood || *from == named);
        if class != MergeClass::Append && !seen && stood != to {
            return unseen(name);
        }
    }
    Ok(())
}

fn all_records(store: &Store) -> Result<BTreeMap<Uuid, Feature>, String> {
    scope_of(store, Scope::Everything, officer().sight())
}

fn scope_of(
    store: &Store,
    scope: Scope,
    sight: cartagena::model::role::Sight,
) -> Result<BTreeMap<Uuid, Feature>, String> {
    let (mut cursor, mut records) = (0, BTreeMap::new());
    loop {
        let (page, _) = store.pull(scope, cursor, 1 << 30, sight).map_err(|fault| fault.to_string())?;
        cursor = page.cursor;
        records.extend(page.records.into_iter().map(|feature| (feature.id, feature)));
        if !page.has_more {
            return Ok(records);
        }
    }
}

/// Every tablet shows what the national server has.
fn everybody_sees_the_same(world: &mut World, national: &Store) -> Result<(), String> {
    for (number, tablet) in world.tablets.iter_mut().enumerate().filter(|(_, tablet)| !tablet.revoked) {
        for followed in tablet.client.scopes().map_err(|fault| fault.to_string())? {
            if followed.revoked {
                continue;
            }
            let scope: Scope =
                followed.id.parse().map_err(|fault: cartagena::store::StoreError| fault.to_string())?;
            for (id, feature) in scope_of(national, scope, tablet.person.sight())? {
                let shown = tablet.client.view(id).map_err(|fault| fault.to_string())?;
                let told = feature.clone().into_record();
                match shown {
                    Some(view) if view.record == told => {}
                    // Its author goes on seeing an edit that waits for what lies in quarantine.
                    Some(_) if waits(&mut tablet.client, id)? => {}
                    Some(view) => {
                        let edits = tablet.client.edits().map_err(|fault| fault.to_string())?;
                        let laid = edits.iter().filter(|sent| sent.record_id == id && sent.replayed);
                        let laid: Vec<_> =
                            laid.map(|sent| (sent.mutation_id, sent.answer.clone(), sent.durable)).collect();
                        return Err(format!(
                            "tablet {number} ({}, {}) shows {} and not {}; laid on it: {laid:?}; it stands at {:?}",
                            tablet.person.role,
                            followed.id,
                            brief(&view.record),
                            brief(&told),
                            view.seq
                        ));
                    }
                    None => return Err(format!("tablet {number} does not show {id} of {}", followed.id)),
                }
            }
        }
    }
    Ok(())
}

/// Every tablet says of its own edits what the national server says of them.
fn everybody_knows_what_became_of_it(world: &mut World, history: &History) -> Result<(), String> {
    let class = |outcome| if outcome == Outcome::Merged { Outcome::Applied } else { outcome };
    for (number, tablet) in world.tablets.iter_mut().enumerate().filter(|(_, tablet)| !tablet.revoked) {
        for sent in tablet.client.edits().map_err(|fault| fault.to_string())? {
            let Some(said) = sent.outcome() else { continue };
            let is = history.outcomes.get(&sent.mutation_id).copied();
            if is.map(class) != Some(class(said)) {
                let edit = sent.mutation_id;
                return Err(format!("tablet {number} says that edit {edit} is {said}, national is {is:?}"));
            }
        }
    }
    Ok(())
}

/// Whether edits of a record that were made here wait on the server for something.
fn waits(client: &mut Client, record: Uuid) -> Result<bool, String> {
    let edits = client.edits().map_err(|fault| fault.to_string())?;
    let mut laid = edits.iter().filter(|sent| sent.record_id == record && sent.replayed);
    Ok(laid.any(|sent| sent.outcome() == Some(Outcome::Parked)))
}

/// A record in a few words.
fn brief(record: &Record) -> String {
    let flags = [(record.retired, ", retired"), (record.contested, ", contested")];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    format!("{} {} at {}, {}{flags}", record.kind, record.id, record.version, record.stage)
}

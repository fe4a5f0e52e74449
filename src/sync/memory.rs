//! What the rules need to know of the past, and what they want remembered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::model::schema::{Fault, Registry};
use crate::model::{Hash, Mutation, Op, Record};

/// A mutation with the bytes that it came in, which are what the log keeps.
#[derive(Debug, Clone)]
pub struct Received {
    /// As understood.
    pub mutation: Mutation,
    /// As received.
    pub bytes: Arc<[u8]>,
    /// The device that made it.
    pub device: Uuid,
    /// For a record that is being made: what its schema finds wrong, once that has been looked at.
    pub faults: Option<Vec<Fault>>,
    /// Why a human must look at it before anything else is asked; `mutation` is then without what cannot be stored.
    pub unfit: Option<Problem>,
}

/// Values nested deeper than this are no field of any schema, and other readers of JSON give up on them.
const DEEPEST: usize = 64;
/// Bytes of a kind's name.
const LONGEST_KIND: usize = 100;

impl Received {
    /// Reads a mutation; `sender` is the device that pushes it.
    ///
    /// # Errors
    /// What `serde` finds wrong with it.
    pub fn read(raw: &RawValue, sender: Uuid) -> Result<Self, serde_json::Error> {
        let mut received = Self::passed_on(raw, sender)?;
        if received.unfit.is_none() && received.mutation.repairs.is_some() {
            let repair = "a repair is made at the server: POST /v1/quarantine/{id}/repair";
            received.unfit = Some(Problem::new("permission", repair));
        }
        Ok(received)
    }

    /// Reads a mutation that a camp passes on; `maker` is the device that made it.
    ///
    /// # Errors
    /// What `serde` finds wrong with it.
    pub fn passed_on(raw: &RawValue, maker: Uuid) -> Result<Self, serde_json::Error> {
        let mutation: Mutation = serde_json::from_str(raw.get())?;
        let bytes = raw.get().as_bytes().into();
        let mut received = Self { device: maker, mutation, bytes, faults: None, unfit: None };
        let Some(problem) = unstorable(raw.get(), &received.mutation) else { return Ok(received) };
        if let Some(without) = without_nul(raw.get()) {
            // The log keeps the bytes as they came.
            received.mutation = serde_json::from_str(&without)?;
        }
        received.mutation.kind = received.mutation.kind.chars().take(LONGEST_KIND).collect();
        received.unfit = Some(problem);
        Ok(received)
    }

    /// A mutation made on this server.
    pub fn own(mutation: Mutation, device: Uuid) -> Self {
        let json = serde_json::to_string(&mutation).expect("a mutation has only JSON in it");
        let unfit = unstorable(&json, &mutation);
        Self { mutation, bytes: json.into_bytes().into(), device, faults: None, unfit }
    }

    /// Looks at a record that is being made before its turn comes: it depends on nothing that is stored.
    pub fn check(&mut self, registry: &Registry) {
        let mutation = &self.mutation;
        if mutation.op != Op::Create {
            return;
        }
        if let Some(schema) = registry.schema(&mutation.kind, mutation.schema) {
            let id = mutation.record_id;
            let blank = Record::blank(id, &mutation.kind, mutation.schema, Uuid::nil(), Uuid::nil());
            self.faults = Some(super::merge::intended(&blank, mutation, Some(schema)).faults(schema));
        }
    }

    /// The human action that it is part of, or all of.
    pub fn action(&self) -> Uuid {
        self.mutation.txn.map_or(self.mutation.mutation_id, |txn| txn.id)
    }

    /// The version that it makes.
    pub fn id(&self) -> Uuid {
        self.mutation.mutation_id
    }
}

/// U+0000 as JSON writes it; PostgreSQL's text cannot hold it.
const NUL: &str = "\\u0000";

/// The same JSON with U+FFFD in place of every U+0000, if it holds one. A backslash that is itself escaped begins nothing.
fn without_nul(json: &str) -> Option<String> {
    let mut without = String::new();
    let mut rest = json;
    while let Some(at) = rest.find(NUL) {
        let backslashes = rest[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        without.push_str(&rest[..at]);
        without.push_str(if backslashes % 2 == 0 { "\\ufffd" } else { NUL });
        rest = &rest[at + NUL.len()..];
    }
    without.push_str(rest);
    (without != json).then_some(without)
}

/// What keeps a mutation from every table but the log.
fn unstorable(json: &str, mutation: &Mutation) -> Option<Problem> {
    let problem = |detail: String| Some(Problem::new("content", detail));
    if without_nul(json).is_some() {
        problem("a text holds the character U+0000: send it again without".to_owned())
    } else if mutation.kind.len() > LONGEST_KIND {
        problem(format!("`kind` is longer than {LONGEST_KIND} bytes"))
    } else if nesting(json) > DEEPEST {
        problem(format!("values are nested deeper than {DEEPEST} levels"))
    } else {
        None
    }
}

/// How deep arrays and objects lie within each other.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// In what standing the sender is. Whatever it is, nothing it sends is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// May write.
    Good,
    /// Known, but its token has run out: everything goes into quarantine.
    Expired,
    /// Known, but revoked: everything goes into quarantine.
    Revoked,
}

impl Standing {
    /// Why what such a sender pushes is put before a human, if it is.
    pub fn problem(self) -> Option<Problem> {
        match self {
            Self::Good => None,
            Self::Expired => Some(Problem::new("expired", "the device's access has run out: log in again")),
            Self::Revoked => Some(Problem::new("revoked", "this device was revoked; what it held is kept")),
        }
    }
}

/// A mutation that is already stored.
#[derive(Debug, Clone)]
pub struct Known {
    /// The answer that was given first.
    pub answer: Answer,
    /// SHA-256 of its bytes.
    pub bytes: Hash,
}

/// A conflict on record.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The mutation that could not be applied; it names the conflict too.
    pub id: Uuid,
    /// The record.
    pub record_id: Uuid,
    /// What its author had seen.
    pub base_version: Option<Uuid>,
    /// What stood when it arrived.
    pub head_version: Option<Uuid>,
    /// The fields that disagree.
    pub fields: Vec<String>,
    /// Whether one of them is a safety field, which makes the record contested.
    pub safety: bool,
}

/// A mutation that a human must decide about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its record.
    pub record: Uuid,
    /// Whose it is.
    pub organisation: Uuid,
}

/// Mutations of one human action that wait together.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The action.
    pub txn: Uuid,
    /// Its mutations, in their order.
    pub mutations: Vec<Received>,
    /// Who pushed them.
    pub actor: Actor,
}

/// Why a mutation was quarantined or what else a sender should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// A stable word: `schema`, `permission`, `device_seq`, `blast_radius`, `transaction`, `content`, `revoked`, `expired`.
    pub code: String,
    /// In words, with what to do.
    pub detail: String,
    /// Every fault found, each with its JSON pointer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub faults: Vec<Fault>,
}

impl Problem {
    /// A problem without single faults.
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), faults: Vec::new() }
    }
}

/// What a sender is told about one mutation (docs/sync.md §4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Answer {
    /// Which.
    pub mutation_id: Uuid,
    /// What became of it.
    pub outcome: Outcome,
    /// For a duplicate: what became of it the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Outcome>,
    /// Its place in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The record's version that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Uuid>,
    /// The conflict that it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_id: Option<Uuid>,
    /// For a parked one: what is not here yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// What a human should look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

impl Answer {
    /// An answer that says no more than the outcome.
    pub fn new(mutation_id: Uuid, outcome: Outcome) -> Self {
        Self {
            mutation_id,
            outcome,
            first: None,
            seq: None,
            version: None,
            conflict_id: None,
            waiting_for: None,
            problem: None,
        }
    }
}

/// One entry of the log about a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Its arrival.
    Arrived,
    /// What became of it after it had waited.
    Unparked,
    /// What it comes to now that the state beneath it has changed: a camp's edits on what its nation tells.
    Rebased,
}

/// The past as the rules see it, and their way to write. One writing transaction stands behind it.
pub trait Memory {
    /// What can go wrong with the storage behind it.
    type Error;

    /// Whether a mutation is stored, and what was answered.
    fn known(&mut self, mutation: Uuid) -> Result<Option<Known>, Self::Error>;
    /// Which mutation has this number on this device.
    fn numbered(&mut self, device: Uuid, device_seq: i64) -> Result<Option<Uuid>, Self::Error>;
    /// A record as it stands.
    fn head(&mut self, record: Uuid) -> Result<Option<Record>, Self::Error>;
    /// A record as a version left it, on the head's line or on a branch.
    fn version(&mut self, version: Uuid) -> Result<Option<Record>, Self::Error>;
    /// The open conflicts of a record.
    fn open_conflicts(&mut self, record: Uuid) -> Result<Vec<Conflict>, Self::Error>;
    /// Whether a conflict was ever opened.
    fn conflict_known(&mut self, conflict: Uuid) -> Result<bool, Self::Error>;
    /// What quality rules hold against a record's entry into official figures, in words.
    fn held_by(&mut self, record: Uuid) -> Result<Vec<String>, Self::Error>;
    /// The actions that wait for this thing (a record, version, conflict or schema).
    fn waiting_for(&mut self, thing: &str) -> Result<Vec<Waiting>, Self::Error>;

    /// Appends to the log and gives the place in it; `answer.seq` is filled in. What is rebased and comes to the same
    /// keeps its place.
    fn log(
        &mut self,
        received: &Received,
        actor: &Actor,
        entry: Entry,
        answer: &mut Answer,
    ) -> Result<i64, Self::Error>;
    /// Makes this the record's head and keeps it as a version.
    fn put_head(&mut self, record: Record, received: &Received, seq: i64) -> Result<(), Self::Error>;
    /// Keeps a version beside the head's line.
    fn put_branch(&mut self, record: Record, received: &Received, seq: i64) -> Result<(), Self::Error>;
    /// Opens a conflict; the record's head may become contested.
    fn open_conflict(&mut self, conflict: Conflict, seq: i64) -> Result<(), Self::Error>;
    /// Closes a conflict.
    fn close_conflict(&mut self, conflict: Uuid, by: Uuid, reason: &str, seq: i64)
    -> Result<(), Self::Error>;
    /// Lets a mutation wait; called again, it waits for something else.
    fn park(
        &mut self,
        received: &Received,
        txn: Uuid,
        thing: &str,
        actor: &Actor,
        seq: i64,
    ) -> Result<(), Self::Error>;
    /// Ends the wait.
    fn unpark(&mut self, mutation: Uuid) -> Result<(), Self::Error>;
    /// Puts a mutation before a human.
    fn quarantine(
        &mut self,
        received: &Received,
        problem: &Problem,
        actor: &Actor,
        seq: i64,
    ) -> Result<(), Self::Error>;
    /// A mutation that is in quarantine and not settled.
    fn in_quarantine(&mut self, mutation: Uuid) -> Result<Option<Held>, Self::Error>;
    /// Notes which mutation repaired a quarantined one; its version then stands for the other too. Gives the author of
    /// the quarantined one, if it was still open.
    fn repaired(&mut self, quarantined: Uuid, by: Uuid, seq: i64) -> Result<Option<Uuid>, Self::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_nul_is_one() {
        for harmless in [r#"{"a":"b"}"#, r#""\\u0000""#, r#""x\\\\u0000""#] {
            assert_eq!(without_nul(harmless), None, "{harmless}");
        }
        for (held, without) in
            [(r#""\u0000""#, r#""\ufffd""#), (r#""\\\u0000\\u0000""#, r#""\\\ufffd\\u0000""#)]
        {
            assert_eq!(without_nul(held).as_deref(), Some(without), "{held}");
            assert!(serde_json::from_str::<String>(held).unwrap().contains('\0'));
            assert!(!serde_json::from_str::<String>(without).unwrap().contains('\0'));
        }
    }
}

//! Ids that follow from what a file says, so that the same feature is the same record in every run.

use std::collections::HashMap;

use uuid::{Uuid, uuid};

use crate::model::Hash;

/// The namespace of all imports; another one would make every file new again.
const NAMESPACE: Uuid = uuid!("6b1f4a52-6a0e-5c5e-9a3b-0d5a1c1e7f10");

/// The ids of one feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// The record.
    pub(super) record: Uuid,
    /// The edit that makes it.
    pub(super) create: Uuid,
    /// The edit that puts it forward.
    pub(super) submit: Uuid,
    /// How many features before it in the file say exactly the same.
    pub(super) twins: u32,
}

/// Gives out identities in the order of a file.
#[derive(Debug)]
pub(super) struct Identities {
    kind: String,
    mapping: Hash,
    seen: HashMap<Hash, u32>,
}

impl Identities {
    pub(super) fn new(kind: &str, mapping: Hash) -> Self {
        Self { kind: kind.to_owned(), mapping, seen: HashMap::new() }
    }

    /// The identity of the next feature with this content. Twins are told apart by their place among themselves.
    pub(super) fn of(&mut self, content: Hash) -> Identity {
        let count = self.seen.entry(content).or_insert(0);
        let twins = *count;
        *count += 1;
        let id = |part: &str| {
            let name = format!("{part}\n{}\n{content}\n{}\n{twins}", self.kind, self.mapping);
            Uuid::new_v5(&NAMESPACE, name.as_bytes())
        };
        Identity { record: id("record"), create: id("create"), submit: id("submit"), twins }
    }
}

//! Edits that people make at the server – in the office, or at their map: the same mutations as a tablet's, after which
//! the review begins anew. What does not fit is refused and nothing is stored.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::decide::{draft, must_stand_at};
use super::txn::tier_of;
use super::{Result, Store, StoreError};
use crate::model::role::{Actor, Shown};
use crate::model::{Change, Op, Record};
use crate::sync::memory::{Answer, Memory as _};

/// What somebody who edits a record has seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// This version.
    Version(Uuid),
    /// They cannot say: QGIS does not.
    Unknown {
        /// The version from which their edit was read.
        read: Uuid,
    },
}

impl Store {
    /// Makes a record: a draft of the actor's organisation; its version. Asked for again in the same words, because the
    /// answer was lost, it is not made again.
    ///
    /// # Errors
    /// `Refused`: `role`, `taken` where there is another record of this id; `NotAccepted`.
    pub fn create(
        &self,
        actor: Actor,
        kind: &str,
        id: Uuid,
        changes: BTreeMap<String, Change>,
    ) -> Result<Uuid> {
        let kind = kind.to_owned();
        self.write(move |txn| {
            let schema = txn.registry.latest(&kind).ok_or(StoreError::NotFound("kind of record"))?.version();
            actor.may_write(Op::Create, &kind, None).map_err(|detail| StoreError::refused("role", detail))?;
            if let Some(head) = txn.head(id)? {
                let says = |(name, change): (&String, &Change)| says(head.field(name), change);
                let same = head.author == actor.account
                    && head.kind == kind
                    && !head.retired
                    && changes.iter().all(says);
                let detail = if head.retired {
                    "there was a record of this id, which is out of use: leave the id out"
                } else {
                    "there is a record of this id: look at it, or leave the id out"
                };
                return if same { Ok(head.version) } else { Err(StoreError::refused("taken", detail)) };
            }
            let mut mutation = draft(&actor, Op::Create, &kind, schema, id);
            mutation.changes = changes;
            Ok(txn.decide(&actor, mutation)?.version.unwrap_or_default())
        })
    }

    /// Changes a record.
    ///
    /// # Errors
    /// `NotFound`, also for others' drafts; `Refused`: `stale` where the record has moved on, `role`, `unseen` where
    /// nobody can tell whether the actor has seen what would be changed, and `moved-on` where the edit was read from
    /// another version than stands by now; `NotAccepted`.
    pub fn correct(
        &self,
        actor: Actor,
        record_id: Uuid,
        seen: Seen,
        changes: BTreeMap<String, Change>,
        reason: Option<String>,
    ) -> Result<Answer> {
        self.edit(actor, record_id, seen, Op::Update, changes, reason)
    }

    /// Takes a record out of use. A finalised one stands until that has been finalised too.
    ///
    /// # Errors
    /// As for [`Store::correct`].
    pub fn retire(&self, actor: Actor, record_id: Uuid, seen: Seen) -> Result<Answer> {
        self.edit(actor, record_id, seen, Op::Retire, BTreeMap::new(), None)
    }

    fn edit(
        &self,
        actor: Actor,
        record_id: Uuid,
        seen: Seen,
        op: Op,
        changes: BTreeMap<String, Change>,
        reason: Option<String>,
    ) -> Result<Answer> {
        self.write(move |txn| {
            let head = txn.head(record_id)?.ok_or(StoreError::NotFound("record"))?;
            if actor.sight().of(&head, tier_of(txn.registry, &head)) != Shown::Head {
                return Err(StoreError::NotFound("record"));
            }
            match seen {
                Seen::Version(seen) => must_stand_at(&head, seen)?,
                Seen::Unknown { read } => {
                    must_overwrite_nothing(&actor, &head)?;
                    must_be_read_from(&head, read)?;
                }
            }
            actor
                .may_write(op, &head.kind, Some(&head))
                .map_err(|detail| StoreError::refused("role", detail))?;
            let mut mutation = draft(&actor, op, &head.kind, head.schema, record_id);
            mutation.base_version = Some(head.version);
            mutation.changes = changes;
            mutation.reason = reason;
            txn.decide(&actor, mutation)
        })
    }
}

/// An edit by somebody who cannot say what they saw may lie on what stands finalised – it stays in the books until the
/// edit has been reviewed – and on what they wrote themselves. Somebody else's work under review would be gone unseen.
fn must_overwrite_nothing(actor: &Actor, head: &Record) -> Result<()> {
    if head.author == actor.account || head.official == Some(head.version) {
        return Ok(());
    }
    let detail = format!(
        "somebody else's edit of this record is {} and not finalised: say that you have seen it with `If-Match: \"{}\"`, \
         or wait until it is decided",
        head.stage, head.version
    );
    Err(StoreError::refused("unseen", detail))
}

/// What an edit changes was found out against one version: against another one, it would change something else.
fn must_be_read_from(head: &Record, read: Uuid) -> Result<()> {
    if head.version == read {
        return Ok(());
    }
    let detail = format!(
        "somebody else has changed the record just now, it stands at version {}: look at it again",
        head.version
    );
    Err(StoreError::refused("moved-on", detail))
}

/// Whether a field says what a change would make of it: the value, and every row.
fn says(field: &Value, change: &Change) -> bool {
    let rows = field.as_array().map_or(&[][..], Vec::as_slice);
    change.to.as_ref().is_none_or(|to| field == to) && change.add.iter().all(|row| rows.contains(row))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_that_is_not_there_is_not_said() {
        let row = |id: u8| json!({"id": id, "kind": "other"});
        let add = |rows: Vec<Value>| Change { add: rows, ..Change::default() };
        assert!(says(&json!([row(1), row(2)]), &add(vec![row(2)])));
        for field in [json!([row(1)]), json!(null), json!([{"id": 2, "removed": true}])] {
            assert!(!says(&field, &add(vec![row(2)])), "{field}");
        }
        assert!(says(&json!("x"), &Change::set(json!("x"))) && !says(&json!("y"), &Change::set(json!("x"))));
    }

    #[test]
    fn an_edit_stands_on_the_version_that_it_was_read_from() {
        let head = Record::blank(Uuid::nil(), "task", 1, Uuid::nil(), Uuid::nil());
        assert!(must_be_read_from(&head, head.version).is_ok());
        let refused = must_be_read_from(&head, Uuid::now_v7()).unwrap_err();
        assert!(matches!(refused, StoreError::Refused { code: "moved-on", .. }), "{refused}");
    }
}

//! A client's view: the server's state with the client's unacknowledged edits replayed on it (docs/sync.md §6).

use super::merge::{self, Merge, Terms};
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::model::{Mutation, Op, Record, ReviewAction};

/// Replays pending edits of one record, in their order, on what the server last told of it.
///
/// An edit that no longer fits is shown all the same: its author must see what they wrote until
/// somebody has settled the conflict that it will become.
pub fn rebase<'a>(
    server: Option<Record>,
    pending: impl IntoIterator<Item = &'a Mutation>,
    registry: &Registry,
    actor: &Actor,
) -> Option<Record> {
    pending.into_iter().fold(server, |state, mutation| replay(state, mutation, registry, actor))
}

fn replay(state: Option<Record>, mutation: &Mutation, registry: &Registry, actor: &Actor) -> Option<Record> {
    let blank = || {
        Record::blank(
            mutation.record_id,
            &mutation.kind,
            mutation.schema,
            actor.organisation,
            mutation.author,
        )
    };
    let state = match (mutation.op, state) {
        (Op::Create, None) => blank(),
        (_, None) => return None,
        (_, Some(state)) => state,
    };
    let terms = Terms::of(registry, mutation, Some(&state)).ok();
    let laid = terms.and_then(|terms| match merge::update(&state, Some(&state), mutation, terms) {
        Merge::Laid(record, _) => Some(*record),
        Merge::Disagrees(_) => None,
    });
    let mut record =
        laid.unwrap_or_else(|| merge::intended(&state, mutation, terms.map(|terms| terms.ruling)));
    match mutation.op {
        Op::Retire => record.retired = true,
        Op::Restore => record.retired = false,
        Op::Review => {
            record.stage = mutation.review.map_or(record.stage, ReviewAction::gives);
        }
        Op::Create | Op::Update | Op::Resolve => {}
    }
    record.version = mutation.mutation_id;
    if mutation.op != Op::Review {
        record.author = mutation.author;
    }
    Some(record)
}

//! How many features whole collections have, for as long as nothing is written: a map program asks several times before
//! it reads the first page.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::model::role::Sight;

/// Counts that are remembered: the collections that a few people are looking at.
const REMEMBERED: usize = 64;

/// Of which collection, for whom, at which place in the log.
type Asked = (String, Sight, i64);

/// The last counts.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<VecDeque<(Asked, u64)>>);

impl Counts {
    /// What was counted before, or is counted now.
    pub(super) fn get<E>(&self, asked: Asked, count: impl FnOnce() -> Result<u64, E>) -> Result<u64, E> {
        let known = self.held().iter().find(|(known, _)| *known == asked).map(|(_, count)| *count);
        if let Some(known) = known {
            return Ok(known);
        }
        let counted = count()?;
        let mut held = self.held();
        held.truncate(REMEMBERED - 1);
        held.push_front((asked, counted));
        Ok(counted)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, VecDeque<(Asked, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::role::Drafts;

    #[test]
    fn what_was_counted_is_not_counted_again_and_forgotten_in_time() {
        let (counts, sight) = (
            Counts::default(),
            Sight {
                tier: 1,
                drafts: Drafts::None,
                organisation: Uuid::nil(),
                account: Uuid::nil(),
                official_only: true,
            },
        );
        let get =
            |at: i64, count: u64| counts.get(("task".to_owned(), sight, at), || Ok::<_, ()>(count)).unwrap();
        assert_eq!((get(1, 10), get(1, 11), get(2, 12)), (10, 10, 12));
        assert!((3..100).all(|at| get(at, 7) == 7));
        assert_eq!(get(1, 13), 13);
        let other = Sight { tier: 2, ..sight };
        assert_eq!(
            counts.get(("task".to_owned(), other, 1), || Err("counted")),
            Err("counted"),
            "for another reader"
        );
    }
}

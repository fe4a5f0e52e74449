//! Whether the people are there who can bring what is imported into the official books.

use uuid::Uuid;

use crate::model::role::Actor;
use crate::model::{Record, ReviewAction};
use crate::store::account::Account;

/// Who takes which step after the author has put a record forward.
const STEPS: [(ReviewAction, &str); 3] = [
    (ReviewAction::OrgValidate, "a programme_manager of the records' organisation"),
    (ReviewAction::OpsValidate, "a qa_officer of another organisation"),
    (ReviewAction::Finalise, "an im_officer"),
];

/// The steps of the review that nobody can take for records of `kind` which `author` makes, each with who is missing:
/// nobody may take two stages of one record (docs/domain.md §3), so that the author counts for none of them.
pub fn missing(accounts: &[Account], author: Actor, kind: &str) -> Vec<String> {
    let record = Record::blank(Uuid::nil(), kind, 1, author.organisation, author.account);
    let can = |action: ReviewAction| {
        accounts.iter().any(|account| {
            !account.disabled
                && account.id != author.account
                && account.actor().may_review(action, &record).is_ok()
        })
    };
    STEPS
        .iter()
        .filter(|(action, _)| !can(*action))
        .map(|(action, who)| {
            format!("nobody can take the step `{action}`: besides the author there must be {who}")
        })
        .collect()
}

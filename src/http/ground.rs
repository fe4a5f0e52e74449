//! Who is shown the ground behind figures, polygon by polygon and record by record. What is finalised is everybody's who
//! sees exact ground at all; on the provisional basis drafts of all operators are among it.

use super::error::{ApiError, ApiResult};
use crate::auth::permission::{Permission, ReadDraftGround, ReadPieces};
use crate::model::Role;
use crate::report::book::Basis;

/// Whether a role sees single areas and releases of a basis.
pub(super) fn sees_ground(role: Role, basis: Basis) -> bool {
    let roles = match basis {
        Basis::Official => ReadPieces::ROLES,
        Basis::Provisional => ReadDraftGround::ROLES,
    };
    roles.contains(&role)
}

/// Refuses single areas and releases of a basis to whoever does not see them.
///
/// # Errors
/// 403
pub(super) fn must_see_ground(role: Role, basis: Basis) -> ApiResult<()> {
    if sees_ground(role, basis) {
        return Ok(());
    }
    let detail = match basis {
        Basis::Official => {
            "single areas and releases are for those who see exact ground: ask for sums of them"
        }
        Basis::Provisional => {
            "provisional ground holds drafts of all operators: ask with `basis=official`, or for the records that you see"
        }
    };
    Err(ApiError::forbidden(detail))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::role::{Actor, Drafts};

    #[test]
    fn ground_of_drafts_is_for_whoever_sees_all_drafts() {
        for role in Role::ALL {
            let actor = Actor { account: Uuid::nil(), role: *role, organisation: Uuid::nil() };
            let sees_drafts = actor.sight().drafts == Drafts::All;
            assert_eq!(sees_ground(*role, Basis::Provisional), sees_drafts, "{role:?}");
            assert!(sees_ground(*role, Basis::Official) || !sees_drafts, "{role:?}");
        }
    }
}

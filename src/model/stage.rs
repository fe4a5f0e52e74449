//! The stages of approval (docs/domain.md §3) and the steps between them.

use super::vocabulary;

vocabulary! {
    /// How far a version of a record has come on its way to the official books.
    #[derive(Default)]
    pub enum Stage {
        /// Being made in the field; nobody has put it forward.
        #[default]
        Draft = "draft",
        /// Put forward by the team.
        Submitted = "submitted",
        /// Checked by the operator's management.
        OrgValidated = "org_validated",
        /// Checked by the authority's quality assurance.
        OpsValidated = "ops_validated",
        /// Entered into the official books by the authority's information management.
        Finalised = "finalised",
        /// Sent back with a reason.
        Returned = "returned",
        /// Refused with a reason.
        Rejected = "rejected",
    }
}

impl Stage {
    /// Stages in which only a record's own people and the authority see what it says: it has not been put forward, or
    /// was sent back or refused.
    pub const INTERNAL: [Self; 3] = [Self::Draft, Self::Returned, Self::Rejected];

    /// Whether it is one of [`Stage::INTERNAL`].
    pub fn is_internal(self) -> bool {
        Self::INTERNAL.contains(&self)
    }
}

vocabulary! {
    /// One step of a review.
    pub enum ReviewAction {
        /// draft or returned → submitted
        Submit = "submit",
        /// submitted → `org_validated`
        OrgValidate = "org_validate",
        /// `org_validated` → `ops_validated`
        OpsValidate = "ops_validate",
        /// `ops_validated` → finalised
        Finalise = "finalise",
        /// any stage under review → returned
        Return = "return",
        /// any stage under review → rejected
        Reject = "reject",
    }
}

impl ReviewAction {
    /// Where the step leads from `stage`, if it may be taken there.
    pub fn from_stage(self, stage: Stage) -> Option<Stage> {
        use Stage::{Draft, Finalised, OpsValidated, OrgValidated, Rejected, Returned, Submitted};
        match (self, stage) {
            (Self::Submit, Draft | Returned) => Some(Submitted),
            (Self::OrgValidate, Submitted) => Some(OrgValidated),
            (Self::OpsValidate, OrgValidated) => Some(OpsValidated),
            (Self::Finalise, OpsValidated) => Some(Finalised),
            (Self::Return, Submitted | OrgValidated | OpsValidated) => Some(Returned),
            (Self::Reject, Draft | Submitted | OrgValidated | OpsValidated) => Some(Rejected),
            _ => None,
        }
    }

    /// The stage that the step gives, from wherever it is taken.
    pub const fn gives(self) -> Stage {
        match self {
            Self::Submit => Stage::Submitted,
            Self::OrgValidate => Stage::OrgValidated,
            Self::OpsValidate => Stage::OpsValidated,
            Self::Finalise => Stage::Finalised,
            Self::Return => Stage::Returned,
            Self::Reject => Stage::Rejected,
        }
    }

    /// Whether the person who takes it must say why.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Return | Self::Reject)
    }

    /// Whether it is an approval, which nobody may give to what they made or approved before.
    pub const fn is_approval(self) -> bool {
        matches!(self, Self::OrgValidate | Self::OpsValidate | Self::Finalise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_books_is_one_step_at_a_time() {
        let mut stage = Stage::Draft;
        for action in [
            ReviewAction::Submit,
            ReviewAction::OrgValidate,
            ReviewAction::OpsValidate,
            ReviewAction::Finalise,
        ] {
            stage = action.from_stage(stage).expect("the next step");
            assert_eq!(stage, action.gives());
        }
        assert_eq!(stage, Stage::Finalised);
        for action in ReviewAction::ALL {
            assert_eq!(action.from_stage(Stage::Finalised), None, "after finalised only an amendment");
        }
    }
}

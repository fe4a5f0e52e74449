//! The roles of a programme and what each may write (docs/domain.md §3). What each may read is a
//! [`Sight`], which the store turns into row filters.

use uuid::Uuid;

use super::schema::Schema;
use super::{Op, Record, ReviewAction, Stage, vocabulary};

vocabulary! {
    /// What a person is in the programme.
    pub enum Role {
        /// Team leader or deminer with a tablet.
        Surveyor = "surveyor",
        /// Supervises teams of one operator.
        Supervisor = "supervisor",
        /// Manages one operator's work.
        ProgrammeManager = "programme_manager",
        /// Quality assurance, for the authority.
        QaOfficer = "qa_officer",
        /// Information management, for the authority.
        ImOfficer = "im_officer",
        /// The director or the Convention's focal point.
        Authority = "authority",
        /// A donor or the United Nations.
        Observer = "observer",
        /// Accounts, devices and keys; no content.
        Admin = "admin",
        /// A camp server, which passes on what others have written and is told everything.
        Relay = "relay",
    }
}

/// What the authority makes itself: nobody inspects it as an operator's work is inspected, so that its own QA may
/// validate it – another person than its author all the same.
const NOT_INSPECTED: [&str; 3] = ["qm_inspection", "task", "handover"];

/// Whether records of a kind are an operator's work, which its own organisation may not inspect.
pub fn is_inspected(kind: &str) -> bool {
    !NOT_INSPECTED.contains(&kind)
}

/// Who writes: an account with its role and organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: Uuid,
    /// What the account is.
    pub role: Role,
    /// Whom the account works for.
    pub organisation: Uuid,
}

/// Which rows a reader sees. Tiers are docs/domain.md §3: 0 public, 1 partner, 2 restricted, 3 personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The highest tier that is shown.
    pub tier: i16,
    /// Whose drafts are shown: everybody's, one organisation's, or one person's.
    pub drafts: Drafts,
    /// Whose drafts and whose person it is.
    pub organisation: Uuid,
    /// The reader.
    pub account: Uuid,
    /// Only records that have been finalised.
    pub official_only: bool,
}

/// Whose unsubmitted records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drafts {
    /// Everybody's.
    All,
    /// Those of the reader's organisation.
    Organisation,
    /// Only the reader's own.
    Own,
    /// None.
    None,
}

/// What a reader is shown of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It as it stands.
    Head,
    /// The version that was finalised: what has been written since is a draft of others.
    Official(Uuid),
    /// Not even that it exists.
    Nothing,
}

/// Whose a record is and how far its review has come: as much of it as decides who sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Custody {
    /// Who may see records of its kind at all.
    pub tier: i16,
    /// Whose it is.
    pub organisation: Uuid,
    /// Who wrote it last.
    pub author: Uuid,
    /// How far its review has come.
    pub stage: Stage,
    /// Its version.
    pub version: Uuid,
    /// The version that was finalised last.
    pub official: Option<Uuid>,
}

impl Sight {
    /// Whether a field of a kind may be shown.
    pub fn reaches(&self, schema: &Schema, field: &str) -> bool {
        i16::from(schema.field_tier(field)) <= self.tier
    }

    /// What may be shown of a record that stands like this.
    pub fn of(&self, record: &Record, tier: i16) -> Shown {
        self.of_custody(&Custody {
            tier,
            organisation: record.organisation,
            author: record.author,
            stage: record.stage,
            version: record.version,
            official: record.official,
        })
    }

    /// What may be shown of a record that is in this custody.
    pub fn of_custody(&self, record: &Custody) -> Shown {
        if record.tier > self.tier {
            return Shown::Nothing;
        }
        let draft = match self.drafts {
            Drafts::All => true,
            Drafts::Organisation => record.organisation == self.organisation,
            Drafts::Own => record.author == self.account,
            Drafts::None => false,
        };
        if !self.official_only && (!record.stage.is_internal() || draft) {
            return Shown::Head;
        }
        match record.official {
            Some(official) if official == record.version => Shown::Head,
            Some(official) => Shown::Official(official),
            None => Shown::Nothing,
        }
    }
}

impl Actor {
    /// What the actor may read.
    pub fn sight(&self) -> Sight {
        let (tier, drafts, official_only) = match self.role {
            Role::Surveyor => (2, Drafts::Own, false),
            Role::Supervisor | Role::ProgrammeManager => (2, Drafts::Organisation, false),
            Role::QaOfficer | Role::Authority => (2, Drafts::All, false),
            Role::ImOfficer => (3, Drafts::All, false),
            Role::Observer => (1, Drafts::None, true),
            Role::Admin | Role::Relay => (0, Drafts::None, true),
        };
        Sight { tier, drafts, organisation: self.organisation, account: self.account, official_only }
    }

    /// Whether the actor may make this edit; the reason in words if not.
    ///
    /// `head` is the record as it stands, or nothing where it is being created.
    pub fn may_write(&self, op: Op, kind: &str, head: Option<&Record>) -> Result<(), String> {
        let own = head.is_none_or(|record| record.organisation == self.organisation);
        let refuse = |what: &str| Err(format!("a {} may not {what}", self.role.as_str().replace('_', " ")));
        match self.role {
            Role::Observer | Role::Admin | Role::Relay => refuse("write records"),
            _ if op == Op::Resolve && self.role != Role::ImOfficer => refuse("resolve conflicts"),
            Role::Authority if kind != "task" && kind != "handover" => refuse(&format!("write a {kind}")),
            Role::QaOfficer if kind == "qm_inspection" && own => Ok(()),
            Role::QaOfficer => refuse(&format!("write another organisation's records or a {kind}")),
            Role::Surveyor | Role::Supervisor | Role::ProgrammeManager if !own => {
                refuse("change another organisation's record")
            }
            Role::Surveyor if kind == "task" || kind == "qm_inspection" => refuse(&format!("write a {kind}")),
            Role::Supervisor if head.is_some_and(|record| record.official.is_some()) => {
                refuse("change a finalised record")
            }
            Role::Surveyor
                if matches!(op, Op::Retire | Op::Restore)
                    && head.is_some_and(|record| record.official.is_some()) =>
            {
                refuse("take a finalised record out of use or bring it back")
            }
            Role::Surveyor
            | Role::Supervisor
            | Role::ProgrammeManager
            | Role::Authority
            | Role::ImOfficer => Ok(()),
        }
    }

    /// Whether the actor's role may take this step on a record of `organisation`; the reason in words if not.
    pub fn may_review(&self, action: ReviewAction, record: &Record) -> Result<(), String> {
        let own = record.organisation == self.organisation;
        let (allowed, who) = match action {
            ReviewAction::Submit => (
                match self.role {
                    Role::Surveyor => own && record.author == self.account,
                    Role::Supervisor | Role::ProgrammeManager | Role::Authority => own,
                    Role::QaOfficer => own && record.kind == "qm_inspection",
                    Role::ImOfficer => true,
                    Role::Observer | Role::Admin | Role::Relay => false,
                },
                "the author, or a supervisor, programme manager or IM officer",
            ),
            ReviewAction::OrgValidate => (
                matches!((self.role, own), (Role::ProgrammeManager, true))
                    || (own && self.role == Role::Authority),
                "the programme manager of the record's organisation",
            ),
            ReviewAction::OpsValidate => (
                self.role == Role::QaOfficer && (!own || !is_inspected(&record.kind)),
                "a QA officer of another organisation",
            ),
            ReviewAction::Finalise => (self.role == Role::ImOfficer, "an IM officer"),
            ReviewAction::Return | ReviewAction::Reject => {
                let allowed = match (self.role, record.stage) {
                    (Role::Supervisor | Role::ProgrammeManager, Stage::Draft | Stage::Submitted)
                    | (Role::ProgrammeManager, Stage::OrgValidated) => own,
                    (Role::QaOfficer, Stage::OrgValidated | Stage::OpsValidated) => !own,
                    (Role::ImOfficer, _) => true,
                    _ => false,
                };
                (allowed, "whoever may take the next step")
            }
        };
        if allowed {
            return Ok(());
        }
        Err(format!(
            "`{action}` is for {who}, not for a {} of this organisation",
            self.role.as_str().replace('_', " ")
        ))
    }
}

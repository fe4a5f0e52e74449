//! What a route needs: one table that can be read, and a type for each row, so that a handler cannot get at the
//! principal without naming the permission.

use crate::model::Role;

/// A right that some roles have.
pub trait Permission: 'static {
    /// Its name, as in the API's description.
    const NAME: &'static str;
    /// Who has it.
    const ROLES: &'static [Role];
    /// Whether somebody with a one-time password may use it.
    const BEFORE_PASSWORD_CHANGE: bool = false;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = [$($role:ident),* $(,)?]),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Permission for $name {
                const NAME: &'static str = stringify!($name);
                const ROLES: &'static [Role] = &[$(Role::$role),*];
            }
        )*
        /// The whole table: name and roles.
        pub const TABLE: &[(&str, &[Role])] = &[$((stringify!($name), <$name as Permission>::ROLES)),*];
    };
}

permissions! {
    /// Push edits; what each role may edit is [`crate::model::role::Actor::may_write`].
    Push = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Relay],
    /// Follow scopes; which ones is [`crate::store::pull::may_follow`].
    Pull = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// Hear that the log has moved, and nothing else about it.
    HearNews = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Observer, Admin],
    /// Read the log as it is: relays and auditors.
    ReadLog = [ImOfficer, Relay],
    /// Be told of every account and of the programme: camp servers.
    ReadPeople = [Relay],
    /// Read records, as far as the role's sight reaches.
    ReadRecords = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Observer],
    /// Have passwords for map programs, each no stronger than its person.
    HaveMapPasswords = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Observer],
    /// Take a step of a review; which one is [`crate::model::role::Actor::may_review`].
    Review = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// Correct a record in the office; which ones, [`crate::model::role::Actor::may_write`] says.
    CorrectRecords = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// See conflicts.
    ReadConflicts = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// Settle conflicts.
    ResolveConflicts = [ImOfficer],
    /// See what is quarantined or parked: one's own organisation's, or all for the authority.
    ReadQuarantine = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// Repair or dismiss what is quarantined.
    RepairQuarantine = [ProgrammeManager, ImOfficer],
    /// See findings of the quality rules.
    ReadQuality = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// See figures.
    ReadLedger = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Observer],
    /// See the exact polygons behind figures.
    ReadPieces = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority],
    /// See them also where they count provisionally, with the drafts of all operators.
    ReadDraftGround = [QaOfficer, ImOfficer, Authority],
    /// Freeze a reporting year.
    Freeze = [Authority],
    /// See the programme's settings.
    ReadProgramme = [Surveyor, Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Observer, Admin],
    /// Change the programme's settings.
    SetProgramme = [Authority, Admin],
    /// See what should be looked after: one's own organisation's, or all for the authority and the administrator.
    ReadAlarms = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Admin],
    /// See and make accounts and organisations.
    ManageAccounts = [Admin],
    /// Offer enrolments and revoke devices: one's own organisation's, or all for an admin.
    ManageDevices = [ProgrammeManager, Admin],
    /// See which tablets there are, and what they still hold.
    ReadDevices = [Supervisor, ProgrammeManager, QaOfficer, ImOfficer, Authority, Admin],
}

/// Change one's own password or end one's session: anybody who is logged in.
#[derive(Debug, Clone, Copy)]
pub struct OwnAccount;

impl Permission for OwnAccount {
    const NAME: &'static str = "OwnAccount";
    const ROLES: &'static [Role] = Role::ALL;
    const BEFORE_PASSWORD_CHANGE: bool = true;
}

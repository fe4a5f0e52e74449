//! Who works in the constructed programme: the authority, three operators, an outside monitor, a donor.

use uuid::Uuid;

use crate::model::Role;
use crate::model::role::Actor;
use crate::store::account::{Account, NewAccount, Organisation};
use crate::store::{Result, Store};

/// Key of the log-ins, name, kind.
const ORGANISATIONS: [(&str, &str, &str); 6] = [
    ("authority", "Sample Mine Action Authority (constructed)", "authority"),
    ("hima", "Hima Clearance (constructed)", "operator"),
    ("orto", "Orto Demining (constructed)", "operator"),
    ("tern", "Tern Survey and Clearance (constructed)", "operator"),
    // The authority's own records need a QA officer who is not of the authority (`Actor::may_review`).
    ("monitor", "Outside Monitoring Body (constructed)", "other"),
    ("donor", "Sample Donor Group (constructed)", "other"),
];

/// The operators' keys, in the order of [`Cast::operators`].
const OPERATORS: [&str; 3] = ["hima", "orto", "tern"];

/// What an operator's people do, by the ending of their log-ins.
const CREW: [(&str, &str, Role); 5] = [
    ("manager", "Manager", Role::ProgrammeManager),
    ("supervisor", "Supervisor", Role::Supervisor),
    ("surveyor-1", "Surveyor One", Role::Surveyor),
    ("surveyor-2", "Surveyor Two", Role::Surveyor),
    ("surveyor-3", "Surveyor Three", Role::Surveyor),
];

/// Log-in, name, role and organisation of everybody else.
const OFFICE: [(&str, &str, Role, &str); 9] = [
    ("authority-director", "Director", Role::Authority, "authority"),
    ("authority-deputy", "Deputy Director", Role::Authority, "authority"),
    ("authority-im", "Information Manager", Role::ImOfficer, "authority"),
    // Whoever edits a record may not finalise it, so that there are two.
    ("authority-im-2", "Second Information Manager", Role::ImOfficer, "authority"),
    ("authority-qa", "Quality Officer", Role::QaOfficer, "authority"),
    ("monitor-qa", "Outside Quality Officer", Role::QaOfficer, "monitor"),
    ("observer", "Observer", Role::Observer, "donor"),
    ("admin", "Administrator", Role::Admin, "authority"),
    ("authority-qa-2", "Second Quality Officer", Role::QaOfficer, "authority"),
];

/// An operator with those of its people who act.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The organisation.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// With which its log-ins begin.
    pub key: &'static str,
    pub(super) manager: Actor,
    pub(super) supervisor: Actor,
    pub(super) surveyors: [Actor; 3],
}

/// Everybody who acts.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Who surveys and clears.
    pub operators: Vec<Operator>,
    /// The organisation that orders, checks and decides.
    pub authority: Uuid,
    pub(super) authority_name: String,
    pub(super) directors: [Actor; 2],
    pub(super) im: [Actor; 2],
    pub(super) qa: [Actor; 2],
    pub(super) monitor: Actor,
}

/// Log-in, name, role and the key of the organisation of everybody.
fn people() -> Vec<(String, String, Role, &'static str)> {
    let office = OFFICE.iter().map(|(login, name, role, key)| ((*login).to_owned(), *name, *role, *key));
    let crews = OPERATORS.iter().flat_map(|key| {
        CREW.iter().map(move |(ending, name, role)| (format!("{key}-{ending}"), *name, *role, *key))
    });
    let named = |(login, name, role, key): (String, &str, Role, &'static str)| {
        (login, format!("{name} of {key} (constructed)"), role, key)
    };
    office.chain(crews).map(named).collect()
}

fn name_of(key: &str) -> &'static str {
    ORGANISATIONS.iter().find(|(there, ..)| *there == key).map_or("", |(_, name, _)| name)
}

/// Makes the organisations and the accounts, all with the same password.
///
/// # Errors
/// `Refused` where one of them is there already: a demonstration begins with an empty database.
pub(super) fn hire(store: &Store, password_hash: &str) -> Result<(Vec<Organisation>, Vec<Account>)> {
    let mut organisations = Vec::new();
    for (_, name, kind) in ORGANISATIONS {
        organisations.push(store.insert_organisation(name, kind, None)?);
    }
    let mut accounts = Vec::new();
    for (login, name, role, key) in people() {
        let there = organisations.iter().find(|there| there.name == name_of(key));
        let organisation = there.map_or(Uuid::nil(), |there| there.id);
        let password = password_hash.to_owned();
        let new = NewAccount { login, name, role, organisation, password, must_change: false };
        accounts.push(store.insert_account(new, None)?);
    }
    Ok((organisations, accounts))
}

impl Cast {
    /// The cast as the store made it.
    pub(super) fn of(accounts: &[Account]) -> Self {
        Self::by(|login| {
            let found = accounts.iter().find(|account| account.login == login);
            found.map(Account::actor).expect("everybody on the list was hired")
        })
    }

    /// The cast without a store: ids made from the names, for looking at a world and for tests.
    pub fn unhired() -> Self {
        let named = |name: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        let people = people();
        Self::by(|login| {
            let person = people.iter().find(|(there, ..)| there == login);
            let (_, _, role, key) = person.expect("everybody is on the list");
            Actor { account: named(login), role: *role, organisation: named(name_of(key)) }
        })
    }

    fn by(actor: impl Fn(&str) -> Actor) -> Self {
        let operator = |key: &'static str| {
            let of = |ending: &str| actor(&format!("{key}-{ending}"));
            let manager = of("manager");
            Operator {
                id: manager.organisation,
                name: name_of(key).to_owned(),
                key,
                manager,
                supervisor: of("supervisor"),
                surveyors: [of("surveyor-1"), of("surveyor-2"), of("surveyor-3")],
            }
        };
        let director = actor("authority-director");
        Self {
            operators: OPERATORS.into_iter().map(operator).collect(),
            authority: director.organisation,
            authority_name: name_of("authority").to_owned(),
            directors: [director, actor("authority-deputy")],
            im: [actor("authority-im"), actor("authority-im-2")],
            qa: [actor("authority-qa"), actor("authority-qa-2")],
            monitor: actor("monitor-qa"),
        }
    }
}

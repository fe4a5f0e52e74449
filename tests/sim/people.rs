//! Who is in a world.

use cartagena::model::Role;
use cartagena::model::role::Actor;
use cartagena::store::Store;
use cartagena::store::account::NewAccount;
use uuid::Uuid;

/// Two operators, the people who carry tablets, and the accounts of two camps.
pub(crate) fn people(store: &Store) -> (Vec<Actor>, Vec<Actor>) {
    let authority = store.insert_organisation("Authority", "authority", None).expect("an empty database").id;
    let operators: Vec<Uuid> = ["Operator", "Other"]
        .map(|name| store.insert_organisation(name, "operator", None).expect("an empty database").id)
        .to_vec();
    let mut people = Vec::new();
    let mut hire = |role: Role, organisation: Uuid| {
        let login = format!("{role}-{}", people.len());
        let password = String::new();
        let new = NewAccount { name: login.clone(), login, role, organisation, password, must_change: false };
        let person = store.insert_account(new, None).expect("a new log-in").actor();
        people.push(person);
    };
    hire(Role::ImOfficer, authority);
    hire(Role::ImOfficer, authority);
    hire(Role::QaOfficer, authority);
    for operator in operators {
        for role in [Role::Surveyor, Role::Surveyor, Role::Supervisor, Role::ProgrammeManager] {
            hire(role, operator);
        }
    }
    hire(Role::Relay, authority);
    hire(Role::Relay, authority);
    let relays = people.split_off(people.len() - 2);
    (people, relays)
}

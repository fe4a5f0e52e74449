//! The people of a programme, with passwords that the tests know.

use std::sync::OnceLock;

use cartagena::auth::password;
use cartagena::model::Role;
use cartagena::store::Store;
use cartagena::store::account::NewAccount;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Serving;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The account.
    pub(crate) id: Uuid,
    /// What is typed at log-in.
    pub(crate) login: String,
    /// What the person is.
    pub(crate) role: Role,
}

impl Person {
    /// Makes an account.
    pub(crate) fn new(store: &Store, login: &str, role: Role, organisation: Uuid) -> Self {
        // Hashing is slow on purpose; once is enough.
        static HASH: OnceLock<String> = OnceLock::new();
        let new = NewAccount {
            login: login.to_owned(),
            name: login.to_owned(),
            role,
            organisation,
            password: HASH.get_or_init(|| password::hash(PASSWORD)).clone(),
            must_change: false,
        };
        let account = store.insert_account(new, None).unwrap();
        Self { id: account.id, login: login.to_owned(), role }
    }

    /// Logs in; the access token.
    pub(crate) fn log_in(&self, server: &impl Serving) -> String {
        text(&self.session(server), "access_token")
    }

    /// Logs in; everything that the server tells.
    pub(crate) fn session(&self, server: &impl Serving) -> Value {
        let body = json!({"login": self.login, "password": PASSWORD});
        server.http().post("/v1/auth/login", "", &body).expect(200)
    }
}

/// One person of every role: the authority's, and those of two operators.
pub(crate) struct Crew {
    /// The operator whose people these are.
    pub(crate) operator: Uuid,
    /// Another operator.
    pub(crate) other: Uuid,
    /// Of the operator.
    pub(crate) surveyor: Person,
    /// Of the operator, a colleague of the first.
    pub(crate) second: Person,
    /// Of the operator.
    pub(crate) supervisor: Person,
    /// Of the operator.
    pub(crate) manager: Person,
    /// Of the other operator.
    pub(crate) stranger: Person,
    /// Of the authority.
    pub(crate) qa: Person,
    /// Of the authority.
    pub(crate) im: Person,
    /// Of the authority.
    pub(crate) director: Person,
    /// A donor.
    pub(crate) observer: Person,
    /// The administrator.
    pub(crate) admin: Person,
    /// A camp server.
    pub(crate) camp: Person,
}

impl Crew {
    /// Makes the organisations and the accounts.
    pub(crate) fn hire(store: &Store) -> Self {
        let organisation = |name, kind| store.insert_organisation(name, kind, None).unwrap().id;
        let authority = organisation("Mine action authority", "authority");
        let operator = organisation("Operator", "operator");
        let other = organisation("Other operator", "operator");
        let donor = organisation("Donor", "other");
        let person = |login, role, organisation| Person::new(store, login, role, organisation);
        Self {
            operator,
            other,
            surveyor: person("surveyor", Role::Surveyor, operator),
            second: person("second", Role::Surveyor, operator),
            supervisor: person("supervisor", Role::Supervisor, operator),
            manager: person("manager", Role::ProgrammeManager, operator),
            stranger: person("stranger", Role::Surveyor, other),
            qa: person("qa", Role::QaOfficer, authority),
            im: person("im", Role::ImOfficer, authority),
            director: person("director", Role::Authority, authority),
            observer: person("observer", Role::Observer, donor),
            admin: person("admin", Role::Admin, authority),
            camp: person("camp", Role::Relay, authority),
        }
    }

    /// A one-time code for a device of somebody, as the administrator offers it.
    pub(crate) fn offer(&self, server: &impl Serving, whom: &Person) -> String {
        let admin = self.admin.log_in(server);
        let offer = server.http().post("/v1/devices/enrolments", &admin, &json!({"account": whom.id}));
        text(&offer.expect(201), "code")
    }

    /// Enrols a device for somebody over HTTP; what the server tells it.
    pub(crate) fn enrol(&self, server: &impl Serving, whom: &Person) -> Value {
        let body = json!({"code": self.offer(server, whom), "name": format!("{}'s tablet", whom.login)});
        server.http().post("/v1/devices/enrol", "", &body).expect(201)
    }
}

/// A text member of a JSON object.
#[track_caller]
pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is no text in {value}")).to_owned()
}

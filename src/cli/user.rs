//! `cartagena user …`

use anyhow::{Context as _, bail};
use clap::Subcommand;
use uuid::Uuid;

use super::{open, print};
use crate::auth::password;
use crate::config::Config;
use crate::model::Role;
use crate::model::quality::normal_reference;
use crate::store::Store;
use crate::store::account::{Account, NewAccount};

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make an account and print its one-time password
    Add {
        /// What is typed at log-in
        login: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// surveyor, supervisor, `programme_manager`, `qa_officer`, `im_officer`, authority, observer, admin; relay for a camp's server
        #[arg(long)]
        role: Role,
        /// Name of the organisation
        #[arg(long)]
        organisation: String,
        /// Make the organisation: it is not there yet
        #[arg(long)]
        new_organisation: bool,
        /// authority, operator or other, for a new organisation
        #[arg(long, default_value = "operator", requires = "new_organisation")]
        kind: String,
    },
    /// List the accounts
    List,
    /// Give an account a new one-time password
    Reset {
        /// The account's log-in
        login: String,
    },
    /// Close an account
    Close {
        /// The account's log-in
        login: String,
    },
}

pub(super) fn run(config: &Config, command: User) -> anyhow::Result<()> {
    let store = open(config)?;
    match command {
        User::Add { login, name, role, organisation, new_organisation, kind } => {
            expect_words(&login, &name)?;
            if store.find_login(&login)?.is_some() {
                bail!("there is an account `{login}` already: choose another log-in");
            }
            let organisation = if new_organisation {
                new_organisation_named(&store, &organisation, &kind)?
            } else {
                find_organisation(&store, &organisation)?
            };
            let (_, one_time) = add(&store, &login, &name, role, organisation)?;
            print(&format!("Account `{login}` ({role}) made. One-time password: {one_time}"));
        }
        User::List => {
            let organisations = store.list_organisations()?;
            for account in store.list_accounts()? {
                let organisation = organisations.iter().find(|there| there.id == account.organisation);
                let organisation = organisation.map_or("?", |there| there.name.as_str());
                let closed = if account.disabled { "  closed" } else { "" };
                print(&format!(
                    "{}  {}  {}  {organisation}{closed}",
                    account.id, account.login, account.role
                ));
            }
        }
        User::Reset { login } => {
            let account = open_account(&store, &login)?;
            let one_time = password::one_time();
            store.set_password(account.id, password::hash(&one_time), true, account.id)?;
            print(&format!("One-time password of `{login}`: {one_time}"));
        }
        User::Close { login } => {
            let account = store
                .find_login(&login)?
                .with_context(|| format!("there is no account `{login}`: see `user list`"))?;
            store.set_disabled(account.id, true, account.id)?;
            print(&format!("Account `{login}` closed."));
        }
    }
    store.shut_down();
    Ok(())
}

/// A log-in is typed from a slip of paper: a blank at its end, or a sign that nobody sees, is never typed again.
fn expect_words(login: &str, name: &str) -> anyhow::Result<()> {
    if login.is_empty() || login.chars().any(|sign| sign.is_whitespace() || sign.is_control()) {
        bail!("a log-in is one word without blanks and control characters, not `{}`", login.escape_debug());
    }
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        bail!("--name is the person's name, without control characters, not `{}`", name.escape_debug());
    }
    Ok(())
}

/// An account that may log in.
pub(super) fn open_account(store: &Store, login: &str) -> anyhow::Result<Account> {
    let account = store
        .find_login(login)?
        .with_context(|| format!("there is no account `{login}`: see `user list`"))?;
    if account.disabled {
        bail!("the account `{login}` is closed: nobody can log in with it");
    }
    Ok(account)
}

/// An organisation that is there: a slip of the pen must not become a second one.
fn find_organisation(store: &Store, name: &str) -> anyhow::Result<Uuid> {
    let there = store.list_organisations()?;
    let found = there.iter().find(|organisation| organisation.name == name).with_context(|| {
        let names: Vec<String> = there.iter().map(|there| format!("`{}`", there.name)).collect();
        format!(
            "there is no organisation `{name}`; there are: {}. --new-organisation makes it",
            names.join(", ")
        )
    })?;
    Ok(found.id)
}

fn new_organisation_named(store: &Store, name: &str, kind: &str) -> anyhow::Result<Uuid> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        bail!("an organisation has a name without control characters, not `{}`", name.escape_debug());
    }
    let normal = normal_reference(name);
    let there = store.list_organisations()?;
    if let Some(twin) = there.iter().find(|organisation| normal_reference(&organisation.name) == normal) {
        bail!("there is an organisation `{}` already: leave --new-organisation out", twin.name);
    }
    organisation_named(store, name.trim(), kind)
}

/// The organisation of a name, made if there is none.
pub(super) fn organisation_named(store: &Store, name: &str, kind: &str) -> anyhow::Result<Uuid> {
    if let Some(there) = store.list_organisations()?.into_iter().find(|there| there.name == name) {
        return Ok(there.id);
    }
    if !["authority", "operator", "other"].contains(&kind) {
        bail!("an organisation is an authority, an operator or other, not `{kind}`");
    }
    Ok(store.insert_organisation(name, kind, None)?.id)
}

/// Makes an account with a one-time password.
pub(super) fn add(
    store: &Store,
    login: &str,
    name: &str,
    role: Role,
    organisation: Uuid,
) -> anyhow::Result<(Uuid, String)> {
    let one_time = password::one_time();
    let new = with_one_time(&one_time, login, name, role, organisation);
    Ok((store.insert_account(new, None)?.id, one_time))
}

/// Makes the first administrator; its one-time password, unless there is an admin already or the server is a camp, whose
/// people come from the nation.
pub(super) fn begin(store: &Store) -> anyhow::Result<Option<String>> {
    if store.upstream()?.is_some() {
        return Ok(None);
    }
    if store.list_accounts()?.iter().any(|account| account.role == Role::Admin) {
        return Ok(None);
    }
    let one_time = password::one_time();
    let hashed = with_one_time(&one_time, "admin", "First administrator", Role::Admin, Uuid::nil());
    let made = store.insert_first_admin("Mine action authority", move |organisation| NewAccount {
        organisation,
        ..hashed
    })?;
    Ok(made.map(|_admin| one_time))
}

fn with_one_time(one_time: &str, login: &str, name: &str, role: Role, organisation: Uuid) -> NewAccount {
    NewAccount {
        login: login.to_owned(),
        name: name.to_owned(),
        role,
        organisation,
        password: password::hash(one_time),
        must_change: true,
    }
}

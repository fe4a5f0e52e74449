//! Organisations and the people who log in.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::backend::MultiBackend;
use super::column::{Id, Instant};
use super::schema::{account, organisation};
use super::txn::SyncTxn;
use super::{Result, Store, StoreError};
use crate::model::Role;
use crate::model::role::Actor;

/// An organisation: the authority, an operator, a donor.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Organisation {
    /// Names it for ever.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `authority`, `operator` or `other`.
    pub kind: String,
}

/// A person who may log in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Account {
    /// Names the account for ever.
    pub id: Uuid,
    /// What is typed at log-in.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// What the person is in the programme.
    pub role: Role,
    /// Whom the person works for.
    pub organisation: Uuid,
    /// May not log in.
    pub disabled: bool,
    /// Has a one-time password and must set another.
    pub must_change: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// Argon2id, PHC string.
    #[serde(skip)]
    pub password: String,
}

impl Account {
    /// The account as somebody who acts.
    pub fn actor(&self) -> Actor {
        Actor { account: self.id, role: self.role, organisation: self.organisation }
    }
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What will be typed at log-in.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Whom the person works for.
    pub organisation: Uuid,
    /// Argon2id, PHC string.
    pub password: String,
    /// Whether the password is a one-time password.
    pub must_change: bool,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = account, check_for_backend(Pg, Sqlite, MultiBackend))]
struct AccountRow {
    account_id: Id,
    login: String,
    name: String,
    role: String,
    organisation: Id,
    password: String,
    disabled: bool,
    must_change: bool,
    created_at: Instant,
}

impl AccountRow {
    fn into_account(self) -> Result<Account> {
        Ok(Account {
            id: self.account_id.0,
            login: self.login,
            name: self.name,
            role: self.role.parse()?,
            organisation: self.organisation.0,
            disabled: self.disabled,
            must_change: self.must_change,
            created_at: self.created_at.0,
            password: self.password,
        })
    }
}

impl Store {
    /// Every organisation, by name.
    pub fn list_organisations(&self) -> Result<Vec<Organisation>> {
        self.read(|connection| {
            let rows: Vec<(Id, String, String)> = organisation::table
                .order(organisation::name)
                .select((organisation::organisation_id, organisation::name, organisation::kind))
                .load(connection)?;
            Ok(rows.into_iter().map(|(id, name, kind)| Organisation { id: id.0, name, kind }).collect())
        })
    }

    /// Makes an organisation.
    ///
    /// # Errors
    /// `Refused` where the name is taken.
    pub fn insert_organisation(&self, name: &str, kind: &str, by: Option<Uuid>) -> Result<Organisation> {
        let new = Organisation { id: Uuid::now_v7(), name: name.to_owned(), kind: kind.to_owned() };
        self.write(move |txn| {
            txn.must_not_follow("organisations are made")?;
            insert_organisation(txn, new, by)
        })
    }

    /// Every account, by log-in.
    pub fn list_accounts(&self) -> Result<Vec<Account>> {
        self.read(|connection| {
            let rows: Vec<AccountRow> =
                account::table.order(account::login).select(AccountRow::as_select()).load(connection)?;
            rows.into_iter().map(AccountRow::into_account).collect()
        })
    }

    /// The account of a log-in, if there is one.
    pub fn find_login(&self, login: &str) -> Result<Option<Account>> {
        self.read(|connection| {
            let row: Option<AccountRow> = account::table
                .filter(account::login.eq(login))
                .select(AccountRow::as_select())
                .first(connection)
                .optional()?;
            row.map(AccountRow::into_account).transpose()
        })
    }

    /// An account.
    ///
    /// # Errors
    /// `NotFound`
    pub fn find_account(&self, id: Uuid) -> Result<Account> {
        self.read_once(|connection| {
            let row: Option<AccountRow> =
                account::table.find(Id(id)).select(AccountRow::as_select()).first(connection).optional()?;
            row.ok_or(StoreError::NotFound("account"))?.into_account()
        })
    }

    /// Makes an account.
    ///
    /// # Errors
    /// `Refused` where the log-in is taken or the organisation unknown.
    pub fn insert_account(&self, new: NewAccount, by: Option<Uuid>) -> Result<Account> {
        self.write(move |txn| {
            txn.must_not_follow("accounts are made")?;
            insert_account(txn, new, by)
        })
    }

    /// Makes the first administrator and its authority; nothing where there is an admin already. Of the processes that
    /// begin a database together, the clock lets one be the first.
    pub fn insert_first_admin(
        &self,
        authority: &str,
        admin: impl FnOnce(Uuid) -> NewAccount + Send + 'static,
    ) -> Result<Option<Account>> {
        let authority = authority.to_owned();
        self.write(move |txn| {
            txn.must_not_follow("accounts are made")?;
            let admins = account::table.filter(account::role.eq(Role::Admin.as_str())).count();
            if admins.get_result::<i64>(txn.connection)? > 0 {
                return Ok(None);
            }
            let there: Option<Id> = organisation::table
                .filter(organisation::name.eq(&authority))
                .select(organisation::organisation_id)
                .first(txn.connection)
                .optional()?;
            let organisation = if let Some(id) = there {
                id.0
            } else {
                let new = Organisation { id: Uuid::now_v7(), name: authority, kind: "authority".to_owned() };
                insert_organisation(txn, new, None)?.id
            };
            insert_account(txn, admin(organisation), None).map(Some)
        })
    }

    /// Changes a password. Whatever somebody else may have made with the old one ends: sessions, map passwords.
    pub fn set_password(&self, id: Uuid, password: String, must_change: bool, by: Uuid) -> Result<()> {
        self.write(move |txn| {
            txn.act("password_changed", id, Some(by), &json!({"account": id}));
            super::token::revoke_sessions(txn, id)?;
            super::map_password::revoke_all(txn, id)?;
            let changed = diesel::update(account::table.find(Id(id)))
                .set((account::password.eq(password), account::must_change.eq(must_change)))
                .execute(txn.connection)?;
            if changed == 0 { Err(StoreError::NotFound("account")) } else { Ok(()) }
        })
    }

    /// Gives a person another role, in which everything that they ask from now on is judged. What they did before was
    /// done in the old one.
    ///
    /// # Errors
    /// `NotFound`; `Refused` for the last open admin, and where a camp's account is to become a person's or the reverse.
    pub fn set_role(&self, id: Uuid, role: Role, by: Uuid) -> Result<()> {
        self.write(move |txn| {
            txn.must_not_follow("roles are given")?;
            let known: Option<(String, Id)> = account::table
                .find(Id(id))
                .select((account::role, account::organisation))
                .first(txn.connection)
                .optional()?;
            let (before, organisation) = known.ok_or(StoreError::NotFound("account"))?;
            let before: Role = before.parse()?;
            if before == role {
                return Ok(());
            }
            if [before, role].contains(&Role::Relay) {
                let detail =
                    "a camp's server is nobody, and nobody is one: make an account of its own for it";
                return Err(StoreError::refused("relay-role", detail));
            }
            must_be_for(txn, role, organisation.0)?;
            if before == Role::Admin {
                keep_an_admin(txn, id)?;
            }
            txn.act("role_changed", id, Some(by), &json!({"account": id, "from": before, "to": role}));
            diesel::update(account::table.find(Id(id)))
                .set(account::role.eq(role.as_str()))
                .execute(txn.connection)?;
            Ok(())
        })
    }

    /// Closes or reopens an account. Its refresh tokens end with it, and its map passwords when it is closed.
    ///
    /// # Errors
    /// `NotFound`; `Refused` for the last open admin.
    pub fn set_disabled(&self, id: Uuid, disabled: bool, by: Uuid) -> Result<()> {
        self.write(move |txn| {
            txn.must_not_follow("accounts are closed and reopened")?;
            if disabled {
                keep_an_admin(txn, id)?;
            }
            let act = if disabled { "account_disabled" } else { "account_enabled" };
            txn.act(act, id, Some(by), &json!({"account": id}));
            let changed = diesel::update(account::table.find(Id(id)))
                .set(account::disabled.eq(disabled))
                .execute(txn.connection)?;
            if changed == 0 {
                return Err(StoreError::NotFound("account"));
            }
            if disabled {
                super::map_password::revoke_all(txn, id)?;
            }
            super::token::revoke_account(txn, id)
        })
    }
}

/// Without an admin nobody could make or reopen an account.
fn keep_an_admin(txn: &mut SyncTxn<'_>, closing: Uuid) -> Result<()> {
    let open: Vec<(Id, String)> = account::table
        .filter(account::role.eq(Role::Admin.as_str()))
        .filter(account::disabled.eq(false))
        .select((account::account_id, account::login))
        .load(txn.connection)?;
    match open.as_slice() {
        [(last, login)] if last.0 == closing => {
            let detail = format!("`{login}` is the last admin: make another first");
            Err(StoreError::refused("last-admin", detail))
        }
        _ => Ok(()),
    }
}

fn insert_organisation(txn: &mut SyncTxn<'_>, new: Organisation, by: Option<Uuid>) -> Result<Organisation> {
    txn.act("organisation_added", new.id, by, &json!({"organisation": new.id, "kind": new.kind}));
    diesel::insert_into(organisation::table)
        .values((
            organisation::organisation_id.eq(Id(new.id)),
            organisation::name.eq(&new.name),
            organisation::kind.eq(&new.kind),
        ))
        .execute(txn.connection)
        .map_err(|fault| taken(fault, "organisation-exists", &new.name))?;
    Ok(new)
}

/// Refuses a role that an organisation's people do not have.
fn must_be_for(txn: &mut SyncTxn<'_>, role: Role, organisation: Uuid) -> Result<()> {
    let kind: Option<String> = organisation::table
        .find(Id(organisation))
        .select(organisation::kind)
        .first(txn.connection)
        .optional()?;
    let kind = kind.ok_or(StoreError::NotFound("organisation"))?;
    if matches!(role, Role::ImOfficer | Role::Authority) && kind != "authority" {
        let detail = format!(
            "the role `{role}` decides for the country: only an organisation of kind `authority` has it, this is an `{kind}`"
        );
        return Err(StoreError::refused("organisation-kind", detail));
    }
    Ok(())
}

fn insert_account(txn: &mut SyncTxn<'_>, new: NewAccount, by: Option<Uuid>) -> Result<Account> {
    must_be_for(txn, new.role, new.organisation)?;
    let row = AccountRow {
        account_id: Id(Uuid::now_v7()),
        login: new.login,
        name: new.name,
        role: new.role.to_string(),
        organisation: Id(new.organisation),
        password: new.password,
        disabled: false,
        must_change: new.must_change,
        created_at: txn.now,
    };
    let id = row.account_id.0;
    txn.act("account_added", id, by, &json!({"account": id, "role": row.role}));
    diesel::insert_into(account::table)
        .values(&row)
        .execute(txn.connection)
        .map_err(|fault| taken(fault, "login-exists", &row.login))?;
    row.into_account()
}

/// A name that is taken is the asker's mistake; anything else is ours.
fn taken(fault: Error, code: &'static str, name: &str) -> StoreError {
    match fault {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            StoreError::refused(code, format!("`{name}` is taken: choose another"))
        }
        other => other.into(),
    }
}

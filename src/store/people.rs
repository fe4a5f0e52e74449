//! The people of the programme, as a nation tells them to its camps. Passwords never travel.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::account::{Account, Organisation};
use super::backend::on_backend;
use super::column::Id;
use super::schema::{account, device, organisation};
use super::txn::SyncTxn;
use super::{Result, Store};
use crate::programme::Programme;
use crate::sync::wire::{NamedAccount, NamedOrganisation, People, SERVER};

/// No password has this hash: such an account is logged into at the nation, or after its password was set here.
const NO_PASSWORD: &str = "";

impl Store {
    /// What a camp is told; `camp` is its device.
    pub fn people(&self, camp: Uuid) -> Result<People> {
        let organisations = self.list_organisations()?.into_iter().map(named_organisation).collect();
        let accounts = self.list_accounts()?.into_iter().map(named_account).collect();
        let revoked = self
            .list_devices(None)?
            .into_iter()
            .filter(|device| device.via == Some(camp) && device.revoked_at.is_some())
            .map(|device| device.id)
            .collect();
        let (programme, _) = self.programme()?;
        let programme = serde_json::to_value(programme)?;
        Ok(People { server: SERVER.to_owned(), organisations, accounts, revoked, programme })
    }

    /// Takes what the nation tells of its people and of the programme. Accounts of this camp alone stay.
    ///
    /// # Errors
    /// `Refused` where this is no camp.
    pub fn take_people(&self, told: People) -> Result<()> {
        let programme: Programme = serde_json::from_value(told.programme.clone())?;
        let (organisations, accounts) = (self.list_organisations()?, self.list_accounts()?);
        if self.programme()?.0 != programme {
            self.set_programme_of_nation(programme)?;
        }
        let same = |there: &Vec<NamedOrganisation>| {
            there.iter().all(|one| organisations.iter().any(|here| named_organisation(here.clone()) == *one))
        };
        let known: HashMap<Uuid, NamedAccount> =
            accounts.into_iter().map(|account| (account.id, named_account(account))).collect();
        let news: Vec<NamedAccount> = told
            .accounts
            .into_iter()
            .filter(|account| known.get(&account.id).is_none_or(|here| !here.agrees(account)))
            .collect();
        if same(&told.organisations) && news.is_empty() && told.revoked.is_empty() {
            return Ok(());
        }
        self.write(move |txn| {
            for organisation in &told.organisations {
                put_organisation(txn, organisation)?;
            }
            for account in &news {
                put_account(txn, account)?;
            }
            for id in told.revoked {
                revoke(txn, id)?;
            }
            if !news.is_empty() {
                let server = txn.clock.server_device;
                txn.act("people_followed", server, None, &json!({"accounts": news.len()}));
            }
            Ok(())
        })
    }
}

impl NamedAccount {
    /// Whether it says the same, but for a log-in that was taken here.
    fn agrees(&self, told: &Self) -> bool {
        let renamed = self.login == at_nation(&told.login);
        *self == *told || renamed && Self { login: told.login.clone(), ..self.clone() } == *told
    }
}

/// The log-in of a national account where the camp's own has taken it.
fn at_nation(login: &str) -> String {
    format!("{login}@nation")
}

fn named_organisation(organisation: Organisation) -> NamedOrganisation {
    NamedOrganisation { id: organisation.id, name: organisation.name, kind: organisation.kind }
}

fn named_account(account: Account) -> NamedAccount {
    NamedAccount {
        id: account.id,
        login: account.login,
        name: account.name,
        role: account.role,
        organisation: account.organisation,
        disabled: account.disabled,
    }
}

fn put_organisation(txn: &mut SyncTxn<'_>, told: &NamedOrganisation) -> Result<()> {
    // One that the camp made for itself under the same name gives way.
    let own = organisation::table
        .filter(organisation::name.eq(&told.name))
        .filter(organisation::organisation_id.ne(Id(told.id)));
    diesel::update(own)
        .set(organisation::name.eq(format!("{} (camp)", told.name)))
        .execute(txn.connection)?;
    let row = (
        organisation::organisation_id.eq(Id(told.id)),
        organisation::name.eq(&told.name),
        organisation::kind.eq(&told.kind),
    );
    on_backend!(&mut *txn.connection, |c| {
        diesel::insert_into(organisation::table)
            .values(row)
            .on_conflict(organisation::organisation_id)
            .do_update()
            .set((organisation::name.eq(&told.name), organisation::kind.eq(&told.kind)))
            .execute(c)
    })?;
    Ok(())
}

fn put_account(txn: &mut SyncTxn<'_>, told: &NamedAccount) -> Result<()> {
    let taken: i64 = account::table
        .filter(account::login.eq(&told.login))
        .filter(account::account_id.ne(Id(told.id)))
        .count()
        .get_result(txn.connection)?;
    let login = if taken > 0 { at_nation(&told.login) } else { told.login.clone() };
    let row = (
        account::account_id.eq(Id(told.id)),
        account::login.eq(login),
        account::name.eq(&told.name),
        account::role.eq(told.role.as_str()),
        account::organisation.eq(Id(told.organisation)),
        account::password.eq(NO_PASSWORD),
        account::disabled.eq(told.disabled),
        account::must_change.eq(false),
        account::created_at.eq(txn.now),
    );
    on_backend!(&mut *txn.connection, |c| {
        diesel::insert_into(account::table).values(row).on_conflict_do_nothing().execute(c)
    })?;
    diesel::update(account::table.find(Id(told.id)))
        .set((
            account::name.eq(&told.name),
            account::role.eq(told.role.as_str()),
            account::organisation.eq(Id(told.organisation)),
            account::disabled.eq(told.disabled),
        ))
        .execute(txn.connection)?;
    if told.disabled { super::token::revoke_account(txn, told.id) } else { Ok(()) }
}

/// Revokes a device that the nation has revoked.
fn revoke(txn: &mut SyncTxn<'_>, id: Uuid) -> Result<()> {
    let now = txn.now;
    let changed = diesel::update(device::table.find(Id(id)).filter(device::revoked_at.is_null()))
        .set(device::revoked_at.eq(Some(now)))
        .execute(txn.connection)?;
    if changed > 0 {
        txn.act("device_revoked", id, None, &json!({"device": id, "by": "nation"}));
        super::token::revoke_device(txn, id)?;
    }
    Ok(())
}

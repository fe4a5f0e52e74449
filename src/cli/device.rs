//! `cartagena device …`

use clap::Subcommand;
use uuid::Uuid;

use super::output::in_seconds;
use super::user::open_account;
use super::{open, print};
use crate::auth::token;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Device {
    /// List the devices with their last contact and what they still hold
    List,
    /// Print a one-time code with which a tablet enrols for an account
    Offer {
        /// The account's log-in
        login: String,
    },
    /// Revoke a lost device
    Revoke {
        /// The device's id, as `device list` names it
        id: Uuid,
    },
}

pub(super) fn run(config: &Config, command: Device) -> anyhow::Result<()> {
    let store = open(config)?;
    match command {
        Device::List => {
            for device in store.list_devices(None)? {
                let state = if device.revoked_at.is_some() { "revoked" } else { "active" };
                let contact = device.last_contact.map_or_else(|| "never".to_owned(), in_seconds);
                let pending = device.outbox_pending.unwrap_or(0);
                print(&format!(
                    "{}  {}  {state}  last contact {contact}  stored through {}  not sent {pending}",
                    device.id, device.name, device.seq_through
                ));
            }
        }
        Device::Offer { login } => {
            let account = open_account(&store, &login)?;
            let code = token::code(12);
            let expires = store.insert_enrolment(&code, account.id, account.id)?;
            print(&format!("Enrolment code for `{login}`, good until {}: {code}", in_seconds(expires)));
        }
        Device::Revoke { id } => {
            let device = store.find_device(id)?;
            store.revoke_device(id, device.account)?;
            print(&format!("Device {id} revoked."));
        }
    }
    store.shut_down();
    Ok(())
}

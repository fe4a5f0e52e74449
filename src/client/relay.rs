//! What a camp server asks of its nation, over the same session as a tablet's.

use std::io;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::call::{Refusal, read};
use super::push::APP;
use super::session::Session;
use super::tus::{Due, Target};
use super::{Client, ClientError, Result};
use crate::model::Hash;
use crate::sync::memory::Standing;
use crate::sync::wire::{
    DeviceReport, LogHead, LogPage, Outbox, PROTOCOL, People, PushAnswer, PushBody, SERVER, Sender,
};

/// What became of a push to the nation.
#[derive(Debug)]
pub enum Passing {
    /// It has it.
    Taken,
    /// It is more than the nation takes at once.
    TooLarge,
    /// The nation cannot read it: something in it is not for this nation's program.
    Unreadable(String),
}

impl Client {
    /// Pushes actions of this camp's devices.
    ///
    /// # Errors
    /// What the network did; `LoggedOut`, `Revoked`, `Busy`.
    pub fn pass_on(
        &mut self,
        txns: Vec<Vec<&RawValue>>,
        senders: Vec<Sender>,
        devices: Vec<DeviceReport>,
        outbox: Outbox,
    ) -> Result<Passing> {
        self.freshen()?;
        let session = Session::load(&mut self.connection)?;
        let body = PushBody {
            protocol: PROTOCOL,
            device_id: Uuid::parse_str(&session.device_id)?,
            client_time: Some(chrono::Utc::now()),
            last_head: session.head()?,
            outbox,
            revised_from: None,
            app: Some(APP.to_owned()),
            txns,
            senders,
            devices,
        };
        let response = self.send_as_device("/v1/sync/push", Some(serde_json::to_vec(&body)?))?;
        match response.status {
            413 => return Refusal::read(&response).map(|_| Passing::TooLarge),
            400 => return Refusal::read(&response).map(|refusal| Passing::Unreadable(refusal.detail)),
            _ => {}
        }
        let answer: PushAnswer = read(&response)?;
        if answer.server != SERVER {
            return Err(ClientError::NotOurs { status: response.status });
        }
        if let Some(head) = &answer.head {
            Session::keep_head(&mut self.connection, head)?;
        }
        Ok(Passing::Taken)
    }

    /// Sends an organisation's file, at most about `most` bytes of it; whether the nation has it whole then. `bytes`
    /// gives as many of its bytes as are asked for from an offset on.
    ///
    /// # Errors
    /// `Refused`: the nation knows no record that claims it; what the network or the disk did.
    pub fn pass_file(
        &mut self,
        (name, size): (Hash, u64),
        organisation: Uuid,
        most: u64,
        bytes: &mut dyn FnMut(u64, usize) -> io::Result<Vec<u8>>,
    ) -> Result<bool> {
        // What is another file there is another one here too: other files go past it.
        let query = format!("?organisation={organisation}");
        let to = Target { query, standing: Standing::Good, patience: 0 };
        let stands = self.upload(Due { name, size }, &to, most, bytes)?;
        Ok(stands.offset == size)
    }

    /// The nation's log from an entry on.
    ///
    /// # Errors
    /// What the network did; `LoggedOut`, `NotOurs`.
    pub fn log_from(&mut self, from: i64) -> Result<LogPage> {
        let page: LogPage = self.ask_as_device(&format!("/v1/sync/log?from={from}"), None)?;
        if page.server == SERVER { Ok(page) } else { Err(ClientError::NotOurs { status: 200 }) }
    }

    /// Remembers a head of the nation whose log was followed up to it.
    pub fn remember(&mut self, head: &LogHead) -> Result<()> {
        Session::keep_head(&mut self.connection, head)
    }

    /// The people of the programme.
    ///
    /// # Errors
    /// What the network did; `LoggedOut`, `NotOurs`.
    pub fn people(&mut self) -> Result<People> {
        let people: People = self.ask_as_device("/v1/sync/people", None)?;
        if people.server == SERVER { Ok(people) } else { Err(ClientError::NotOurs { status: 200 }) }
    }
}

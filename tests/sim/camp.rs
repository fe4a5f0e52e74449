//! A camp: a server like any other, with a relay to its nation.

use std::sync::{Arc, Mutex, PoisonError};

use cartagena::client::ClientError;
use cartagena::model::role::Actor;
use cartagena::relay::{Passed, Relay, RelayError};

use crate::dice::Dice;
use crate::line::{Line, Shared, look};
use crate::server::Memory;

/// A camp's relay, and where its server stands among the net's.
pub(crate) struct Camp {
    /// Its server.
    pub(crate) at: usize,
    person: Actor,
    memory: Memory,
    relay: Option<Relay>,
    net: Shared,
    dice: Dice,
    flat: Arc<Mutex<bool>>,
}

impl Camp {
    /// A camp whose server has just been started; `person` is its account at the nation.
    pub(crate) fn new(net: &Shared, at: usize, person: Actor, dice: Dice) -> Self {
        let flat = Arc::new(Mutex::new(false));
        let mut camp =
            Self { at, person, memory: Memory::of_a_tablet(), relay: None, net: Arc::clone(net), dice, flat };
        camp.rise();
        camp
    }

    /// Lets go of the server's store, before the server falls.
    pub(crate) fn fall(&mut self) {
        self.relay = None;
    }

    /// Begins anew on the server as it is now.
    pub(crate) fn rise(&mut self) {
        *self.flat.lock().unwrap_or_else(PoisonError::into_inner) = false;
        let (store, shelf) = {
            let server = &look(&self.net).servers[self.at];
            (server.store().clone(), server.shelf())
        };
        let line = Line::new(&self.net, self.dice.fork(), 0, &self.flat);
        let relay = Relay::open_with(self.memory.path(), store, shelf, Box::new(line));
        self.relay = Some(relay.expect("its file is whole"));
    }

    /// Everything of it is lost: it is set up again from nothing.
    pub(crate) fn forget(&mut self) {
        self.memory = Memory::of_a_tablet();
        self.rise();
    }

    /// Passes on what it has, whatever comes of it. A log-in that the nation does not know is made anew.
    pub(crate) fn pass(&mut self) -> Result<Passed, String> {
        let Some(relay) = &mut self.relay else { return Err("it has fallen".to_owned()) };
        match relay.pass() {
            Ok(passed) => Ok(passed),
            Err(RelayError::Client(ClientError::LoggedOut(_) | ClientError::NotEnrolled)) => {
                let code = look(&self.net).servers[0].offer(self.person.account).unwrap_or_default();
                let enrolled = relay.enrol("sim://nation", &code, "camp");
                Err(format!("it was enrolled again: {enrolled:?}"))
            }
            Err(other) => Err(other.to_string()),
        }
    }
}

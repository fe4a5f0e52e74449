//! The offline client: a tablet, or a camp server towards the national one.
//!
//! It keeps its own SQLite file: what the server told, scope by scope, and every edit that was made here. People
//! work on the file alone; [`Client::sync`] pushes and pulls whenever there is a network, and may fail at any point
//! without losing anything. What is shown is the server's state with the client's own edits laid on it, by the same
//! rules that the server applies ([`crate::sync`]).

mod blobs;
mod call;
mod database;
mod edit;
mod error;
pub mod lossy;
mod outbox;
mod pull;
mod push;
pub mod relay;
mod schema;
mod scope;
mod session;
pub mod transport;
mod tus;
mod view;

use std::path::{Path, PathBuf};

use diesel::sqlite::SqliteConnection;
use serde_json::json;
use uuid::Uuid;

pub use blobs::Files;
pub use edit::Edit;
pub use error::{ClientError, Result};
pub use outbox::Sent;
pub use scope::Followed;
pub use transport::{Http, Transport};
pub use view::View;

use self::call::{Ask, Fresh};
use self::session::Session;
use crate::auth::Tokens;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::sync::Digest;
use crate::sync::memory::Standing;

/// An offline client on its own file.
pub struct Client {
    connection: SqliteConnection,
    transport: Box<dyn Transport>,
    registry: &'static Registry,
    /// Where the files that edits claim are kept.
    files: PathBuf,
    /// How long the access token is good; nothing where that is not known.
    fresh: Option<Fresh>,
}

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where its server is.
    pub server_url: String,
    /// The device.
    pub device: Uuid,
    /// The person, with role and organisation as the server last said.
    pub actor: Actor,
    /// The device was revoked: wipe it once nothing is pending.
    pub wipe: bool,
}

/// What a [`Client::sync`] did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Edits that the server acknowledged.
    pub pushed: usize,
    /// Records that it sent.
    pub pulled: usize,
    /// Records that left a scope, for the first time or again.
    pub left: Vec<Uuid>,
    /// Scopes that did not agree with the server and were fetched again.
    pub refetched: Vec<String>,
    /// Edits that are larger than the server takes: they stay in the outbox, and others go past them.
    pub too_large: Vec<Uuid>,
    /// The server began a new epoch: what it was not known to have was pushed again.
    pub new_epoch: bool,
    /// The files that edits claim.
    pub files: Files,
    /// Every followed scope is now all that the server has.
    pub complete: bool,
    /// The device was revoked: wipe it once nothing is pending.
    pub wipe: bool,
}

impl Client {
    /// Opens a client's file, which is made if there is none.
    ///
    /// # Errors
    /// `Open`
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Box::new(Http::default()))
    }

    /// The same over another transport.
    ///
    /// # Errors
    /// `Open`
    pub fn open_with(path: &Path, transport: Box<dyn Transport>) -> Result<Self> {
        let connection = database::open(path)?;
        let files = blobs::folder_beside(path);
        Ok(Self { connection, transport, registry: Registry::embedded(), files, fresh: None })
    }

    /// Keeps files in this folder, and not beside the database.
    #[must_use]
    pub fn keeping_files_in(self, folder: PathBuf) -> Self {
        Self { files: folder, ..self }
    }

    /// Knows these schemas, and not those of the program: to try what programs of different age do together.
    #[must_use]
    pub fn knowing(self, registry: &'static Registry) -> Self {
        Self { registry, ..self }
    }

    /// Enrols this device at a server with a one-time code. What an earlier enrolment left in the outbox is sent too.
    ///
    /// # Errors
    /// `Refused` where the code is not valid; what the network did.
    pub fn enrol(&mut self, server_url: &str, code: &str, name: &str) -> Result<Identity> {
        let url = format!("{}/v1/devices/enrol", server_url.trim_end_matches('/'));
        let asked = Fresh::asked();
        let tokens: Tokens = self.ask(&Ask::anonymous(url, &json!({"code": code, "name": name})))?;
        Session::begin(&mut self.connection, server_url, &tokens)?;
        self.freshened(asked, &tokens);
        self.identity()
    }

    /// Goes on over another transport.
    pub fn use_transport(&mut self, transport: Box<dyn Transport>) {
        self.transport = transport;
    }

    /// Goes on at another address of the same server; the tokens stay good.
    ///
    /// # Errors
    /// `NotEnrolled`
    pub fn move_to(&mut self, server_url: &str) -> Result<()> {
        Session::load(&mut self.connection)?;
        Session::keep_url(&mut self.connection, server_url.trim_end_matches('/'))
    }

    /// Who this client is.
    ///
    /// # Errors
    /// `NotEnrolled`
    pub fn identity(&mut self) -> Result<Identity> {
        let session = Session::load(&mut self.connection)?;
        Ok(Identity {
            device: Uuid::parse_str(&session.device_id)?,
            actor: session.actor()?,
            wipe: session.wipe,
            server_url: session.server_url,
        })
    }

    /// The scopes that the server would let this client follow.
    ///
    /// # Errors
    /// `LoggedOut`, `NotOurs`, what the network did.
    pub fn offered_scopes(&mut self) -> Result<Vec<String>> {
        #[derive(serde::Deserialize)]
        struct Offered {
            scopes: Vec<Offer>,
        }
        #[derive(serde::Deserialize)]
        struct Offer {
            id: String,
        }
        let offered: Offered = self.ask_as_device("/v1/sync/scopes", None)?;
        Ok(offered.scopes.into_iter().map(|scope| scope.id).collect())
    }

    /// Follows a scope from now on; [`Client::sync`] fetches it.
    pub fn follow(&mut self, scope: &str) -> Result<()> {
        scope::follow(&mut self.connection, scope)
    }

    /// Follows a scope no longer, and forgets what only it held. The outbox is not touched.
    pub fn unfollow(&mut self, scope: &str) -> Result<()> {
        self.connection.immediate_transaction(|connection| scope::unfollow(connection, scope))
    }

    /// The scopes that are followed, and how complete each is.
    pub fn scopes(&mut self) -> Result<Vec<Followed>> {
        scope::list(&mut self.connection)
    }

    /// The digest of what is held of a scope.
    pub fn digest(&mut self, scope: &str) -> Result<Digest> {
        scope::held(&mut self.connection, scope)
    }

    /// Makes one edit; gives its id, which names the version that it makes.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoRecord`, `UnknownKind`
    pub fn edit(&mut self, edit: Edit) -> Result<Uuid> {
        let record = edit.record_id();
        self.act(vec![edit])?.pop().ok_or(ClientError::NoRecord(record))
    }

    /// Makes several edits that are one human action – an area is split into two – and that the server takes whole
    /// or not at all. Each sees what those before it wrote.
    ///
    /// # Errors
    /// As [`Client::edit`]; then none of them was made.
    pub fn act(&mut self, edits: Vec<Edit>) -> Result<Vec<Uuid>> {
        let registry = self.registry;
        self.connection.immediate_transaction(|connection| edit::lay_down(connection, registry, edits))
    }

    /// Every edit that was made here, in order, with what became of it.
    pub fn edits(&mut self) -> Result<Vec<Sent>> {
        let session = Session::load(&mut self.connection)?;
        outbox::list(&mut self.connection, &session)
    }

    /// How many edits the server is not known to have for good.
    pub fn pending(&mut self) -> Result<usize> {
        Ok(self.edits()?.iter().filter(|sent| !sent.durable || sent.answer.is_none()).count())
    }

    /// One record as it is shown here.
    pub fn view(&mut self, record: Uuid) -> Result<Option<View>> {
        let session = Session::load(&mut self.connection)?;
        view::record(&mut self.connection, self.registry, &session, record)
    }

    /// Every record, or those of one kind, by id. Retired ones are there and say so.
    pub fn records(&mut self, kind: Option<&str>) -> Result<Vec<View>> {
        let session = Session::load(&mut self.connection)?;
        view::records(&mut self.connection, self.registry, &session, kind)
    }

    /// Pushes what the server does not have, pulls what is new in every scope, and compares digests. Then it sends
    /// files; what keeps them from arriving is in the report and no error.
    ///
    /// It may be called again at once after any error: what was done is done, and nothing is lost.
    ///
    /// # Errors
    /// What the network did; `NotOurs`; `Busy`; `LoggedOut` where the server wants a new enrolment, until which the
    /// outbox waits; `Revoked`, once everything was handed over into quarantine.
    pub fn sync(&mut self) -> Result<Report> {
        let mut report = Report::default();
        if let Err(fault) = self.push(&mut report, Standing::Good) {
            if matches!(fault, ClientError::Revoked(_)) {
                self.send_files(Standing::Revoked)?;
            }
            return Err(fault);
        }
        // A new epoch that only shows while pulling may lack what was pushed before.
        if self.pull(&mut report)? {
            self.push(&mut report, Standing::Good)?;
            self.pull(&mut report)?;
        }
        report.complete = self.scopes()?.iter().all(|scope| scope.complete_as_of.is_some());
        report.wipe = Session::load(&mut self.connection)?.wipe;
        report.files = self.send_files(Standing::Good)?;
        Ok(report)
    }

    /// Pushes everything as a device that the server no longer knows by its log-in: into quarantine, where a person
    /// decides. For a tablet that cannot be enrolled again.
    ///
    /// # Errors
    /// What the network did; `NotOurs`; `Busy`; `LoggedOut` where the server does not know the device at all.
    pub fn hand_over(&mut self) -> Result<Report> {
        let mut report = Report::default();
        self.push(&mut report, Standing::Expired)?;
        report.files = self.send_files(Standing::Expired)?;
        report.wipe = Session::load(&mut self.connection)?.wipe;
        Ok(report)
    }
}

//! A server with the real store on an SQLite database in memory, and no network: it answers requests by function calls.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use cartagena::auth::token::{self, Keys};
use cartagena::auth::{self, Principal};
use cartagena::blob::Shelf;
use cartagena::client::Client;
use cartagena::client::transport::{Request, Response};
use cartagena::config::Limits;
use cartagena::exchange::Exchange;
use cartagena::http::error::{ApiError, ApiResult};
use cartagena::model::Role;
use cartagena::store::token::Holder;
use cartagena::store::{DatabaseUrl, Store, migration};
use cartagena::sync::Standing;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::age::Age;
use crate::tus::{Files, refused};

/// A database in memory: there as long as somebody holds it.
pub(crate) struct Memory {
    name: String,
    keeper: SqliteConnection,
}

impl Memory {
    /// An empty one.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("file:sim{}?mode=memory&cache=shared", NEXT.fetch_add(1, Ordering::Relaxed));
        let keeper = SqliteConnection::establish(&name).expect("memory can be had");
        Self { name, keeper }
    }

    /// A server's empty database, with its tables: they are made once and copied.
    fn of_a_server() -> Self {
        static MADE: LazyLock<Mutex<Memory>> = LazyLock::new(|| {
            let made = Memory::new();
            migration::run(&made.url()).expect("the migrations run");
            Mutex::new(made)
        });
        MADE.lock().expect("copying does not panic").copy()
    }

    /// A tablet's empty database, with its tables.
    pub(crate) fn of_a_tablet() -> Self {
        static MADE: LazyLock<Mutex<Memory>> = LazyLock::new(|| {
            let made = Memory::new();
            drop(Client::open(made.path()).expect("a new file opens"));
            Mutex::new(made)
        });
        MADE.lock().expect("copying does not panic").copy()
    }

    fn copy(&mut self) -> Self {
        let copy = Self::new();
        diesel::sql_query(format!("vacuum into '{}'", copy.name))
            .execute(&mut self.keeper)
            .expect("a copy can be made");
        copy
    }

    pub(crate) fn path(&self) -> &Path {
        Path::new(&self.name)
    }

    /// Lets the database grow by so many pages and no more.
    pub(crate) fn limit(&mut self, more: i64) {
        use diesel::connection::SimpleConnection as _;
        #[derive(QueryableByName)]
        struct Pages {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            page_count: i64,
        }
        let pages: Pages =
            diesel::sql_query("pragma page_count").get_result(&mut self.keeper).expect("memory can be asked");
        let most = pages.page_count.saturating_add(more);
        self.keeper.batch_execute(&format!("pragma max_page_count = {most}")).expect("memory can be asked");
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.name.clone())
    }
}

/// A server, running or fallen.
pub(crate) struct Server {
    /// The host name in its URL.
    pub(crate) host: String,
    memory: Memory,
    store: Option<Store>,
    keys: Arc<Keys>,
    limits: Limits,
    copies: Vec<Memory>,
    files: Files,
    age: Age,
}

impl Server {
    /// A server with an empty database.
    pub(crate) fn start(host: &str, keys: Arc<Keys>, age: Age) -> Self {
        let memory = Memory::of_a_server();
        let limits = Limits { push_mutations: 40, pull_bytes: 20_000, list_rows: 50, ..Limits::default() };
        let (copies, files) = (Vec::new(), Files::new());
        let mut server =
            Self { host: host.to_owned(), memory, store: None, keys, limits, copies, files, age };
        server.rise();
        server
    }

    /// Its store.
    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().expect("a server that fell comes back at once")
    }

    /// Where its attachments lie.
    pub(crate) fn shelf(&self) -> Shelf {
        self.files.shelf()
    }

    /// Falls without a word, and comes back.
    pub(crate) fn fall(&mut self) {
        self.store = None;
        self.rise();
    }

    /// Comes back with the newest program.
    pub(crate) fn renew(&mut self) {
        self.age = Age::New;
        self.fall();
    }

    /// How old its program is.
    pub(crate) fn age(&self) -> Age {
        self.age
    }

    fn rise(&mut self) {
        let store = Store::open(&self.memory.url(), self.age.registry(), 1).expect("its database is whole");
        store.release_schemas().expect("what waits can be taken up");
        self.store = Some(store);
    }

    /// Puts a copy of its database aside.
    pub(crate) fn copy(&mut self) {
        let copy = Memory::new();
        self.store().copy_into(copy.path()).expect("a copy can be made");
        self.copies.push(copy);
    }

    /// Goes back to an old copy, if there is one; `told` whether whoever did it said so, as `cartagena restore` does, and
    /// then perhaps `without` the attachments.
    pub(crate) fn restore(&mut self, told: bool, without: bool) {
        let Some(copy) = self.copies.pop() else { return };
        self.store = None;
        self.memory = copy;
        // What was copied later than this is of a future that has not been.
        self.rise();
        if told {
            if without {
                self.files = Files::new();
            }
            self.store().begin_epoch().expect("an epoch can begin");
        }
    }

    /// A one-time code for a device of somebody.
    pub(crate) fn offer(&self, account: Uuid) -> Option<String> {
        let code = token::code(12);
        // A camp that was set up anew does not know its people yet.
        self.store().insert_enrolment(&code, account, account).ok().map(|_until| code)
    }

    /// Answers a request as the web server would.
    pub(crate) fn answer(&self, path: &str, request: &Request) -> Response {
        if path.starts_with("/v1/blobs") {
            return match self.identify(request, true) {
                Ok(sender) => self.files.answer((self.store(), &self.limits), &sender, path, request),
                Err(refusal) => refused(&refusal),
            };
        }
        match self.serve(path, request) {
            Ok(body) => Response { status: 200, retry_after: None, body, headers: Vec::new() },
            Err(refusal) => refused(&refusal),
        }
    }

    fn serve(&self, path: &str, request: &Request) -> ApiResult<Vec<u8>> {
        let body = request.body.clone().unwrap_or_default();
        let exchange = Exchange { store: self.store(), keys: &self.keys, limits: &self.limits };
        let written = |value: &dyn erased::Json| Ok(value.bytes());
        if let Some(from) = path.strip_prefix("/v1/sync/log?from=") {
            let principal = self.identify(request, false)?;
            if principal.actor.role != Role::Relay {
                return Err(ApiError::forbidden("relays and auditors"));
            }
            let from = from.parse().map_err(|_word| ApiError::bad_request("query", "from"))?;
            return written(&exchange.log(from, self.limits.list_rows)?);
        }
        match path {
            "/v1/sync/people" => written(&exchange.people(&self.identify(request, false)?)?),
            "/v1/devices/enrol" => {
                let (code, name) = (text(&body, "code")?, text(&body, "name")?);
                let (device, account) = self.store().enrol(&code, &name)?;
                let holder = Holder { account, device: Some(device) };
                written(&auth::begin(self.store(), &self.keys, holder)?)
            }
            "/v1/auth/refresh" => {
                written(&auth::refresh(self.store(), &self.keys, &text(&body, "refresh_token")?)?)
            }
            "/v1/sync/push" => {
                let principal = self.identify(request, true)?;
                let device = principal.device.ok_or_else(|| ApiError::forbidden("a device pushes"))?;
                written(&exchange.push(&principal, device, body)?)
            }
            "/v1/sync/pull" => {
                let principal = self.identify(request, false)?;
                let asked = serde_json::from_slice(&body)
                    .map_err(|fault| ApiError::bad_request("json", fault.to_string()))?;
                written(&exchange.pull(&principal.actor, asked)?)
            }
            "/v1/sync/scopes" => {
                let principal = self.identify(request, false)?;
                let scopes = self.store().list_scopes(&principal.actor)?;
                let scopes: Vec<Value> = scopes.iter().map(|scope| json!({"id": scope.key()})).collect();
                written(&json!({"scopes": scopes}))
            }
            _ => Err(ApiError::not_found("page")),
        }
    }

    fn identify(&self, request: &Request, revoked_too: bool) -> ApiResult<Principal> {
        let gone = || ApiError::unauthorized("this account or device is not known (any more)");
        let token = request.token.as_deref().ok_or_else(gone)?;
        let claims = self.keys.verify(token).map_err(|fault| ApiError::unauthorized(fault.to_string()))?;
        let (principal, _) = auth::identify(self.store(), &claims, false).map_err(|_gone| gone())?;
        if principal.standing != Standing::Good && !revoked_too {
            return Err(gone());
        }
        Ok(principal)
    }
}

fn text(body: &[u8], name: &str) -> ApiResult<String> {
    let read: Value =
        serde_json::from_slice(body).map_err(|fault| ApiError::bad_request("json", fault.to_string()))?;
    read[name].as_str().map(str::to_owned).ok_or_else(|| ApiError::bad_request("json", name))
}

mod erased {
    /// Anything that can be written as JSON.
    pub(super) trait Json {
        fn bytes(&self) -> Vec<u8>;
    }

    impl<T: serde::Serialize> Json for T {
        fn bytes(&self) -> Vec<u8> {
            serde_json::to_vec(self).expect("an answer is JSON")
        }
    }
}

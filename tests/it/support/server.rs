//! A real server on a free port, on a thread of its own.

use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::Data;
use cartagena::auth::token::Keys;
use cartagena::blob::Blobs;
use cartagena::config::Limits;
use cartagena::export::Spool;
use cartagena::http::server;
use cartagena::http::state::AppState;
use cartagena::model::schema::Registry;
use cartagena::store::{DatabaseUrl, Store, migration};

use super::{Http, Place};

/// Whatever serves: a thread of this process, or a process of its own.
pub(crate) trait Serving {
    /// `http://127.0.0.1:<port>`
    fn url(&self) -> &str;

    /// A client of it.
    fn http(&self) -> Http {
        Http::new(self.url())
    }
}

impl Serving for TestServer {
    fn url(&self) -> &str {
        self.url()
    }
}

/// A server that runs until it is dropped.
pub(crate) struct TestServer {
    database: DatabaseUrl,
    keys: std::path::PathBuf,
    limits: Limits,
    running: Option<Running>,
}

struct Running {
    url: String,
    store: Store,
    handle: ServerHandle,
    thread: JoinHandle<()>,
}

impl TestServer {
    /// A server on a place's database.
    pub(crate) fn start(place: &Place) -> Self {
        Self::with_limits(place, patient_limits())
    }

    /// A server with limits of its own.
    pub(crate) fn with_limits(place: &Place, limits: Limits) -> Self {
        let keys = place.folder.path().join("keys");
        let mut server = Self { database: place.database(), keys, limits, running: None };
        server.run();
        server
    }

    fn run(&mut self) {
        self.running = Some(Running::start(&self.database, &self.keys, self.limits.clone()));
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server has not been stopped")
    }

    /// `http://127.0.0.1:<port>`
    pub(crate) fn url(&self) -> &str {
        &self.running().url
    }

    /// The folder that its data lies in.
    pub(crate) fn data(&self) -> &Path {
        self.keys.parent().expect("the keys lie in the place's folder")
    }

    /// The server's store.
    pub(crate) fn store(&self) -> &Store {
        &self.running().store
    }

    /// A client of it.
    pub(crate) fn http(&self) -> Http {
        Http::new(self.url())
    }

    /// The keys that sign its tokens.
    pub(crate) fn keys(&self) -> Keys {
        Keys::load(&self.keys).unwrap()
    }

    /// Finishes what was accepted and ends, as after a SIGTERM.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(true);
        }
    }

    /// Stops it and starts it again on the same data, at another port.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.run();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(false);
        }
    }
}

impl Running {
    fn start(database: &DatabaseUrl, keys: &Path, limits: Limits) -> Self {
        migration::run(database).unwrap();
        let store = Store::open(database, Registry::embedded(), 4).unwrap();
        store.release_schemas().unwrap();
        let data = keys.parent().expect("the keys lie in the place's folder");
        let blobs = Blobs::open(data, &format!("file:{}", data.join("blobs").display())).unwrap();
        let spool = Spool::open(data).unwrap();
        let keys = Keys::load(keys).unwrap();
        let state =
            Data::new(AppState::new(store.clone(), keys, blobs, data, spool, limits, server::metrics()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (started, handle) = channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let server = server::start(state, listener, 2).unwrap();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { url, store, handle: handle.recv().unwrap(), thread }
    }

    fn stop(self, gracefully: bool) {
        System::new().block_on(self.handle.stop(gracefully));
        let ended = self.thread.join();
        if !std::thread::panicking() {
            // Whatever a test did to it, the database is what its log says.
            let verdict = self.store.verify(&mut |_, _, _| ()).unwrap();
            assert!(verdict.is_sound(), "{verdict:?}");
        }
        self.store.shut_down();
        assert!(ended.is_ok() || std::thread::panicking(), "the server ends without a panic");
    }
}

/// Limits that no test meets by chance: a test is faster than any person.
pub(crate) fn patient_limits() -> Limits {
    Limits { log_ins_per_minute: 100_000, pushes_per_second: 100_000, ..Limits::default() }
}

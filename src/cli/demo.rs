//! `cartagena demo`: a constructed programme, tablets that sync into it over a bad network, and the figures.

use std::fs::{File, TryLockError};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use anyhow::{Context as _, anyhow, bail};
use chrono::Utc;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{is_unread, make_folder, open_or_begin, print, serve, tablets, warn};
use crate::auth::password;
use crate::config::Config;
use crate::demo::{self, Seeded};
use crate::http::server;
use crate::store::Store;
use crate::store::watch::Watch;

/// Everybody's password. The programme is made up and the server listens on loopback only.
const PASSWORD: &str = "demonstration only";

/// Where the demonstration listens if nothing else is asked for.
const LISTEN: &str = "127.0.0.1:8080";

/// The file that says that a demonstration was made to its end.
const WHOLE: &str = "whole";
/// The file that a running demonstration holds locked.
const LOCK: &str = "lock";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Address and port on loopback to listen on (default: the configured one if it is on loopback, else
    /// 127.0.0.1:8080); another port is taken where this one is not free
    #[arg(long)]
    listen: Option<String>,
    /// The same seed makes the same programme
    #[arg(long, default_value_t = 1997)]
    seed: u64,
    /// End after the report instead of serving until Ctrl-C
    #[arg(long)]
    exit: bool,
    /// Throw an earlier demonstration away and begin again
    #[arg(long)]
    fresh: bool,
}

pub(super) fn run(mut config: Config, command: &Demo) -> anyhow::Result<()> {
    config.data = config.data.join("demo");
    if config.database_url.take().is_some() {
        warn("the configured database is left alone: the demonstration has one of its own");
    }
    let listen = match &command.listen {
        Some(asked) if is_loopback(asked) => asked.clone(),
        Some(asked) => bail!(
            "{asked} is not an address and port on loopback: everybody knows the demonstration's passwords, so nobody \
             else may reach it"
        ),
        None => on_loopback(&config.listen),
    };
    // The demonstration is faster than any person: nobody guesses passwords here.
    config.limits.log_ins_per_minute = 10_000;
    "warn".clone_into(&mut config.log);
    serve::log_to_stderr(&config)?;
    // Held until the demonstration ends, however it ends.
    let _lock = lock(&config.data)?;
    if command.fresh {
        throw_away(&config.data)?;
    }
    print(&format!(
        "A CONSTRUCTED programme, for demonstration: no real place, no real person.\nDatabase: {}",
        config.data.join("cartagena.db").display()
    ));
    let store = open_or_begin(&config)?;
    must_be_whole(&config.data, &store)?;
    let seeded = if store.list_accounts()?.is_empty() { Some(fill(&store, command.seed)?) } else { None };
    let running = Running::start(&config, store, &listen)?;
    print(&format!("Serving on {}", running.url));
    if let Some(seeded) = seeded {
        tablets::run(&running.url, &config.data, PASSWORD, &seeded)?;
        File::create(config.data.join(WHOLE))
            .context("it cannot be noted that the demonstration is whole")?;
    } else {
        print("The demonstration was there already and is served as it stands; --fresh begins again.");
    }
    if is_unread() {
        return running.stop();
    }
    tablets::report(&running.url, PASSWORD)?;
    if !command.exit {
        print(&format!(
            "\nLog in at {url} with the password `{PASSWORD}` as one of:\n  {}",
            running.log_ins.join(", "),
            url = running.url
        ));
        print("Serving until Ctrl-C.");
    }
    // Whoever stopped reading (`| head`) has seen enough and presses no Ctrl-C.
    if command.exit || is_unread() {
        return running.stop();
    }
    running.wait()
}

/// The configured address, if it is this machine's own: everybody knows the demonstration's password.
fn on_loopback(configured: &str) -> String {
    if is_loopback(configured) {
        return configured.to_owned();
    }
    warn(&format!("{configured} is not on loopback: the demonstration listens on {LISTEN}"));
    LISTEN.to_owned()
}

fn is_loopback(address: &str) -> bool {
    let is_loopback = |address: SocketAddr| address.ip().is_loopback();
    address.to_socket_addrs().is_ok_and(|mut addresses| addresses.all(is_loopback))
}

/// Keeps a second demonstration out of the folder: it would delete or fill the database under the first.
fn lock(folder: &Path) -> anyhow::Result<File> {
    make_folder(folder)?;
    let path = folder.join(LOCK);
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("{} cannot be made", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "a demonstration runs in {} already: end it first, or say with --data where another one may be",
            folder.display()
        ),
        Err(TryLockError::Error(fault)) => {
            Err(fault).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// Only what a demonstration makes is thrown away; the lock stays, and with it its hold on the folder.
fn throw_away(folder: &Path) -> anyhow::Result<()> {
    if !folder.join("cartagena.db").exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == LOCK) {
            continue;
        }
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(())
}

/// Refuses a demonstration that was interrupted while it was made up: its figures would be those of half a story.
fn must_be_whole(folder: &Path, store: &Store) -> anyhow::Result<()> {
    if store.list_accounts()?.is_empty() || folder.join(WHOLE).exists() {
        return Ok(());
    }
    bail!("the demonstration in {} was not made to its end: begin again with --fresh", folder.display())
}

fn fill(store: &Store, seed: u64) -> anyhow::Result<Seeded> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} edits")?);
    let hash = password::hash(PASSWORD);
    let seeded = demo::seed(store, seed, Utc::now().date_naive(), &hash, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let records: Vec<String> = seeded.records.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    print(&format!("Five years of work: {}", records.join(", ")));
    let outcomes: Vec<String> =
        seeded.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    print(&format!("Edits taken through the same door as a tablet's: {}", outcomes.join(", ")));
    Ok(seeded)
}

/// The server, on a thread of its own.
struct Running {
    url: String,
    log_ins: Vec<String>,
    handle: ServerHandle,
    thread: JoinHandle<std::io::Result<()>>,
    store: Store,
    watch: Watch,
}

impl Running {
    fn start(config: &Config, store: Store, listen: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen).or_else(|_taken| TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let log_ins = store.list_accounts()?.into_iter().map(|account| account.login).collect();
        let state = serve::state(config, store.clone())?;
        let watch = serve::watch(&state, &store)?;
        let workers = config.workers;
        let (started, handle) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = server::start(state, listener, workers)?;
                let _ = started.send(server.handle());
                server.await
            })
        });
        let handle = handle.recv().context("the server did not start")?;
        Ok(Self { url, log_ins, handle, thread, store, watch })
    }

    fn stop(self) -> anyhow::Result<()> {
        actix_web::rt::System::new().block_on(self.handle.stop(false));
        self.wait()
    }

    fn wait(self) -> anyhow::Result<()> {
        self.thread.join().map_err(|_panic| anyhow!("the server failed"))??;
        drop(self.watch);
        self.store.shut_down();
        Ok(())
    }
}

/// Where a tablet of the demonstration keeps its own database.
pub(super) fn tablet_file(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("tablet-{number}.db"))
}

//! `cartagena serve`

use std::net::TcpListener;
use std::pin::pin;
use std::str::FromStr as _;

#[cfg(unix)]
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::web::Data;
use anyhow::Context as _;
use clap::Args;
use futures_util::future::select;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::relay::Worker;
use super::{open_or_begin, print, user};
use crate::auth::token::Keys;
use crate::blob::Blobs;
use crate::config::Config;
use crate::export::Spool;
use crate::http::server;
use crate::http::state::AppState;
use crate::store::Store;
use crate::store::watch::Watch;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address and port to listen on
    #[arg(long)]
    listen: Option<String>,
}

pub(super) fn run(mut config: Config, command: &Serve) -> anyhow::Result<()> {
    if let Some(listen) = &command.listen {
        config.listen.clone_from(listen);
    }
    log_to_stderr(&config)?;
    // Before anything is made: a port that is taken must not cost the one-time password, which is printed once.
    let listener = TcpListener::bind(&config.listen)
        .with_context(|| format!("{} cannot be listened on", config.listen))?;
    let store = open_or_begin(&config)?;
    if let Some(one_time) = user::begin(&store)? {
        print(&format!("First start: log in as `admin` with the one-time password {one_time}"));
    }
    print(&format!("Serving on http://{}", listener.local_addr()?));
    serve(&config, &store, listener)
}

/// Serves until a signal comes, then finishes what was accepted.
fn serve(config: &Config, store: &Store, listener: TcpListener) -> anyhow::Result<()> {
    let state = state(config, store.clone())?;
    let relay = Worker::start(config, store)?;
    let watch = watch(&state, store)?;
    let workers = config.workers;
    actix_web::rt::System::new().block_on(async move {
        let server = server::start(state.clone(), listener, workers)?;
        actix_web::rt::spawn(end_streams(state));
        server.await
    })?;
    drop((relay, watch));
    store.shut_down();
    Ok(())
}

/// Ends the streams of events with the signal that stops the server: it waits for whatever is being answered.
async fn end_streams(state: Data<AppState>) {
    let interrupt = actix_web::rt::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        select(pin!(interrupt), pin!(terminate.recv())).await;
        state.head.send_replace(None);
        return;
    }
    let _ = interrupt.await;
    state.head.send_replace(None);
}

/// Keeps the books up with the log, whichever process writes it, and tells `/metrics` and whoever listens how far this
/// one is.
pub(super) fn watch(state: &Data<AppState>, store: &Store) -> std::io::Result<Watch> {
    let state = Data::clone(state);
    store.watch(move |store, head| {
        let place = |seq: i64| u32::try_from(seq).unwrap_or(u32::MAX);
        metrics::gauge!("cartagena_seq").set(place(head.seq));
        state.head.send_replace(Some(head.seq));
        match state.books.keep_up(store) {
            Ok(seq) => metrics::gauge!("cartagena_books_seq").set(place(seq.unwrap_or(0))),
            // Whoever asks next is told, or finds that it has passed.
            Err(fault) => tracing::warn!(%fault, "the books could not be kept up"),
        }
    })
}

/// What the handlers share.
pub(super) fn state(config: &Config, store: Store) -> anyhow::Result<Data<AppState>> {
    let keys = Keys::load(&config.data.join("keys")).context("the signing keys cannot be read")?;
    let blobs = Blobs::open(&config.data, &config.blobs_url()).context("`blobs_url`")?;
    let spool = Spool::open(&config.data).context("the folder of exports cannot be made")?;
    let limits = config.limits.clone();
    Ok(Data::new(AppState::new(store, keys, blobs, &config.data, spool, limits, server::metrics())))
}

/// Logs go to standard error.
pub(super) fn log_to_stderr(config: &Config) -> anyhow::Result<()> {
    let filter = Targets::from_str(&config.log).context("`log` is a list like `info,cartagena=debug`")?;
    let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if config.log_json {
        registry.with(text.json()).try_init()?;
    } else {
        registry.with(text).try_init()?;
    }
    Ok(())
}

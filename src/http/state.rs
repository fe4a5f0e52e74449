//! What handlers share.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::{HttpRequest, web};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tokio::sync::watch::{Sender, channel};

use super::error::{ApiError, ApiResult};
use super::ogc::counts::Counts;
use super::turns::Turns;
use crate::arrival::Arrival;
use crate::auth::token::Keys;
use crate::blob::Blobs;
use crate::config::Limits;
use crate::exchange::Exchange;
use crate::export::Spool;
use crate::report::book::LiveBooks;
use crate::report::map::LiveMap;
use crate::store::{self, Store};

/// Characters of a log-in that the rate limit looks at.
const LOG_IN_KEY: usize = 64;
/// How many accounts' worth of log-ins one address may make.
const ADDRESS: u32 = 20;
/// Keys that the rate limit keeps before it forgets those that are at rest.
const LOG_IN_KEYS: usize = 10_000;

/// Pictures that are unpacked at the same time.
const PICTURES: usize = 2;

/// What handlers share.
pub struct AppState {
    store: Store,
    /// The keys that sign and verify tokens.
    pub keys: Keys,
    /// What a request may ask of the server.
    pub limits: Limits,
    /// The live books.
    pub books: LiveBooks,
    /// The map's index.
    pub map: LiveMap,
    /// How many features whole collections have.
    pub(super) counts: Counts,
    /// The bytes of attachments.
    pub blobs: Blobs,
    /// Where the operator's own base map lies, if there is one.
    pub base_map: PathBuf,
    /// Turns at unpacking a picture.
    pub pictures: Arc<Semaphore>,
    /// Where exports lie until they are whole.
    pub spool: Spool,
    /// Turns at writing an export.
    pub(super) turns: Turns,
    /// Where the log stands, as this process has heard; nothing before it listens and once it stops.
    pub head: Sender<Option<i64>>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    log_ins: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<String>,
    pushes: DefaultKeyedRateLimiter<uuid::Uuid>,
}

impl AppState {
    /// Puts together what handlers share. `data` is the folder that the operator's own files lie in.
    pub fn new(
        store: Store,
        keys: Keys,
        blobs: Blobs,
        data: &Path,
        spool: Spool,
        limits: Limits,
        metrics: PrometheusHandle,
    ) -> Self {
        let per_minute = |count: u32| Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        let per_second = |count: u32| Quota::per_second(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        Self {
            log_ins: RateLimiter::keyed(per_minute(limits.log_ins_per_minute)),
            addresses: RateLimiter::keyed(per_minute(limits.log_ins_per_minute.saturating_mul(ADDRESS))),
            pushes: RateLimiter::keyed(per_second(limits.pushes_per_second)),
            store,
            books: LiveBooks::default(),
            map: LiveMap::default(),
            counts: Counts::default(),
            keys,
            blobs,
            base_map: data.join(super::basemap::FILE),
            pictures: Arc::new(Semaphore::new(PICTURES)),
            spool,
            turns: Turns::default(),
            head: channel(None).0,
            limits,
            metrics,
        }
    }

    /// Runs work on the store off the async threads.
    ///
    /// # Errors
    /// The store's, as the client sees them.
    pub async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> store::Result<T> + Send + 'static,
    ) -> ApiResult<T> {
        let store = self.store.clone();
        Ok(web::block(move || work(&store)).await??)
    }

    /// The store, for work that is off the async threads already.
    pub fn blocking_store(&self) -> &Store {
        &self.store
    }

    /// The server as devices meet it, for work that is off the async threads already.
    pub fn exchange(&self) -> Exchange<'_> {
        Exchange { store: &self.store, keys: &self.keys, limits: &self.limits }
    }

    /// The server as whoever sends files meets it, for work that is off the async threads already.
    pub fn arrival(&self) -> Arrival<'_> {
        Arrival { store: &self.store, blobs: &self.blobs, most: self.limits.blob_bytes }
    }

    /// Slows down whoever tries passwords: by log-in, and more patiently by address, which all of an office share, or
    /// everybody behind one proxy.
    ///
    /// # Errors
    /// 429
    pub fn allow_log_in(&self, login: &str, address: &str) -> ApiResult<()> {
        if self.addresses.check_key(&address.to_owned()).is_err() {
            return Err(too_many(30));
        }
        // The name is the asker's to choose: only so much of it is kept, and keys at rest are forgotten.
        let login: String = login.trim().chars().take(LOG_IN_KEY).collect();
        for limiter in [&self.log_ins, &self.addresses] {
            if limiter.len() > LOG_IN_KEYS {
                limiter.retain_recent();
            }
        }
        self.log_ins.check_key(&login).map_err(|_too_fast| too_many(30))
    }

    /// Slows down a device that pushes without pause.
    ///
    /// # Errors
    /// 429; nothing was stored.
    pub fn allow_push(&self, device: uuid::Uuid) -> ApiResult<()> {
        self.pushes.check_key(&device).map_err(|_too_fast| too_many(1))
    }
}

/// The network address that a request came from; a proxy's where there is one.
pub(super) fn address_of(request: &HttpRequest) -> String {
    request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default()
}

fn too_many(seconds: u32) -> ApiError {
    let detail = "too many requests: wait and try again";
    ApiError::new(actix_web::http::StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
        .retry_after(seconds)
}

/// Whether a page has as many rows as were asked for: then there may be another.
pub(super) fn is_full(rows: usize, limit: i64) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= limit)
}

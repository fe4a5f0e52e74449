//! Whose turn it is: exports read everything there is, and lie on the disk of the database until they have been read to
//! their end; a map of another day draws a whole country. Nobody waits for ever, and no account takes all the places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::timeout;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::http::error::{ApiError, ApiResult};

/// Exports that are written at the same time: each may read everything there is.
const WRITTEN: usize = 2;
/// Exports that lie on the disk until their client has read them.
const SENT: usize = 16;
/// Days whose ground is made at the same time: a whole country is drawn for each.
const DAYS: usize = 1;
/// Exports that one account waits for, or reads, at the same time.
const OF_ONE: usize = 2;
/// How long one is waited for: a proxy gives up after a minute.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long an account waits for its own: a client that has read to the end may be faster than the server sees it.
const GRACE: Duration = Duration::from_secs(5);
/// Seconds after which a download may have ended.
const BUSY_S: u32 = 30;

/// Turns at what takes long, and places for exports that are written.
#[derive(Debug)]
pub(crate) struct Turns {
    writing: Arc<Semaphore>,
    sending: Arc<Semaphore>,
    accounts: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
    days: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            writing: Arc::new(Semaphore::new(WRITTEN)),
            sending: Arc::new(Semaphore::new(SENT)),
            accounts: Mutex::default(),
            days: Arc::new(Semaphore::new(DAYS)),
        }
    }
}

/// What an export holds from when it is asked for until it has been read.
#[derive(Debug)]
pub(super) struct Place {
    _account: OwnedSemaphorePermit,
    _sending: OwnedSemaphorePermit,
}

impl Turns {
    /// A turn at writing an export, and its place until it has been read.
    ///
    /// # Errors
    /// 429 where the account has as many as one may have; 503 where all are taken.
    pub(super) async fn take(&self, account: Uuid) -> ApiResult<(OwnedSemaphorePermit, Place)> {
        let own = within(GRACE, self.of(account)).await.ok_or_else(|| {
            let detail = format!(
                "{OF_ONE} exports of yours are being made or downloaded: ask again when one has ended"
            );
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail).retry_after(BUSY_S)
        })?;
        let turn = within(PATIENCE, self.writing.clone()).await.ok_or_else(|| {
            busy("as many exports as the server makes at once are being made: ask again when one has ended")
        })?;
        // Whoever reads slowly, again and again, would else fill the disk.
        let sending = self.sending.clone().try_acquire_owned().map_err(|_none| {
            busy("as many exports as the server keeps at once are still being downloaded: ask again when one has ended")
        })?;
        Ok((turn, Place { _account: own, _sending: sending }))
    }

    /// A turn at making a day's ground. Whoever waits for it holds up no thread that tablets' edits are written by.
    ///
    /// # Errors
    /// 503 where it does not come in time.
    pub(super) async fn day(&self) -> ApiResult<OwnedSemaphorePermit> {
        within(PATIENCE, self.days.clone())
            .await
            .ok_or_else(|| busy("the ground of other days is being drawn: ask again when that has ended"))
    }

    /// An account's own places. They are forgotten when nobody has or wants one.
    fn of(&self, account: Uuid) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|_, places| places.strong_count() > 0);
        let known = accounts.get(&account).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let places = Arc::new(Semaphore::new(OF_ONE));
            accounts.insert(account, Arc::downgrade(&places));
            places
        })
    }
}

async fn within(patience: Duration, places: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    timeout(patience, places.acquire_owned()).await.ok()?.ok()
}

fn busy(detail: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).retry_after(BUSY_S)
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::http::header::RETRY_AFTER;

    use super::*;

    async fn refused(turns: &Turns, account: Uuid) -> (u16, String) {
        let refused = turns.take(account).await.unwrap_err();
        let response = refused.error_response();
        assert!(response.headers().contains_key(RETRY_AFTER));
        (response.status().as_u16(), refused.detail().to_owned())
    }

    #[actix_web::test]
    async fn one_account_leaves_places_to_others_and_gets_its_own_back() {
        let (turns, reader, other) = (Turns::default(), Uuid::now_v7(), Uuid::now_v7());
        let mut held = Vec::new();
        for _ in 0..OF_ONE {
            let (turn, place) = turns.take(reader).await.unwrap();
            drop(turn);
            held.push(place);
        }
        assert_eq!(refused(&turns, reader).await.0, 429);
        assert!(turns.take(other).await.is_ok());
        held.pop();
        assert!(turns.take(reader).await.is_ok());
        drop(held);
        drop(turns.of(other));
        assert_eq!(turns.accounts.lock().unwrap().len(), 1, "who has none is forgotten");
    }

    #[actix_web::test]
    async fn when_all_places_are_taken_the_next_one_is_told_so() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..SENT {
            held.push(turns.take(Uuid::now_v7()).await.unwrap().1);
        }
        let (status, detail) = refused(&turns, Uuid::now_v7()).await;
        assert_eq!(status, 503);
        assert!(detail.contains("still being downloaded"), "{detail}");
        held.pop();
        assert!(turns.take(Uuid::now_v7()).await.is_ok());
    }
}

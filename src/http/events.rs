//! Server-sent events: that the log has moved, so that a page can ask again for what it shows.

use std::time::{Duration, Instant};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use futures_util::stream;
use tokio::sync::watch::Receiver;

use super::access::Access;
use super::state::AppState;
use crate::auth::permission::HearNews;
use crate::auth::token::ACCESS_LIFE;

/// Something is said so often although nothing has happened, so that neither end waits for a line that is dead.
const BEAT: Duration = Duration::from_secs(15);

/// Says where the log stands, now and whenever it has moved: `event: head`, `data: <seq>`. Not who did what: whoever
/// wants to know asks, and is told what they may see. The stream ends when an access token would have, or with the
/// server: ask again then.
#[utoipa::path(tag = "sync", responses((status = 200, content_type = "text/event-stream")))]
#[get("/v1/events")]
pub(crate) async fn show(_: Access<HearNews>, state: Data<AppState>) -> HttpResponse {
    let mut heads = state.head.subscribe();
    heads.mark_changed();
    let end = Instant::now() + ACCESS_LIFE.to_std().unwrap_or(BEAT);
    let events = stream::unfold(heads, move |mut heads| async move {
        let event = next(&mut heads, end).await?;
        Some((Ok::<_, std::convert::Infallible>(event), heads))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // What is packed waits for more to pack.
        .insert_header((CONTENT_ENCODING, "identity"))
        .streaming(events)
}

async fn next(heads: &mut Receiver<Option<i64>>, end: Instant) -> Option<Bytes> {
    if Instant::now() >= end {
        return None;
    }
    match actix_web::rt::time::timeout(BEAT, heads.changed()).await {
        Ok(Ok(())) => {
            let seq = (*heads.borrow_and_update())?;
            Some(Bytes::from(format!("event: head\ndata: {seq}\n\n")))
        }
        Ok(Err(_server_is_gone)) => None,
        Err(_nothing_happened) => Some(Bytes::from_static(b": beat\n\n")),
    }
}

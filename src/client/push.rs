//! Pushing the outbox: in whole actions, as many as the server takes, until it has them all.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::call::{Refusal, read};
use super::outbox::{self, Action};
use super::session::{Session, UNKNOWN};
use super::{Client, ClientError, Report, Result};
use crate::sync::memory::Standing;
use crate::sync::wire::{Outbox, PROTOCOL, PushAnswer, PushBody, SERVER};

/// What we call ourselves.
pub(super) const APP: &str = concat!("cartagena-client/", env!("CARGO_PKG_VERSION"));
/// Bytes of a push besides its mutations, at most.
const ENVELOPE: usize = 1_024;
/// Answers in a row that acknowledge nothing before we give up for now.
const PATIENCE: u32 = 3;

/// What one push came to.
enum Pushed {
    /// The server took it; how much it acknowledged.
    Taken { acknowledged: usize, renewed: bool, pause: Duration },
    /// It is larger than the server takes.
    TooLarge,
}

/// What is still to be sent.
struct Queue {
    actions: Vec<Action>,
    oldest: Option<DateTime<Utc>>,
}

impl Client {
    /// Pushes everything that is due. At least one push goes out, however empty: it tells the server that we live,
    /// and asks what it has of us.
    ///
    /// Where the server wants a new enrolment, edits wait for it: pushed with an old token they would land in
    /// quarantine. They are pushed so by a device that was revoked, and where `standing` says that nothing else is left.
    pub(super) fn push(&mut self, report: &mut Report, standing: Standing) -> Result<()> {
        let revoked = match self.freshen() {
            Err(ClientError::Revoked(why)) => Some(why),
            Err(ClientError::LoggedOut(_)) if standing == Standing::Expired => None,
            other => other.map(|()| None)?,
        };
        let mut met = false;
        let mut fruitless = 0;
        let mut most = usize::MAX;
        let mut skipped = HashSet::new();
        loop {
            let session = Session::load(&mut self.connection)?;
            let queue = self.queue(&session, &skipped)?;
            if met && queue.actions.is_empty() {
                break;
            }
            let batch =
                if session.durable_through == UNKNOWN { 0 } else { batch(&queue.actions, &session, most) };
            match self.push_batch(&session, &queue, batch)? {
                Pushed::TooLarge if batch <= 1 => {
                    skipped.extend(queue.actions.first().map(|action| action.ids[0]));
                }
                Pushed::TooLarge => most = batch / 2,
                Pushed::Taken { acknowledged, renewed, pause } => {
                    report.new_epoch |= renewed && session.epoch.is_some();
                    report.pushed += acknowledged;
                    met = true;
                    fruitless = if acknowledged == 0 && batch > 0 { fruitless + 1 } else { 0 };
                    if fruitless == PATIENCE {
                        return Err(ClientError::Busy);
                    }
                    let pause = if fruitless > 0 { pause.max(Duration::from_secs(1)) } else { pause };
                    if !pause.is_zero() {
                        self.transport.wait(pause);
                    }
                }
            }
        }
        report.too_large = skipped.into_iter().collect();
        revoked.map_or(Ok(()), |why| Err(ClientError::Revoked(why)))
    }

    fn queue(&mut self, session: &Session, skipped: &HashSet<Uuid>) -> Result<Queue> {
        let (mut actions, oldest) = outbox::due(&mut self.connection, session)?;
        actions.retain(|action| action.ids.iter().all(|id| !skipped.contains(id)));
        Ok(Queue { actions, oldest })
    }

    fn push_batch(&mut self, session: &Session, queue: &Queue, batch: usize) -> Result<Pushed> {
        let pending = queue.actions.iter().map(|action| action.ids.len()).sum::<usize>();
        let body = PushBody {
            protocol: PROTOCOL,
            device_id: Uuid::parse_str(&session.device_id)?,
            client_time: Some(Utc::now()),
            last_head: session.head()?,
            revised_from: Some(session.revised_through),
            outbox: Outbox { pending: i64::try_from(pending).ok(), oldest: queue.oldest },
            app: Some(APP.to_owned()),
            txns: queue.actions[..batch].iter().map(Action::raw).collect(),
            senders: Vec::new(),
            devices: Vec::new(),
        };
        let response = self.send_as_device("/v1/sync/push", Some(serde_json::to_vec(&body)?))?;
        if response.status == 413 {
            let refusal = Refusal::read(&response)?;
            Session::keep_limits(&mut self.connection, refusal.max_mutations, refusal.max_bytes)?;
            return Ok(Pushed::TooLarge);
        }
        let answer: PushAnswer = read(&response)?;
        if answer.server != SERVER {
            return Err(ClientError::NotOurs { status: response.status });
        }
        let (acknowledged, renewed) =
            self.connection.immediate_transaction(|connection| outbox::acknowledge(connection, &answer))?;
        let pause = Duration::from_millis(answer.limits.retry_after_ms);
        Ok(Pushed::Taken { acknowledged, renewed, pause })
    }
}

/// How many actions fit into one push; at least one, so that the server itself says what it does not take.
fn batch(actions: &[Action], session: &Session, most: usize) -> usize {
    let limit = |limit: i64| usize::try_from(limit).unwrap_or_default();
    let (mut mutations, mut bytes) = (0, ENVELOPE);
    let mut fitting = 0;
    for action in actions {
        mutations += action.ids.len();
        bytes += action.bytes + 2;
        if mutations > limit(session.max_mutations) || bytes > limit(session.max_bytes) {
            break;
        }
        fitting += 1;
    }
    fitting.min(most).max(1).min(actions.len())
}

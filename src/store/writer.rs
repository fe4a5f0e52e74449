//! The queue in front of the one door: pushes that arrive together share a transaction (group commit).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::backend::{DatabaseUrl, DbConnection};
use super::ground::GroundCache;
use super::txn::SyncTxn;
use super::{Result, StoreError};
use crate::model::schema::Registry;
use crate::store::push::{self, Push, Pushed};

/// Pushes that may wait for the writer; beyond that the answer is `retry`.
const QUEUE: usize = 256;
/// Mutations that share a transaction at most. Larger ones make others wait; smaller ones wait for the disk.
const GROUP: usize = 2_000;
/// How long the writer waits for a lost database before it looks again.
const RECONNECT: Duration = Duration::from_millis(250);

type Act = Box<dyn FnOnce(&mut Desk<'_>) + Send>;

enum Job {
    Push(Box<Push>, Sender<Result<Pushed>>),
    Act(Act),
}

/// The thread that writes.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        url: DatabaseUrl,
        connection: DbConnection,
        registry: &'static Registry,
        ground: Arc<GroundCache>,
    ) -> Self {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || work(Desk { url: &url, connection, registry, ground: &ground }, &jobs))
            .expect("a thread can be started when the program starts");
        Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) }
    }

    /// Takes a push into the next group.
    pub(super) fn push(&self, push: Push) -> Result<Pushed> {
        let (answer, result) = channel();
        self.send(Job::Push(Box::new(push), answer))?;
        result.recv().unwrap_or(Err(StoreError::Busy))
    }

    /// Runs `body` in a transaction of its own.
    pub(super) fn act<T: Send + 'static>(
        &self,
        body: impl FnOnce(&mut SyncTxn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, result) = channel();
        self.send(Job::Act(Box::new(move |desk| {
            // The asker may have gone; the act stands all the same.
            let _ = answer.send(desk.write(body));
        })))?;
        result.recv().unwrap_or(Err(StoreError::Busy))
    }

    fn send(&self, job: Job) -> Result<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        queue.ok_or(StoreError::Busy)?.try_send(job).map_err(|_full_or_closed| StoreError::Busy)
    }

    /// Finishes what was accepted and takes no more.
    pub(super) fn shut_down(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer had failed before the shut-down");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Where the writer sits: one connection at a time.
struct Desk<'w> {
    url: &'w DatabaseUrl,
    connection: DbConnection,
    registry: &'w Registry,
    ground: &'w GroundCache,
}

impl Desk<'_> {
    /// Runs `body` under the clock. A panic in it is this one writing's failure and nobody else's: without the writer
    /// there would be no other until somebody starts the server again.
    fn write<T>(&mut self, body: impl FnOnce(&mut SyncTxn<'_>) -> Result<T>) -> Result<T> {
        if !self.reach() {
            return Err(StoreError::Away("the writer has lost it".to_owned()));
        }
        let write = || SyncTxn::run(&mut self.connection, self.registry, self.ground, body);
        // Whatever a panic leaves undone is undone with the connection, which is open in a transaction then.
        catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|_panic| {
            tracing::error!("the writer panicked; nothing of this transaction is stored");
            Err(StoreError::Busy)
        })
    }

    /// Whether there is a connection that works: the one there was, or a new one if the database is back.
    fn reach(&mut self) -> bool {
        use diesel::r2d2::R2D2Connection as _;
        // SQLite is a file: there is nothing to lose contact with. But a transaction that was neither committed nor
        // rolled back, as on a full disk, leaves a connection behind that begins no other.
        let reached = matches!(self.connection, DbConnection::Sqlite(_)) || self.connection.ping().is_ok();
        if reached && !self.connection.is_broken() {
            return true;
        }
        tracing::warn!("the writer lost the database and looks for it");
        match self.url.connect() {
            Ok(new) => {
                self.connection = new;
                true
            }
            Err(fault) => {
                tracing::warn!(%fault, "the database is still away");
                false
            }
        }
    }
}

fn work(mut desk: Desk<'_>, jobs: &Receiver<Job>) {
    let mut held = None;
    while let Some(job) = held.take().or_else(|| jobs.recv().ok()) {
        if !desk.reach() {
            std::thread::sleep(RECONNECT);
        }
        match job {
            Job::Act(act) => act(&mut desk),
            Job::Push(push, answer) => {
                let mut group = vec![(push, answer)];
                held = gather(jobs, &mut group);
                write_group(&mut desk, group);
            }
        }
    }
}

/// Takes the pushes that wait already; what is not a push is held back for its turn.
fn gather(jobs: &Receiver<Job>, group: &mut Vec<(Box<Push>, Sender<Result<Pushed>>)>) -> Option<Job> {
    let mut mutations: usize = group.iter().map(|(push, _)| push.len()).sum();
    while mutations < GROUP {
        match jobs.try_recv() {
            Ok(Job::Push(push, answer)) => {
                mutations += push.len();
                group.push((push, answer));
            }
            Ok(act) => return Some(act),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    None
}

fn write_group(desk: &mut Desk<'_>, group: Vec<(Box<Push>, Sender<Result<Pushed>>)>) {
    let (pushes, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
    metrics::histogram!("cartagena_write_group_pushes")
        .record(u32::try_from(pushes.len()).unwrap_or(u32::MAX));
    match desk.write(|txn| push::take(txn, &pushes)) {
        Ok(pushed) => {
            for (answer, pushed) in answers.into_iter().zip(pushed) {
                // A client that has hung up will ask again and be told `duplicate`.
                let _ = answer.send(Ok(pushed));
            }
        }
        // One push must not make the others wait: each for itself.
        Err(fault) if pushes.len() > 1 && desk.reach() => {
            tracing::warn!(%fault, pushes = pushes.len(), "a group of pushes is written one by one");
            for (push, answer) in pushes.into_iter().zip(answers) {
                write_group(desk, vec![(push, answer)]);
            }
        }
        Err(fault) => {
            tracing::error!(%fault, "a push could not be written");
            for answer in answers {
                let _ = answer.send(Err(StoreError::Busy));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, migration};

    #[test]
    fn a_panic_under_the_clock_ends_nothing_but_itself() {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = format!("sqlite:{}", folder.path().join("x.db").display()).parse().unwrap();
        migration::run(&url).unwrap();
        let store = Store::open(&url, Registry::embedded(), 1).unwrap();
        let before = store.head().unwrap().seq;
        let panicked = store.write(|txn| -> Result<()> {
            txn.act("planted", uuid::Uuid::nil(), None, &serde_json::Value::Null);
            panic!("planted")
        });
        assert!(matches!(panicked, Err(StoreError::Busy)), "{panicked:?}");
        assert_eq!(store.head().unwrap().seq, before);
        store.write(|txn| Ok(txn.act("planted", uuid::Uuid::nil(), None, &serde_json::Value::Null))).unwrap();
        assert_eq!(store.head().unwrap().seq, before + 1);
    }
}

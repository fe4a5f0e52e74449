//! Hears that the log has moved, whichever process moved it: PostgreSQL's `NOTIFY`, and a look at the clock now and then
//! where nothing is heard – SQLite, a proxy between us and the database that keeps notifications to itself.
//!
//! It is a hint and no promise: who must not miss anything asks the clock at the question.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;

use super::backend::{DatabaseUrl, DbConnection};
use super::{Result, Store};
use crate::sync::wire::LogHead;

/// How often it is looked whether something was heard.
const TICK: Duration = Duration::from_millis(20);
/// How often the clock is looked at although nothing was heard, and a lost database looked for.
const LOOK: Duration = Duration::from_secs(2);
/// How many times as long as its work a watcher rests: what it keeps up is not worth more of the machine than this.
const REST: u32 = 3;
/// The longest rest.
const LONGEST: Duration = Duration::from_secs(5);

/// Says, with the commit, that the log has moved. Notices of one transaction are one.
pub(super) fn announce(connection: &mut DbConnection) -> Result<()> {
    if let DbConnection::Postgres(connection) = connection {
        connection.batch_execute("notify cartagena_log")?;
    }
    Ok(())
}

/// A thread that watches the log. It ends with its value.
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Calls `moved` with the log's head now and whenever it is another, until the value is dropped.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn watch(&self, moved: impl FnMut(&Store, &LogHead) + Send + 'static) -> std::io::Result<Watch> {
        let (stop, stopped) = channel();
        let store = self.clone();
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || Watcher { store, ear: None, known: None, moved }.work(&stopped))?;
        Ok(Watch { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watcher had failed before the shut-down");
        }
    }
}

struct Watcher<F> {
    store: Store,
    /// Listens. It never opens a transaction: PostgreSQL keeps notices for as long as somebody's lasts.
    ear: Option<DbConnection>,
    known: Option<LogHead>,
    moved: F,
}

impl<F: FnMut(&Store, &LogHead)> Watcher<F> {
    fn work(mut self, stopped: &Receiver<()>) {
        loop {
            // Before the look: what is committed after it is heard.
            self.listen();
            let rest = self.look().clamp(TICK, LONGEST);
            if is_stopped(stopped, rest) || !self.wait(stopped) {
                return;
            }
        }
    }

    /// Opens the ear, where the database has such a thing.
    fn listen(&mut self) {
        if self.ear.is_some() || !matches!(self.store.url, DatabaseUrl::Postgres(_)) {
            return;
        }
        let Ok(mut connection) = self.store.url.connect() else { return };
        if connection.batch_execute("listen cartagena_log").is_ok() {
            self.ear = Some(connection);
        }
    }

    /// Looks where the log stands, and passes it on if it is news; how long to rest from that.
    fn look(&mut self) -> Duration {
        let Ok(head) = self.store.head() else { return TICK };
        if self.known.as_ref().is_some_and(|known| (known.epoch, known.seq) == (head.epoch, head.seq)) {
            return TICK;
        }
        let begun = Instant::now();
        (self.moved)(&self.store, &head);
        self.known = Some(head);
        begun.elapsed() * REST
    }

    /// Waits until something is heard or it is time to look; false where it is to stop.
    fn wait(&mut self, stopped: &Receiver<()>) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < LOOK {
            if self.hears() {
                return true;
            }
            if is_stopped(stopped, TICK) {
                return false;
            }
        }
        true
    }

    /// Whether something was heard since the last time. An ear that is lost is opened again at the next look.
    fn hears(&mut self) -> bool {
        let Some(DbConnection::Postgres(ear)) = &mut self.ear else { return false };
        let (mut heard, mut lost) = (false, false);
        for notice in ear.notifications_iter() {
            heard = true;
            lost = notice.is_err();
            if lost {
                break;
            }
        }
        if lost {
            self.ear = None;
        }
        heard
    }
}

fn is_stopped(stopped: &Receiver<()>, within: Duration) -> bool {
    !matches!(stopped.recv_timeout(within), Err(RecvTimeoutError::Timeout))
}

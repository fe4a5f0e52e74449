//! A streaming replica of PostgreSQL that answers what only the log's order decides: pages of pulls, lists, the books.
//!
//! Nobody may read less than was committed before the question, whichever process committed it. So the primary is asked
//! where the log stands – one row –, and the replica answers the rest only if it stands there too. One that is away,
//! behind or busy costs nobody an answer: the primary has it.

use diesel::prelude::*;
use diesel::r2d2::Pool;

use super::backend::{DatabaseUrl, DbConnection, Opener, read_transaction};
use super::schema::sync_clock;
use super::txn::{CLOCK, Clock, ClockRow};
use super::{Result, StoreError};

define_sql_function! {
    /// Whether this server replays somebody else's log.
    fn pg_is_in_recovery() -> Bool;
}

/// How a connection to a replica gives up where its host is gone without a word, seconds and milliseconds: long before
/// anybody would stop waiting for the primary's answer.
const PATIENCE: [(&str, &str); 5] = [
    ("connect_timeout", "3"),
    ("tcp_user_timeout", "3000"),
    ("keepalives_idle", "3"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "3"),
];

/// Readers on a replica.
pub(super) struct Replica(Pool<Opener>);

/// What became of a question to the replica, as `/metrics` counts it.
#[derive(Clone, Copy)]
enum Fate {
    /// It answered.
    Used,
    /// It lacks something that is committed, or is a replica no longer.
    Behind,
    /// It could not be had: it is away, or all its connections are in use.
    Away,
    /// It broke off: it went away, or what it replays took the rows from under the question.
    Failed,
}

impl Fate {
    fn count(self) {
        let word = match self {
            Self::Used => "used",
            Self::Behind => "behind",
            Self::Away => "away",
            Self::Failed => "failed",
        };
        metrics::counter!("cartagena_replica_reads_total", "fate" => word).increment(1);
    }
}

impl Replica {
    /// Begins to look for a replica. It may be away: connections are made in the background, again and again.
    ///
    /// # Errors
    /// Where the URL is not PostgreSQL's.
    pub(super) fn seek(url: &DatabaseUrl, readers: u32) -> Result<Self> {
        let DatabaseUrl::Postgres(url) = url else {
            return Err(StoreError::Connection("a replica is a PostgreSQL server".to_owned()));
        };
        let opener = Opener(DatabaseUrl::Postgres(with_patience(url)));
        Ok(Self(Pool::builder().max_size(readers).build_unchecked(opener)))
    }

    /// Runs `body` on one snapshot of the replica, if that holds everything up to `stands`.
    pub(super) fn read<T>(&self, stands: &Clock, body: impl Fn(&mut DbConnection) -> Result<T>) -> Option<T> {
        let (fate, answer) = self.ask(stands, body);
        fate.count();
        answer
    }

    fn ask<T>(&self, stands: &Clock, body: impl Fn(&mut DbConnection) -> Result<T>) -> (Fate, Option<T>) {
        // Never waits: whoever waited for a replica that is away would be better off at the primary.
        let Some(mut connection) = self.0.try_get() else { return (Fate::Away, None) };
        let answer = read_transaction(&mut connection, |connection| {
            if holds(connection, stands)? { body(connection).map(Some) } else { Ok(None) }
        });
        match answer {
            Ok(Some(answer)) => (Fate::Used, Some(answer)),
            Ok(None) => (Fate::Behind, None),
            // What is not there or not allowed is said by the primary once more; anything else is no reason to fail.
            Err(fault) => {
                tracing::debug!(%fault, "the replica broke off");
                (Fate::Failed, None)
            }
        }
    }
}

/// Whether this snapshot is of the same log and holds it as far as it stood. A server that was made a primary has a log
/// of its own from then on, under the same epoch: it is none to ask.
fn holds(connection: &mut DbConnection, stands: &Clock) -> Result<bool> {
    let DbConnection::Postgres(connection) = connection else { return Ok(false) };
    let (clock, replays): (ClockRow, bool) =
        sync_clock::table.select((CLOCK, pg_is_in_recovery())).first(connection)?;
    let clock = Clock::of(clock);
    Ok(replays && clock.epoch == stands.epoch && clock.seq >= stands.seq)
}

/// The URL with what a replica's connections need, where it does not say it itself.
fn with_patience(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in PATIENCE {
        if !url.contains(&format!("{name}=")) {
            let joint = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{joint}{name}={value}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_itself_is_left_alone() {
        let url = with_patience("postgres://a@b/c?connect_timeout=9");
        assert!(url.starts_with("postgres://a@b/c?connect_timeout=9&tcp_user_timeout=3000&"), "{url}");
        assert_eq!(url.matches("connect_timeout").count(), 1);
        assert!(with_patience("postgres://b/c").starts_with("postgres://b/c?connect_timeout=3&"));
    }

    #[test]
    fn an_sqlite_file_is_no_replica() {
        assert!(Replica::seek(&DatabaseUrl::Sqlite("x.db".to_owned()), 1).is_err());
    }
}

//! A camp server on its way to the nation: what it holds goes up, what the nation has decided comes down
//! (docs/sync.md §6).
//!
//! It may be called again at once after any error, and be lost at any point: what the nation has is told by the
//! nation's own log, and everything else is sent again.

use std::collections::HashSet;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::blob::Shelf;
use crate::client::relay::Passing;
use crate::client::{Client, ClientError, Transport};
use crate::store::upstream::Outgoing;
use crate::store::{Store, StoreError, blob};
use crate::sync::wire::{LogPage, Outbox};

/// Mutations that are read from the store at a time.
const BATCH: i64 = 500;
/// Bytes of one push, about: half of what a server takes.
const BYTES: usize = 4 << 20;
/// Bytes of files in one pass, about: on a slow line records that are recorded meanwhile must not wait behind photos.
const FILE_BYTES: u64 = 4 << 20;
/// What a file counts for at least: to ask after it takes its time too.
const FILE_LEAST: u64 = 16 << 10;

/// A camp's way to its nation.
pub struct Relay {
    client: Client,
    store: Store,
    /// Where this camp's files lie.
    shelf: Shelf,
    /// What was sent and the national log has not told of yet.
    sent: HashSet<Uuid>,
}

/// What one pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Mutations that were sent.
    pub sent: usize,
    /// Entries of the national log that were followed.
    pub followed: usize,
    /// Actions that the nation cannot take; others go past them.
    pub stuck: Vec<String>,
    /// The nation has gone back in time; what it lost was sent again.
    pub renewed: bool,
    /// Mutations that the nation is still not known to have.
    pub pending: i64,
    /// Files that the nation came to have whole.
    pub files: usize,
    /// Files that go on with the next pass; what keeps them is among `stuck`, if anything does.
    pub files_to_come: usize,
    /// Why sending files stopped before its end, if it did.
    pub interrupted: Option<String>,
    /// What was told of the people and could not be taken.
    pub warning: Option<String>,
    /// A schema in which the nation's log goes on and that this program is too old to know: edits still go up, and what
    /// the nation decides comes down once this program is a newer one.
    pub unknown_schema: Option<String>,
}

/// Why a pass ended early. Nothing is lost.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// On the way to the nation.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// In this camp's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An edit in the log cannot be read.
    #[error("the log holds an unreadable edit: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl Relay {
    /// A relay of a camp's store and its files, with its session in `file`, which is made if there is none.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(file: &Path, store: Store, shelf: Shelf) -> Result<Self, RelayError> {
        Ok(Self { client: Client::open(file)?, store, shelf, sent: HashSet::new() })
    }

    /// The same over another transport.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open_with(
        file: &Path,
        store: Store,
        shelf: Shelf,
        transport: Box<dyn Transport>,
    ) -> Result<Self, RelayError> {
        Ok(Self { client: Client::open_with(file, transport)?, store, shelf, sent: HashSet::new() })
    }

    /// Enrols this server at its nation, or again where its session was lost; it is a camp from now on.
    ///
    /// # Errors
    /// Where the nation refuses the code, or cannot be reached.
    pub fn enrol(&mut self, url: &str, code: &str, name: &str) -> Result<(), RelayError> {
        self.client.enrol(url, code, name)?;
        Ok(self.store.begin_following()?)
    }

    /// Where the nation is, once this server is enrolled there.
    ///
    /// # Errors
    /// `NotEnrolled`
    pub fn nation(&mut self) -> Result<String, RelayError> {
        Ok(self.client.identity()?.server_url)
    }

    /// Passes everything on, and follows what the nation has decided.
    ///
    /// # Errors
    /// What the network did; where the nation wants a new enrolment.
    pub fn pass(&mut self) -> Result<Passed, RelayError> {
        let mut passed = Passed::default();
        let sent = std::mem::take(&mut self.sent);
        // A camp that was restored from before it was one is one all the same.
        self.store.begin_following()?;
        // A nation with a newer program may tell of people in words that this one does not know: edits travel all the same.
        match self.client.people() {
            Ok(people) => {
                passed.warning = self.store.take_people(people).err().map(|fault| fault.to_string());
            }
            Err(fault @ (ClientError::NotOurs { .. } | ClientError::Unreadable(_))) => {
                passed.warning = Some(format!("the people cannot be read: {fault}"));
            }
            Err(other) => return Err(other.into()),
        }
        self.follow(&mut passed)?;
        // What the log cannot tell yet is not sent again and again.
        let known = if passed.unknown_schema.is_some() && !passed.renewed { sent } else { HashSet::new() };
        let sent = self.send(&mut passed, known)?;
        self.follow(&mut passed)?;
        if passed.unknown_schema.is_some() && !passed.renewed {
            self.sent = sent;
        }
        passed.pending = self.store.upstream()?.map_or(0, |upstream| upstream.pending);
        self.send_files(&mut passed)?;
        Ok(passed)
    }

    /// Sends files of edits that the nation has, the smallest first, as many as fit into a pass. One that is not taken
    /// holds up no other.
    fn send_files(&mut self, passed: &mut Passed) -> Result<(), RelayError> {
        let mut left = FILE_BYTES;
        for file in self.store.outgoing_files()? {
            if left == 0 {
                passed.files_to_come += 1;
                continue;
            }
            let mut sent = 0;
            let whole = self.send_file(file, left, &mut sent);
            left = left.saturating_sub(sent.max(FILE_LEAST));
            match whole {
                Ok(true) => {
                    self.store.note_passed_on(file)?;
                    passed.files += 1;
                }
                Ok(false) => passed.files_to_come += 1,
                Err(fault @ (ClientError::Refused { .. } | ClientError::File(_))) => {
                    passed.stuck.push(format!("the file {}: {fault}", file.sha256.to_hex()));
                }
                // The records have been passed on by now.
                Err(
                    fault @ (ClientError::Transport(_) | ClientError::Busy | ClientError::NotOurs { .. }),
                ) => {
                    passed.interrupted = Some(fault.to_string());
                    return Ok(());
                }
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    fn send_file(&mut self, file: blob::Outgoing, most: u64, sent: &mut u64) -> Result<bool, ClientError> {
        let Self { client, shelf, .. } = self;
        client.pass_file((file.sha256, file.size), file.organisation, most, &mut |offset, count| {
            if offset == 0
                && let Some(fault) = shelf.fault(file.sha256, file.size)?
            {
                return Err(io::Error::other(format!("it {fault} here: run `cartagena verify`")));
            }
            let mut part = vec![0; count];
            shelf.read(file.sha256, offset..offset + count as u64)?.read_exact(&mut part)?;
            *sent += count as u64;
            Ok(part)
        })
    }

    /// Follows the national log to its end.
    fn follow(&mut self, passed: &mut Passed) -> Result<(), RelayError> {
        let mut shown = false;
        loop {
            let stands = self.store.upstream()?.map_or(0, |upstream| upstream.seq);
            let page = self.client.log_from(stands + 1)?;
            if self.is_another(&page)? {
                self.meet_epoch(&page)?;
                passed.renewed = true;
                continue;
            }
            let last = page.entries.last().map(|entry| entry.seq);
            let head = page.head.clone();
            match self.store.follow(page) {
                Ok(followed) => {
                    passed.followed += usize::try_from(followed.seq - stands).unwrap_or_default();
                    passed.unknown_schema = followed.unknown_schema;
                    if passed.unknown_schema.is_some() {
                        return Ok(());
                    }
                }
                // The nation has another past than the one it told, and does not know it yet: show it its own word.
                Err(StoreError::Refused { code: "chain", .. }) if !shown => {
                    shown = true;
                    self.send_batch(&[])?;
                    continue;
                }
                Err(other) => return Err(other.into()),
            }
            // Its past is ours up to here: this head is one that it may be held to.
            self.client.remember(&head)?;
            if last.is_none_or(|last| last >= head.seq) {
                return Ok(());
            }
        }
    }

    /// Whether the nation is in another epoch than the one that was followed.
    fn is_another(&self, page: &LogPage) -> Result<bool, RelayError> {
        let epoch = self.store.upstream()?.and_then(|upstream| upstream.epoch);
        Ok(epoch.is_some_and(|epoch| epoch != page.head.epoch))
    }

    /// Finds the last entry that the nation still has as it was followed, and goes on from there.
    fn meet_epoch(&mut self, page: &LogPage) -> Result<(), RelayError> {
        let stands = self.store.upstream()?.map_or(0, |upstream| upstream.seq);
        // Up to `common` both agree, from `differs` on they do not: a chain that has parted does not meet again.
        let (mut common, mut differs) = (0, stands.min(page.head.seq) + 1);
        while differs - common > 1 {
            let middle = common + (differs - common) / 2;
            let theirs = self.client.log_from(middle)?;
            let theirs = theirs.entries.first().filter(|entry| entry.seq == middle);
            let ours = self.store.followed_hash(middle)?;
            if theirs.map(|entry| &entry.entry_hash) == ours.as_ref() {
                common = middle;
            } else {
                differs = middle;
            }
        }
        Ok(self.store.go_back_to(page.head.epoch, common)?)
    }

    /// Sends what the nation is not known to have. At least one push goes out, however empty: it tells the nation that
    /// this camp lives, and of its devices.
    fn send(&mut self, passed: &mut Passed, mut done: HashSet<Uuid>) -> Result<HashSet<Uuid>, RelayError> {
        loop {
            // What was sent in this pass stays pending until the national log tells of it.
            let limit = BATCH.saturating_add(i64::try_from(done.len()).unwrap_or(i64::MAX));
            let mut actions = self.store.outgoing(limit)?;
            actions.retain(|action| !done.contains(&action.ids[0]));
            self.send_all(&actions, passed)?;
            if actions.is_empty() {
                return Ok(done);
            }
            done.extend(actions.into_iter().flat_map(|action| action.ids));
        }
    }

    /// Sends these actions in as many pushes as it takes. One that the nation cannot take holds up no other.
    fn send_all(&mut self, actions: &[Outgoing], passed: &mut Passed) -> Result<(), RelayError> {
        let (mut rest, mut most) = (actions, usize::MAX);
        loop {
            let batch = fitting(rest, most);
            let refused = match self.send_batch(&rest[..batch])? {
                Passing::Taken => None,
                Passing::TooLarge => Some("it is too large".to_owned()),
                Passing::Unreadable(why) => Some(why),
            };
            match (refused, &rest[..batch]) {
                (None, taken) => passed.sent += taken.iter().map(|action| action.ids.len()).sum::<usize>(),
                (Some(_), []) => return Ok(()),
                (Some(why), [alone]) => passed.stuck.push(format!("{}: {why}", alone.ids[0])),
                (Some(_), _) => {
                    most = batch / 2;
                    continue;
                }
            }
            rest = &rest[batch..];
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    fn send_batch(&mut self, actions: &[Outgoing]) -> Result<Passing, RelayError> {
        let pending = self.store.upstream()?.map(|upstream| upstream.pending);
        let mut txns = Vec::with_capacity(actions.len());
        for action in actions {
            let raw = action.bodies.iter().map(|body| serde_json::from_slice::<&RawValue>(body));
            txns.push(raw.collect::<Result<Vec<_>, _>>()?);
        }
        let senders = actions.iter().map(|action| action.sender.clone()).collect();
        let devices = self.store.device_reports()?;
        Ok(self.client.pass_on(txns, senders, devices, Outbox { pending, oldest: None })?)
    }
}

/// How many actions go into one push.
fn fitting(actions: &[Outgoing], most: usize) -> usize {
    let mut bytes = 0;
    let fits = |action: &&Outgoing| {
        bytes += action.bodies.iter().map(Vec::len).sum::<usize>();
        bytes <= BYTES
    };
    actions.iter().take_while(fits).count().max(1).min(most).min(actions.len())
}

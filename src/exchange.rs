//! What a server answers to devices that push and pull, whatever carries the bytes: HTTP, or a test without a network.
//!
//! Knows the store and the keys; knows nothing of the web.

use chrono::{Datelike as _, Utc};
use uuid::Uuid;

use crate::auth::Principal;
use crate::auth::token::Keys;
use crate::config::Limits;
use crate::model::Role;
use crate::model::role::Actor;
use crate::store::pull::may_follow;
use crate::store::push::{Contact, Push};
use crate::store::scope::Scope;
use crate::store::{Store, StoreError};
use crate::sync::Standing;
use crate::sync::wire::{
    Durable, LogHead, LogPage, MOST_SCOPES, PROTOCOL, People, PullAnswer, PullBody, PushAnswer, PushBody,
    PushLimits, SERVER, ScopePage,
};

/// A server as devices meet it.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Its database.
    pub store: &'a Store,
    /// The keys by which it knows its own word again.
    pub keys: &'a Keys,
    /// What one request may ask of it.
    pub limits: &'a Limits,
}

/// Why a request was not taken as it came.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// More mutations than a push may have; nothing of it is stored.
    #[error("{count} mutations in one push, {} are taken: send them in smaller parts", limits.max_mutations)]
    TooMany {
        /// How many there were.
        count: usize,
        /// What is taken.
        limits: PushLimits,
    },
    /// It is no push of ours; the body is kept as it came.
    #[error("{reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
        /// Where it is kept.
        receipt: Uuid,
    },
    /// More scopes than a pull may have.
    #[error("at most {MOST_SCOPES} scopes in one pull")]
    Scopes,
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Exchange<'_> {
    /// Takes a push. Every mutation gets an answer and is stored; only `retry` means that it is not.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn push(&self, sender: &Principal, device: Uuid, body: Vec<u8>) -> Result<PushAnswer, Refusal> {
        let (push, last_head, revised_from) = match self.read_push(&body, device, sender) {
            Ok(read) => read,
            Err(Unreadable::TooMany(count)) => {
                return Err(Refusal::TooMany { count, limits: self.push_limits() });
            }
            Err(Unreadable::Wrong(reason)) => return Err(self.keep(device, reason, body)?),
        };
        if let Some(head) = &last_head {
            self.meet_head(head)?;
        }
        let pushed = self.store.push(push)?;
        let known = last_head.filter(|head| head.epoch == pushed.head.epoch);
        // Whoever comes from another epoch, or another server, is told of everything; whoever shows no head asks for nothing.
        let since = match (revised_from, known) {
            (Some(from), Some(_)) => from,
            (Some(_), None) => 0,
            (None, known) => known.map_or(pushed.head.seq, |head| head.seq),
        };
        // A camp reads all of it in the log.
        let revised = match sender.actor.role {
            Role::Relay => Vec::new(),
            _ => self.store.revised(sender.actor.account, since, &pushed.answers)?,
        };
        Ok(PushAnswer {
            server: SERVER.to_owned(),
            epoch: pushed.head.epoch,
            head: Some(self.keys.prove(pushed.head)),
            server_time: Utc::now(),
            results: pushed.answers,
            revised,
            durable: Durable {
                device_seq_through: pushed.national_through,
                here_through: pushed.seq_through,
            },
            limits: self.push_limits(),
            wipe: sender.standing == Standing::Revoked,
        })
    }

    /// Keeps a body that is no push of ours; gives what its sender is told.
    ///
    /// # Errors
    /// Where it could not be kept.
    pub fn keep(&self, device: Uuid, reason: String, body: Vec<u8>) -> Result<Refusal, Refusal> {
        let receipt = self.store.keep_unreadable(Some(device), reason.clone(), body)?;
        Ok(Refusal::Unreadable { reason, receipt })
    }

    /// What a push may be like.
    fn push_limits(&self) -> PushLimits {
        PushLimits {
            max_mutations: self.limits.push_mutations,
            max_bytes: self.limits.push_bytes,
            retry_after_ms: 0,
        }
    }

    /// Compares a head that a client remembers with the log. Only one that this server has signed can tell it that
    /// its database went back in time.
    fn meet_head(&self, remembered: &LogHead) -> Result<(), StoreError> {
        if self.store.holds(remembered)? {
            return Ok(());
        }
        if self.keys.proves(remembered) {
            return self.store.went_back(remembered);
        }
        tracing::warn!(seq = remembered.seq, "a device remembers a head that this server never stated");
        Ok(())
    }

    fn read_push(
        &self,
        body: &[u8],
        device: Uuid,
        sender: &Principal,
    ) -> Result<(Push, Option<LogHead>, Option<i64>), Unreadable> {
        let wrong = |reason: String| Unreadable::Wrong(reason);
        let read: PushBody<'_> = serde_json::from_slice(body)
            .map_err(|fault| wrong(format!("the push cannot be read: {fault}; it is kept as it came")))?;
        if read.protocol != PROTOCOL {
            return Err(wrong(format!("this server speaks protocol {PROTOCOL}, the push {}", read.protocol)));
        }
        if read.device_id != device {
            return Err(wrong(format!("device_id is {}, but the token belongs to {device}", read.device_id)));
        }
        let count = read.txns.iter().map(Vec::len).sum();
        if count > self.limits.push_mutations {
            return Err(Unreadable::TooMany(count));
        }
        let push = if sender.actor.role == Role::Relay {
            Push::relayed(device, sender.actor, sender.standing, &read)
        } else {
            Push::read(device, sender.actor, sender.standing, &read.txns)
        };
        Ok((push.map_err(wrong)?.with_contact(contact(&read)), read.last_head, read.revised_from))
    }

    /// What a camp is told of the people of the programme.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn people(&self, camp: &Principal) -> Result<People, Refusal> {
        Ok(self.store.people(camp.device.unwrap_or_default())?)
    }

    /// A part of the log, and where the log stands.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn log(&self, from: i64, limit: i64) -> Result<LogPage, Refusal> {
        // The head is read first: entries past it may be there, none before it is missing.
        let head = self.keys.prove(self.store.head()?);
        let entries = self.store.log_entries(from, limit)?;
        Ok(LogPage { server: SERVER.to_owned(), head, entries })
    }

    /// Answers a pull: a page of every scope that the actor may follow.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn pull(&self, actor: &Actor, asked: PullBody) -> Result<PullAnswer, Refusal> {
        if asked.scopes.len() > MOST_SCOPES {
            return Err(Refusal::Scopes);
        }
        let most = self.limits.pull_bytes;
        let share = asked.limit_bytes.unwrap_or(most).clamp(1, most) / asked.scopes.len().max(1);
        let mut head = self.store.head()?;
        let mut pages = Vec::with_capacity(asked.scopes.len());
        for asked in asked.scopes {
            let scope: Scope = asked.id.parse()?;
            if !may_follow(actor, scope) || !self.store.in_reach(actor, scope)? {
                pages.push(ScopePage::revoked(asked.id));
                continue;
            }
            let refetch = asked.epoch.is_some_and(|epoch| epoch != head.epoch);
            let cursor = if refetch { 0 } else { asked.cursor };
            let (page, at) = self.store.pull(scope, cursor, share, actor.sight())?;
            head = at;
            pages.push(ScopePage {
                id: asked.id,
                records: page.records,
                leaves: page.leaves,
                revoked: false,
                refetch,
                cursor: page.cursor,
                has_more: page.has_more,
                digest: page.digest,
            });
        }
        Ok(PullAnswer { server: SERVER.to_owned(), head: self.keys.prove(head), scopes: pages })
    }
}

enum Unreadable {
    TooMany(usize),
    Wrong(String),
}

/// What a device says of itself. That must not keep its edits out: not every database holds every date and character.
fn contact(read: &PushBody<'_>) -> Contact {
    let app = read.app.as_ref();
    Contact {
        skew_ms: read.client_time.map(|time| (time - Utc::now()).num_milliseconds()),
        pending: read.outbox.pending,
        oldest: read.outbox.oldest.filter(|oldest| (1970..10_000).contains(&oldest.year())),
        app: app.map(|app| app.chars().filter(|letter| !letter.is_control()).take(200).collect()),
    }
}

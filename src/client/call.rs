//! One call to the server: with a token that is good, and an answer that is really the server's.

use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::session::Session;
use super::transport::{Request, Response};
use super::{Client, ClientError, Result};
use crate::auth::Tokens;

/// A token that is about to run out is refreshed first: what is pushed with an old one lands in quarantine.
const MARGIN: Duration = Duration::from_mins(1);
/// How often a busy server is asked again, and how long it is waited for at most each time.
const PATIENCE: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// The problem by which a server tells a device that it was revoked.
const REVOKED: &str = "urn:cartagena:problem:revoked";

/// Since when an access token is good, by two clocks: one stands still while the tablet sleeps, the other can be set.
pub(super) struct Fresh {
    since: Instant,
    at: SystemTime,
    life: Duration,
}

impl Fresh {
    /// A token that is being asked for now.
    pub(super) fn asked() -> Self {
        Self { since: Instant::now(), at: SystemTime::now(), life: Duration::ZERO }
    }

    fn lasting(self, expires_in: i64) -> Self {
        let life = Duration::from_secs(u64::try_from(expires_in).unwrap_or_default());
        Self { life: life.saturating_sub(MARGIN), ..self }
    }

    /// Whether neither clock has seen it run out; a clock that was set back says nothing.
    fn is_good(&self) -> bool {
        self.is_good_at(Instant::now(), SystemTime::now())
    }

    fn is_good_at(&self, now: Instant, wall: SystemTime) -> bool {
        let by_wall = wall.duration_since(self.at).is_ok_and(|age| age < self.life);
        by_wall && now.saturating_duration_since(self.since) < self.life
    }
}

/// What is asked, and of whom.
pub(super) struct Ask {
    url: String,
    body: Option<Vec<u8>>,
}

impl Ask {
    /// Something that needs no token.
    pub(super) fn anonymous(url: String, body: &Value) -> Self {
        Self { url, body: Some(body.to_string().into_bytes()) }
    }
}

/// What our server says when it refuses (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    #[serde(rename = "type")]
    pub(super) type_: String,
    pub(super) detail: String,
    /// With a 413: what it would take.
    pub(super) max_mutations: Option<i64>,
    /// With a 413: what it would take.
    pub(super) max_bytes: Option<i64>,
}

impl Refusal {
    /// Reads a refusal, if it is our server's.
    pub(super) fn read(response: &Response) -> Result<Self> {
        let not_ours = ClientError::NotOurs { status: response.status };
        match serde_json::from_slice::<Self>(&response.body) {
            Ok(refusal) if refusal.type_.starts_with("urn:cartagena:problem:") => Ok(refusal),
            _ => Err(not_ours),
        }
    }

    pub(super) fn into_error(self, status: u16) -> ClientError {
        if status == 401 && self.type_ == REVOKED {
            return ClientError::Revoked(self.detail);
        }
        if status == 401 {
            return ClientError::LoggedOut(self.detail);
        }
        ClientError::Refused { status, problem: self.type_, detail: self.detail }
    }
}

/// Reads an answer that must be our server's and good.
pub(super) fn read<T: DeserializeOwned>(response: &Response) -> Result<T> {
    if response.status == 200 || response.status == 201 {
        return serde_json::from_slice(&response.body)
            .map_err(|_not_our_words| ClientError::NotOurs { status: response.status });
    }
    Err(Refusal::read(response)?.into_error(response.status))
}

impl Client {
    /// Asks without a token.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, ask: &Ask) -> Result<T> {
        let request = Request::json(ask.url.clone(), None, ask.body.clone());
        read(&self.send_patiently(&request)?)
    }

    /// Asks as the enrolled device.
    pub(super) fn ask_as_device<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T> {
        self.freshen()?;
        read(&self.send_as_device(path, body)?)
    }

    /// Sends as the enrolled device; refreshes the token where the server does not take it, once.
    pub(super) fn send_as_device(&mut self, path: &str, body: Option<Vec<u8>>) -> Result<Response> {
        let session = Session::load(&mut self.connection)?;
        let url = format!("{}{path}", session.server_url);
        let mut request = Request::json(url, Some(session.access_token), body);
        let response = self.send_patiently(&request)?;
        if response.status != 401 {
            return Ok(response);
        }
        Refusal::read(&response)?;
        self.refresh()?;
        request.token = Some(Session::load(&mut self.connection)?.access_token);
        self.send_patiently(&request)
    }

    /// Sends, and waits where the server asks for time.
    pub(super) fn send_patiently(&mut self, request: &Request) -> Result<Response> {
        for _ in 0..PATIENCE {
            let response = self.transport.send(request)?;
            if !matches!(response.status, 429 | 503) {
                return Ok(response);
            }
            let pause = response.retry_after.unwrap_or(Duration::from_secs(1));
            self.transport.wait(pause.min(LONGEST_WAIT));
        }
        Err(ClientError::Busy)
    }

    /// Makes sure that the access token is good: by our own reckoning, because the server takes a push with an old
    /// token without a word of refusal.
    pub(super) fn freshen(&mut self) -> Result<()> {
        match &self.fresh {
            Some(fresh) if fresh.is_good() => Ok(()),
            _ => self.refresh(),
        }
    }

    fn refresh(&mut self) -> Result<()> {
        let session = Session::load(&mut self.connection)?;
        let url = format!("{}/v1/auth/refresh", session.server_url);
        let asked = Fresh::asked();
        let body = json!({"refresh_token": session.refresh_token});
        let tokens: Tokens = self.ask(&Ask::anonymous(url, &body))?;
        Session::keep_tokens(&mut self.connection, &tokens)?;
        self.freshened(asked, &tokens);
        Ok(())
    }

    /// Notes how long tokens are good that were `asked` for.
    pub(super) fn freshened(&mut self, asked: Fresh, tokens: &Tokens) {
        self.fresh = Some(asked.lasting(tokens.expires_in));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_runs_out_by_either_clock() {
        let fresh = Fresh::asked().lasting(900);
        let after = |seconds: u64, by_wall: u64| {
            fresh.is_good_at(
                fresh.since + Duration::from_secs(seconds),
                fresh.at + Duration::from_secs(by_wall),
            )
        };
        assert!(after(60, 60));
        assert!(!after(10, 3_600), "the tablet slept");
        assert!(!after(3_600, 10), "somebody set the clock");
        let set_back = fresh.at - Duration::from_mins(1);
        assert!(!fresh.is_good_at(fresh.since, set_back));
    }
}

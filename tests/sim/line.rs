//! What lies between a client and a server: a line that loses, cuts, doubles and delays.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cartagena::client::transport::{Method, Request, Response, Transport, TransportError};
use chrono::{Days, Utc};
use serde_json::{Value, json};

use crate::dice::{Dice, Weather};
use crate::server::Server;

/// The servers and the weather over all lines.
pub(crate) struct Net {
    /// The first is national.
    pub(crate) servers: Vec<Server>,
    pub(crate) weather: Weather,
    dice: Dice,
    /// Requests that will arrive once more, some day.
    late: Vec<Request>,
}

/// How servers and tablets share the net.
pub(crate) type Shared = Arc<Mutex<Net>>;

/// Looks at the net. A client's panic must not hide what was wrong behind another.
pub(crate) fn look(net: &Shared) -> MutexGuard<'_, Net> {
    net.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Net {
    pub(crate) fn new(servers: Vec<Server>, weather: Weather, dice: Dice) -> Shared {
        Arc::new(Mutex::new(Self { servers, weather, dice, late: Vec::new() }))
    }

    /// Delivers something that was thought lost.
    pub(crate) fn deliver_late(&mut self) {
        if !self.late.is_empty() {
            let at = self.dice.below(self.late.len());
            let request = self.late.swap_remove(at);
            self.carry(&request);
        }
    }

    fn carry(&self, request: &Request) -> Option<Response> {
        let rest = request.url.strip_prefix("sim://")?;
        let (host, path) = rest.split_at(rest.find('/')?);
        let server = self.servers.iter().find(|server| server.host == host)?;
        Some(server.answer(path, request))
    }

    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        let lost = |what: &str| Err(TransportError(what.to_owned()));
        let weather = self.weather;
        if self.dice.chance(weather.lose_request) {
            return lost("the request was lost");
        }
        if self.dice.chance(weather.late) {
            self.late.push(request.clone());
        }
        let mut sent = request.clone();
        if let Some(body) = sent.body.as_mut().filter(|_| self.dice.chance(weather.cut_request)) {
            body.truncate(self.dice.below(body.len().max(1)));
        }
        if let Some(body) = sent.body.as_mut().filter(|body| !body.is_empty())
            && request.method == Some(Method::Patch)
            && self.dice.chance(weather.corrupt)
        {
            let at = self.dice.below(body.len());
            body[at] ^= 1;
        }
        if self.dice.chance(weather.twice) {
            self.carry(&sent);
        }
        let Some(mut response) = self.carry(&sent) else { return lost("there is no such host") };
        if self.dice.chance(weather.lose_answer) {
            return lost("the answer was lost");
        }
        if self.dice.chance(weather.cut_answer) {
            let whole = response.body.len();
            response.body.truncate(self.dice.below(whole.max(1)));
        }
        Ok(response)
    }
}

/// One tablet's line.
pub(crate) struct Line {
    net: Shared,
    dice: Dice,
    /// The tablet's clock is so many days ahead.
    skew_days: i64,
    /// The battery is flat: nothing leaves until somebody charges it.
    flat: Arc<Mutex<bool>>,
}

impl Line {
    pub(crate) fn new(net: &Shared, dice: Dice, skew_days: i64, flat: &Arc<Mutex<bool>>) -> Self {
        Self { net: Arc::clone(net), dice, skew_days, flat: Arc::clone(flat) }
    }

    /// The request as a device with this clock would have written it.
    fn with_clock(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let Some(body) = &request.body else { return request };
        if self.skew_days != 0
            && let Ok(mut value) = serde_json::from_slice::<Value>(body)
            && value.get("client_time").is_some()
        {
            let days = Days::new(self.skew_days.unsigned_abs());
            let now = Utc::now();
            let time = if self.skew_days > 0 { now + days } else { now - days };
            // Only this member: the bytes of mutations must stay what they are.
            let text = String::from_utf8_lossy(body).into_owned();
            let old = value["client_time"].take().to_string();
            request.body = Some(text.replacen(&old, &json!(time).to_string(), 1).into_bytes());
        }
        request
    }
}

impl Transport for Line {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        let mut net = look(&self.net);
        let mut flat = self.flat.lock().unwrap_or_else(PoisonError::into_inner);
        *flat = *flat || self.dice.chance(net.weather.flat);
        if *flat {
            return Err(TransportError("the battery is flat".to_owned()));
        }
        net.send(&self.with_clock(request))
    }

    fn wait(&mut self, _: Duration) {}
}

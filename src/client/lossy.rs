//! A bad network, the same one every time: for demonstrations and tests.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::transport::{Request, Response, Transport, TransportError};

/// Loses requests before they are sent, and answers after the server has acted.
#[derive(Debug)]
pub struct Lossy<T> {
    /// What carries the rest.
    pub inner: T,
    /// How likely a request never leaves, 0 to 1.
    pub lose_request: f64,
    /// How likely an answer never arrives, 0 to 1.
    pub lose_answer: f64,
    random: StdRng,
}

impl<T> Lossy<T> {
    /// A network that loses this share of requests and of answers, by the same dice for the same seed.
    pub fn new(inner: T, seed: u64, lose_request: f64, lose_answer: f64) -> Self {
        Self { inner, lose_request, lose_answer, random: StdRng::seed_from_u64(seed) }
    }
}

impl<T: Transport> Transport for Lossy<T> {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        if self.random.random_bool(self.lose_request) {
            return Err(TransportError("the request was lost".to_owned()));
        }
        let response = self.inner.send(request);
        if self.random.random_bool(self.lose_answer) {
            return Err(TransportError("the answer was lost".to_owned()));
        }
        response
    }

    fn wait(&mut self, time: Duration) {
        self.inner.wait(time);
    }
}

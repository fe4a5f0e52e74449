//! How a client's requests travel. Everything else in the client is the same whatever is beneath it.

use std::io::{self, Write as _};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use ureq::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
};
use ureq::{Agent, Body, RequestBuilder, http};

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The whole URL.
    pub url: String,
    /// The access token, where one is needed.
    pub token: Option<String>,
    /// JSON to be posted; without it the request is a GET. With a method of its own: bytes as they are.
    pub body: Option<Vec<u8>>,
    /// Another method than these.
    pub method: Option<Method>,
    /// Headers besides.
    pub headers: Vec<(&'static str, String)>,
}

/// A method by which files travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks how far a file has come.
    Head,
    /// Begins one.
    Post,
    /// Sends a part of one.
    Patch,
}

impl Request {
    /// Posts JSON, or gets it where there is none to post.
    pub fn json(url: String, token: Option<String>, body: Option<Vec<u8>>) -> Self {
        Self { url, token, body, method: None, headers: Vec::new() }
    }
}

/// An answer, whoever gave it.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The body, unpacked.
    pub body: Vec<u8>,
    /// The headers that are text.
    pub headers: Vec<(String, String)>,
}

impl Response {
    /// A header; its name in any letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A request or its answer was lost.
#[derive(Debug, thiserror::Error)]
#[error("the network failed: {0}")]
pub struct TransportError(pub String);

/// Carries requests.
pub trait Transport: Send {
    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// Where no whole answer came. The server may have acted all the same.
    fn send(&mut self, request: &Request) -> Result<Response, TransportError>;

    /// Lets some time pass, as a server asked for.
    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        (**self).send(request)
    }

    fn wait(&mut self, time: Duration) {
        (**self).wait(time);
    }
}

/// Smaller bodies are sent as they are: gzip would not make them smaller.
const WORTH_PACKING: usize = 1_024;
/// More bytes of an answer are not read.
const LARGEST_ANSWER: u64 = 64 << 20;
/// How long a connection may take to be made, and a whole request: links of field camps are slow.
const CONNECT: Duration = Duration::from_secs(15);
const WHOLE: Duration = Duration::from_mins(5);

/// HTTP, gzip both ways.
#[derive(Debug, Clone)]
pub struct Http(Agent);

impl Default for Http {
    fn default() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Our server never redirects; a captive portal does.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .build();
        Self(config.into())
    }
}

impl Transport for Http {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        let token = request.token.as_deref();
        if let Some(method) = request.method {
            return self.send_raw(method, request);
        }
        let response = match &request.body {
            None => with_token(self.0.get(&request.url), token).call(),
            Some(body) => {
                let post =
                    with_token(self.0.post(&request.url), token).header(CONTENT_TYPE, "application/json");
                if body.len() < WORTH_PACKING {
                    post.send(body.as_slice())
                } else {
                    let packed = pack(body).map_err(|fault| TransportError(fault.to_string()))?;
                    post.header(CONTENT_ENCODING, "gzip").send(packed.as_slice())
                }
            }
        };
        read(response.map_err(|fault| TransportError(fault.to_string()))?)
    }
}

impl Http {
    fn send_raw(&self, method: Method, request: &Request) -> Result<Response, TransportError> {
        let Request { url, body, headers, .. } = request;
        let token = request.token.as_deref();
        let response = match method {
            // The library would unpack the body that is not there.
            Method::Head => with_headers(with_token(self.0.head(url), token), headers)
                .header(ACCEPT_ENCODING, "identity")
                .call(),
            Method::Post => with_headers(with_token(self.0.post(url), token), headers)
                .send(body.as_deref().unwrap_or_default()),
            Method::Patch => with_headers(with_token(self.0.patch(url), token), headers)
                .send(body.as_deref().unwrap_or_default()),
        };
        read(response.map_err(|fault| TransportError(fault.to_string()))?)
    }
}

fn with_headers<B>(request: RequestBuilder<B>, headers: &[(&'static str, String)]) -> RequestBuilder<B> {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
}

fn with_token<B>(request: RequestBuilder<B>, token: Option<&str>) -> RequestBuilder<B> {
    match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

fn pack(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    gzip.write_all(body)?;
    gzip.finish()
}

fn read(mut response: http::Response<Body>) -> Result<Response, TransportError> {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_owned()))
    };
    let headers = response.headers().iter().filter_map(text).collect();
    let body = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
    Ok(Response {
        status: response.status().as_u16(),
        retry_after: retry_after.map(Duration::from_secs),
        body: body.map_err(|fault| TransportError(fault.to_string()))?,
        headers,
    })
}

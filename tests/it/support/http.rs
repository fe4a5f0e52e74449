//! A small JSON client for what is tested without the client library.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;
use ureq::http::HeaderMap;
use ureq::{Agent, Body, RequestBuilder, http};

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body, null where it is empty or no JSON.
    pub(crate) body: Value,
    /// The headers.
    pub(crate) headers: HeaderMap,
}

impl Reply {
    fn read(response: http::Response<Body>) -> Self {
        Self::attempt(response).unwrap()
    }

    fn attempt(mut response: http::Response<Body>) -> Result<Self, ureq::Error> {
        let text = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        Ok(Self {
            status: response.status().as_u16(),
            body: serde_json::from_slice(&text).unwrap_or_default(),
            headers: response.headers().clone(),
        })
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, if the status is the expected one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// Sends JSON to one server and never fails on a status.
#[derive(Clone)]
pub(crate) struct Http {
    agent: Agent,
    url: String,
}

impl Http {
    /// A client of the server at `url`. It keeps no connections: a server that stops would wait for them.
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_idle_connections(0).build();
        Self { agent: config.into(), url: url.to_owned() }
    }

    /// GET
    pub(crate) fn get(&self, path: &str, token: &str) -> Reply {
        let request = with_token(self.agent.get(format!("{}{path}", self.url)), token);
        Reply::read(request.call().unwrap())
    }

    /// HEAD. The client would unpack the body that is not there.
    pub(crate) fn head(&self, path: &str, token: &str) -> Reply {
        let request = with_token(self.agent.head(format!("{}{path}", self.url)), token);
        Reply::read(request.header("Accept-Encoding", "identity").call().unwrap())
    }

    /// GET of a text with further headers.
    pub(crate) fn get_text(&self, path: &str, token: &str, headers: &[(&str, &str)]) -> String {
        let mut request = with_token(self.agent.get(format!("{}{path}", self.url)), token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// Any method, with a JSON body where the method has one.
    pub(crate) fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let url = format!("{}{path}", self.url);
        let request = match method {
            "get" => return self.get(path, token),
            "post" => self.agent.post(url),
            "put" => self.agent.put(url),
            "patch" => self.agent.patch(url),
            // None of these has a body.
            "head" | "options" | "delete" => {
                return self.raw(&method.to_uppercase(), path, token, &[], &[]).0;
            }
            other => panic!("no route has the method {other}"),
        };
        Reply::read(with_token(request, token).send(body.to_string().as_bytes()).unwrap())
    }

    /// POST of JSON.
    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.post_with(path, token, &[], body)
    }

    /// POST of JSON to a server that may be gone, or go before its answer is whole.
    pub(crate) fn try_post(&self, path: &str, token: &str, body: &Value) -> Result<Reply, ureq::Error> {
        let request = with_token(self.agent.post(format!("{}{path}", self.url)), token);
        let request = request.header("Content-Type", "application/json");
        Reply::attempt(request.send(body.to_string().as_bytes())?)
    }

    /// POST of JSON with further headers.
    pub(crate) fn post_with(&self, path: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        self.post_bytes(path, token, &all, body.to_string().as_bytes())
    }

    /// PATCH of JSON on the version that was read.
    pub(crate) fn patch(&self, path: &str, token: &str, version: &str, body: &Value) -> Reply {
        let request = with_token(self.agent.patch(format!("{}{path}", self.url)), token);
        let request =
            request.header("If-Match", format!("\"{version}\"")).header("Content-Type", "application/json");
        Reply::read(request.send(body.to_string().as_bytes()).unwrap())
    }

    /// Any method with bytes and headers as they are; the answer's bytes too.
    pub(crate) fn raw(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (Reply, Vec<u8>) {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // The client would unpack a body that is not there.
        let request = request.header("Accept-Encoding", "identity");
        let response = match method {
            "GET" | "HEAD" | "OPTIONS" | "DELETE" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.body(body).unwrap()),
        };
        let mut response = response.unwrap();
        let bytes = match method {
            "HEAD" => Vec::new(),
            _ => response.body_mut().with_config().limit(256 << 20).read_to_vec().unwrap(),
        };
        let reply = Reply {
            status: response.status().as_u16(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            headers: response.headers().clone(),
        };
        (reply, bytes)
    }

    /// GET of a body as it is packed with gzip, which a client of the web would unpack.
    pub(crate) fn packed(&self, path: &str, token: &str) -> Vec<u8> {
        let host = self.url.trim_start_matches("http://");
        let mut line = TcpStream::connect(host).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nAccept-Encoding: gzip\r\n\
             Connection: close\r\n\r\n"
        );
        line.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        assert!(head.contains("content-encoding: gzip") && head.contains("content-length"), "{head}");
        answer.split_off(end + 4)
    }

    /// POST of bytes as they are.
    pub(crate) fn post_bytes(&self, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = with_token(self.agent.post(format!("{}{path}", self.url)), token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::read(request.send(body).unwrap())
    }
}

fn with_token<B>(request: RequestBuilder<B>, token: &str) -> RequestBuilder<B> {
    if token.is_empty() { request } else { request.header("Authorization", format!("Bearer {token}")) }
}

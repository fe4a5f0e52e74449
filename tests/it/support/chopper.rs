//! A network between a client and a server that is cut after a given number of bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::server::Serving;

/// Where the network is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// After so many bytes of what the client sends.
    Request(usize),
    /// After so many bytes of what the server answers.
    Answer(usize),
    /// Not at all.
    Nowhere,
}

/// What went through one connection, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// From the client.
    pub(crate) request: usize,
    /// From the server.
    pub(crate) answer: usize,
}

/// A proxy of TCP connections, each cut at the same place in both directions at once.
pub(crate) struct Chopper {
    url: String,
    address: SocketAddr,
    cut: Arc<Mutex<Cut>>,
    last: Arc<Mutex<Passed>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Chopper {
    /// A network to a server that is not cut yet.
    pub(crate) fn before(server: &impl Serving) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = server.url().trim_start_matches("http://").parse().unwrap();
        let (cut, last) = (Arc::new(Mutex::new(Cut::Nowhere)), Arc::<Mutex<Passed>>::default());
        let ended = Arc::<AtomicBool>::default();
        let shared = (Arc::clone(&cut), Arc::clone(&last), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            let (cut, last, ended) = shared;
            // One connection at a time, so that the last one's bytes are whole before the next begins.
            for client in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let cut = *cut.lock().unwrap();
                *last.lock().unwrap() = carry(&client.unwrap(), server, cut);
            }
        });
        Self { url: format!("http://{address}"), address, cut, last, ended, thread: Some(thread) }
    }

    /// Where the next connections are cut.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap() = cut;
    }

    /// What went through the last connection that has ended.
    pub(crate) fn passed(&self) -> Passed {
        *self.last.lock().unwrap()
    }
}

impl Serving for Chopper {
    fn url(&self) -> &str {
        &self.url
    }
}

/// Carries one connection until it is cut or both ends have said all.
fn carry(client: &TcpStream, server: SocketAddr, cut: Cut) -> Passed {
    let server = TcpStream::connect(server).unwrap();
    let limit = |wanted: fn(Cut) -> Option<usize>| wanted(cut).unwrap_or(usize::MAX);
    let of_request = limit(|cut| if let Cut::Request(bytes) = cut { Some(bytes) } else { None });
    let of_answer = limit(|cut| if let Cut::Answer(bytes) = cut { Some(bytes) } else { None });
    std::thread::scope(|scope| {
        let request = scope.spawn(|| copy(client, &server, of_request));
        let answer = copy(&server, client, of_answer);
        // Once the server has said its last, there is nothing to wait for.
        sever(client, &server);
        Passed { request: request.join().unwrap(), answer }
    })
}

/// Copies at most `limit` bytes; where the limit is met, the whole connection is cut.
fn copy(mut from: &TcpStream, mut to: &TcpStream, limit: usize) -> usize {
    let (mut passed, mut buffer) = (0, [0; 4_096]);
    loop {
        let room = (limit - passed).min(buffer.len());
        if room == 0 {
            sever(from, to);
            return passed;
        }
        let Ok(read @ 1..) = from.read(&mut buffer[..room]) else { break };
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        passed += read;
    }
    let _ = to.shutdown(Shutdown::Write);
    passed
}

fn sever(one: &TcpStream, other: &TcpStream) {
    for end in [one, other] {
        let _ = end.shutdown(Shutdown::Both);
    }
}

impl Drop for Chopper {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes it, so that it sees that it has ended.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

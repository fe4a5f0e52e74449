//! `cartagena bench rush`: many tablets come home at the same hour. Servers of their own processes on the configured
//! database, real HTTP, and what each push and each page of a pull took.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{bench, open, user};
use crate::auth::token::Keys;
use crate::client::transport::{Http, Request, Response, Transport as _};
use crate::config::Config;
use crate::model::Role;
use crate::model::role::Actor;
use crate::store::token::Holder;

#[derive(Debug, Args)]
pub(super) struct Rush {
    /// Tablets that push at once
    #[arg(long, default_value_t = 30)]
    tablets: usize,
    /// Mutations of each
    #[arg(long, default_value_t = 500)]
    each: usize,
    /// Mutations of a push
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// Server processes on the one database; tablets and readers are dealt out to them in turn
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    servers: u16,
    /// Readers who pull everything at once, after the pushes
    #[arg(long, default_value_t = 1)]
    readers: usize,
    /// Readers who follow everything without pause while the tablets push
    #[arg(long, default_value_t = 0)]
    followers: usize,
}

/// A server that ends with its value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(config: &Config) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("CARTAGENA_DATA", &config.data)
            .env("CARTAGENA_DATABASE_URL", config.database_url())
            .env("CARTAGENA_REPLICA_URL", config.replica_url.as_deref().unwrap_or_default())
            .env("CARTAGENA_READERS", config.readers.to_string())
            .env("CARTAGENA_LOG", &config.log)
            .stdout(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("Serving on ").map(str::to_owned));
        let server = Self { child, url: url.unwrap_or_default() };
        anyhow::ensure!(!server.url.is_empty(), "the server did not start");
        Ok(server)
    }

    /// The most memory that it has had so far, MiB; nothing where the system does not tell.
    fn peak_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1_024)
    }

    /// Time of processors that it has used so far, in hundredths of a second; nothing where the system does not tell.
    fn processor_ticks(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The program's name, which may hold blanks, stands in brackets.
        let mut numbers = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut next = || numbers.next()?.parse::<u64>().ok();
        Some(next()? + next()?)
    }

    /// What `/metrics` says of the replica, line by line.
    fn replica_reads(&self) -> anyhow::Result<Vec<String>> {
        let request = Request::json(format!("{}/metrics", self.url), None, None);
        let response = Http::default().send(&request)?;
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let lines = text.lines().filter(|line| line.starts_with("cartagena_replica_reads_total"));
        Ok(lines.map(str::to_owned).collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What exchanges took, and how often somebody was told to wait first.
#[derive(Default)]
struct Times {
    each: Vec<Duration>,
    waits: usize,
}

impl Times {
    fn milliseconds(&mut self, share: f64) -> f64 {
        self.each.sort_unstable();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list"
        )]
        let place = ((self.each.len().saturating_sub(1)) as f64 * share).round() as usize;
        self.each.get(place).map_or(0.0, |time| (time.as_secs_f64() * 1e4).round() / 10.0)
    }

    fn add(&mut self, others: Self) {
        self.each.extend(others.each);
        self.waits += others.waits;
    }

    fn told(mut self) -> Value {
        json!({
            "requests": self.each.len(),
            "told_to_wait": self.waits,
            "p50_ms": self.milliseconds(0.5),
            "p99_ms": self.milliseconds(0.99),
            "worst_ms": self.milliseconds(1.0),
        })
    }
}

pub(super) fn run(config: &Config, rush: &Rush) -> anyhow::Result<Value> {
    let store = open(config)?;
    anyhow::ensure!(
        store.list_accounts()?.is_empty(),
        "bench needs an empty database: give it one of its own"
    );
    let (actor, devices) = bench::crew(&store, rush.tablets)?;
    let office = user::organisation_named(&store, "Bench authority", "authority")?;
    let (reader, _) = user::add(&store, "reader", "Reader", Role::ImOfficer, office)?;
    let office_device = bench::enrol(&store, reader)?;
    let keys = Keys::load(&config.data.join("keys")).context("the signing keys cannot be read")?;
    store.shut_down();
    let servers: Vec<Server> =
        (0..rush.servers).map(|_| Server::start(config)).collect::<anyhow::Result<_>>()?;
    let ticks = |servers: &[Server]| servers.iter().map(Server::processor_ticks).collect::<Vec<_>>();
    let peaks = |servers: &[Server]| servers.iter().map(Server::peak_mib).collect::<Vec<_>>();
    let reader = keys.issue(Holder { account: reader, device: Some(office_device) });
    let begun = Instant::now();
    let (pushes, follows) = push(&servers, &keys, actor, &devices, rush, &reader)?;
    let pushed = begun.elapsed();
    let before = (peaks(&servers), ticks(&servers));
    let begun = Instant::now();
    let pulls = pull(&servers, &reader, rush)?;
    let pulled = begun.elapsed();
    let replica = servers.iter().map(Server::replica_reads).collect::<anyhow::Result<Vec<_>>>()?;
    let records = rush.tablets * rush.each;
    Ok(json!({
        "database": config.without_secrets().database_url,
        "replica": config.without_secrets().replica_url,
        "servers": rush.servers,
        "tablets": rush.tablets,
        "each": rush.each,
        "batch": rush.batch,
        "all_pushed_s": pushed.as_secs_f64(),
        "mutations_per_s": per_second(records, pushed),
        "push": pushes.told(),
        "follow": {"followers": rush.followers, "pages": follows.told()},
        "all_pulled_s": pulled.as_secs_f64(),
        "pulled_records_per_s": per_second(records * rush.readers, pulled),
        "pull": pulls.told(),
        "server_peak_mib": {"after_the_pushes": before.0, "after_the_pull": peaks(&servers)},
        "server_processor_ticks": {"after_the_pushes": before.1, "after_the_pull": ticks(&servers)},
        "replica_reads": replica,
    }))
}

fn per_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// All tablets push at once, each to its server, and followers read meanwhile; what pushes and pages took.
fn push(
    servers: &[Server],
    keys: &Keys,
    actor: Actor,
    devices: &[Uuid],
    rush: &Rush,
    reader: &str,
) -> anyhow::Result<(Times, Times)> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let followers: Vec<_> = (0..rush.followers)
            .map(|number| {
                let (url, done) = (&servers[number % servers.len()].url, &done);
                scope.spawn(move || follow(url, reader, done))
            })
            .collect();
        let tablets: Vec<_> = devices
            .iter()
            .enumerate()
            .map(|(number, device)| {
                let token = keys.issue(Holder { account: actor.account, device: Some(*device) });
                let edits = (0..rush.each)
                    .map(move |edit| bench::body(edit * rush.tablets + number, rush.tablets, actor));
                let (url, edits) = (&servers[number % servers.len()].url, edits.collect::<Vec<_>>());
                scope.spawn(move || push_all(url, &token, *device, &edits, rush.batch))
            })
            .collect();
        let pushes = gather(tablets);
        done.store(true, Ordering::SeqCst);
        Ok((pushes?, gather(followers)?))
    })
}

/// All readers pull everything at once, each from its server.
fn pull(servers: &[Server], token: &str, rush: &Rush) -> anyhow::Result<Times> {
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..rush.readers)
            .map(|number| {
                let url = &servers[number % servers.len()].url;
                scope.spawn(move || {
                    let (records, times) = pull_all(url, token)?;
                    anyhow::ensure!(records == rush.tablets * rush.each, "{records} records came back");
                    Ok(times)
                })
            })
            .collect();
        gather(readers)
    })
}

fn gather(workers: Vec<ScopedJoinHandle<'_, anyhow::Result<Times>>>) -> anyhow::Result<Times> {
    let mut all = Times::default();
    for worker in workers {
        all.add(worker.join().map_err(|_panic| anyhow::anyhow!("a client failed"))??);
    }
    Ok(all)
}

/// Sends until it is taken, and waits as long as the server asks for.
fn patiently(http: &mut Http, request: &Request, times: &mut Times) -> anyhow::Result<Response> {
    loop {
        let begun = Instant::now();
        let response = http.send(request)?;
        times.each.push(begun.elapsed());
        match response.status {
            200 => return Ok(response),
            429 | 503 => {
                times.waits += 1;
                http.wait(response.retry_after.unwrap_or(Duration::from_secs(1)));
            }
            status => anyhow::bail!("{status}: {}", String::from_utf8_lossy(&response.body)),
        }
    }
}

fn push_all(url: &str, token: &str, device: Uuid, edits: &[Value], batch: usize) -> anyhow::Result<Times> {
    let (mut http, mut times) = (Http::default(), Times::default());
    for edits in edits.chunks(batch) {
        let txns: Vec<[&Value; 1]> = edits.iter().map(|edit| [edit]).collect();
        let body = json!({"protocol": 1, "device_id": device, "txns": txns});
        let request = Request::json(
            format!("{url}/v1/sync/push"),
            Some(token.to_owned()),
            Some(serde_json::to_vec(&body)?),
        );
        let answer: Value = serde_json::from_slice(&patiently(&mut http, &request, &mut times)?.body)?;
        let results = answer["results"].as_array().context("there are results")?;
        anyhow::ensure!(results.iter().all(|result| result["outcome"] == "applied"), "not all was applied");
    }
    Ok(times)
}

/// Pulls everything, page by page; how many records came.
fn pull_all(url: &str, token: &str) -> anyhow::Result<(usize, Times)> {
    let (mut http, mut times) = (Http::default(), Times::default());
    let (mut cursor, mut records) = (json!(0), 0);
    loop {
        let page = pull_page(&mut http, url, token, &cursor, &mut times)?;
        records += page["records"].as_array().map_or(0, Vec::len);
        if page["has_more"] != true {
            return Ok((records, times));
        }
        cursor = page["cursor"].clone();
    }
}

/// Pulls what is new without pause, until the tablets are done.
fn follow(url: &str, token: &str, done: &AtomicBool) -> anyhow::Result<Times> {
    let (mut http, mut times, mut cursor) = (Http::default(), Times::default(), json!(0));
    while !done.load(Ordering::SeqCst) {
        cursor = pull_page(&mut http, url, token, &cursor, &mut times)?["cursor"].clone();
    }
    Ok(times)
}

fn pull_page(
    http: &mut Http,
    url: &str,
    token: &str,
    cursor: &Value,
    times: &mut Times,
) -> anyhow::Result<Value> {
    let body = json!({"scopes": [{"id": "everything", "cursor": cursor}]});
    let request = Request::json(
        format!("{url}/v1/sync/pull"),
        Some(token.to_owned()),
        Some(serde_json::to_vec(&body)?),
    );
    let mut answer: Value = serde_json::from_slice(&patiently(http, &request, times)?.body)?;
    Ok(answer["scopes"][0].take())
}

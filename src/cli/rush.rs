//! `cartagena bench rush`: many tablets come home at the same hour. A server of its own process on the configured
//! database, real HTTP, and what each push and each page of a pull took.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
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
    let server = Server::start(config)?;
    let begun = Instant::now();
    let mut pushes = Times::default();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let tablets: Vec<_> = devices
            .iter()
            .enumerate()
            .map(|(number, device)| {
                let token = keys.issue(Holder { account: actor.account, device: Some(*device) });
                let edits = (0..rush.each)
                    .map(move |edit| bench::body(edit * rush.tablets + number, rush.tablets, actor));
                let (url, edits) = (&server.url, edits.collect::<Vec<_>>());
                scope.spawn(move || push_all(url, &token, *device, &edits, rush.batch))
            })
            .collect();
        for tablet in tablets {
            let times = tablet.join().map_err(|_panic| anyhow::anyhow!("a tablet failed"))??;
            pushes.each.extend(times.each);
            pushes.waits += times.waits;
        }
        Ok(())
    })?;
    let pushed = begun.elapsed();
    let before = server.peak_mib();
    let (records, pulls) =
        pull_all(&server.url, &keys.issue(Holder { account: reader, device: Some(office_device) }))?;
    anyhow::ensure!(records == rush.tablets * rush.each, "{records} records came back");
    Ok(json!({
        "database": config.without_secrets().database_url,
        "tablets": rush.tablets,
        "each": rush.each,
        "batch": rush.batch,
        "all_pushed_s": pushed.as_secs_f64(),
        "push": pushes.told(),
        "pull": pulls.told(),
        "pulled_records": records,
        "server_peak_mib": {"after_the_pushes": before, "after_the_pull": server.peak_mib()},
    }))
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
        let body = json!({"scopes": [{"id": "everything", "cursor": cursor}]});
        let request = Request::json(
            format!("{url}/v1/sync/pull"),
            Some(token.to_owned()),
            Some(serde_json::to_vec(&body)?),
        );
        let mut answer: Value = serde_json::from_slice(&patiently(&mut http, &request, &mut times)?.body)?;
        let page = &mut answer["scopes"][0];
        records += page["records"].as_array().map_or(0, Vec::len);
        if page["has_more"] != true {
            return Ok((records, times));
        }
        cursor = page["cursor"].take();
    }
}

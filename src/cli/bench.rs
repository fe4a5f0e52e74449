//! `cartagena bench sync|rush|ledger|tiles`: figures as ratios within one run, printed as JSON. Machines are noisy; ratios less so.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "counts of a benchmark are far below 2^31"
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Instant;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use flate2::Compression;
use flate2::write::GzEncoder;
use geo::{LineString, MultiPolygon, Polygon};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{open, print, rush, tiles, user};
use crate::auth::token;
use crate::config::Config;
use crate::geometry::{Extent, Grid};
use crate::ledger::{
    Classification, Contamination, Cut, Hazard, HazardVersion, Ledger, Query, Release, ReleaseResult,
};
use crate::model::Role;
use crate::model::role::{Actor, Sight};
use crate::store::Store;
use crate::store::insert_raw;
use crate::store::push::Push;
use crate::store::scope::Scope;
use crate::sync::Standing;

#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Push and pull against raw inserts of the same bytes, on the configured database, which must be empty
    Sync(SyncBench),
    /// Many tablets push at once to a server of their own over HTTP, then one reader pulls it all
    Rush(rush::Rush),
    /// Vector tiles of a running server, or of several in turn
    Tiles(tiles::Tiles),
    /// The ledger from nothing, and after one change
    Ledger(LedgerBench),
}

#[derive(Debug, Args)]
pub(super) struct SyncBench {
    /// Mutations
    #[arg(long, default_value_t = 50_000)]
    mutations: usize,
    /// Mutations of a push
    #[arg(long, default_value_t = 200)]
    batch: usize,
    /// Devices that push at once
    #[arg(long, default_value_t = 8)]
    devices: usize,
}

#[derive(Debug, Args)]
pub(super) struct LedgerBench {
    /// Hazardous areas; half as many releases
    #[arg(long, default_value_t = 100_000)]
    hazards: usize,
}

pub(super) fn run(config: &Config, command: &Bench) -> anyhow::Result<()> {
    let figures = match command {
        Bench::Sync(bench) => sync(config, bench)?,
        Bench::Rush(bench) => rush::run(config, bench)?,
        Bench::Tiles(bench) => tiles::run(bench)?,
        Bench::Ledger(bench) => ledger(bench)?,
    };
    print(&serde_json::to_string_pretty(&figures)?);
    Ok(())
}

fn sync(config: &Config, bench: &SyncBench) -> anyhow::Result<Value> {
    let store = open(config)?;
    anyhow::ensure!(
        store.list_accounts()?.is_empty(),
        "bench needs an empty database: give it one of its own"
    );
    let url = config.database_url().parse()?;
    let (actor, devices) = crew(&store, bench.devices)?;
    let bodies: Vec<Vec<u8>> = (0..bench.mutations)
        .map(|place| body(place, bench.devices, actor).to_string().into_bytes())
        .collect();
    let raw = insert_raw(&url, &bodies, bench.batch)?;
    let begun = Instant::now();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let pushers: Vec<_> = devices
            .iter()
            .enumerate()
            .map(|(number, device)| {
                let own: Vec<&Vec<u8>> = bodies.iter().skip(number).step_by(bench.devices).collect();
                let store = &store;
                scope.spawn(move || push_all(store, *device, actor, &own, bench.batch))
            })
            .collect();
        for pusher in pushers {
            pusher.join().map_err(|_panic| anyhow::anyhow!("a pusher failed"))??;
        }
        Ok(())
    })?;
    let pushed = begun.elapsed();
    let pull = pull_all(&store, Actor { role: Role::ImOfficer, ..actor }.sight())?;
    store.shut_down();
    let rate = |seconds: f64| (bench.mutations as f64 / seconds).round();
    Ok(json!({
        "database": config.without_secrets().database_url,
        "mutations": bench.mutations,
        "batch": bench.batch,
        "devices": bench.devices,
        "push_mutations_per_s": rate(pushed.as_secs_f64()),
        "raw_inserts_per_s": rate(raw.as_secs_f64()),
        "push_to_raw": raw.as_secs_f64() / pushed.as_secs_f64(),
        "pull": pull,
    }))
}

pub(super) fn crew(store: &Store, devices: usize) -> anyhow::Result<(Actor, Vec<Uuid>)> {
    let organisation = user::organisation_named(store, "Bench", "operator")?;
    let (account, _) = user::add(store, "bench", "Bench", Role::ProgrammeManager, organisation)?;
    let actor = Actor { account, role: Role::ProgrammeManager, organisation };
    Ok((actor, (0..devices).map(|_| enrol(store, account)).collect::<anyhow::Result<_>>()?))
}

/// A device of an account.
pub(super) fn enrol(store: &Store, account: Uuid) -> anyhow::Result<Uuid> {
    let code = token::code(12);
    store.insert_enrolment(&code, account, account)?;
    Ok(store.enrol(&code, "bench")?.0)
}

/// One hazardous area with 16 vertices, as a tablet sends it.
pub(super) fn body(place: usize, devices: usize, actor: Actor) -> Value {
    let (lon, lat) = ((place % 500) as f64 * 0.01, (place / 500) as f64 * 0.01);
    let ring: Vec<[f64; 2]> = (0..=16)
        .map(|corner| {
            let angle = f64::from(corner % 16) / 16.0 * std::f64::consts::TAU;
            [lon + 0.002 * angle.cos(), lat + 0.0015 * angle.sin()]
        })
        .collect();
    let geometry = json!({"type": "Polygon", "coordinates": [ring]});
    json!({
        "mutation_id": Uuid::now_v7(), "device_seq": place / devices + 1, "kind": "hazardous_area", "schema": 1,
        "op": "create", "record_id": Uuid::now_v7(), "author": actor.account,
        "changes": {
            "geometry": {"to": geometry}, "classification": {"to": "CHA"}, "status": {"to": "open"},
            "contamination": {"to": ["ap_mine"]}, "date_identified": {"to": "2020-01-01"},
            "notes": {"to": "unused fields beside the road"},
        },
    })
}

fn push_all(
    store: &Store,
    device: Uuid,
    actor: Actor,
    bodies: &[&Vec<u8>],
    batch: usize,
) -> anyhow::Result<()> {
    for bodies in bodies.chunks(batch) {
        let txns: Vec<Vec<&serde_json::value::RawValue>> = bodies
            .iter()
            .map(|body| Ok(vec![serde_json::from_slice(body)?]))
            .collect::<serde_json::Result<_>>()?;
        let push =
            Push::read(device, actor, Standing::Good, &txns).map_err(|fault| anyhow::anyhow!(fault))?;
        let pushed = store.push(push)?;
        let taken = pushed.answers.iter().filter(|answer| answer.outcome.as_str() == "applied").count();
        anyhow::ensure!(taken == bodies.len(), "not every mutation was applied: {:?}", pushed.answers[0]);
    }
    Ok(())
}

/// Every record as a client gets it: page by page, as JSON, gzipped.
fn pull_all(store: &Store, sight: Sight) -> anyhow::Result<Value> {
    let begun = Instant::now();
    let (mut cursor, mut records, mut bytes, mut packed) = (0, 0, 0, 0);
    let mut first = None;
    loop {
        let (page, _) = store.pull(Scope::Everything, cursor, 1024 * 1024, sight)?;
        let json = serde_json::to_vec(&page.records)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&json)?;
        packed += gzip.finish()?.len();
        bytes += json.len();
        records += page.records.len();
        first.get_or_insert_with(|| begun.elapsed());
        cursor = page.cursor;
        if !page.has_more {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({
        "records": records,
        "records_per_s": (records as f64 / seconds).round(),
        "first_page_ms": first.unwrap_or_default().as_secs_f64() * 1e3,
        "bytes": bytes,
        "bytes_gzipped": packed,
    }))
}

fn ledger(bench: &LedgerBench) -> anyhow::Result<Value> {
    let extent = Extent { west: 0.0, south: 10.0, east: 5.0, north: 15.0 };
    let mut ledger = Ledger::new(Grid::for_extent(extent)?);
    let hazards: Vec<Hazard> = (0..bench.hazards).map(hazard).collect();
    let releases: Vec<Release> = (0..bench.hazards / 2).map(release).collect();
    let count = hazards.len() + releases.len();
    let begun = Instant::now();
    let unfit = ledger.load(hazards, releases);
    anyhow::ensure!(unfit.is_empty(), "{unfit:?}");
    ledger.settle().map_err(|breaches| anyhow::anyhow!("{breaches:?}"))?;
    let whole = begun.elapsed();
    let day = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap_or_default();
    let mut changes: Vec<f64> = (0..21)
        .map(|place| {
            let begun = Instant::now();
            ledger.put_release(release(bench.hazards + place * 2))?;
            ledger.settle().map_err(|breaches| anyhow::anyhow!("{breaches:?}"))?;
            std::hint::black_box(ledger.remaining(day, &Query::default()));
            Ok(begun.elapsed().as_secs_f64() * 1e3)
        })
        .collect::<anyhow::Result<_>>()?;
    changes.sort_by(f64::total_cmp);
    let begun = Instant::now();
    let rows =
        ledger.balance(NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or(day), day, &Query::by([Cut::Year]));
    let balance = begun.elapsed();
    anyhow::ensure!(rows.iter().all(|row| row.residual().doubled() == 0), "the balance does not close");
    Ok(json!({
        "polygons": count,
        "from_nothing_s": whole.as_secs_f64(),
        "polygons_per_s": (count as f64 / whole.as_secs_f64()).round(),
        "one_release_median_ms": changes[changes.len() / 2],
        "one_release_worst_ms": changes[changes.len() - 1],
        "balance_by_year_ms": balance.as_secs_f64() * 1e3,
    }))
}

/// Five areas overlap in a cluster; clusters lie apart.
fn blob(place: usize) -> MultiPolygon<f64> {
    let (cluster, member) = (place / 5, place % 5);
    let lon = 0.2 + (cluster % 200) as f64 * 0.022 + member as f64 * 0.0012;
    let lat = 10.2 + (cluster / 200) as f64 * 0.018 + (member % 2) as f64 * 0.0009;
    let ring: LineString<f64> = (0..31)
        .map(|corner| {
            let angle = f64::from(corner) / 31.0 * std::f64::consts::TAU;
            let radius = 0.0014 * (1.0 + 0.3 * (angle * 3.0 + place as f64).sin());
            (lon + radius * angle.cos(), lat + radius * angle.sin())
        })
        .collect();
    MultiPolygon(vec![Polygon::new(ring, Vec::new())])
}

fn hazard(place: usize) -> Hazard {
    let version = HazardVersion {
        effective: NaiveDate::from_ymd_opt(2015 + (place % 8) as i32, 1, 1).unwrap_or_default(),
        outline: Some(blob(place)),
        reported_area_m2: None,
        classification: if place.is_multiple_of(2) { Classification::Cha } else { Classification::Sha },
        contamination: BTreeSet::from([Contamination::ApMine]),
        treaty_scope: None,
        organisation: Uuid::nil(),
        admin: [Some(format!("P{}", place % 7)), None, None],
        closed: false,
        reopened: false,
        contested: false,
    };
    Hazard {
        id: Uuid::from_u128(place as u128 + 1),
        sequence: place as i64,
        versions: vec![version],
        end: None,
    }
}

fn release(place: usize) -> Release {
    Release {
        id: Uuid::from_u128((1 << 64) + place as u128),
        sequence: place as i64,
        effective: NaiveDate::from_ymd_opt(2021 + (place % 5) as i32, 6, 1).unwrap_or_default(),
        outline: blob(place * 2 + 1),
        result: ReleaseResult::Cleared,
        method: None,
        operator: Uuid::nil(),
        treaty_scope: BTreeSet::new(),
        hazards: Vec::new(),
    }
}

//! `cartagena bench tiles`: how fast servers give out vector tiles, asked in turn for the same ones by many at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use ureq::Agent;

use crate::tile::TileId;
use crate::tile::id::Spot;

#[derive(Debug, Args)]
pub(super) struct Tiles {
    /// Addresses of tiles with {z}, {x} and {y}; several are asked in turn
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Sent with every request, for instance `Authorization: Bearer …`
    #[arg(long, value_name = "HEADER", value_parser = header)]
    header: Vec<(String, String)>,
    /// Where, in degrees: west,south,east,north
    #[arg(
        long,
        value_name = "BOX",
        value_delimiter = ',',
        num_args = 4,
        allow_hyphen_values = true,
        default_value = "0,0,5,2"
    )]
    bbox: Vec<f64>,
    /// Zooms
    #[arg(long, value_delimiter = ',', default_value = "5,6,7,8,9,10,11,12,13,14")]
    zooms: Vec<u8>,
    /// Tiles of a zoom at most, evenly spread
    #[arg(long, default_value_t = 2_000)]
    most: usize,
    /// Requests at a time
    #[arg(long, default_value_t = 4)]
    at_once: usize,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a name and a value with a colon between them")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What became of asking for some tiles.
#[derive(Debug, Default)]
struct Asked {
    millis: Vec<f64>,
    bytes: usize,
    empty: usize,
}

pub(super) fn run(bench: &Tiles) -> anyhow::Result<Value> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_mins(2)))
        .max_idle_connections_per_host(bench.at_once)
        .build()
        .into();
    let mut rows = Vec::new();
    for &zoom in &bench.zooms {
        let tiles = spread(&all_in(&bench.bbox, zoom), bench.most);
        // The first time each is made, the second time it may be remembered.
        for round in ["first", "again"] {
            for address in &bench.addresses {
                let begun = Instant::now();
                let asked = ask(&agent, bench, address, &tiles)?;
                rows.push(row(zoom, round, address, asked, begun.elapsed()));
            }
        }
    }
    Ok(json!({"at_once": bench.at_once, "rows": rows}))
}

fn all_in(bbox: &[f64], zoom: u8) -> Vec<TileId> {
    let corner = |lon: f64, lat: f64| TileId::at(Spot::of(lon, lat), zoom).zxy();
    let ((_, west, north), (_, east, south)) = (corner(bbox[0], bbox[3]), corner(bbox[2], bbox[1]));
    (north..=south).flat_map(|y| (west..=east).filter_map(move |x| TileId::new(zoom, x, y))).collect()
}

fn spread(tiles: &[TileId], most: usize) -> Vec<TileId> {
    let step = tiles.len().div_ceil(most.max(1)).max(1);
    tiles.iter().copied().step_by(step).collect()
}

fn ask(agent: &Agent, bench: &Tiles, address: &str, tiles: &[TileId]) -> anyhow::Result<Asked> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Asked::default()));
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let work = || -> anyhow::Result<()> {
            while let Some(tile) = tiles.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Instant::now();
                let bytes = fetch(agent, bench, address, *tile)?;
                let took = begun.elapsed().as_secs_f64() * 1e3;
                let mut all = all.lock().expect("nobody panics with it in hand");
                all.millis.push(took);
                all.bytes += bytes;
                all.empty += usize::from(bytes == 0);
            }
            Ok(())
        };
        let askers: Vec<_> = (0..bench.at_once.max(1)).map(|_| scope.spawn(work)).collect();
        for asker in askers {
            asker.join().map_err(|_panic| anyhow::anyhow!("an asker failed"))??;
        }
        Ok(())
    })?;
    Ok(all.into_inner().expect("nobody panics with it in hand"))
}

/// Asks for one tile; its size, unpacked.
fn fetch(agent: &Agent, bench: &Tiles, address: &str, tile: TileId) -> anyhow::Result<usize> {
    let (z, x, y) = tile.zxy();
    let places = [("{z}", z.into()), ("{x}", x), ("{y}", y)];
    let address =
        places.iter().fold(address.to_owned(), |text, (name, at)| text.replace(name, &at.to_string()));
    let mut request = agent.get(&address);
    for (name, value) in &bench.header {
        request = request.header(name, value);
    }
    let mut response = request.call()?;
    Ok(response.body_mut().with_config().limit(256 << 20).read_to_vec()?.len())
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
fn row(zoom: u8, round: &str, address: &str, mut asked: Asked, took: Duration) -> Value {
    asked.millis.sort_by(f64::total_cmp);
    let count = asked.millis.len();
    let rank = |hundredths: usize| asked.millis.get((count * hundredths / 100).min(count.saturating_sub(1)));
    json!({
        "zoom": zoom,
        "round": round,
        "address": address,
        "tiles": count,
        "empty": asked.empty,
        "tiles_per_s": (count as f64 / took.as_secs_f64()).round(),
        "p50_ms": rank(50),
        "p99_ms": rank(99),
        "mean_bytes": asked.bytes / count.max(1),
    })
}

//! Single steps of the geometry: projecting, measuring, cutting.
//!
//! `cargo bench --bench geometry`. Constructed polygons with a fixed seed.

use std::f64::consts::TAU;

use cartagena::geometry::overlay::balance;
use cartagena::geometry::{Arrangement, Extent, Grid, GridOutline, Limits, Outline, measure};
use divan::Bencher;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn main() {
    divan::main();
}

fn grid() -> Grid {
    let extent = Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 };
    Grid::for_extent(extent).expect("an extent")
}

fn blob(random: &mut StdRng, vertices: u32) -> MultiPolygon<f64> {
    let (lon, lat) = (random.random_range(18.0..18.005), random.random_range(43.5..43.505));
    let corner = |step: u32| {
        let angle = TAU * f64::from(step) / f64::from(vertices);
        let reach = random.random_range(0.001..0.0025);
        Coord { x: lon + reach * angle.cos(), y: lat + reach * angle.sin() }
    };
    let ring: LineString<f64> = (0..vertices).map(corner).collect();
    MultiPolygon::new(vec![Polygon::new(ring, vec![])])
}

fn blobs(count: usize) -> Vec<GridOutline> {
    let mut random = StdRng::seed_from_u64(11);
    let grid = grid();
    (0..count).map(|_| grid.outline(&blob(&mut random, 31)).expect("a place on the grid")).collect()
}

#[divan::bench(args = [31, 1_000])]
fn check_an_outline(bencher: Bencher<'_, '_>, vertices: u32) {
    let polygons = blob(&mut StdRng::seed_from_u64(3), vertices);
    let limits = Limits::default();
    bencher.bench_local(|| Outline::from_polygons(&polygons, &limits));
}

/// Teeth one above the other: all edges overlap in x.
fn comb(vertices: u32) -> Vec<(f64, f64)> {
    let teeth = vertices / 4;
    let tooth = |tooth: u32| {
        let foot = f64::from(tooth) / f64::from(teeth);
        let head = foot + 0.5 / f64::from(teeth);
        [(0.1, foot), (1.0, foot), (1.0, head), (0.1, head)]
    };
    (0..teeth).flat_map(tooth).chain([(0.0, 1.0), (0.0, -0.1)]).collect()
}

/// A comb without thickness and the straight way back through its middle, which crosses every stroke.
fn zigzag(vertices: u32) -> Vec<(f64, f64)> {
    let stroke = |step: u32| (f64::from(step % 2), f64::from(step) / f64::from(vertices));
    (0..vertices).map(stroke).chain([(0.5, 1.1), (0.5, -0.1)]).collect()
}

fn drawn(points: Vec<(f64, f64)>) -> MultiPolygon<f64> {
    let place = |(x, y): (f64, f64)| Coord { x: 18.0 + 0.01 * x, y: 43.5 + 0.01 * y };
    MultiPolygon::new(vec![Polygon::new(points.into_iter().map(place).collect(), vec![])])
}

/// The limit is 20 000 vertices; what is longer is refused unseen.
#[divan::bench(args = [2_000, 19_900])]
fn check_a_comb(bencher: Bencher<'_, '_>, vertices: u32) {
    let polygons = drawn(comb(vertices));
    let limits = Limits::default();
    bencher.bench_local(|| Outline::from_polygons(&polygons, &limits));
}

/// Up to 3 000 vertices a repair is proposed, which is nearly all of the time.
#[divan::bench(args = [2_900, 19_900])]
fn check_and_repair_a_zigzag(bencher: Bencher<'_, '_>, vertices: u32) {
    let polygons = drawn(zigzag(vertices));
    let limits = Limits::default();
    bencher.bench_local(|| Outline::from_polygons(&polygons, &limits));
}

#[divan::bench(args = [31])]
fn project_an_outline(bencher: Bencher<'_, '_>, vertices: u32) {
    let polygons = blob(&mut StdRng::seed_from_u64(3), vertices);
    let grid = grid();
    bencher.bench_local(|| grid.outline(&polygons));
}

#[divan::bench(args = [31])]
fn geodesic_area(bencher: Bencher<'_, '_>, vertices: u32) {
    let polygons = blob(&mut StdRng::seed_from_u64(3), vertices);
    bencher.bench_local(|| measure::area(&polygons));
}

#[divan::bench(args = [2, 10, 50])]
fn arrange_overlapping_outlines(bencher: Bencher<'_, '_>, count: usize) {
    let outlines = blobs(count);
    let outlines: Vec<&GridOutline> = outlines.iter().collect();
    bencher.bench_local(|| Arrangement::measure(&outlines));
}

#[divan::bench(args = [2, 10, 50])]
fn overlay_for_comparison(bencher: Bencher<'_, '_>, count: usize) {
    let outlines = blobs(count);
    let outlines: Vec<&GridOutline> = outlines.iter().collect();
    let (subject, clip) = outlines.split_at(count * 2 / 3);
    bencher.bench_local(|| balance(subject, clip));
}

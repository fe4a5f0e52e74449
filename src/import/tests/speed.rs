//! How long a country takes. `cargo test --release import::tests::speed -- --ignored --nocapture`

use std::f64::consts::TAU;
use std::time::Instant;

use serde_json::json;

use super::*;

const POLYGONS: u32 = 20_000;
const VERTICES: u32 = 31;

#[test]
#[ignore = "measures; only a release build says anything"]
fn twenty_thousand_polygons() {
    let features: Vec<(Value, Value)> = (0..POLYGONS)
        .map(|number| {
            let (lon, lat) = (16.0 + 0.015 * f64::from(number % 200), 43.0 + 0.015 * f64::from(number / 200));
            let corner = |step: u32| {
                let angle = TAU * f64::from(step % VERTICES) / f64::from(VERTICES);
                let reach = 0.002 * (1.0 + 0.3 * f64::from((step % VERTICES * 7 + number) % 5) / 5.0);
                json!([lon + reach * angle.cos(), lat + reach * angle.sin()])
            };
            let ring: Vec<Value> = (0..=VERTICES).map(corner).collect();
            (
                json!({"name": format!("Area {number}"), "kept": number}),
                json!({"type": "Polygon", "coordinates": [ring]}),
            )
        })
        .collect();
    let text = collection(&features);
    let house = House::new();
    for what in ["first run", "second run"] {
        let begin = Instant::now();
        let (summary, _) = house.import(&text, "hazardous_area", hazard());
        eprintln!("{what}: {:.1} s\n{summary}", begin.elapsed().as_secs_f64());
    }
}

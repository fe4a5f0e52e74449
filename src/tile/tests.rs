//! What a tile must never do: lose ground, show it to somebody else, or be taken for the same when it is not.

use fast_mvt::{MvtGeometry, MvtReaderRef, MvtTileBuilder, MvtValueRef};
use geo::{
    Area as _, BooleanOps as _, Geometry, MapCoords as _, MultiPolygon, Point, Polygon, Rect, coord, polygon,
    unary_union,
};
use proptest::prelude::*;

use super::*;

const FIELDS: [(&str, i16); 3] = [("classification", 0), ("contested", 0), ("secret", 2)];

fn layer() -> Layer<u32, bool> {
    let field =
        |(name, tier): (&str, i16)| Field { name: name.to_owned(), tier, type_name: "String", from_zoom: 0 };
    let classes = ["cha", "sha"].map(str::to_owned).to_vec();
    Layer::new(FIELDS.map(field).to_vec(), Legend { class: Some((0, classes)), flag: Some(1) })
}

fn feature(id: u32, geometry: impl Into<Geometry<f64>>, class: &str) -> Feature {
    let shape = Shape::of(&geometry.into()).unwrap();
    let tags =
        [(0, Tag::Text(class.into())), (1, Tag::Flag(class == "sha")), (2, Tag::Text("hidden".into()))];
    Feature { id: id.to_string().into(), shape, tags: tags.into() }
}

/// A square with its south-western corner there, sides in degrees.
fn square(lon: f64, lat: f64, side: f64) -> Polygon<f64> {
    polygon![
        (x: lon, y: lat), (x: lon + side, y: lat), (x: lon + side, y: lat + side), (x: lon, y: lat + side)
    ]
}

fn bytes(layer: &Layer<u32, bool>, tile: TileId) -> Vec<u8> {
    layer.write("ground", tile, 3, |_| true, MvtTileBuilder::new()).unwrap().encode()
}

/// A tile's features: what they say, and where.
fn read(bytes: &[u8]) -> Vec<(Vec<(String, String)>, MvtGeometry)> {
    let tile = MvtReaderRef::new(bytes).unwrap();
    let mut found = Vec::new();
    for layer in tile.layers() {
        for feature in layer.features() {
            let said = feature.properties().map(|property| {
                let (key, value) = property.unwrap();
                let value = match value {
                    MvtValueRef::String(text) => text.to_owned(),
                    MvtValueRef::Bool(flag) => flag.to_string(),
                    MvtValueRef::SInt(number) => number.to_string(),
                    other => panic!("{key}: {other:?}"),
                };
                (key.to_owned(), value)
            });
            found.push((said.collect(), feature.geometry().unwrap()));
        }
    }
    found
}

fn ground(geometry: &MvtGeometry) -> MultiPolygon<f64> {
    let to_f64 =
        |polygon: &Polygon<i32>| polygon.map_coords(|at| coord! {x: f64::from(at.x), y: f64::from(at.y)});
    match geometry {
        MvtGeometry::Polygon(polygon) => MultiPolygon::new(vec![to_f64(polygon)]),
        MvtGeometry::MultiPolygon(polygons) => MultiPolygon::new(polygons.iter().map(to_f64).collect()),
        other => panic!("{other:?}"),
    }
}

fn said<'f>(feature: &'f [(String, String)], name: &str) -> Option<&'f str> {
    feature.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[test]
fn tiles_are_those_that_every_map_asks_for() {
    // Sarajevo, by the formula of the OpenStreetMap wiki (Slippy map tilenames).
    let spot = id::Spot::of(18.4131, 43.8563);
    assert_eq!(TileId::at(spot, 10).zxy(), (10, 564, 372));
    assert_eq!(TileId::at(spot, 0).zxy(), (0, 0, 0));
    assert_eq!(TileId::at(spot, 14).within(10), TileId::at(spot, 10));
    assert!(TileId::new(3, 8, 0).is_none() && TileId::new(21, 0, 0).is_none());
    for (lon, lat) in [(-180.0, 90.0), (180.0, -90.0), (500.0, f64::MAX)] {
        let (_, x, y) = TileId::at(id::Spot::of(lon, lat), 20).zxy();
        assert!(x < 1 << 20 && y < 1 << 20, "the poles and beyond are drawn at the edge");
    }
}

#[test]
fn ground_of_a_square_metre_is_seen_at_every_zoom() {
    let mut small = layer();
    // One metre, and a lane of one metre by three hundred.
    let lane = polygon![(x: 18.0, y: 44.0), (x: 18.003, y: 44.002), (x: 18.003, y: 44.002_01), (x: 18.0, y: 44.000_01)];
    small.load(
        vec![(1, true, feature(1, square(18.0, 43.0, 0.00001), "cha")), (2, true, feature(2, lane, "cha"))],
        1,
    );
    for z in 0..=DEEPEST {
        for (lon, lat) in [(18.000_005, 43.000_005), (18.0015, 44.001)] {
            let tile = TileId::at(id::Spot::of(lon, lat), z);
            let found = read(&bytes(&small, tile));
            let area: f64 = found.iter().map(|(_, geometry)| ground(geometry).unsigned_area()).sum();
            assert!(area >= 40.0, "zoom {z}: {area} square units is less than half a dot");
        }
    }
}

#[test]
fn nobody_is_shown_what_is_not_theirs() {
    let mut mixed = layer();
    let at = |lon: f64| square(lon, 43.0, 0.01);
    mixed.load(vec![(1, true, feature(1, at(18.0), "cha")), (2, false, feature(2, at(18.02), "sha"))], 1);
    let tile = TileId::at(id::Spot::of(18.01, 43.005), 9);
    let seen = |tier: i16, all: bool| {
        let lets_in = |own: &bool| all || *own;
        read(&mixed.write("ground", tile, tier, lets_in, MvtTileBuilder::new()).unwrap().encode())
    };
    assert_eq!(seen(3, true).len(), 2);
    let own = seen(1, false);
    assert_eq!(own.len(), 1);
    assert_eq!((said(&own[0].0, "id"), said(&own[0].0, "classification")), (Some("1"), Some("cha")));
    assert_eq!(said(&own[0].0, "secret"), None, "a field above the reader's tier");
    assert_eq!(said(&seen(2, false)[0].0, "secret"), Some("hidden"));
    let none = mixed.write("ground", tile, 3, |_| false, MvtTileBuilder::new()).unwrap().encode();
    assert!(none.is_empty(), "not even the layer's name");
}

#[test]
fn holes_stay_holes_and_far_ends_are_cut_off() {
    let whole = square(18.0, 43.0, 0.2);
    let hole = square(18.05, 43.05, 0.1).exterior().clone();
    let ring = Polygon::new(whole.exterior().clone(), vec![hole]);
    let mut one = layer();
    one.load(vec![(1, true, feature(1, ring.clone(), "cha"))], 1);
    let tile = TileId::at(id::Spot::of(18.1, 43.1), 9);
    let drawn = ground(&read(&bytes(&one, tile))[0].1);
    assert_eq!(drawn.iter().map(|polygon| polygon.interiors().len()).sum::<usize>(), 1);
    let inside = TileId::at(id::Spot::of(18.1, 43.1), 14);
    assert!(
        bytes(&one, inside).is_empty() || ground(&read(&bytes(&one, inside))[0].1).unsigned_area() == 0.0
    );
    let edge = TileId::at(id::Spot::of(18.0, 43.02), 14);
    for (_, geometry) in read(&bytes(&one, edge)) {
        let low = -f64::from(MARGIN);
        let window = Rect::new((low, low), (f64::from(EXTENT) - low, f64::from(EXTENT) - low)).to_polygon();
        assert!(ground(&geometry).difference(&window).unsigned_area() < 1.0);
    }
}

/// How much ground is drawn within eight units of a place, on the tile of a zoom that holds it.
fn seen_near(layer: &Layer<u32, bool>, lon: f64, lat: f64, z: u8) -> f64 {
    let spot = id::Spot::of(lon, lat);
    let tile = TileId::at(spot, z);
    let at = tile.unit(spot).map(f64::from);
    let near = Rect::new((at[0] - 8.0, at[1] - 8.0), (at[0] + 8.0, at[1] + 8.0)).to_polygon();
    let found = read(&bytes(layer, tile));
    // A map fills each polygon by itself, whatever lies over it.
    let drawn: Vec<Polygon<f64>> = found.iter().flat_map(|(_, drawn)| ground(drawn)).collect();
    unary_union(&drawn).intersection(&near).unsigned_area()
}

#[test]
fn a_belt_is_seen_on_all_sides() {
    // Twenty metres of mines around a square kilometre; at zoom 9 it lies in four tiles.
    let corner = TileId::at(id::Spot::of(18.0, 43.0), 9);
    let edge = (1..4_000)
        .map(|step| 18.0 + f64::from(step) * 0.001)
        .find(|lon| TileId::at(id::Spot::of(*lon, 43.0), 9) != corner);
    let lon = edge.expect("tiles have an end") - 0.006;
    let (lat, side, wide) = (43.0, 0.012, 0.000_2);
    let around = square(lon, lat, side).exterior().clone();
    let within = square(lon + wide, lat + wide, side - 2.0 * wide).exterior().clone();
    let mut belt = layer();
    belt.load(vec![(1, true, feature(1, Polygon::new(around, vec![within]), "cha"))], 1);
    let (half, far) = (side / 2.0, side - wide / 2.0);
    for z in 4..=DEEPEST {
        for (right, up) in [(half, wide / 2.0), (far, half), (half, far), (wide / 2.0, half)] {
            let seen = seen_near(&belt, lon + right, lat + up, z);
            assert!(seen >= 40.0, "zoom {z}: {seen} square units at {right} {up}");
        }
    }
    let seen = seen_near(&belt, lon + half, lat + half, 12);
    assert!(seen < 1.0, "where there is room the ground within is clear: {seen}");
}

#[test]
fn walls_between_cleared_cells_are_seen_and_so_is_a_wide_corner() {
    // Ten by ten cells of a hundred metres, with walls of four, and a corner that is left whole.
    let (lon, lat, cell, wall) = (18.0, 43.0, 0.001, 0.000_04);
    let cells = (0..100).filter(|number| *number != 0).map(|number| {
        let (column, row) = (f64::from(number % 10), f64::from(number / 10));
        square(lon + column * cell + wall, lat + row * cell + wall, cell - 2.0 * wall).exterior().clone()
    });
    let field = Polygon::new(square(lon, lat, 10.0 * cell).exterior().clone(), cells.collect());
    let mut walls = layer();
    walls.load(vec![(1, true, feature(1, field, "cha"))], 1);
    for z in 8..=DEEPEST {
        let wall = seen_near(&walls, lon + 5.0 * cell, lat + 5.5 * cell, z);
        assert!(wall >= 8.0, "zoom {z}: {wall} square units of a wall");
        let corner = seen_near(&walls, lon + 0.5 * cell, lat + 0.5 * cell, z);
        assert!(corner >= 40.0, "zoom {z}: {corner} square units of the corner");
    }
}

#[test]
fn a_narrow_strip_is_seen_where_it_bends_and_beyond_the_edge_of_a_tile() {
    // Ten metres wide, two legs of three kilometres: east, then north.
    let (wide, long) = (0.0001, 0.03);
    for shift in 0..40 {
        let (lon, lat) = (18.0 + f64::from(shift) * 0.0037, 44.0 + f64::from(shift) * 0.0023);
        let strip = polygon![
            (x: lon, y: lat), (x: lon + long, y: lat), (x: lon + long, y: lat + long),
            (x: lon + long - wide, y: lat + long), (x: lon + long - wide, y: lat + wide), (x: lon, y: lat + wide)
        ];
        let mut bent = layer();
        bent.load(vec![(1, true, feature(1, strip, "cha"))], 1);
        for z in 6..=12 {
            for (east, north) in [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (1.0, 0.99)] {
                let spot = id::Spot::of(lon + long * east, lat + long * north);
                let tile = TileId::at(spot, z);
                let [x, y] = tile.unit(spot).map(f64::from);
                let near = Rect::new((x - 12.0, y - 12.0), (x + 12.0, y + 12.0)).to_polygon();
                let found = read(&bytes(&bent, tile));
                let seen =
                    found.iter().any(|(_, geometry)| geo::Intersects::intersects(&ground(geometry), &near));
                assert!(seen, "zoom {z}, shift {shift}: nothing is drawn at {east}, {north} of the strip");
            }
        }
    }
}

#[test]
fn an_outline_as_large_as_the_world_is_ground_in_every_tile() {
    let mut world = layer();
    let whole =
        polygon![(x: -179.0, y: -80.0), (x: 179.0, y: -80.0), (x: 179.0, y: 80.0), (x: -179.0, y: 80.0)];
    world.load(vec![(1, true, feature(1, whole, "cha"))], 1);
    let window = f64::from(EXTENT + 2 * MARGIN).powi(2);
    for z in [4, 12, 16, 19, DEEPEST] {
        let tile = TileId::at(id::Spot::of(18.4, 43.8), z);
        let area = ground(&read(&bytes(&world, tile))[0].1).unsigned_area();
        assert!((area - window).abs() < 1.0, "zoom {z}: {area} of {window}");
    }
}

/// So many squares that tiles become overviews, in a row of a hundred and fifty.
fn crowd() -> Layer<u32, bool> {
    let mut crowd = layer();
    let place =
        |number: u32| (18.0 + f64::from(number % 150) * 0.002, 43.0 + f64::from(number / 150) * 0.002);
    let features = (0..15_000).map(|number| {
        let (lon, lat) = place(number);
        (number, true, feature(number, square(lon, lat, 0.0005), if number == 77 { "cha" } else { "sha" }))
    });
    crowd.load(features.collect(), 1);
    crowd
}

#[test]
fn an_overview_shows_every_place_and_the_gravest_class() {
    let crowd = crowd();
    assert!((3..=10).contains(&crowd.drawn_from()), "{}", crowd.drawn_from());
    let tile = TileId::at(id::Spot::of(18.154, 43.0), crowd.drawn_from() - 1);
    let overview = read(&bytes(&crowd, tile));
    assert!(overview.len() <= 4, "one feature for each class");
    let mut all = MultiPolygon::new(Vec::new());
    let mut count = 0;
    for (tags, geometry) in &overview {
        assert_eq!(said(tags, "overview"), Some("true"));
        count += said(tags, "count").unwrap().parse::<u32>().unwrap();
        all = all.union(&ground(geometry));
    }
    assert!(count <= 15_000 && count > 3_000, "{count}: those whose middle is in this tile");
    let confirmed = overview.iter().find(|(tags, _)| said(tags, "classification") == Some("cha")).unwrap();
    assert!(said(&confirmed.0, "count").unwrap().parse::<u32>().unwrap() >= 1);
    assert!(ground(&confirmed.1).unsigned_area() > 0.0, "one confirmed area among thousands is seen");
    for number in 0..15_000_u32 {
        let (lon, lat) = (18.0 + f64::from(number % 150) * 0.002, 43.0 + f64::from(number / 150) * 0.002);
        let [x, y] = tile.unit(id::Spot::of(lon + 0.00025, lat + 0.00025));
        if (0..4_096).contains(&x) && (0..4_096).contains(&y) {
            let at = Point::new(f64::from(x), f64::from(y));
            assert!(geo::Intersects::intersects(&all, &at), "{number} is not shown");
        }
    }
}

#[test]
fn an_overview_follows_large_outlines_and_leaves_holes_clear() {
    let mut crowd = crowd();
    let whole = square(18.0, 42.0, 2.0);
    let hole = square(18.5, 42.5, 1.0).exterior().clone();
    crowd.replace(
        &99_999,
        vec![(true, feature(99_999, Polygon::new(whole.exterior().clone(), vec![hole]), "cha"))],
        2,
    );
    let tile = TileId::at(id::Spot::of(19.0, 43.0), 6);
    let overview = read(&bytes(&crowd, tile));
    let confirmed = overview.iter().find(|(tags, _)| said(tags, "classification") == Some("cha")).unwrap();
    let drawn = ground(&confirmed.1);
    let has = |lon: f64, lat: f64| {
        let [x, y] = tile.unit(id::Spot::of(lon, lat));
        geo::Intersects::intersects(&drawn, &Point::new(f64::from(x), f64::from(y)))
    };
    assert!(has(18.25, 42.9) && has(19.0, 42.25) && has(18.001, 42.001));
    assert!(!has(19.0, 43.0) && !has(17.8, 43.0));
}

#[test]
fn points_and_lines_are_drawn_too() {
    let mut mixed = layer();
    let line = geo::LineString::from(vec![(17.9, 43.0), (18.1, 43.0)]);
    let points = geo::MultiPoint::new(vec![Point::new(18.0, 43.0), Point::new(18.01, 43.0)]);
    mixed.load(vec![(1, true, feature(1, line, "sha")), (2, true, feature(2, points, "sha"))], 1);
    let found = read(&bytes(&mixed, TileId::at(id::Spot::of(18.0, 43.001), 10)));
    assert!(matches!(&found[0].1, MvtGeometry::LineString(_)), "{found:?}");
    assert!(matches!(&found[1].1, MvtGeometry::MultiPoint(_)), "{found:?}");
    assert!(bytes(&mixed, TileId::at(id::Spot::of(18.0, 44.0), 10)).is_empty());
}

fn places() -> impl Strategy<Value = (f64, f64, f64)> {
    (17.9..18.1_f64, 42.9..43.1_f64, prop::sample::select(vec![0.000_02, 0.001, 0.01, 0.15]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever changes, a tile that says something else is never named as before: a map would go on showing what was.
    #[test]
    fn a_tile_of_the_same_state_is_the_same(
        before in prop::collection::vec(places(), 1..12),
        changes in prop::collection::vec((0..14_u32, prop::option::of(places())), 1..6),
        looks in prop::collection::vec((0..17_u8, 17.85..18.15_f64, 42.85..43.15_f64), 40),
    ) {
        let mut layer = layer();
        let made = |number: u32, (lon, lat, side): (f64, f64, f64)| feature(number, square(lon, lat, side), "cha");
        let known = (0..).zip(before).map(|(number, place)| (number, true, made(number, place)));
        layer.load(known.collect(), 1);
        let tiles: Vec<TileId> = looks.iter().map(|&(z, lon, lat)| TileId::at(id::Spot::of(lon, lat), z)).collect();
        let mut last: Vec<_> = tiles.iter().map(|&tile| (layer.state(tile), bytes(&layer, tile))).collect();
        for (stamp, (number, place)) in (2..).zip(changes) {
            let features = place.into_iter().map(|place| (true, made(number, place))).collect();
            layer.replace(&number, features, stamp);
            layer.measure();
            for (&tile, last) in tiles.iter().zip(&mut last) {
                let now = (layer.state(tile), bytes(&layer, tile));
                prop_assert!(now.0 != last.0 || now.1 == last.1, "{tile:?} changed unseen");
                *last = now;
            }
        }
    }

    /// What is drawn is the ground that is there, as exactly as half a dot.
    #[test]
    fn what_is_drawn_is_what_is_there(places in prop::collection::vec(places(), 1..5), z in 6..17_u8) {
        let mut layer = layer();
        let features = (0..).zip(&places).map(|(number, &(lon, lat, side))| (number, true, feature(number, square(lon, lat, side), "cha")));
        layer.load(features.collect(), 1);
        let (lon, lat, side) = places[0];
        let tile = TileId::at(id::Spot::of(lon + side / 3.0, lat + side / 3.0), z);
        let found = read(&bytes(&layer, tile));
        let (tags, geometry) = found.iter().find(|(tags, _)| said(tags, "id") == Some("0")).expect("it is in the tile");
        prop_assert_eq!(said(tags, "classification"), Some("cha"));
        let corner = |lon: f64, lat: f64| {
            let [x, y] = tile.unit(id::Spot::of(lon, lat));
            (f64::from(x), f64::from(y))
        };
        let low = -f64::from(MARGIN);
        let window = Rect::new((low, low), (f64::from(EXTENT) - low, f64::from(EXTENT) - low)).to_polygon();
        let expected = Rect::new(corner(lon, lat), corner(lon + side, lat + side)).to_polygon();
        let expected = expected.intersection(&window);
        let drawn = ground(geometry);
        let off = drawn.xor(&expected).unsigned_area();
        let edge: f64 = expected.iter().map(|polygon| geo::Length::length(&geo::Euclidean, polygon.exterior())).sum();
        prop_assert!(off <= 5.0 * edge + 64.0, "{off} of {} at zoom {z}", expected.unsigned_area());
    }
}

//! The sweep against comparing every edge with every other.

use proptest::prelude::*;

use super::super::overlay::untangle;
use super::*;

fn p(x: i64, y: i64) -> GridPoint {
    GridPoint { x, y }
}

/// On few grid points, so that edges touch and lie upon one another as often as they cross.
fn outline(across: i64) -> impl Strategy<Value = GridOutline> {
    let corner = (0..across, 0..across).prop_map(|(x, y)| p(x, y));
    let rings = proptest::collection::vec(proptest::collection::vec(corner, 3..9), 1..4);
    rings.prop_filter_map("no area", |rings| untangle(&GridOutline::new(rings)?).unwrap())
}

fn by_comparison(a: &GridOutline, b: &GridOutline) -> Meeting {
    let all = a.edges().flat_map(|edge| b.edges().map(move |other| meeting(edge, other)));
    all.max_by_key(|&found| found as u8).unwrap()
}

fn by_sweep(a: &GridOutline, b: &GridOutline) -> Option<Meeting> {
    swept(&within(a, b.rect()), &within(b, a.rect())).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn sweeping_finds_what_comparing_finds(
        a in outline(9), b in outline(9), wide in outline(60), east in -12..12i64, north in -12..12i64,
    ) {
        for other in [&b, &wide] {
            let moved = other.rings().map(|ring| ring.iter().map(|at| p(at.x + east, at.y + north)).collect());
            let moved = GridOutline::new(moved).unwrap();
            let expected = by_comparison(&a, &moved);
            prop_assert_eq!(contact(&a, &moved), expected);
            for (first, second) in [(&a, &moved), (&moved, &a)] {
                if let Some(found) = by_sweep(first, second) {
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}

/// Teeth of `span` to the right of a back, `step` apart and half as thick, leaning by `lean` for every tooth.
fn comb(teeth: i64, (west, south): (i64, i64), span: i64, lean: i64) -> GridOutline {
    let tooth = |tooth: i64| {
        let foot = south + 8 * tooth;
        [p(west, foot), p(west + span, foot + lean), p(west + span, foot + lean + 3), p(west, foot + 3)]
    };
    let ring = (0..teeth).flat_map(tooth).chain([p(west - 10, south + 8 * teeth), p(west - 10, south)]);
    GridOutline::new([ring.collect()]).unwrap()
}

/// Teeth between teeth, all of whose boxes meet.
#[test]
fn interlocking_combs_are_apart_until_their_teeth_meet() {
    let (teeth, span, lean) = (5_000, 100_000, 90_000);
    let ours = comb(teeth, (0, 0), span, lean);
    // Turned by 180° its teeth come from the east and lean alike.
    let turned = |south: i64| {
        let turn = |at: &GridPoint| p(span + 5 - at.x, 8 * teeth + lean + south - at.y);
        GridOutline::new(ours.rings().map(|ring| ring.iter().map(turn).collect())).unwrap()
    };
    for (south, expected) in [(11, Meeting::Apart), (12, Meeting::Apart), (10, Meeting::Cross)] {
        assert_eq!(contact(&ours, &turned(south)), expected, "{south}");
    }
}

//! What a client writes back of a geometry that it was shown: the same, or changed.
//!
//! Maps round positions, turn rings, know no heights and have one type for a layer. None of that is an edit.

use std::collections::HashMap;

use serde_json::Value;

use super::draw::each_position;

/// Decimals of degrees that QGIS rounds to when it writes: 0.1 m.
const ROUNDED: f64 = 1e6;
/// Numbers that differ by less are the same: degrees lose a tenth of a millimetre where they are written in metres.
const SAME: f64 = 1e-9;

/// Whether a geometry says the same as another one, as far as numbers that went through a client can tell: a single part
/// in its `Multi…` or alone, with the same rings in the same parts. Heights that it leaves out are no difference.
pub fn is_same(a: &Value, b: &Value) -> bool {
    match (parts(a), parts(b)) {
        (Some((family, parts)), Some((other, others))) => {
            family == other
                && parts.len() == others.len()
                && parts.into_iter().zip(others).all(|(part, other)| is_same_part(part, other))
        }
        _ => a == b,
    }
}

/// The type of a geometry's parts, and their coordinates.
fn parts(geometry: &Value) -> Option<(&str, Vec<&Value>)> {
    let (type_, coordinates) = (geometry["type"].as_str()?, geometry.get("coordinates")?);
    Some(match type_.strip_prefix("Multi") {
        Some(family) => (family, coordinates.as_array()?.iter().collect()),
        None => (type_, vec![coordinates]),
    })
}

fn is_same_part(a: &Value, b: &Value) -> bool {
    let (Some(first), Some(second)) = (a.as_array(), b.as_array()) else { return a == b };
    let is_position = |list: &[Value]| list.first().is_some_and(|first| !first.is_array());
    if is_position(first) && is_position(second) {
        return is_same_position(first, second);
    }
    first.len() == second.len() && first.iter().zip(second).all(|(a, b)| is_same_part(a, b))
}

fn is_same_position(a: &[Value], b: &[Value]) -> bool {
    is_same_place(a, b) && (a.get(2).is_none() || is_near(a, b, 2))
}

fn is_same_place(a: &[Value], b: &[Value]) -> bool {
    is_near(a, b, 0) && is_near(a, b, 1)
}

fn is_near(a: &[Value], b: &[Value], index: usize) -> bool {
    let number = |position: &[Value]| position.get(index).and_then(Value::as_f64);
    number(a).zip(number(b)).is_some_and(|(a, b)| (a - b).abs() < SAME)
}

/// Whether no position of a geometry has a height.
pub fn is_flat(geometry: &Value) -> bool {
    positions(geometry).iter().all(|position| position.len() < 3)
}

/// Gives back to positions that a client only wrote back what was surveyed, heights too: those that are where one of the
/// record as it stands is, and, where the client `rounds` to six decimals, those that one rounds to. `shown` is the
/// record as it was drawn, whose order a client keeps: two vertices in the same tenth of a metre take turns.
pub fn restore(geometry: &mut Value, shown: &Value, stands: &Value, rounds: bool) {
    let mut surveyed = Surveyed::new(shown, stands);
    let Some(coordinates) = geometry.get_mut("coordinates") else { return };
    let _ = each_position(coordinates, &mut |position| {
        let Some(before) = surveyed.take(position, rounds && is_round(position)) else { return Ok(()) };
        let heights = if position.len() > 2 { &position[2..] } else { before.get(2..).unwrap_or_default() };
        *position = before.iter().take(2).chain(heights).cloned().collect();
        Ok(())
    });
}

/// Positions that were surveyed, by the tenth of a metre that they are in, each with whether it was given back.
struct Surveyed(HashMap<[i64; 2], Vec<(Vec<Value>, bool)>>);

impl Surveyed {
    /// The positions that were drawn, in their order, as whoever surveyed them wrote them; those of the record itself
    /// where it is not drawn.
    fn new(shown: &Value, stands: &Value) -> Self {
        let exactly = |position: &[Value]| {
            let number = |index: usize| position.get(index)?.as_f64().map(f64::to_bits);
            Some([number(0)?, number(1)?])
        };
        let entered = positions(stands);
        let whole: HashMap<_, &Vec<Value>> =
            entered.iter().rev().filter_map(|position| Some((exactly(position)?, position))).collect();
        let drawn = positions(shown);
        let mut cells: HashMap<_, Vec<_>> = HashMap::new();
        for position in if drawn.is_empty() { &entered } else { &drawn } {
            let known = exactly(position).and_then(|key| whole.get(&key)).copied().unwrap_or(position);
            if let Some(key) = rounded(position) {
                cells.entry(key).or_default().push((known.clone(), false));
            }
        }
        Self(cells)
    }

    /// The position that this one was, as it was surveyed. One that more were made of is given back again.
    fn take(&mut self, position: &[Value], is_rounded: bool) -> Option<Vec<Value>> {
        let [x, y] = rounded(position)?;
        let cells = if is_rounded { vec![[x, y]] } else { around([x, y]) };
        let mut found = None;
        'cells: for cell in cells {
            for (index, (known, used)) in self.0.get(&cell).into_iter().flatten().enumerate() {
                if is_rounded || is_same_place(known, position) {
                    found = Some((cell, index));
                    if !used {
                        break 'cells;
                    }
                }
            }
        }
        let (cell, index) = found?;
        let (known, used) = self.0.get_mut(&cell)?.get_mut(index)?;
        *used = true;
        Some(known.clone())
    }
}

/// A cell and those beside it: what is the same place may lie on either side of their edge.
fn around([x, y]: [i64; 2]) -> Vec<[i64; 2]> {
    let near = |at: i64| [at, at.saturating_sub(1), at.saturating_add(1)];
    near(x).into_iter().flat_map(|x| near(y).map(|y| [x, y])).collect()
}

fn positions(geometry: &Value) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    let _ = each_position(&mut geometry["coordinates"].clone(), &mut |position| {
        found.push(position.clone());
        Ok(())
    });
    found
}

#[expect(clippy::cast_possible_truncation, reason = "degrees with six decimals are far below 2^53")]
fn rounded(position: &[Value]) -> Option<[i64; 2]> {
    let number = |index: usize| Some((position.get(index)?.as_f64()? * ROUNDED).round() as i64);
    Some([number(0)?, number(1)?])
}

fn is_round(position: &[Value]) -> bool {
    position.iter().take(2).filter_map(Value::as_f64).all(|number| {
        let scaled = number * ROUNDED;
        (scaled - scaled.round()).abs() < 1e-3
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hole_is_no_second_part() {
        let (outer, inner) =
            (json!([[0, 0], [9, 0], [9, 9], [0, 0]]), json!([[3, 1], [4, 1], [4, 2], [3, 1]]));
        let multi = |coordinates: Value| json!({"type": "MultiPolygon", "coordinates": coordinates});
        let holed = json!({"type": "Polygon", "coordinates": [outer, inner]});
        assert!(is_same(&multi(json!([[outer, inner]])), &holed));
        assert!(!is_same(&multi(json!([[outer], [inner]])), &holed));
        let lines = |parts: Value| json!({"type": "MultiLineString", "coordinates": parts});
        let (one, two) =
            (json!([[[0, 0], [1, 1], [2, 2], [3, 3]]]), json!([[[0, 0], [1, 1]], [[2, 2], [3, 3]]]));
        assert!(!is_same(&lines(one), &lines(two)));
        let point = |position: Value| json!({"type": "Point", "coordinates": position});
        assert!(is_same(&point(json!([1, 2])), &point(json!([1, 2, 300]))), "a height that is left out");
        assert!(!is_same(&point(json!([1, 2, 300])), &point(json!([1, 2]))), "a height that is new");
        assert!(is_same(&json!(null), &json!(null)) && !is_same(&point(json!([1, 2])), &json!(null)));
    }

    #[test]
    fn two_vertices_in_the_same_tenth_of_a_metre_stay_two() {
        let line = |positions: Value| json!({"type": "LineString", "coordinates": positions});
        let stands = line(json!([[18.100_000_1, 43.5], [18.100_000_3, 43.5], [18.2, 43.6]]));
        let mut sent = line(json!([[18.1, 43.5], [18.1, 43.5], [18.2, 43.6]]));
        restore(&mut sent, &stands, &stands, true);
        assert_eq!(sent, stands);
        // Drawn the other way round, and written back so.
        let drawn = line(json!([[18.2, 43.6], [18.100_000_3, 43.5], [18.100_000_1, 43.5]]));
        let mut sent = line(json!([[18.2, 43.6], [18.1, 43.5], [18.1, 43.5]]));
        restore(&mut sent, &drawn, &stands, true);
        assert_eq!(sent, drawn);
        // Whoever does not round says which one it is.
        let mut precise = line(json!([[18.100_000_3, 43.5], [18.2, 43.6]]));
        restore(&mut precise, &drawn, &stands, true);
        assert_eq!(precise, line(json!([[18.100_000_3, 43.5], [18.2, 43.6]])));
    }

    #[test]
    fn heights_stay_where_a_vertex_was_not_moved() {
        let line = |positions: Value| json!({"type": "LineString", "coordinates": positions});
        let stands = line(json!([[18.123_456_789, 43.5, 501.5], [18.2, 43.6, 502], [18.3, 43.7, 503]]));
        let drawn = line(json!([[18.123_456_789, 43.5], [18.2, 43.6], [18.3, 43.7]]));
        let mut sent = line(json!([[18.123_456_789_4, 43.5], [18.25, 43.6], [18.3, 43.7, 600]]));
        for rounds in [true, false] {
            restore(&mut sent, &drawn, &stands, rounds);
            let kept = json!([[18.123_456_789, 43.5, 501.5], [18.25, 43.6], [18.3, 43.7, 600]]);
            assert_eq!(sent, line(kept), "a height that the client gives is the client's");
        }
    }

    #[test]
    fn rounding_does_not_move_what_was_surveyed() {
        let stands =
            json!({"type": "Polygon", "coordinates": [[[18.123_456_78, 43.5], [18.2, 43.6], [18.3, 43.7]]]});
        let mut sent = json!({"type": "MultiPolygon", "coordinates":
            [[[[18.123_457, 43.5], [18.25, 43.6], [18.300_000_1, 43.7]]]]});
        restore(&mut sent, &stands, &stands, true);
        assert_eq!(sent["coordinates"][0][0][0], json!([18.123_456_78, 43.5]));
        assert_eq!(sent["coordinates"][0][0][1], json!([18.25, 43.6]), "a vertex that was moved");
        assert_eq!(sent["coordinates"][0][0][2], json!([18.300_000_1, 43.7]), "as precise as it was sent");
        assert!(!is_same(&sent, &stands));
        assert!(is_same(&json!({"type": "MultiPolygon", "coordinates": [stands["coordinates"]]}), &stands));
    }
}

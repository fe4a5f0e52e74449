//! Cutting lines and rings off at a window.

/// A position in a tile's units.
pub(super) type Unit = [i32; 2];

/// A square window in a tile's units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) low: i32,
    pub(super) high: i32,
}

impl Window {
    pub(super) fn holds(self, at: Unit) -> bool {
        at.iter().all(|along| (self.low..=self.high).contains(along))
    }

    fn edges(self) -> [Edge; 4] {
        let (low, high) = (self.low, self.high);
        [
            Edge { axis: 0, at: low, below: false },
            Edge { axis: 0, at: high, below: true },
            Edge { axis: 1, at: low, below: false },
            Edge { axis: 1, at: high, below: true },
        ]
    }
}

/// A line along an axis with the window on one side of it.
#[derive(Debug, Clone, Copy)]
struct Edge {
    axis: usize,
    at: i32,
    below: bool,
}

impl Edge {
    fn holds(self, at: Unit) -> bool {
        if self.below { at[self.axis] <= self.at } else { at[self.axis] >= self.at }
    }

    /// Where a segment that crosses it does.
    fn crossing(self, from: Unit, to: Unit) -> Unit {
        let (along, across) = (self.axis, 1 - self.axis);
        let [begin, end] = [from[along], to[along]].map(i64::from);
        let [left, right] = [from[across], to[across]].map(i64::from);
        // Between the two ends, and so within their type.
        let met = i128::from(left)
            + i128::from(right - left) * i128::from(i64::from(self.at) - begin) / i128::from(end - begin);
        let mut crossing = [self.at; 2];
        crossing[across] = i32::try_from(met).unwrap_or(from[across]);
        crossing
    }
}

/// Cuts a ring off at the window (Sutherland and Hodgman 1974). What is left may run along the window's edges; it is
/// filled as it should be. `spare` is only borrowed for its room.
pub(super) fn ring(ring: &mut Vec<Unit>, spare: &mut Vec<Unit>, window: Window) {
    for edge in window.edges() {
        spare.clear();
        let Some(mut before) = ring.last().copied() else { return };
        for &at in ring.iter() {
            match (edge.holds(before), edge.holds(at)) {
                (true, true) => spare.push(at),
                (true, false) => spare.push(edge.crossing(before, at)),
                (false, true) => spare.extend([edge.crossing(before, at), at]),
                (false, false) => {}
            }
            before = at;
        }
        std::mem::swap(ring, spare);
    }
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
}

/// The parts of a line in the window.
pub(super) fn line(line: &[Unit], window: Window, mut each: impl FnMut(&[Unit])) {
    let mut part: Vec<Unit> = Vec::new();
    for step in line.windows(2) {
        let Some([from, to]) = segment(step[0], step[1], window) else {
            flush(&mut part, &mut each);
            continue;
        };
        if part.last() != Some(&from) {
            flush(&mut part, &mut each);
            part.push(from);
        }
        part.push(to);
        if to != step[1] {
            flush(&mut part, &mut each);
        }
    }
    flush(&mut part, &mut each);
}

fn flush(part: &mut Vec<Unit>, each: &mut impl FnMut(&[Unit])) {
    part.dedup();
    if part.len() > 1 {
        each(part);
    }
    part.clear();
}

/// What of a segment lies in the window.
pub(super) fn segment(mut from: Unit, mut to: Unit, window: Window) -> Option<[Unit; 2]> {
    for edge in window.edges() {
        match (edge.holds(from), edge.holds(to)) {
            (true, true) => {}
            (true, false) => to = edge.crossing(from, to),
            (false, true) => from = edge.crossing(from, to),
            (false, false) => return None,
        }
    }
    Some([from, to])
}

/// Twice the area of a ring, with its sign. An outline that spans a continent is far larger than the tile.
pub(super) fn doubled_area(ring: &[Unit]) -> i128 {
    let Some(mut before) = ring.last().copied() else { return 0 };
    let mut sum = 0;
    for &at in ring {
        sum += i128::from(i64::from(before[0]) * i64::from(at[1]) - i64::from(at[0]) * i64::from(before[1]));
        before = at;
    }
    sum
}

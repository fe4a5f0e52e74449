//! Draws shapes in the units of one tile: thinned, cut off at the margin, and never too small to be seen.

use fast_mvt::{MvtCoord, MvtFeatureBuilder, MvtGeomType, MvtResult};

use super::clip::{self, Unit, Window, doubled_area};
use super::id::{Bounds, Spot, TileId};
use super::shape::{Area, Parts, Shape};
use super::{EXTENT, FINEST, MARGIN};

/// Half the side of the dot that stands for ground too small to be seen, in units: a tile is shown 512 dots wide.
const DOT: i32 = 4;
/// Points nearer than this to the one before are left out: half a dot.
const THINNED: i32 = 4;

/// The window of every tile, in its units.
pub(super) const WINDOW: Window = {
    let (extent, margin) = (EXTENT.cast_signed(), MARGIN.cast_signed());
    Window { low: -margin, high: extent + margin }
};

/// What is drawn of one feature: paths one after the other.
#[derive(Debug)]
pub(super) struct Pen {
    tile: TileId,
    window: Bounds,
    thinned: i32,
    /// What was drawn of the feature, and where each of its paths ends; shells are followed by their holes.
    drawn: Vec<Unit>,
    ends: Vec<(usize, bool)>,
    path: Vec<Unit>,
    spare: Vec<Unit>,
}

impl Pen {
    pub(super) fn new(tile: TileId) -> Self {
        let thinned = if tile.zxy().0 >= FINEST { 0 } else { THINNED };
        Self {
            tile,
            window: tile.window(),
            thinned,
            drawn: Vec::new(),
            ends: Vec::new(),
            path: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Draws a shape; whether any of it is in the tile.
    pub(super) fn draw(&mut self, shape: &Shape) -> bool {
        self.drawn.clear();
        self.ends.clear();
        let whole = shape.bounds.lies_in(&self.window);
        match &shape.parts {
            Parts::Points(spots) => self.points(spots),
            Parts::Lines(lines) => lines.iter().for_each(|line| self.line(line)),
            Parts::Areas(areas) => areas.iter().for_each(|area| self.area(area, whole)),
        }
        !self.ends.is_empty()
    }

    /// What kind of geometry a shape is.
    pub(super) fn type_of(shape: &Shape) -> MvtGeomType {
        match shape.parts {
            Parts::Points(_) => MvtGeomType::Point,
            Parts::Lines(_) => MvtGeomType::LineString,
            Parts::Areas(_) => MvtGeomType::Polygon,
        }
    }

    /// Writes what was drawn.
    pub(super) fn write(&self, shape: &Shape, feature: &mut MvtFeatureBuilder) -> MvtResult<()> {
        let mut begin = 0;
        for &(end, shell) in &self.ends {
            let coords = self.drawn[begin..end].iter().map(|&[x, y]| MvtCoord { x, y });
            match shape.parts {
                Parts::Points(_) => feature.points(coords)?,
                Parts::Lines(_) => feature.line(coords)?,
                Parts::Areas(_) => feature.ring(coords, shell)?,
            };
            begin = end;
        }
        Ok(())
    }

    fn finish(&mut self, shell: bool) {
        self.ends.push((self.drawn.len(), shell));
    }

    fn points(&mut self, spots: &[Spot]) {
        let tile = self.tile;
        self.drawn.extend(spots.iter().map(|&spot| tile.unit(spot)).filter(|&at| WINDOW.holds(at)));
        self.drawn.dedup();
        if !self.drawn.is_empty() {
            self.finish(true);
        }
    }

    fn line(&mut self, spots: &[Spot]) {
        self.take(spots);
        if let (1, Some(&last)) = (self.path.len(), spots.last()) {
            // Shorter than the thinning: its two ends, or a step to the side that shows that it is there.
            let end = self.tile.unit(last);
            let apart = if end == self.path[0] { [end[0] + 1, end[1]] } else { end };
            self.path.push(apart);
        }
        let (path, drawn, ends) = (&self.path, &mut self.drawn, &mut self.ends);
        clip::line(path, WINDOW, |part| {
            drawn.extend_from_slice(part);
            ends.push((drawn.len(), true));
        });
    }

    fn area(&mut self, area: &Area, whole: bool) {
        self.take(&area.shell);
        self.close();
        if let Some(bar) = bar(&self.path) {
            self.path = bar;
            self.keep(whole, true);
            return;
        }
        if self.is_thin(area) {
            // Along its edges, so that it is seen; what is wide of it is drawn all the same.
            for ring in std::iter::once(&area.shell).chain(&area.holes) {
                self.belt(ring, whole);
            }
            self.take(&area.shell);
            self.close();
        }
        if !self.keep(whole, true) {
            return;
        }
        for hole in &area.holes {
            self.take(hole);
            self.close();
            self.keep(whole, false);
        }
    }

    /// Draws a bar for each leg of a ring.
    fn belt(&mut self, ring: &[Spot], whole: bool) {
        self.take(ring);
        self.close();
        if !whole {
            clip::ring(&mut self.path, &mut self.spare, WINDOW);
        }
        self.path.extend(self.path.first().copied());
        let legs: Vec<[Unit; 2]> = self.path.windows(2).map(|leg| [leg[0], leg[1]]).collect();
        for leg in legs {
            self.bar_along(leg);
        }
    }

    /// Draws a bar from one end of a leg to the other.
    fn bar_along(&mut self, leg: [Unit; 2]) {
        if let Some(bar) = bar(&leg) {
            self.drawn.extend_from_slice(&bar);
            self.finish(true);
        }
    }

    /// Whether what the holes leave of the shell in hand is narrower than a dot: it would be seen as clear ground.
    fn is_thin(&self, area: &Area) -> bool {
        if area.holes.is_empty() {
            return false;
        }
        let units = |spots: &[Spot]| spots.iter().map(|&spot| self.tile.unit(spot)).collect::<Vec<Unit>>();
        let holes: Vec<Vec<Unit>> = area.holes.iter().map(|hole| units(hole)).collect();
        let taken: i128 = holes.iter().map(|hole| doubled_area(hole).abs()).sum();
        let left = doubled_area(&self.path).abs() - taken;
        let around = length(&self.path) + holes.iter().map(|hole| length(hole)).sum::<f64>();
        // Doubled areas over both edges of a belt: its width.
        #[expect(clippy::cast_precision_loss, reason = "compared with a few thousand")]
        let width = left as f64 / around;
        width < f64::from(DOT)
    }

    /// Takes a path in hand, in the tile's units, without points that would fall into one dot.
    fn take(&mut self, spots: &[Spot]) {
        self.path.clear();
        for &spot in spots {
            let at = self.tile.unit(spot);
            let near = |last: &Unit| {
                let apart = |axis: usize| last[axis].abs_diff(at[axis]).cast_signed();
                *last == at || apart(0).max(apart(1)) < self.thinned
            };
            if !self.path.last().is_some_and(near) {
                self.path.push(at);
            }
        }
    }

    fn close(&mut self) {
        while self.path.len() > 1 && self.path.first() == self.path.last() {
            self.path.pop();
        }
    }

    /// Adds the ring in hand, as far as it lies in the window; whether it is a ring with an area, which may have holes.
    fn keep(&mut self, whole: bool, shell: bool) -> bool {
        if !whole {
            clip::ring(&mut self.path, &mut self.spare, WINDOW);
        }
        if doubled_area(&self.path) == 0 {
            if shell {
                self.strips();
            }
            return false;
        }
        self.drawn.extend_from_slice(&self.path);
        self.finish(shell);
        true
    }

    /// What is left of ground too narrow to have an area here: a bar for each of its legs, there and back once.
    fn strips(&mut self) {
        let legs: Vec<[Unit; 2]> = match self.path[..] {
            [] => Vec::new(),
            [only] => vec![[only, only]],
            _ => self.path.windows(2).map(|leg| [leg[0], leg[1]]).collect(),
        };
        for (turn, leg) in legs.iter().enumerate() {
            let [from, to] = *leg;
            if !legs[..turn].contains(&[to, from]) {
                self.bar_along(*leg);
            }
        }
    }
}

/// The length of a ring's edges, the last one back to its begin.
fn length(ring: &[Unit]) -> f64 {
    let leg = |(a, b): (&Unit, &Unit)| f64::from(a[0] - b[0]).hypot(f64::from(a[1] - b[1]));
    ring.iter().zip(ring.iter().cycle().skip(1)).map(leg).sum()
}

/// The dot, or the bar as wide as a dot, that stands for ground too small or too narrow to be seen; nothing where the
/// ground itself can be drawn.
fn bar(path: &[Unit]) -> Option<Vec<Unit>> {
    let begin = *path.first()?;
    let way = |at: &Unit| [f64::from(at[0] - begin[0]), f64::from(at[1] - begin[1])];
    let reach = |at: &Unit| way(at)[0].hypot(way(at)[1]);
    let end = path.iter().copied().max_by(|a, b| reach(a).total_cmp(&reach(b)))?;
    let (length, area) = (reach(&end), doubled_area(path));
    let dot = f64::from(DOT);
    #[expect(clippy::cast_precision_loss, reason = "compared with a few thousand")]
    if area.abs() as f64 > 4.0 * dot * length.max(dot) {
        return None;
    }
    let [dx, dy] = way(&end);
    // What bends further than a dot is no bar, if it is anything at all.
    let aside = |at: &Unit| (way(at)[0] * dy - way(at)[1] * dx).abs() / length.max(1.0);
    if path.iter().any(|at| aside(at) > dot) {
        return None;
    }
    if length <= 2.0 * dot {
        let [x, y] = [i32::midpoint(begin[0], end[0]), i32::midpoint(begin[1], end[1])];
        return Some(vec![[x - DOT, y - DOT], [x + DOT, y - DOT], [x + DOT, y + DOT], [x - DOT, y + DOT]]);
    }
    #[expect(clippy::cast_possible_truncation, reason = "not longer than a dot")]
    let [aside_x, aside_y] = [-dy, dx].map(|along| (along * dot / length).round() as i32);
    Some(vec![
        [begin[0] + aside_x, begin[1] + aside_y],
        [end[0] + aside_x, end[1] + aside_y],
        [end[0] - aside_x, end[1] - aside_y],
        [begin[0] - aside_x, begin[1] - aside_y],
    ])
}

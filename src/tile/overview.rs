//! What stands for a tile that would hold too much: its cells, each with the gravest of what touches it.

use super::EXTENT;
use super::clip::{Unit, Window, segment};
use super::id::TileId;
use super::shape::{Parts, Shape};

/// Cells along a tile's side: four dots each.
const CELLS: i32 = 128;
/// Units along a cell's side.
pub(super) const SIDE: i32 = EXTENT.cast_signed() / CELLS;

/// What a cell shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    /// The gravest comes first.
    pub(super) rank: u8,
    /// Two people disagree about some of it.
    pub(super) flagged: bool,
}

/// A rectangle of cells, in units: north-western and south-eastern corner.
pub(super) type Block = [Unit; 2];

/// A tile's cells.
#[derive(Debug)]
pub(super) struct Canvas {
    tile: TileId,
    cells: Vec<Option<Class>>,
    /// For every feature that begins in the tile, a cell that it touches.
    counted: Vec<usize>,
    /// The cell that was marked last.
    marked: Option<usize>,
    crossings: Vec<i32>,
}

impl Canvas {
    pub(super) fn new(tile: TileId) -> Self {
        let cells = vec![None; (CELLS * CELLS).unsigned_abs() as usize];
        Self { tile, cells, counted: Vec::new(), marked: None, crossings: Vec::new() }
    }

    /// Marks every cell that a shape touches; it is counted in the one tile that it begins in.
    pub(super) fn put(&mut self, shape: &Shape, class: Class) {
        self.marked = None;
        let [min, max] = [self.tile.unit(shape.bounds.min), self.tile.unit(shape.bounds.max)];
        let small = (0..2).all(|axis| max[axis] - min[axis] <= SIDE);
        match &shape.parts {
            Parts::Points(spots) => {
                for &spot in spots {
                    self.mark(cell(self.tile.unit(spot)), class);
                }
            }
            _ if small => self.mark_box(cell(min), cell(max), class),
            Parts::Lines(lines) => {
                for line in lines {
                    let units: Vec<Unit> = line.iter().map(|&spot| self.tile.unit(spot)).collect();
                    units.windows(2).for_each(|step| self.mark_along(step[0], step[1], class));
                }
            }
            Parts::Areas(areas) => {
                for area in areas {
                    let rings = std::iter::once(&area.shell).chain(&area.holes);
                    let rings: Vec<Vec<Unit>> =
                        rings.map(|ring| ring.iter().map(|&spot| self.tile.unit(spot)).collect()).collect();
                    self.fill(&rings, class);
                }
            }
        }
        let anchor = self.tile.unit(shape.anchor());
        if anchor.iter().all(|along| (0..EXTENT.cast_signed()).contains(along)) {
            self.counted.extend(self.marked);
        }
    }

    /// The classes that there are, each with its blocks and how many features lie there, of whatever class they are.
    pub(super) fn classes(&self) -> Vec<(Class, Vec<Block>, usize)> {
        let mut found: Vec<Class> = self.cells.iter().copied().flatten().collect();
        found.sort_unstable();
        found.dedup();
        let count = |class: Class| self.counted.iter().filter(|&&at| self.cells[at] == Some(class)).count();
        found.into_iter().map(|class| (class, self.blocks(class), count(class))).collect()
    }

    /// The cells of a class as rectangles: runs along rows, joined where they are alike in the next row.
    fn blocks(&self, class: Class) -> Vec<Block> {
        let mut done: Vec<Block> = Vec::new();
        let mut open: Vec<Block> = Vec::new();
        for row in 0..CELLS {
            let runs = self.runs(row, class);
            let mut next = Vec::with_capacity(runs.len());
            for [west, east] in runs {
                let above = open.iter().position(|block| [block[0][0], block[1][0]] == [west, east]);
                let top = above.map_or(row * SIDE, |at| open.swap_remove(at)[0][1]);
                next.push([[west, top], [east, (row + 1) * SIDE]]);
            }
            done.append(&mut open);
            open = next;
        }
        done.append(&mut open);
        done.sort_unstable();
        done
    }

    fn runs(&self, row: i32, class: Class) -> Vec<[i32; 2]> {
        let mut runs: Vec<[i32; 2]> = Vec::new();
        for column in 0..CELLS {
            if self.cells[place([column, row])] != Some(class) {
                continue;
            }
            let (west, east) = (column * SIDE, (column + 1) * SIDE);
            match runs.last_mut() {
                Some(run) if run[1] == west => run[1] = east,
                _ => runs.push([west, east]),
            }
        }
        runs
    }

    fn mark(&mut self, at: Unit, class: Class) {
        if at.iter().any(|along| !(0..CELLS).contains(along)) {
            return;
        }
        let at = place(at);
        self.marked = Some(at);
        let cell = &mut self.cells[at];
        *cell = Some(cell.map_or(class, |known| Class {
            rank: known.rank.min(class.rank),
            flagged: known.flagged || class.flagged,
        }));
    }

    fn mark_box(&mut self, low: Unit, high: Unit, class: Class) {
        for row in low[1].max(0)..=high[1].min(CELLS - 1) {
            for column in low[0].max(0)..=high[0].min(CELLS - 1) {
                self.mark([column, row], class);
            }
        }
    }

    /// Marks the cells along an edge, step by half a cell.
    fn mark_along(&mut self, from: Unit, to: Unit, class: Class) {
        let Some([from, to]) = segment(from, to, Window { low: 0, high: EXTENT.cast_signed() - 1 }) else {
            return;
        };
        let way = [to[0] - from[0], to[1] - from[1]];
        let steps = (way[0].abs().max(way[1].abs()) / (SIDE / 2)) + 1;
        for step in 0..=steps {
            self.mark(cell([from[0] + way[0] * step / steps, from[1] + way[1] * step / steps]), class);
        }
    }

    /// Marks the cells along all rings, and those whose middle lies inside by the even-odd rule.
    fn fill(&mut self, rings: &[Vec<Unit>], class: Class) {
        let edges = || rings.iter().flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)));
        for (&from, &to) in edges() {
            self.mark_along(from, to, class);
        }
        let heights = rings.iter().flatten().map(|at| at[1]);
        let (Some(top), Some(bottom)) = (heights.clone().min(), heights.max()) else { return };
        let mut crossings = std::mem::take(&mut self.crossings);
        for row in (top / SIDE).max(0)..=(bottom / SIDE).min(CELLS - 1) {
            let level = row * SIDE + SIDE / 2;
            crossings.clear();
            for (&from, &to) in edges() {
                if (from[1] <= level) != (to[1] <= level) {
                    let part =
                        i64::from(to[0] - from[0]) * i64::from(level - from[1]) / i64::from(to[1] - from[1]);
                    crossings.push(from[0].saturating_add(i32::try_from(part).unwrap_or_default()));
                }
            }
            crossings.sort_unstable();
            for inside in crossings.chunks_exact(2) {
                let column = |at: i32| (at - SIDE / 2).div_euclid(SIDE);
                for column in (column(inside[0]) + 1).max(0)..=column(inside[1]).min(CELLS - 1) {
                    self.mark([column, row], class);
                }
            }
        }
        self.crossings = crossings;
    }
}

fn cell(at: Unit) -> Unit {
    at.map(|along| along.div_euclid(SIDE))
}

fn place(cell: Unit) -> usize {
    (cell[1] * CELLS + cell[0]).unsigned_abs() as usize
}

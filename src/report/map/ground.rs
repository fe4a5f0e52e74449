//! The ledger's ground at the end of a day as layers: what is left, and what was released.

use std::sync::{PoisonError, RwLock};

use chrono::NaiveDate;
use fast_mvt::MvtTileBuilder;
use rayon::prelude::*;

use super::tag::{Tagger, fields, legend};
use super::{Asked, MapError};
use crate::geometry::display::DisplayError;
use crate::ogc::collection::{Collection, Ground, Source, of_ground};
use crate::ogc::feature::Feature;
use crate::report::book::{Basis, Book, Books};
use crate::report::features::{released, remaining};
use crate::tile::{self, Layer};

/// Two people disagree about it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Contested(bool);

/// The ground of one basis at the end of a day.
#[derive(Debug, Clone)]
pub(super) struct GroundMap {
    remaining: Layer<usize, Contested>,
    released: Layer<usize, Contested>,
    day: NaiveDate,
    /// The settling in which each cluster's place was looked at last.
    turns: Vec<u64>,
    /// The books that it was made of, and the place in the log up to which they had read.
    edition: String,
    seq: i64,
}

/// Looks at what has changed in the books; a day that is not there yet is made from the nearest that is.
pub(super) fn follow(
    held: &RwLock<Option<GroundMap>>,
    books: &Books,
    (basis, day): (Basis, NaiveDate),
    near: Option<&std::sync::Arc<RwLock<Option<GroundMap>>>>,
) -> Result<(), DisplayError> {
    let edition = books.edition();
    let is_of = |map: &GroundMap| map.edition == edition;
    let fresh = |map: &GroundMap| is_of(map) && map.seq >= books.seq;
    if held.read().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(fresh) {
        return Ok(());
    }
    let mut held = held.write().unwrap_or_else(PoisonError::into_inner);
    let book = books.of(basis);
    match &mut *held {
        Some(map) if is_of(map) => map.catch_up(book, books.seq),
        other => {
            // Another reader may be waiting for this day with that one in hand: not there yet is not waited for.
            let near = near.and_then(|near| near.try_read().ok().and_then(|map| map.clone())).filter(is_of);
            *other = Some(match near {
                Some(near) => near.on(book, day, books.seq)?,
                None => GroundMap::read(book, day, edition, books.seq)?,
            });
            Ok(())
        }
    }
}

type Found = Vec<(usize, (Vec<Feature>, Vec<Feature>))>;

impl GroundMap {
    fn new(day: NaiveDate, edition: String) -> Self {
        let layer = |ground: Ground| {
            let fields = fields(&of_ground(ground));
            let legend = legend(&fields);
            Layer::new(fields, legend)
        };
        let (remaining, released) = (layer(Ground::Remaining), layer(Ground::Released));
        Self { remaining, released, day, turns: Vec::new(), edition, seq: 0 }
    }

    fn read(book: &Book, day: NaiveDate, edition: String, seq: i64) -> Result<Self, DisplayError> {
        let mut map = Self::new(day, edition);
        let places: Vec<usize> = (0..book.ledger.turns().len()).collect();
        let (mut remaining, mut released) = (Vec::new(), Vec::new());
        let mut tagger = Tagger::default();
        for (place, (left, gone)) in map.draw(book, &places)? {
            let tagged = |feature: (Contested, tile::Feature)| (place, feature.0, feature.1);
            remaining.extend(tag(&left, &map.remaining, &mut tagger).into_iter().map(tagged));
            released.extend(tag(&gone, &map.released, &mut tagger).into_iter().map(tagged));
        }
        map.remaining.load(remaining, seq);
        map.released.load(released, seq);
        map.seen(book, seq);
        Ok(map)
    }

    fn catch_up(&mut self, book: &Book, seq: i64) -> Result<(), DisplayError> {
        let turns = book.ledger.turns();
        let changed = |place: &usize| self.turns.get(*place) != Some(&turns[*place]);
        let places: Vec<usize> = (0..turns.len()).filter(changed).collect();
        self.redraw(book, &places, seq)
    }

    /// The ground at the end of another day.
    fn on(mut self, book: &Book, day: NaiveDate, seq: i64) -> Result<Self, DisplayError> {
        let (turns, before) = (book.ledger.turns(), self.day);
        self.day = day;
        let changed = |place: &usize| {
            self.turns.get(*place) != Some(&turns[*place]) || !book.ledger.is_alike_in(*place, before, day)
        };
        let places: Vec<usize> = (0..turns.len()).filter(changed).collect();
        self.redraw(book, &places, seq)?;
        // What names a tile says which day it shows; nothing is known of when this day's tiles changed last.
        self.remaining.touch_all(seq);
        self.released.touch_all(seq);
        Ok(self)
    }

    fn redraw(&mut self, book: &Book, places: &[usize], seq: i64) -> Result<(), DisplayError> {
        let mut tagger = Tagger::default();
        for (place, (left, gone)) in self.draw(book, places)? {
            let (left, gone) =
                (tag(&left, &self.remaining, &mut tagger), tag(&gone, &self.released, &mut tagger));
            self.remaining.replace(&place, left, seq);
            self.released.replace(&place, gone, seq);
        }
        self.remaining.measure();
        self.released.measure();
        self.seen(book, seq);
        Ok(())
    }

    fn draw(&self, book: &Book, places: &[usize]) -> Result<Found, DisplayError> {
        let draw = |&place: &usize| {
            let (left, gone) = book.ledger.ground_in(place, self.day)?;
            let left = left.into_iter().map(|ground| remaining(book, ground)).collect();
            let gone = gone.into_iter().map(|ground| released(book, ground)).collect();
            Ok((place, (left, gone)))
        };
        places.par_iter().map(draw).collect()
    }

    fn seen(&mut self, book: &Book, seq: i64) {
        self.turns = book.ledger.turns().to_vec();
        self.seq = seq;
    }

    fn layer(&self, collection: &Collection) -> &Layer<usize, Contested> {
        if collection.source == Source::Ground(Ground::Released) { &self.released } else { &self.remaining }
    }

    /// Everything that what a tile shows depends on.
    pub(super) fn state(&self, collection: &Collection, asked: &Asked) -> String {
        let state = self.layer(collection).state(asked.tile);
        format!("{} {} {} {} {state:?}", collection.id, self.edition, asked.basis, self.day)
    }

    pub(super) fn write(
        &self,
        collection: &Collection,
        asked: &Asked,
        into: MvtTileBuilder,
    ) -> Result<MvtTileBuilder, MapError> {
        let only_contested = collection.source == Source::Ground(Ground::Contested);
        let lets_in = |Contested(contested): &Contested| *contested || !only_contested;
        Ok(self.layer(collection).write(&collection.id, asked.tile, asked.sight.tier, lets_in, into)?)
    }
}

fn tag(
    features: &[Feature],
    layer: &Layer<usize, Contested>,
    tagger: &mut Tagger,
) -> Vec<(Contested, tile::Feature)> {
    let mut tagged = |feature: &Feature| {
        let contested = Contested(feature.properties.get("contested").is_some_and(|flag| flag == true));
        Some((contested, tagger.feature(feature, layer.fields())?))
    };
    features.iter().filter_map(&mut tagged).collect()
}

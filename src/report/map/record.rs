//! A kind's records as layers: one for each of its dimensions, for every reader.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use fast_mvt::MvtTileBuilder;
use uuid::Uuid;

use super::tag::{Tagger, fields, legend};
use super::{Asked, MapError, eyes};
use crate::model::Stage;
use crate::model::role::{Custody, Shown, Sight};
use crate::model::schema::Registry;
use crate::ogc::collection::{Collection, Source};
use crate::ogc::feature::Feature;
use crate::report::book::Basis;
use crate::store::map::{EVERYTHING, Mapped};
use crate::store::programme::Moment;
use crate::store::{Result, Store};
use crate::tile::{self, Layer};

/// Who is shown a feature of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Audience {
    custody: Custody,
    /// It is the version that was finalised, which others have amended since.
    official: bool,
}

impl Audience {
    fn has(&self, asked: &Asked) -> bool {
        // What was amended and refused says again what is finalised; what was refused at first says nothing.
        let is_refused = self.custody.stage == Stage::Rejected && self.custody.official.is_none();
        if asked.review.is_some() && is_refused {
            return false;
        }
        match seen(asked).of_custody(&self.custody) {
            Shown::Head => !self.official,
            Shown::Official(_) => self.official,
            Shown::Nothing => false,
        }
    }
}

/// What the reader sees of the records that are asked for.
fn seen(asked: &Asked) -> Sight {
    Sight { official_only: asked.sight.official_only || asked.review == Some(Basis::Official), ..asked.sight }
}

/// The layers of a kind.
#[derive(Debug)]
pub(super) struct RecordMap {
    layers: Vec<(Collection, Layer<Uuid, Audience>)>,
    tagger: Tagger,
    epoch: Uuid,
    seq: i64,
}

/// Reads what has changed of a kind.
pub(super) fn follow(
    held: &RwLock<Option<RecordMap>>,
    store: &Store,
    moment: Moment,
    kind: &str,
) -> Result<()> {
    let fresh = |map: &RecordMap| map.epoch == moment.epoch && map.seq >= moment.seq;
    if held.read().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(fresh) {
        return Ok(());
    }
    let mut held = held.write().unwrap_or_else(PoisonError::into_inner);
    let epoch = store.moment()?.epoch;
    match &mut *held {
        Some(map) if map.epoch == epoch => map.catch_up(store),
        other => {
            *other = Some(RecordMap::read(store, kind, epoch)?);
            Ok(())
        }
    }
}

impl RecordMap {
    fn new(kind: &str, epoch: Uuid) -> Self {
        let all = Collection::seen(Registry::embedded(), EVERYTHING, false);
        let own = all.into_iter().filter(|one| one.kind() == Some(kind));
        let layer = |collection: Collection| {
            let fields = fields(&collection);
            let legend = legend(&fields);
            (collection, Layer::new(fields, legend))
        };
        Self { layers: own.map(layer).collect(), tagger: Tagger::default(), epoch, seq: 0 }
    }

    /// Reads everything.
    fn read(store: &Store, kind: &str, epoch: Uuid) -> Result<Self> {
        let mut map = Self::new(kind, epoch);
        if let Some(whole) = map.undivided() {
            map.fill(|take| store.read_mapped(&whole, 0, take))?;
            // It was read in parts, and what the first of them had may be here no longer.
            map.forget(&store.withdrawn(0, map.seq)?);
        }
        Ok(map)
    }

    /// Takes everything that is read. A record that changes meanwhile comes again, and is what it is then.
    fn fill(&mut self, read: impl FnOnce(&mut dyn FnMut(Mapped)) -> Result<i64>) -> Result<()> {
        let Self { layers, tagger, .. } = self;
        let mut found: HashMap<Uuid, Vec<Vec<(Audience, tile::Feature)>>> = HashMap::new();
        self.seq = read(&mut |record| {
            let each = layers.iter().map(|(collection, layer)| features(&record, collection, layer, tagger));
            found.insert(record.id, each.collect());
        })?;
        let mut loads: Vec<Vec<_>> = layers.iter().map(|_| Vec::new()).collect();
        for (id, each) in found {
            for (load, features) in loads.iter_mut().zip(each) {
                load.extend(features.into_iter().map(|(audience, feature)| (id, audience, feature)));
            }
        }
        for ((_, layer), load) in layers.iter_mut().zip(loads) {
            layer.load(load, self.seq);
        }
        Ok(())
    }

    fn catch_up(&mut self, store: &Store) -> Result<()> {
        let mut changed: Vec<Mapped> = Vec::new();
        let Some(whole) = self.undivided() else { return Ok(()) };
        let seq = store.read_mapped(&whole, self.seq, &mut |record| changed.push(record))?;
        let gone = store.withdrawn(self.seq, seq)?;
        for (collection, layer) in &mut self.layers {
            for record in &changed {
                let features = features(record, collection, layer, &mut self.tagger);
                layer.replace(&record.id, features, seq);
            }
        }
        self.seq = seq;
        self.forget(&gone);
        Ok(())
    }

    /// Takes out what is here no longer.
    fn forget(&mut self, gone: &[Uuid]) {
        for (_, layer) in &mut self.layers {
            for id in gone {
                layer.replace(id, Vec::new(), self.seq);
            }
            layer.measure();
        }
    }

    /// A collection that holds the kind's records of every dimension.
    fn undivided(&self) -> Option<Arc<Collection>> {
        let mut whole = self.layers.first()?.0.clone();
        if let Source::Records { divided, .. } = &mut whole.source {
            *divided = false;
        }
        Some(Arc::new(whole))
    }

    fn layer(&self, collection: &Collection) -> Option<&Layer<Uuid, Audience>> {
        self.layers.iter().find(|(own, _)| own.id == collection.id).map(|(_, layer)| layer)
    }

    /// Everything that what a tile shows depends on.
    pub(super) fn state(&self, collection: &Collection, asked: &Asked) -> String {
        let state = self.layer(collection).map(|layer| layer.state(asked.tile)).unwrap_or_default();
        let review = asked.review.map_or("all", Basis::as_str);
        format!("{} {} {state:?} {} {review}", collection.id, self.epoch, eyes(&seen(asked)))
    }

    pub(super) fn write(
        &self,
        collection: &Collection,
        asked: &Asked,
        into: MvtTileBuilder,
    ) -> std::result::Result<MvtTileBuilder, MapError> {
        let Some(layer) = self.layer(collection) else { return Ok(into) };
        let lets_in = |audience: &Audience| audience.has(asked);
        Ok(layer.write(&collection.id, asked.tile, asked.sight.tier, lets_in, into)?)
    }
}

/// The features of a record in one of its kind's layers: as it stands, and as it was finalised.
fn features(
    record: &Mapped,
    collection: &Collection,
    layer: &Layer<Uuid, Audience>,
    tagger: &mut Tagger,
) -> Vec<(Audience, tile::Feature)> {
    let mut feature = |feature: &Option<Feature>, official: bool| {
        let feature = feature.as_ref().filter(|feature| collection.holds(feature.geometry.as_ref()))?;
        let made = tagger.feature(feature, layer.fields())?;
        Some((Audience { custody: record.custody, official }, made))
    };
    let both = [feature(&record.head, false), feature(&record.official, true)];
    both.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use geo::{Geometry, Point};
    use serde_json::Map;

    use super::*;
    use crate::tile::TileId;

    fn find(id: Uuid, stage: Stage, there: bool) -> Mapped {
        let custody = Custody {
            tier: 2,
            organisation: Uuid::nil(),
            author: Uuid::nil(),
            stage,
            version: Uuid::nil(),
            official: None,
        };
        let geometry = Some(Geometry::Point(Point::new(18.0, 43.0)));
        let head = there.then(|| Feature { id, geometry, properties: Map::new() });
        Mapped { id, custody, head, official: None }
    }

    #[test]
    fn what_changes_while_a_kind_is_read_is_what_it_became() {
        let mut map = RecordMap::new("eo_item", Uuid::nil());
        let (moved, gone) = (Uuid::from_u128(1), Uuid::from_u128(2));
        map.fill(|take| {
            take(find(moved, Stage::Submitted, true));
            take(find(gone, Stage::Submitted, true));
            take(find(moved, Stage::Draft, true));
            take(find(gone, Stage::Draft, false));
            Ok(7)
        })
        .unwrap();
        let (collection, layer) = &map.layers[0];
        assert_eq!((layer.len(), map.seq), (1, 7));
        let stranger = Sight {
            drafts: crate::model::role::Drafts::Organisation,
            organisation: Uuid::from_u128(9),
            ..EVERYTHING
        };
        let asked = |sight: Sight| Asked {
            collections: vec![Arc::new(collection.clone())],
            tile: TileId::new(0, 0, 0).unwrap(),
            sight,
            day: chrono::NaiveDate::MAX,
            basis: Basis::Official,
            review: None,
        };
        let bytes =
            |sight: Sight| map.write(collection, &asked(sight), MvtTileBuilder::new()).unwrap().encode();
        assert!(!bytes(EVERYTHING).is_empty());
        assert!(bytes(stranger).is_empty(), "it is a draft again");
    }
}

//! A layer: features by their key, found by where they are, written tile by tile.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use fast_mvt::{MvtLayerBuilder, MvtResult, MvtTileBuilder, MvtValueRef};
use rstar::{AABB, RTree, RTreeObject};

use super::bucket::{Buckets, COARSE};
use super::feature::{Feature, Field, Tag};
use super::id::{Bounds, TileId};
use super::overview::{Block, Canvas, Class};
use super::pen::Pen;
use super::shape::Parts;

/// Features that a tile holds at most before an overview stands for it.
const DENSE: u32 = 3_000;

/// By what an overview divides what it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Legend {
    /// The field, and its values from the gravest on; what has another value comes after them.
    pub class: Option<(u8, Vec<String>)>,
    /// The field that says that two people disagree.
    pub flag: Option<u8>,
}

/// A feature that is kept, and who may see it.
#[derive(Debug)]
struct Kept<A> {
    audience: A,
    feature: Feature,
    class: Class,
}

/// A feature's box in the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Boxed {
    bounds: Bounds,
    slot: u32,
}

impl RTreeObject for Boxed {
    type Envelope = AABB<[i64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        envelope(self.bounds)
    }
}

fn envelope(bounds: Bounds) -> AABB<[i64; 2]> {
    let Bounds { min, max } = bounds;
    AABB::from_corners([min.x.into(), min.y.into()], [max.x.into(), max.y.into()])
}

/// A layer of features. `K` is what they are put and taken out by, `A` what says who may see one.
#[derive(Debug)]
pub struct Layer<K, A> {
    fields: Arc<[Field]>,
    legend: Arc<Legend>,
    kept: Vec<Option<Arc<Kept<A>>>>,
    vacant: Vec<u32>,
    slots: HashMap<K, Vec<u32>>,
    tree: RTree<Boxed>,
    buckets: Buckets,
    /// The coarsest zoom at which every feature is drawn.
    drawn_from: u8,
}

impl<K: Clone, A> Clone for Layer<K, A> {
    fn clone(&self) -> Self {
        Self {
            fields: Arc::clone(&self.fields),
            legend: Arc::clone(&self.legend),
            kept: self.kept.clone(),
            vacant: self.vacant.clone(),
            slots: self.slots.clone(),
            tree: self.tree.clone(),
            buckets: self.buckets.clone(),
            drawn_from: self.drawn_from,
        }
    }
}

impl<K: Eq + Hash, A> Layer<K, A> {
    /// An empty layer.
    pub fn new(fields: Vec<Field>, legend: Legend) -> Self {
        Self {
            fields: fields.into(),
            legend: Arc::new(legend),
            kept: Vec::new(),
            vacant: Vec::new(),
            slots: HashMap::new(),
            tree: RTree::new(),
            buckets: Buckets::default(),
            drawn_from: 0,
        }
    }

    /// The properties that its features may have.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The coarsest zoom at which every feature is drawn by itself; coarser tiles are overviews.
    pub fn drawn_from(&self) -> u8 {
        self.drawn_from
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.kept.len() - self.vacant.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills a new layer, as it is at a place in the log.
    pub fn load(&mut self, features: Vec<(K, A, Feature)>, stamp: i64) {
        let mut boxes = Vec::with_capacity(features.len());
        for (key, audience, feature) in features {
            boxes.push(self.keep(key, audience, feature));
        }
        if self.tree.size() == 0 {
            self.tree = RTree::bulk_load(boxes);
        } else {
            for boxed in boxes {
                self.tree.insert(boxed);
            }
        }
        self.buckets.touch_all(stamp);
        self.measure();
    }

    /// Puts a key's features in the place of those that it had, at a place in the log.
    pub fn replace(&mut self, key: &K, features: Vec<(A, Feature)>, stamp: i64)
    where
        K: Clone,
        A: PartialEq,
    {
        if self.has(key, &features) {
            return;
        }
        let before = self.slots.remove(key).unwrap_or_default();
        for slot in before {
            self.take_out(slot, stamp);
        }
        for (audience, feature) in features {
            self.buckets.touch(feature.shape.bounds, stamp);
            let boxed = self.keep(key.clone(), audience, feature);
            self.tree.insert(boxed);
        }
    }

    /// Everything may have changed by a place in the log.
    pub fn touch_all(&mut self, stamp: i64) {
        self.buckets.touch_all(stamp);
    }

    /// Looks anew at where it is dense, after changes.
    pub fn measure(&mut self) {
        self.drawn_from = self.buckets.sparse_from(DENSE).min(COARSE);
    }

    /// What a tile says is the same for as long as this is.
    pub fn state(&self, tile: TileId) -> (i64, bool) {
        (self.buckets.stamp(tile), self.is_overview(tile))
    }

    /// Writes what a tile shows of the layer to whoever is let in.
    ///
    /// # Errors
    /// Where the tile is larger than the format can say.
    pub fn write(
        &self,
        name: &str,
        tile: TileId,
        tier: i16,
        lets_in: impl Fn(&A) -> bool,
        into: MvtTileBuilder,
    ) -> MvtResult<MvtTileBuilder> {
        let found = self.tree.locate_in_envelope_intersecting(&envelope(tile.window()));
        let mut slots: Vec<u32> = found.map(|boxed| boxed.slot).collect();
        slots.sort_unstable();
        let mut shown = slots
            .into_iter()
            .filter_map(|slot| self.kept[slot as usize].as_deref())
            .filter(|kept| lets_in(&kept.audience))
            .peekable();
        if shown.peek().is_none() {
            return Ok(into);
        }
        let layer = into.layer(name)?;
        let layer = if self.is_overview(tile) {
            self.write_overview(tile, shown, layer)?
        } else {
            self.write_features(tile, tier, shown, layer)?
        };
        Ok(layer.end())
    }

    fn is_overview(&self, tile: TileId) -> bool {
        tile.zxy().0 < self.drawn_from
    }

    fn write_features<'k>(
        &self,
        tile: TileId,
        tier: i16,
        shown: impl Iterator<Item = &'k Kept<A>>,
        mut layer: MvtLayerBuilder,
    ) -> MvtResult<MvtLayerBuilder>
    where
        A: 'k,
    {
        let mut pen = Pen::new(tile);
        let zoom = tile.zxy().0;
        for kept in shown {
            let Feature { id, shape, tags } = &kept.feature;
            if !pen.draw(shape) {
                continue;
            }
            let mut feature = layer.feature_of(Pen::type_of(shape));
            pen.write(shape, &mut feature)?;
            feature.tag_ref("id", MvtValueRef::String(id))?;
            for (field, tag) in tags {
                let field = &self.fields[usize::from(*field)];
                if field.tier <= tier && field.from_zoom <= zoom {
                    feature.tag_ref(&field.name, value(tag))?;
                }
            }
            layer = feature.end();
        }
        Ok(layer)
    }

    fn write_overview<'k>(
        &self,
        tile: TileId,
        shown: impl Iterator<Item = &'k Kept<A>>,
        mut layer: MvtLayerBuilder,
    ) -> MvtResult<MvtLayerBuilder>
    where
        A: 'k,
    {
        let mut canvas = Canvas::new(tile);
        let mut points = false;
        for kept in shown {
            points |= matches!(kept.feature.shape.parts, Parts::Points(_));
            canvas.put(&kept.feature.shape, kept.class);
        }
        for (class, blocks, count) in canvas.classes() {
            let mut feature = if points {
                let mut feature = layer.feature_of(fast_mvt::MvtGeomType::Point);
                feature.points(blocks.iter().flat_map(cells_of))?;
                feature
            } else {
                let mut feature = layer.feature_of(fast_mvt::MvtGeomType::Polygon);
                for [[west, north], [east, south]] in blocks {
                    let corners = [[west, north], [east, north], [east, south], [west, south]];
                    feature.ring(corners.map(|[x, y]| fast_mvt::MvtCoord { x, y }), true)?;
                }
                feature
            };
            feature.tag_ref("overview", MvtValueRef::Bool(true))?;
            feature.tag_ref("count", value(&Tag::Whole(i64::try_from(count).unwrap_or(i64::MAX))))?;
            if let Some((field, values)) = &self.legend.class
                && let Some(named) = values.get(usize::from(class.rank))
            {
                feature.tag_ref(&self.fields[usize::from(*field)].name, MvtValueRef::String(named))?;
            }
            if let Some(flag) = self.legend.flag {
                feature.tag_ref(&self.fields[usize::from(flag)].name, MvtValueRef::Bool(class.flagged))?;
            }
            layer = feature.end();
        }
        Ok(layer)
    }

    /// Whether a key has just these features.
    fn has(&self, key: &K, features: &[(A, Feature)]) -> bool
    where
        A: PartialEq,
    {
        let slots = self.slots.get(key).map_or(&[][..], Vec::as_slice);
        let same = |(slot, (audience, feature)): (&u32, &(A, Feature))| {
            let kept = self.kept[*slot as usize].as_ref();
            kept.is_some_and(|kept| kept.audience == *audience && kept.feature == *feature)
        };
        slots.len() == features.len() && slots.iter().zip(features).all(same)
    }

    fn keep(&mut self, key: K, audience: A, feature: Feature) -> Boxed {
        let bounds = feature.shape.bounds;
        self.buckets.count(feature.shape.anchor(), true);
        let class = self.class_of(&feature);
        let kept = Some(Arc::new(Kept { audience, feature, class }));
        let slot = if let Some(slot) = self.vacant.pop() {
            self.kept[slot as usize] = kept;
            slot
        } else {
            self.kept.push(kept);
            u32::try_from(self.kept.len() - 1).expect("fewer features than 2^32 fit into memory")
        };
        self.slots.entry(key).or_default().push(slot);
        Boxed { bounds, slot }
    }

    fn take_out(&mut self, slot: u32, stamp: i64) {
        let Some(kept) = self.kept[slot as usize].take() else { return };
        let bounds = kept.feature.shape.bounds;
        self.tree.remove(&Boxed { bounds, slot });
        self.buckets.touch(bounds, stamp);
        self.buckets.count(kept.feature.shape.anchor(), false);
        self.vacant.push(slot);
    }

    fn class_of(&self, feature: &Feature) -> Class {
        let rank = self.legend.class.as_ref().and_then(|(field, values)| match feature.tag(*field) {
            Some(Tag::Text(text)) => values.iter().position(|value| **value == **text),
            _ => None,
        });
        let flagged = self.legend.flag.is_some_and(|flag| feature.tag(flag) == Some(&Tag::Flag(true)));
        Class { rank: rank.and_then(|rank| u8::try_from(rank).ok()).unwrap_or(u8::MAX), flagged }
    }
}

fn value(tag: &Tag) -> MvtValueRef<'_> {
    match tag {
        Tag::Text(text) => MvtValueRef::String(text),
        Tag::Whole(number) => MvtValueRef::SInt(*number),
        Tag::Number(number) => MvtValueRef::Double(*number),
        Tag::Flag(flag) => MvtValueRef::Bool(*flag),
    }
}

/// A point for every cell of a block.
fn cells_of(block: &Block) -> impl Iterator<Item = fast_mvt::MvtCoord> + use<> {
    let [[west, north], [east, south]] = *block;
    let side = super::overview::SIDE;
    let along = move |from: i32, to: i32| {
        (from..to).step_by(side.unsigned_abs() as usize).map(move |at| at + side / 2)
    };
    along(north, south).flat_map(move |y| along(west, east).map(move |x| fast_mvt::MvtCoord { x, y }))
}

//! The map's index: records and the ledger's ground as layers of vector tiles, kept up with the log.
//!
//! A layer is made when somebody first looks at it, and then follows what is written. Whoever asks gets tiles that
//! hold everything committed before the question, and can be told that a tile is the one they have without its being
//! made.

mod ground;
mod record;
mod tag;

use std::collections::{HashMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::NaiveDate;
use fast_mvt::MvtTileBuilder;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use self::ground::GroundMap;
use self::record::RecordMap;
use super::book::{Basis, LiveBooks};
use crate::geometry::display::DisplayError;
use crate::model::Hash;
use crate::model::role::{Drafts, Sight};
use crate::ogc::collection::{Collection, Source};
use crate::store::programme::Moment;
use crate::store::{Store, StoreError};
use crate::tile::{Field, TileId};

pub use tag::fields;

/// Tiles that are remembered, bytes.
const REMEMBERED: u64 = 64 << 20;
/// Days whose ground is remembered, of both bases together: a slider goes back and forth.
const DAYS: usize = 6;
/// Quick rather than small: with more, packing a tile takes longer than drawing it.
const PACKED: Compression = Compression::new(1);

/// Raised whenever a program of the same version draws the same state otherwise: caches have the tiles of before.
const FORM: u32 = 2;

/// Why a tile cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some ground cannot be drawn.
    #[error(transparent)]
    Ground(#[from] DisplayError),
    /// The tile cannot be written.
    #[error(transparent)]
    Tile(#[from] fast_mvt::MvtError),
    /// Packing or unpacking it failed.
    #[error(transparent)]
    Packing(#[from] std::io::Error),
}

/// Which tile, for whom.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its layers, in their order.
    pub collections: Vec<Arc<Collection>>,
    /// Which tile.
    pub tile: TileId,
    /// Who looks.
    pub sight: Sight,
    /// Ground at the end of this day; records are shown as they stand.
    pub day: NaiveDate,
    /// What counts as ground.
    pub basis: Basis,
    /// Only records that count on this basis; all that the reader may see where nobody says.
    pub review: Option<Basis>,
}

/// A tile, or that it is the one that somebody has.
#[derive(Debug)]
pub enum Answer {
    /// It is the one that the asker has.
    Same {
        /// Its name.
        etag: String,
    },
    /// The tile, packed with gzip; empty where there is nothing in it.
    Tile {
        /// What names it for as long as nothing in it changes.
        etag: String,
        /// MVT, packed.
        packed: Arc<[u8]>,
    },
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<(Hash, TileId), Arc<[u8]>> for ByBytes {
    fn weight(&self, _: &(Hash, TileId), packed: &Arc<[u8]>) -> u64 {
        packed.len() as u64 + 128
    }
}

type Held<K, M> = Mutex<VecDeque<(K, Arc<RwLock<Option<M>>>)>>;

/// The map as the server holds it.
pub struct LiveMap {
    records: Held<String, RecordMap>,
    grounds: Held<(Basis, NaiveDate), GroundMap>,
    /// Whose turn it is to make a day's ground: a whole country is drawn for each.
    making: Mutex<()>,
    tiles: Cache<(Hash, TileId), Arc<[u8]>, ByBytes>,
}

impl Default for LiveMap {
    fn default() -> Self {
        Self {
            records: Mutex::default(),
            grounds: Mutex::default(),
            making: Mutex::default(),
            tiles: Cache::with_weighter(4_096, REMEMBERED, ByBytes),
        }
    }
}

/// One layer of an asked tile, brought up to date.
enum Standing {
    Records(Arc<RwLock<Option<RecordMap>>>),
    Ground(Arc<RwLock<Option<GroundMap>>>),
}

impl LiveMap {
    /// Whether somebody has begun to make the ground that is asked for, if any is. Waits for nobody.
    pub fn has_day(&self, asked: &Asked) -> bool {
        if asked.collections.iter().all(|one| one.kind().is_some()) {
            return true;
        }
        let held = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().any(|(key, _)| *key == (asked.basis, asked.day))
    }

    /// A tile; only that it is the same where it is the one that `known` names. Blocks.
    ///
    /// # Errors
    /// Where the store fails or a tile cannot be made.
    pub fn tile(
        &self,
        store: &Store,
        books: &LiveBooks,
        asked: &Asked,
        known: impl Fn(&str) -> bool,
    ) -> Result<Answer, MapError> {
        let moment = store.moment()?;
        let layers = asked
            .collections
            .iter()
            .map(|collection| self.stand(store, books, moment, asked, collection))
            .collect::<Result<Vec<_>, _>>()?;
        let state: Vec<String> =
            asked.collections.iter().zip(&layers).map(|(one, layer)| layer.state(one, asked)).collect();
        let program = env!("CARGO_PKG_VERSION");
        let name = Hash::of_bytes(format!("{program} {FORM} {}", state.join(" ")).as_bytes());
        let key = (name, asked.tile);
        // The state moves with every change there, and whoever is not shown all of them must not be told of them by it:
        // their tile is named by what is in it.
        if asked.sight.drafts != Drafts::All {
            let packed = self.packed(key, asked, &layers)?;
            let etag = named(Hash::of_bytes(&packed));
            return Ok(if known(&etag) { Answer::Same { etag } } else { Answer::Tile { etag, packed } });
        }
        let etag = named(name);
        if known(&etag) {
            return Ok(Answer::Same { etag });
        }
        Ok(Answer::Tile { etag, packed: self.packed(key, asked, &layers)? })
    }

    /// The tile of a state, remembered or made.
    fn packed(&self, key: (Hash, TileId), asked: &Asked, layers: &[Standing]) -> Result<Arc<[u8]>, MapError> {
        if let Some(packed) = self.tiles.get(&key) {
            return Ok(packed);
        }
        let mut builder = MvtTileBuilder::new();
        for (collection, layer) in asked.collections.iter().zip(layers) {
            builder = layer.write(collection, asked, builder)?;
        }
        let packed: Arc<[u8]> = pack(&builder.encode())?.into();
        self.tiles.insert(key, Arc::clone(&packed));
        Ok(packed)
    }

    /// A collection's layer, caught up with the log as far as a moment at least.
    fn stand(
        &self,
        store: &Store,
        books: &LiveBooks,
        moment: Moment,
        asked: &Asked,
        collection: &Collection,
    ) -> Result<Standing, MapError> {
        match &collection.source {
            Source::Records { kind, .. } => {
                let held = find(&self.records, usize::MAX, kind.clone());
                record::follow(&held, store, moment, kind)?;
                Ok(Standing::Records(held))
            }
            Source::Ground(_) => {
                let key = (asked.basis, asked.day);
                let held = find(&self.grounds, DAYS, key);
                // Nobody waits with the books in hand.
                let turn =
                    is_blank(&held).then(|| self.making.lock().unwrap_or_else(PoisonError::into_inner));
                let near = self.nearest(key);
                books.since(store, moment, |books| ground::follow(&held, books, key, near.as_ref()))??;
                drop(turn);
                Ok(Standing::Ground(held))
            }
        }
    }

    /// The remembered day of a basis that is nearest to another: most of its ground is the same.
    fn nearest(&self, (basis, day): (Basis, NaiveDate)) -> Option<Arc<RwLock<Option<GroundMap>>>> {
        let held = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        let same = held.iter().filter(|((own, other), _)| *own == basis && *other != day);
        let nearest = same.min_by_key(|((_, other), _)| (*other - day).num_days().abs());
        nearest.map(|(_, map)| Arc::clone(map))
    }
}

impl Standing {
    /// Everything that what the tile shows of the layer depends on, in words.
    fn state(&self, collection: &Collection, asked: &Asked) -> String {
        let state = match self {
            Self::Records(map) => read(map, |map| map.state(collection, asked)),
            Self::Ground(map) => read(map, |map| map.state(collection, asked)),
        };
        state.unwrap_or_default()
    }

    fn write(
        &self,
        collection: &Collection,
        asked: &Asked,
        into: MvtTileBuilder,
    ) -> Result<MvtTileBuilder, MapError> {
        match self {
            Self::Records(map) => match &*map.read().unwrap_or_else(PoisonError::into_inner) {
                Some(map) => map.write(collection, asked, into),
                None => Ok(into),
            },
            Self::Ground(map) => match &*map.read().unwrap_or_else(PoisonError::into_inner) {
                Some(map) => map.write(collection, asked, into),
                None => Ok(into),
            },
        }
    }
}

/// A tile's name for caches; weak, because it is sent packed and not.
fn named(hash: Hash) -> String {
    format!("W/\"{}\"", &hash.to_hex()[..32])
}

fn is_blank<M>(map: &RwLock<Option<M>>) -> bool {
    map.read().unwrap_or_else(PoisonError::into_inner).is_none()
}

fn read<M, T>(map: &RwLock<Option<M>>, ask: impl FnOnce(&M) -> T) -> Option<T> {
    map.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
}

/// What is remembered under a key, last asked last; with more than `most`, what was not asked for longest is forgotten.
fn find<K: PartialEq, M>(held: &Held<K, M>, most: usize, key: K) -> Arc<RwLock<Option<M>>> {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    let found = held.iter().position(|(known, _)| *known == key).and_then(|place| held.remove(place));
    let (key, map) = found.unwrap_or_else(|| (key, Arc::default()));
    held.push_back((key, Arc::clone(&map)));
    while held.len() > most {
        held.pop_front();
    }
    map
}

/// Whatever of a reader decides what they are shown of records.
fn eyes(sight: &Sight) -> String {
    let drafts = match sight.drafts {
        Drafts::All => "all".to_owned(),
        Drafts::Organisation => sight.organisation.to_string(),
        Drafts::Own => sight.account.to_string(),
        Drafts::None => "none".to_owned(),
    };
    format!("{}.{drafts}.{}", sight.tier, sight.official_only)
}

fn pack(tile: &[u8]) -> std::io::Result<Vec<u8>> {
    if tile.is_empty() {
        return Ok(Vec::new());
    }
    let mut packer = GzEncoder::new(Vec::with_capacity(tile.len() / 2), PACKED);
    packer.write_all(tile)?;
    packer.finish()
}

/// The tile itself, for whoever cannot unpack it.
///
/// # Errors
/// None that a tile of ours can have.
pub fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut tile = Vec::new();
    if !packed.is_empty() {
        GzDecoder::new(packed).read_to_end(&mut tile)?;
    }
    Ok(tile)
}

/// The properties that tiles of a collection have, as far as a tier reaches.
pub fn fields_seen(collection: &Collection, tier: i16) -> HashMap<String, &'static str> {
    let fields: Vec<Field> = fields(collection);
    let seen = fields.into_iter().filter(|field| field.tier <= tier);
    seen.map(|field| (field.name, field.type_name)).collect()
}

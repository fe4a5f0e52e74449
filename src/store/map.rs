//! Records as a map's index holds them: every record of a kind that has changed, drawn as it stands and, where that
//! differs, as it was finalised, so that one index serves readers who see drafts and readers who do not.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use uuid::Uuid;

use super::backend::DbConnection;
use super::drawn::{Place, drawn, with_properties};
use super::feature::{LARGEST_BATCH, Scan};
use super::schema::record;
use super::txn::read_clock;
use super::{Result, Store};
use crate::model::role::{Custody, Drafts, Sight};
use crate::ogc::collection::Collection;
use crate::ogc::feature::Feature;

/// A record as maps draw it.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The record.
    pub id: Uuid,
    /// What decides who sees which of its versions.
    pub custody: Custody,
    /// As it stands; nothing where it is out of use.
    pub head: Option<Feature>,
    /// As it was finalised, where that is another version.
    pub official: Option<Feature>,
}

/// Whoever sees every record, each as it stands.
pub const EVERYTHING: Sight = Sight {
    tier: i16::MAX,
    drafts: Drafts::All,
    organisation: Uuid::nil(),
    account: Uuid::nil(),
    official_only: false,
};

impl Store {
    /// Hands every record of a collection's kind that has changed after a place in the log to `take`; gives the place
    /// up to which it has read.
    pub fn read_mapped(
        &self,
        collection: &Arc<Collection>,
        after: i64,
        take: &mut dyn FnMut(Mapped),
    ) -> Result<i64> {
        let mut from = after;
        loop {
            let (records, last, head) = self.read_feed(|connection| {
                let head = read_clock(connection)?.seq;
                let places = places(connection, collection, from)?;
                let last = places.last().map(|place| place.seq);
                Ok((mapped(connection, collection, &places, head)?, last, head))
            })?;
            let Some(last) = last else { return Ok(head) };
            from = last;
            records.into_iter().for_each(&mut *take);
        }
    }
}

fn places(connection: &mut DbConnection, collection: &Collection, after: i64) -> Result<Vec<Place>> {
    Ok(record::table
        .filter(record::kind.eq(collection.kind().unwrap_or_default()))
        .filter(record::seq.gt(after))
        .order(record::seq)
        .limit(LARGEST_BATCH.into())
        .select(Place::as_select())
        .load(connection)?)
}

fn mapped(
    connection: &mut DbConnection,
    collection: &Arc<Collection>,
    places: &[Place],
    at: i64,
) -> Result<Vec<Mapped>> {
    let mut seen_by = |sight: Sight, places: &[Place]| -> Result<HashMap<Uuid, Feature>> {
        let collection = Arc::clone(collection);
        let scan = Scan { collection, sight, at, bbox: None, batch: LARGEST_BATCH };
        let drawn = drawn(connection, &scan, places)?;
        let features = with_properties(connection, drawn)?;
        Ok(features.into_iter().map(|feature| (feature.id, feature)).collect())
    };
    let mut heads = seen_by(EVERYTHING, places)?;
    let amended: Vec<Place> = places.iter().filter(|place| place.is_amended()).cloned().collect();
    let mut officials = seen_by(Sight { official_only: true, ..EVERYTHING }, &amended)?;
    places
        .iter()
        .map(|place| {
            let id = place.record_id.0;
            Ok(Mapped {
                id,
                custody: place.custody()?,
                head: heads.remove(&id),
                official: officials.remove(&id),
            })
        })
        .collect()
}

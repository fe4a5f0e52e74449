//! Where features come from: the store's records, or the ledger's ground, batch by batch. All of it blocks.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use chrono::NaiveDate;
use uuid::Uuid;

use super::question::Question;
use crate::export::Undrawn;
use crate::http::error::{ApiError, ApiResult};
use crate::http::state::AppState;
use crate::ledger::Query;
use crate::ogc::collection::{Ground, Source};
use crate::ogc::feature::Feature;
use crate::report::article5::ReportedSizes;
use crate::report::book::{Basis, Books, Standing};
use crate::report::features;
use crate::store::StoreError;
use crate::store::feature::{self, LARGEST_BATCH, Scan};

/// Areas or releases that are drawn at a time.
const DRAWN: usize = 256;

/// How long features are held against one question. Reading them is not counted, nor a client that takes its time.
const THOUGHT: Duration = Duration::from_mins(1);
/// The problem that the ground has changed between two looks at it.
pub(super) const MOVED: &str = "ground-moved";
/// Seconds after which somebody may ask again.
const RETRY_S: u32 = 60;

/// A way through a collection's features.
#[derive(Debug)]
pub(super) struct Walk {
    way: Way,
    /// How long the question may still be thought about.
    thought: Duration,
}

#[derive(Debug)]
enum Way {
    /// Through records.
    Records(feature::Walk),
    /// Through ground, the next one last.
    Ground(Ground, Vec<Uuid>),
}

impl From<Way> for Walk {
    fn from(way: Way) -> Self {
        Self { way, thought: THOUGHT }
    }
}

impl Question {
    /// What is asked of the store.
    pub(super) fn scan(&self) -> Scan {
        // A short page is not made from a long batch.
        let short = self.takes_all() && self.bbox.is_none() && self.sort.is_empty();
        let batch =
            u16::try_from(self.limit.saturating_add(1)).ok().filter(|_| short).unwrap_or(LARGEST_BATCH);
        Scan { collection: self.collection.clone(), sight: self.sight, at: self.at, bbox: self.bbox, batch }
    }

    /// A way through everything after this feature, in the order of ids.
    pub(super) fn walk(&self, state: &AppState, after: Option<Uuid>) -> ApiResult<Walk> {
        let store = state.blocking_store();
        match &self.collection.source {
            Source::Records { .. } => Ok(Way::Records(store.walk(self.scan(), after)?).into()),
            Source::Ground(ground) => {
                let (ground, day, bbox) = (*ground, self.day, self.bbox);
                let ids = state.books.current(store, |books| {
                    self.must_stand(books)?;
                    Ok::<_, ApiError>(features::ids(books.of(self.basis), ground, day, bbox))
                })??;
                let ahead = ids.into_iter().filter(|id| after.is_none_or(|after| *id > after));
                Ok(Way::Ground(ground, ahead.rev().collect()).into())
            }
        }
    }

    /// A way through these features, in this order.
    pub(super) fn walk_through(&self, ids: Vec<Uuid>) -> Walk {
        let way = match &self.collection.source {
            Source::Records { .. } => Way::Records(feature::Walk::through(self.scan(), ids.into_iter())),
            Source::Ground(ground) => Way::Ground(*ground, ids.into_iter().rev().collect()),
        };
        way.into()
    }

    /// The features of the next batch that the question lets through; nothing at the end.
    ///
    /// # Errors
    /// 503 where the question has been thought about for too long.
    pub(super) fn next(&self, state: &AppState, walk: &mut Walk) -> ApiResult<Option<Vec<Feature>>> {
        let batch = match &mut walk.way {
            Way::Records(walk) => state.blocking_store().next_features(walk)?,
            Way::Ground(ground, ids) => {
                let part: Vec<Uuid> = ids.drain(ids.len().saturating_sub(DRAWN)..).rev().collect();
                if part.is_empty() { None } else { Some(self.ground(state, *ground, &part)?) }
            }
        };
        let Some(batch) = batch else { return Ok(None) };
        Ok(Some(let_through(batch, &mut walk.thought, |feature| self.admits(feature))?))
    }

    /// These pieces of ground, in this order.
    fn ground(&self, state: &AppState, ground: Ground, ids: &[Uuid]) -> ApiResult<Vec<Feature>> {
        let mut drawn = state.books.current(state.blocking_store(), |books| {
            self.must_stand(books)?;
            Ok::<_, ApiError>(features::features(books.of(self.basis), ground, self.day, ids)?)
        })??;
        let turns: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
        drawn.sort_by_key(|feature| turns.get(&feature.id).copied());
        Ok(drawn)
    }

    fn admits(&self, feature: &Feature) -> bool {
        let in_box = self.bbox.is_none_or(|bbox| bbox.meets(feature.geometry.as_ref()));
        let in_time = self.interval.is_none_or(|asked| {
            // What does not say when it holds is never left out.
            feature.interval(&self.collection).is_none_or(|holds| holds.meets(&asked))
        });
        in_box && in_time && self.filters.iter().all(|filter| filter.admits(feature))
    }

    /// From now on all ground is of one state of the ledger: the one of the first page, or else the one of now. Records are
    /// read as they stood at one place in the log anyway.
    pub(super) fn stand(&mut self, state: &AppState) -> ApiResult<()> {
        let Source::Ground(_) = self.collection.source else { return Ok(()) };
        self.standing = Some(match &self.cursor {
            Some(first) => Standing { edition: first.edition.clone().unwrap_or_default(), seq: first.at },
            None => state.books.current(state.blocking_store(), Books::standing)?,
        });
        Ok(())
    }

    /// What the ledger knows of beside what it can draw; nothing of records, each of which is there as it is.
    pub(super) fn undrawn(&self, state: &AppState) -> ApiResult<Option<Undrawn>> {
        let Source::Ground(_) = self.collection.source else { return Ok(None) };
        Ok(Some(undrawn(state, self.basis, self.day)?))
    }

    /// Ground is drawn batch by batch: where it moves meanwhile, a square metre could be in two areas or in none.
    ///
    /// # Errors
    /// 409 where it has changed.
    fn must_stand(&self, books: &Books) -> ApiResult<()> {
        if self.standing.as_ref().is_none_or(|standing| books.is_ground_of(self.basis, standing)) {
            return Ok(());
        }
        let detail = "the ground has changed since the first page was read, and its pages no longer fit together: ask for \
                      the first page again";
        Err(ApiError::new(StatusCode::CONFLICT, MOVED, detail))
    }

    /// How many features there are on all pages.
    pub(super) fn count(&self, state: &AppState) -> ApiResult<u64> {
        if let (Source::Records { .. }, true) = (&self.collection.source, self.takes_all()) {
            let count = || state.blocking_store().count_features(self.scan());
            // At an earlier place in the log what is shown also depends on what has become of it since.
            if self.bbox.is_some() || self.cursor.is_some() || self.address.get("as_of").is_some() {
                return Ok(count()?);
            }
            return Ok(state.counts.get((self.collection.id.clone(), self.sight, self.at), count)?);
        }
        let mut walk = self.walk(state, None)?;
        if let (Way::Ground(_, ids), true, None) = (&walk.way, self.takes_all(), self.bbox) {
            return Ok(ids.len() as u64);
        }
        let mut count = 0;
        while let Some(batch) = self.next(state, &mut walk)? {
            count += batch.len() as u64;
        }
        Ok(count)
    }

    /// One feature.
    ///
    /// # Errors
    /// 404
    pub(super) fn find(&self, state: &AppState, id: Uuid) -> ApiResult<Feature> {
        match &self.collection.source {
            Source::Records { .. } => Ok(state.blocking_store().find_feature(self.scan(), id)?),
            Source::Ground(ground) => {
                let found = self.ground(state, *ground, &[id])?.pop();
                // What is left of an area that nobody contests is not among what is contested.
                let known = found.filter(|feature| {
                    *ground != Ground::Contested || feature.properties["contested"] == true
                });
                Ok(known.ok_or(StoreError::NotFound("feature"))?)
            }
        }
    }
}

/// What the ledger knows of at the end of a day beside what it can draw.
pub(super) fn undrawn(state: &AppState, basis: Basis, day: NaiveDate) -> ApiResult<Undrawn> {
    Ok(state.books.current(state.blocking_store(), |books| {
        let book = books.of(basis);
        let known = ReportedSizes::from(book.ledger.reported_only(day, &Query::default()));
        Undrawn {
            records_left_out: book.left_out().len(),
            areas_reported_only: known.areas,
            reported_only_m2: known.reported_m2,
        }
    })?)
}

/// The features that are let through. The time is looked at after each of them: one outline may be as long as a thousand,
/// and nobody may be waiting for the answer any more.
fn let_through(
    batch: Vec<Feature>,
    thought: &mut Duration,
    admits: impl Fn(&Feature) -> bool,
) -> ApiResult<Vec<Feature>> {
    let begun = Instant::now();
    let mut kept = Vec::with_capacity(batch.len());
    for feature in batch {
        if admits(&feature) {
            kept.push(feature);
        }
        if begun.elapsed() > *thought {
            let detail = "holding every feature against this question takes too long: ask for a smaller box, or in parts";
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).retry_after(RETRY_S));
        }
    }
    *thought = thought.saturating_sub(begun.elapsed());
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::http::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn a_question_is_not_thought_about_for_ever() {
        let feature = || Feature { id: Uuid::nil(), geometry: None, properties: serde_json::Map::new() };
        let batch = || vec![feature(), feature(), feature()];
        let mut thought = Duration::from_millis(50);
        let slow = |_: &Feature| {
            std::thread::sleep(Duration::from_millis(10));
            true
        };
        assert_eq!(let_through(batch(), &mut thought, slow).unwrap().len(), 3);
        assert!(thought < Duration::from_millis(25), "what was thought is counted: {thought:?}");
        let refused = let_through(batch(), &mut thought, slow).unwrap_err().error_response();
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key(RETRY_AFTER));
    }
}

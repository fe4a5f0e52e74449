//! The live books: one ledger for each basis, kept up with the log.
//!
//! Whoever asks gets figures that hold everything committed before the question. A change recomputes only the
//! cluster of polygons that it touches.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use uuid::Uuid;

use super::fact::{Doubt, Fact, Rules, Surveyed};
use super::ordnance::Ordnance;
use crate::geometry::{Grid, GridError};
use crate::ledger::Ledger;
use crate::model::vocabulary;
use crate::programme::{AdminUnits, Programme};
use crate::store::book::RecordLine;
use crate::store::programme::Moment;
use crate::store::{self, Store, StoreError};

vocabulary! {
    /// What figures count.
    #[derive(Default)]
    pub enum Basis {
        /// Only what the authority has finalised.
        #[default]
        Official = "official",
        /// Everything that was not rejected.
        Provisional = "provisional",
    }
}

/// The kinds of record that the books are made of.
const KINDS: [&str; 3] = ["hazardous_area", "land_release", "eo_item"];

/// One basis's books.
pub struct Book {
    /// The ground.
    pub ledger: Ledger,
    /// The ordnance.
    pub ordnance: Ordnance,
    /// What people call the records.
    names: HashMap<Uuid, Arc<str>>,
    /// Records that a person should look at because of how they count.
    doubts: BTreeMap<Uuid, Doubt>,
    /// The place in the log up to which this was read when it last changed.
    changed_at: i64,
    /// Clusters that failed a check when they were last computed.
    breaches: Vec<String>,
}

/// A state of the books, by the place in the log up to which they had read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the books were made with beside the records.
    pub edition: String,
    /// Up to which place in the log they had read.
    pub seq: i64,
}

/// Both books and what they depend on.
pub struct Books {
    official: Book,
    provisional: Book,
    /// The programme that they were made with.
    pub programme: Programme,
    units: AdminUnits,
    revision: i32,
    epoch: Uuid,
    /// Up to which place in the log they have read.
    pub seq: i64,
}

impl Books {
    /// The book of a basis.
    pub fn of(&self, basis: Basis) -> &Book {
        match basis {
            Basis::Official => &self.official,
            Basis::Provisional => &self.provisional,
        }
    }

    /// What names the state of the books now, so that somebody can ask later whether it still holds.
    pub fn standing(&self) -> Standing {
        Standing { edition: self.edition(), seq: self.seq }
    }

    /// Whether the ground of a basis is the same as it was. Processes read the log in steps of their own: one that was
    /// behind may say no where it could say yes, and never the other way round.
    pub fn is_ground_of(&self, basis: Basis, standing: &Standing) -> bool {
        self.of(basis).changed_at <= standing.seq && self.edition() == standing.edition
    }

    /// Whether the programme's units or any area have this code at an administrative level, counted from 0.
    pub fn knows_unit(&self, level: usize, code: &str) -> bool {
        let units = self.units.iter().any(|unit| unit.level == level + 1 && unit.code == code);
        units || [&self.official, &self.provisional].iter().any(|book| book.ledger.has_unit(level, code))
    }

    /// What the books were made with beside the records: the same edition at the same place in the log says the same.
    pub fn edition(&self) -> String {
        format!("{}.{}", self.epoch, self.revision)
    }

    fn new(programme: Programme, revision: i32, epoch: Uuid) -> Result<Self, GridError> {
        let book = || {
            let ledger = Ledger::new(Grid::for_extent(programme.extent)?);
            Ok::<_, GridError>(Book {
                ledger,
                ordnance: Ordnance::default(),
                names: HashMap::new(),
                doubts: BTreeMap::new(),
                changed_at: 0,
                breaches: Vec::new(),
            })
        };
        Ok(Self {
            official: book()?,
            provisional: book()?,
            // A programme with unreadable units is not stored; see `Programme::faults`.
            units: AdminUnits::read(programme.admin_units.as_ref()).unwrap_or_default(),
            programme,
            revision,
            epoch,
            seq: 0,
        })
    }

    fn take(&mut self, line: &RecordLine) {
        if line.kind == "eo_item" {
            self.official.ordnance.take(line, Basis::Official);
            self.provisional.ordnance.take(line, Basis::Provisional);
            return;
        }
        let record = Surveyed::read(line);
        for basis in Basis::ALL {
            let rules = Rules { units: &self.units, date_rule: self.programme.date_rule, basis: *basis };
            let book = match basis {
                Basis::Official => &mut self.official,
                Basis::Provisional => &mut self.provisional,
            };
            book.take(&record, &rules);
        }
    }

    /// A record that is here no longer.
    fn forget(&mut self, id: Uuid) {
        for book in [&mut self.official, &mut self.provisional] {
            book.doubts.remove(&id);
            book.names.remove(&id);
            book.ledger.remove_hazard(id);
            book.ledger.remove_release(id);
            book.ordnance.forget(id);
        }
    }

    /// Recomputes what has changed up to a place in the log.
    fn settle(&mut self, seq: i64) {
        self.seq = seq;
        for book in [&mut self.official, &mut self.provisional] {
            let before = book.ledger.turn();
            let breaches = book.ledger.settle().err().unwrap_or_default();
            for breach in &breaches {
                tracing::error!(%breach, "a cluster of the ledger failed a check and is left out");
            }
            book.breaches = breaches.iter().map(ToString::to_string).collect();
            if book.ledger.turn() != before {
                book.changed_at = seq;
            }
        }
    }
}

impl Book {
    /// What people call an area or a release, as it counts here.
    pub fn name(&self, id: Uuid) -> Option<&str> {
        self.names.get(&id).map(AsRef::as_ref)
    }

    /// What is in the records but not, or not all, in the figures, and why.
    pub fn left_out(&self) -> Vec<String> {
        let left_out = self.doubts.iter().filter_map(|(id, doubt)| match doubt {
            Doubt::LeftOut(why) => Some(format!("{id}: {why}")),
            Doubt::Repaired(_) => None,
        });
        let intricate =
            self.ledger.left_out().into_iter().map(|left| format!("{}: {}", left.id, left.reason));
        left_out.chain(intricate).chain(self.breaches.iter().cloned()).collect()
    }

    /// Clusters of outlines that failed a check when they were last computed, in words.
    pub fn breaches(&self) -> &[String] {
        &self.breaches
    }

    /// What counts with a proposed repair of its outline, and what that puts right.
    pub fn repaired(&self) -> Vec<String> {
        let repaired = self.doubts.iter().filter_map(|(id, doubt)| match doubt {
            Doubt::Repaired(what) => Some(format!("{id}: {what}")),
            Doubt::LeftOut(_) => None,
        });
        repaired.collect()
    }

    fn take(&mut self, record: &Surveyed<'_>, rules: &Rules<'_>) {
        let id = record.line.id;
        self.doubts.remove(&id);
        self.names.remove(&id);
        self.ledger.remove_hazard(id);
        self.ledger.remove_release(id);
        let reading = rules.read(record);
        self.names.extend(reading.name.map(|name| (id, name)));
        self.doubts.extend(reading.doubt.map(|doubt| (id, doubt)));
        let put = match reading.fact {
            Fact::Hazard(hazard) => self.ledger.put_hazard(hazard),
            Fact::Release(release) => self.ledger.put_release(release),
            Fact::Nothing => Ok(()),
        };
        if let Err(fault) = put {
            tracing::warn!(record = %id, %fault, "a record cannot be counted");
            self.doubts.insert(id, Doubt::LeftOut(fault.to_string()));
        }
    }
}

/// The books as the server holds them.
#[derive(Default)]
pub struct LiveBooks(RwLock<Option<Books>>);

impl LiveBooks {
    /// Runs `ask` on books that hold everything committed so far. Blocks: call it off the async threads.
    ///
    /// # Errors
    /// What the store reports; `Refused` where the programme's extent allows no grid.
    pub fn current<T>(&self, store: &Store, ask: impl FnOnce(&Books) -> T) -> store::Result<T> {
        self.since(store, store.moment()?, ask)
    }

    /// Asks books that know everything up to a moment. Blocks.
    ///
    /// # Errors
    /// As for [`LiveBooks::current`].
    pub fn since<T>(&self, store: &Store, moment: Moment, ask: impl FnOnce(&Books) -> T) -> store::Result<T> {
        let Moment { epoch, seq, revision } = moment;
        let fresh = |books: &Books| books.seq >= seq && books.revision == revision && books.epoch == epoch;
        if let Some(books) = self.read().as_ref().filter(|books| fresh(books)) {
            return Ok(ask(books));
        }
        self.catch_up(store)?;
        let books = self.read();
        Ok(ask(books.as_ref().ok_or(StoreError::Busy)?))
    }

    /// Catches up ahead of the next question; the place in the log up to which the books have read. Books that nobody
    /// has asked for are not made: a process that only meets tablets does without them.
    ///
    /// # Errors
    /// As for [`LiveBooks::current`].
    pub fn keep_up(&self, store: &Store) -> store::Result<Option<i64>> {
        if self.read().is_none() {
            return Ok(None);
        }
        self.current(store, |books| Some(books.seq))
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Books>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what has changed. Another programme or epoch makes the books anew.
    fn catch_up(&self, store: &Store) -> store::Result<()> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = store.head()?.epoch;
        let (programme, revision) = store.programme()?;
        let kept = held.take().filter(|books| books.revision == revision && books.epoch == epoch);
        let books = match kept {
            Some(books) => books,
            None => Books::new(programme, revision, epoch)
                .map_err(|fault| StoreError::refused("programme", fault.to_string()))?,
        };
        // Where the store fails half-way they stay, at their old place: what they have taken, they take again.
        let books = held.insert(books);
        let seq = store.read_lines(&KINDS, books.seq, |line| books.take(&line))?;
        for gone in store.withdrawn(books.seq, seq)? {
            books.forget(gone);
        }
        books.settle(seq);
        Ok(())
    }
}

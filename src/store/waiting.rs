//! What waits for somebody's next step: which records, and how much there is of it all.

use diesel::prelude::*;
use uuid::Uuid;

use super::column::Id;
use super::record::RecordQuery;
use super::schema::{conflict, record, version};
use super::{Result, Store};
use crate::model::record::Feature;
use crate::model::role::{Actor, Sight};
use crate::model::{Role, Stage};

/// Records of which the next step is somebody's.
#[derive(Debug, Clone)]
pub struct Queue(Vec<Part>);

/// The records at some stages, of one kind, one organisation or one author where these are given.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    stages: &'static [Stage],
    kind: Option<&'static str>,
    organisation: Option<Uuid>,
    author: Option<Uuid>,
}

impl Queue {
    /// Of which records the next step of the review is this person's (docs/domain.md §3).
    pub fn of(actor: &Actor) -> Self {
        let at = |stages: &'static [Stage]| Part { stages, ..Part::default() };
        let unsubmitted = at(&[Stage::Draft, Stage::Returned]);
        let own = |part: Part| Part { organisation: Some(actor.organisation), ..part };
        Self(match actor.role {
            Role::Surveyor => vec![Part { author: Some(actor.account), ..own(unsubmitted) }],
            Role::Supervisor => vec![own(unsubmitted)],
            Role::ProgrammeManager | Role::Authority => vec![own(at(&[Stage::Submitted]))],
            Role::QaOfficer => vec![
                at(&[Stage::OrgValidated]),
                // Whoever inspects others puts their own inspections forward.
                Part { kind: Some("qm_inspection"), ..own(unsubmitted) },
            ],
            Role::ImOfficer => vec![at(&[Stage::OpsValidated])],
            Role::Observer | Role::Admin | Role::Relay => Vec::new(),
        })
    }

    /// Each stage, with the part that it is of.
    fn stages(&self) -> impl Iterator<Item = (Part, Stage)> {
        self.0.iter().flat_map(|part| part.stages.iter().map(|stage| (*part, *stage)))
    }
}

impl Store {
    /// The first `limit` records of each stage of a queue, the oldest first.
    pub fn list_queue(&self, queue: &Queue, limit: i64, sight: Sight) -> Result<Vec<Feature>> {
        let mut waiting = Vec::new();
        for (part, stage) in queue.stages() {
            let query = RecordQuery {
                stage: Some(stage),
                kind: part.kind.map(str::to_owned),
                organisation: part.organisation,
                author: part.author,
                // A retirement is reviewed like any other edit.
                retired: true,
                limit,
                ..RecordQuery::default()
            };
            waiting.extend(self.list_records(&query, sight)?.features);
        }
        Ok(waiting)
    }

    /// How many records a queue has.
    pub fn count_queue(&self, queue: &Queue, sight: Sight) -> Result<i64> {
        self.read_feed(|connection| {
            let mut all: i64 = 0;
            for part in &queue.0 {
                let stages: Vec<&str> = part.stages.iter().map(|stage| stage.as_str()).collect();
                let mut select = record::table
                    .filter(record::stage.eq_any(stages))
                    .filter(record::tier.le(sight.tier))
                    .count()
                    .into_boxed();
                if let Some(kind) = part.kind {
                    select = select.filter(record::kind.eq(kind));
                }
                if let Some(organisation) = part.organisation {
                    select = select.filter(record::organisation.eq(Id(organisation)));
                }
                if let Some(author) = part.author {
                    select = select.filter(record::author.eq(Id(author)));
                }
                all += select.get_result::<i64>(connection)?;
            }
            Ok(all)
        })
    }

    /// How many conflicts are open, as [`Store::list_conflicts`] would list them.
    pub fn count_conflicts(&self, organisation: Option<Uuid>, sight: Sight) -> Result<i64> {
        self.read_feed(|connection| {
            let mut select = conflict::table
                .inner_join(version::table.on(version::version_id.eq(conflict::conflict_id)))
                .filter(conflict::closed_seq.is_null())
                .filter(version::kind.ne_all(self.registry.kinds_above(sight.tier)))
                .count()
                .into_boxed();
            if let Some(organisation) = organisation {
                select = select.filter(version::organisation.eq(Id(organisation)));
            }
            Ok(select.get_result(connection)?)
        })
    }
}

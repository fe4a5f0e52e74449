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
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    stages: &'static [Stage],
    organisation: Option<Uuid>,
    author: Option<Uuid>,
}

impl Queue {
    /// Of which records the next step of the review is this person's (docs/domain.md §3).
    pub fn of(actor: &Actor) -> Self {
        let (stages, is_own): (&'static [Stage], bool) = match actor.role {
            Role::Surveyor | Role::Supervisor => (&[Stage::Draft, Stage::Returned], true),
            Role::ProgrammeManager | Role::Authority => (&[Stage::Submitted], true),
            Role::QaOfficer => (&[Stage::OrgValidated], false),
            Role::ImOfficer => (&[Stage::OpsValidated], false),
            Role::Observer | Role::Admin | Role::Relay => (&[], false),
        };
        Self {
            stages,
            organisation: is_own.then_some(actor.organisation),
            author: (actor.role == Role::Surveyor).then_some(actor.account),
        }
    }
}

impl Store {
    /// The first `limit` records of each stage of a queue, the oldest first.
    pub fn list_queue(&self, queue: Queue, limit: i64, sight: Sight) -> Result<Vec<Feature>> {
        let mut waiting = Vec::new();
        for stage in queue.stages {
            let query = RecordQuery {
                stage: Some(*stage),
                organisation: queue.organisation,
                author: queue.author,
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
    pub fn count_queue(&self, queue: Queue, sight: Sight) -> Result<i64> {
        self.read_feed(|connection| {
            let stages: Vec<&str> = queue.stages.iter().map(|stage| stage.as_str()).collect();
            let mut select = record::table
                .filter(record::stage.eq_any(stages))
                .filter(record::tier.le(sight.tier))
                .count()
                .into_boxed();
            if let Some(organisation) = queue.organisation {
                select = select.filter(record::organisation.eq(Id(organisation)));
            }
            if let Some(author) = queue.author {
                select = select.filter(record::author.eq(Id(author)));
            }
            Ok(select.get_result(connection)?)
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

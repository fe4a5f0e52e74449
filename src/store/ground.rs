//! What quality rules know of the programme: kept between transactions, read again when the programme changes.

use std::sync::{Arc, Mutex, PoisonError};

use super::backend::DbConnection;
use super::{Result, programme};
use crate::model::quality::{AdminArea, Extent};
use crate::programme::AdminUnits;

/// The programme's ground.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// The country's box; nothing where the programme has not set one.
    pub(super) country: Option<Extent>,
    /// Its administrative units.
    pub(super) admin_areas: Vec<AdminArea>,
}

/// The ground as last read, with the programme's revision.
#[derive(Debug, Default)]
pub(super) struct GroundCache(Mutex<Option<(i32, Arc<Ground>)>>);

impl GroundCache {
    /// The ground of the programme as it stands in this transaction.
    pub(super) fn current(&self, connection: &mut DbConnection) -> Result<Arc<Ground>> {
        let revision = programme::revision(connection)?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, ground)) = held.as_ref()
            && *known == revision
        {
            return Ok(Arc::clone(ground));
        }
        let ground = Arc::new(read(connection)?);
        *held = Some((revision, Arc::clone(&ground)));
        Ok(ground)
    }
}

fn read(connection: &mut DbConnection) -> Result<Ground> {
    let (programme, revision) = programme::read(connection)?;
    // A programme with unreadable units is not stored; see `Programme::faults`.
    let units = AdminUnits::read(programme.admin_units.as_ref()).unwrap_or_default();
    let admin_areas = units.iter().map(|unit| AdminArea {
        level: u8::try_from(unit.level).unwrap_or(u8::MAX),
        names: vec![unit.code.clone(), unit.name.clone()],
        outline: unit.outline.clone(),
    });
    let crate::geometry::Extent { west, south, east, north } = programme.extent;
    Ok(Ground {
        country: (revision > 0).then_some(Extent { west, south, east, north }),
        admin_areas: admin_areas.collect(),
    })
}

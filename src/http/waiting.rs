//! How much waits for the asker: for pages that show a number and no list.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::access::Access;
use super::devices::whose_field;
use super::error::ApiResult;
use super::quarantine::own_organisation;
use super::state::AppState;
use crate::auth::permission::{OwnAccount, Permission as _, ReadAlarms, ReadConflicts, Review};
use crate::store::waiting::Queue;

/// How much waits; null for what is not the asker's to look after.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Waiting {
    /// Records of which the next step of the review is the asker's.
    review: Option<i64>,
    /// Open conflicts.
    conflicts: Option<i64>,
    /// Alarms.
    alarms: Option<usize>,
}

/// How many records, conflicts and alarms wait for the asker.
#[utoipa::path(tag = "records", responses((status = 200, body = Waiting)))]
#[get("/v1/waiting")]
pub(crate) async fn count(access: Access<OwnAccount>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let (actor, own) = (access.actor, own_organisation(&access));
    let waiting = state
        .store(move |store| {
            let (role, sight) = (actor.role, actor.sight());
            let review = Review::ROLES.contains(&role).then(|| store.count_queue(&Queue::of(&actor), sight));
            let conflicts = ReadConflicts::ROLES.contains(&role).then(|| store.count_conflicts(own, sight));
            let alarms = ReadAlarms::ROLES.contains(&role).then(|| store.list_alarms(whose_field(&actor)));
            Ok(Waiting {
                review: review.transpose()?,
                conflicts: conflicts.transpose()?,
                alarms: alarms.transpose()?.map(|alarms| alarms.len()),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(waiting))
}

//! What a record claims of files, and what of it is here.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::Access;
use super::error::ApiResult;
use super::quarantine::own_organisation;
use super::state::{AppState, is_full};
use crate::auth::permission::{ReadQuarantine, ReadRecords};
use crate::blob::UploadId;
use crate::model::{Hash, vocabulary};
use crate::store::absent::Absent;
use crate::store::claim::Claim;

vocabulary! {
    /// How much of a claimed file is here.
    pub enum Presence {
        /// All of it, and its hash is right.
        Complete = "complete",
        /// Some of it.
        Partial = "partial",
        /// Nothing.
        Absent = "absent",
    }
}

/// The files that a record's versions claim.
#[derive(Serialize, utoipa::ToSchema)]
struct Attachments {
    record: Uuid,
    attachments: Vec<Attached>,
}

/// A file that a version of a record claims.
#[derive(Serialize, utoipa::ToSchema)]
struct Attached {
    /// File name as taken; left out for the public.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The hash that names it.
    sha256: String,
    /// Bytes, as claimed.
    size: u64,
    /// MIME type, as claimed.
    media_type: String,
    /// The version that claims it.
    version: Uuid,
    /// How much of it is here.
    state: Presence,
    /// Bytes that are here.
    bytes_here: u64,
    /// What its first bytes say it is, once it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_type: Option<String>,
    /// What does not fit between the claim and the file, or why it cannot come.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// How many files a record claims, and how many of them are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    claimed: usize,
    here: usize,
}

impl Count {
    /// Counts every file once, however often it is claimed.
    pub(super) fn of(claims: &[Claim]) -> Self {
        let mut files: BTreeMap<&str, bool> = BTreeMap::new();
        for claim in claims {
            *files.entry(&claim.sha256).or_default() |= claim.here.is_some();
        }
        Self { claimed: files.len(), here: files.values().filter(|here| **here).count() }
    }
}

/// The files that a record claims, and how much of each is here.
#[utoipa::path(tag = "records", params(("id" = Uuid, Path)), responses((status = 200, body = Attachments)))]
#[get("/v1/records/{id}/attachments")]
pub(crate) async fn list(
    access: Access<ReadRecords>,
    state: Data<AppState>,
    id: Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (record, sight) = (id.into_inner(), access.actor.sight());
    let looked_at = state.clone();
    let attachments = state
        .store(move |store| {
            let claims = store.list_claims(record, sight)?;
            Ok(claims.into_iter().map(|claim| attached(&looked_at, claim)).collect())
        })
        .await?;
    Ok(HttpResponse::Ok().json(Attachments { record, attachments }))
}

/// Which files.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Where the page before ended.
    after: Option<i64>,
}

/// Files that are waited for.
#[derive(Serialize, utoipa::ToSchema)]
struct AbsentList {
    absent: Vec<Absent>,
    /// Where the next page begins, as `after`; null on the last one.
    next: Option<i64>,
}

/// Files that records claim and that have not come whole, the longest awaited first; operators see their own
/// organisation's.
#[utoipa::path(tag = "records", params(Which), responses((status = 200, body = AbsentList)))]
#[get("/v1/attachments/absent")]
pub(crate) async fn list_absent(
    access: Access<ReadQuarantine>,
    state: Data<AppState>,
    which: Query<Which>,
) -> ApiResult<HttpResponse> {
    let (of, sight, limit) = (own_organisation(&access), access.actor.sight(), state.limits.list_rows);
    let after = which.after.unwrap_or(0);
    let absent = state.store(move |store| store.list_absent(of, after, limit, sight)).await?;
    // A mutation's files stand together: the next page begins with the last one's again, if it may lack some.
    let next = absent.last().filter(|_| is_full(absent.len(), limit)).map(|last| last.seq - 1);
    Ok(HttpResponse::Ok().json(AbsentList { absent, next }))
}

fn attached(state: &AppState, claim: Claim) -> Attached {
    let file = Hash::from_hex(&claim.sha256);
    let come = match (&claim.here, file) {
        (Some(here), _) => here.size,
        (None, Some(file)) => state.blobs.uploads.come(UploadId { organisation: claim.organisation, file }),
        (None, None) => 0,
    };
    let presence = match &claim.here {
        Some(_) => Presence::Complete,
        None if come > 0 => Presence::Partial,
        None => Presence::Absent,
    };
    let most = state.limits.blob_bytes;
    let problem = match &claim.here {
        _ if file.is_none() => Some("its `sha256` is not 64 hexadecimal digits: it cannot come".to_owned()),
        None if claim.size > most => {
            Some(format!("it is larger than the {most} bytes that an attachment may have"))
        }
        Some(here) if here.size != claim.size => {
            Some(format!("it was said to have {} bytes and has {}", claim.size, here.size))
        }
        Some(here) if here.media_type != claim.media_type => {
            Some(format!("it was said to be {} and is {}", claim.media_type, here.media_type))
        }
        None | Some(_) => None,
    };
    Attached {
        name: claim.name,
        sha256: claim.sha256,
        size: claim.size,
        media_type: claim.media_type,
        version: claim.version,
        state: presence,
        bytes_here: come,
        found_type: claim.here.map(|here| here.media_type),
        problem,
    }
}

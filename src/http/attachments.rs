//! What a record claims of files, and what of it is here.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use serde::Serialize;
use uuid::Uuid;

use super::access::Access;
use super::error::ApiResult;
use super::state::AppState;
use crate::auth::permission::ReadRecords;
use crate::blob::UploadId;
use crate::model::{Hash, vocabulary};
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

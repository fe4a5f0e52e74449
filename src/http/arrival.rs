//! How a file comes in: in parts onto the disk, then looked at whole, then onto the shelf and into the database.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::timeout;
use actix_web::web::{self, Bytes, Data, Payload};
use futures_util::StreamExt as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::{ApiError, ApiResult};
use super::state::AppState;
use super::uploads::{mismatch, storage};
use crate::blob::{Upload, UploadId, media};
use crate::model::Hash;

/// Bytes that are gathered before they are written.
const PIECE: usize = 256 * 1024;

/// Where an upload stands.
pub(super) enum Slot {
    /// The organisation has sent it whole.
    Done { size: u64 },
    /// It is to come, as far as `length`.
    Open { upload: Upload, length: u64 },
}

/// Takes an organisation's upload of a file in hand. One that had come whole, and whose last answer was never given,
/// is finished first: an offset at the end says that the file is here.
///
/// # Errors
/// 404 where no record of the organisation claims it; 413; 423 where somebody else sends it just now.
pub(super) fn open(state: &AppState, file: Hash, organisation: Uuid) -> ApiResult<Slot> {
    let Some(expected) = state.blocking_store().find_expected(file, organisation)? else {
        let detail = "no record of your organisation claims this file: push the edit that names it among its \
                      `attachments` first, then send it";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "not-claimed", detail));
    };
    if let Some(size) = expected.done
        && state.blobs.shelf.size(file).map_err(|fault| storage(&fault))? == Some(size)
    {
        return Ok(Slot::Done { size });
    }
    let id = UploadId { organisation, file };
    let upload = state.blobs.uploads.take(id).map_err(|fault| storage(&fault))?.ok_or_else(|| {
        let detail = "somebody is sending this file just now: ask again in a moment";
        ApiError::new(StatusCode::LOCKED, "locked", detail).retry_after(5)
    })?;
    let length = upload.declared().unwrap_or(expected.size);
    within_limit(state, length)?;
    is_possible(file, length)?;
    proceed(state, upload, file, organisation, length)
}

fn proceed(state: &AppState, upload: Upload, file: Hash, organisation: Uuid, length: u64) -> ApiResult<Slot> {
    if upload.offset() < length {
        return Ok(Slot::Open { upload, length });
    }
    match finish(state, upload, length)? {
        Some(size) => Ok(Slot::Done { size }),
        // It was another file, and has been put aside: the upload begins again.
        None => open(state, file, organisation),
    }
}

fn within_limit(state: &AppState, length: u64) -> ApiResult<()> {
    let most = state.limits.blob_bytes;
    if length <= most {
        return Ok(());
    }
    let detail = format!(
        "the file has {length} bytes, an attachment may have {most} here: its record is stored all the same; make the \
         file smaller and claim it anew, or ask for a higher `limits.blob_bytes`"
    );
    Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail).with("max_bytes", most))
}

/// Only one file has no bytes: a claim that says so of another one can only be mended by its sender.
fn is_possible(file: Hash, length: u64) -> ApiResult<()> {
    if length > 0 || file == Hash::of_bytes(b"") {
        return Ok(());
    }
    let detail = "the record's claim says that the file has no bytes, its hash says otherwise: give its true length \
                  with POST /v1/blobs";
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "claimed-size", detail))
}

/// 413: more bytes than the file was said to have.
pub(super) fn too_long(length: u64) -> ApiError {
    let detail = format!("the file was said to have {length} bytes, and this goes beyond them");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", detail).with("length", length)
}

/// Takes what the sender says of a file's length, where the record's claim says something else: the hash decides.
///
/// # Errors
/// As [`open`].
pub(super) fn declare(state: &AppState, file: Hash, organisation: Uuid, length: u64) -> ApiResult<()> {
    within_limit(state, length)?;
    is_possible(file, length)?;
    let failed = |fault| storage(&fault);
    if let Slot::Open { mut upload, length: expected } = open_at(state, file, organisation, length)?
        && expected != length
    {
        // It is the same file, whatever was said of its length: what has come of it stays.
        if upload.offset() > length {
            upload.cut_back(0).map_err(failed)?;
        }
        upload.declare(length).map_err(failed)?;
    }
    Ok(())
}

/// The same as [`open`] for a sender who knows the length better than an impossible claim.
fn open_at(state: &AppState, file: Hash, organisation: Uuid, length: u64) -> ApiResult<Slot> {
    match open(state, file, organisation) {
        Err(problem) if problem.is("too-large") || problem.is("claimed-size") => {
            let id = UploadId { organisation, file };
            let upload = state.blobs.uploads.take(id).map_err(|fault| storage(&fault))?;
            upload.map(|upload| Slot::Open { upload, length: length + 1 }).ok_or(problem)
        }
        other => other,
    }
}

/// The checksum of one part, as tus lets a sender give it.
pub(super) struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// What a part is to come to; nothing where the algorithm is not known.
    pub(super) fn of(algorithm: &str, expected: Vec<u8>) -> Option<Self> {
        let hasher = match algorithm {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            _ => return None,
        };
        Some(Self { hasher, expected })
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn holds(&self) -> bool {
        match &self.hasher {
            Hasher::Sha1(hasher) => hasher.clone().finalize().as_slice() == self.expected,
            Hasher::Sha256(hasher) => hasher.clone().finalize().as_slice() == self.expected,
        }
    }
}

/// How a part ended.
enum End {
    Whole,
    Broken,
    TooLong,
}

/// Writes down what comes, as far as it comes; gives the offset that is on the disk.
///
/// # Errors
/// 400 where the connection broke, 413, 460; a disk that fails.
pub(super) async fn take(
    state: Data<AppState>,
    mut upload: Upload,
    length: u64,
    mut payload: Payload,
    mut checksum: Option<Checksum>,
) -> ApiResult<u64> {
    let begun = upload.offset();
    let patience = Duration::from_secs(state.limits.request_seconds);
    let mut room = length - begun;
    let mut piece = Vec::with_capacity(PIECE);
    let end = loop {
        let bytes: Bytes = match timeout(patience, payload.next()).await {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(None) => break End::Whole,
            // A line that is dead and does not say so must not keep the upload for ever.
            Ok(Some(Err(_))) | Err(_) => break End::Broken,
        };
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        piece.extend_from_slice(&bytes[..fits]);
        room -= fits as u64;
        if fits < bytes.len() {
            break End::TooLong;
        }
        if piece.len() >= PIECE {
            (upload, checksum) = write(upload, std::mem::take(&mut piece), checksum).await?;
        }
    };
    (upload, checksum) = write(upload, piece, checksum).await?;
    web::block(move || settle(&state, upload, length, begun, &end, checksum)).await?
}

async fn write(
    mut upload: Upload,
    bytes: Vec<u8>,
    mut checksum: Option<Checksum>,
) -> ApiResult<(Upload, Option<Checksum>)> {
    web::block(move || {
        if let Some(checksum) = &mut checksum {
            checksum.update(&bytes);
        }
        if !bytes.is_empty() {
            upload.append(&bytes).map_err(|fault| storage(&fault))?;
        }
        Ok((upload, checksum))
    })
    .await?
}

fn settle(
    state: &AppState,
    mut upload: Upload,
    length: u64,
    begun: u64,
    end: &End,
    checksum: Option<Checksum>,
) -> ApiResult<u64> {
    let failed = |fault| storage(&fault);
    upload.sync().map_err(failed)?;
    match (end, checksum) {
        // Its sender wanted all of the part or nothing of it.
        (End::Broken, Some(_)) => upload.cut_back(begun).map_err(failed)?,
        (End::Whole, Some(checksum)) if !checksum.holds() => {
            upload.cut_back(begun).map_err(failed)?;
            return Err(mismatch("this part is not what its checksum says: send it again", begun));
        }
        (End::TooLong, _) => {
            upload.cut_back(begun).map_err(failed)?;
            return Err(too_long(length));
        }
        (End::Whole | End::Broken, _) => {}
    }
    let offset = upload.offset();
    if offset == length {
        return finish(state, upload, length)?.ok_or_else(|| {
            let detail = "all bytes have come, and their SHA-256 is not the file's name: they are kept aside for a \
                          person to look at, and the upload begins again at 0";
            mismatch(detail, 0)
        });
    }
    match end {
        End::Broken => Err(ApiError::bad_request("body", format!("the part broke off: go on at {offset}"))),
        End::Whole | End::TooLong => Ok(offset),
    }
}

/// Looks at a file that has come whole, puts it on the shelf and notes it; nothing where it was another one.
fn finish(state: &AppState, mut upload: Upload, length: u64) -> ApiResult<Option<u64>> {
    let failed = |fault| storage(&fault);
    let UploadId { organisation, file } = upload.id();
    if upload.offset() != length || upload.hash().map_err(failed)? != file {
        upload.set_aside().map_err(failed)?;
        metrics::counter!("cartagena_uploads_total", "outcome" => "aside").increment(1);
        return Ok(None);
    }
    let media_type = media::of_file(upload.path()).map_err(failed)?;
    state.blobs.shelf.put(file, upload.path()).map_err(failed)?;
    state.blocking_store().insert_blob(file, length, media_type, organisation)?;
    upload.forget().map_err(failed)?;
    metrics::counter!("cartagena_uploads_total", "outcome" => "whole").increment(1);
    Ok(Some(length))
}

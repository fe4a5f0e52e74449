//! A server's place for attachments, and how it takes them without a network: what tus says in headers, in calls.

use std::path::Path;

use actix_web::ResponseError as _;
use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use cartagena::arrival::{Arrival, End, Part, Slot};
use cartagena::auth::Principal;
use cartagena::blob::{Blobs, Shelf};
use cartagena::client::transport::{Method, Request, Response};
use cartagena::config::Limits;
use cartagena::http::error::{ApiError, ApiResult};
use cartagena::model::{Hash, Role};
use cartagena::store::Store;
use cartagena::sync::Standing;
use tempfile::TempDir;
use uuid::Uuid;

/// A disk for files, in memory where the machine has one there: every file is synced.
pub(crate) fn disk() -> TempDir {
    let shm = Path::new("/dev/shm");
    let made = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
    made.expect("a folder can be made")
}

/// Where a server's attachments lie.
pub(crate) struct Files {
    disk: TempDir,
    blobs: Blobs,
}

impl Files {
    pub(crate) fn new() -> Self {
        let disk = disk();
        let blobs = Blobs::open(disk.path(), &shelf_url(&disk)).expect("a folder can be made");
        Self { disk, blobs }
    }

    /// Another hand on the shelf.
    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::open(&shelf_url(&self.disk)).expect("a folder is a shelf")
    }

    /// Answers a request of tus as the web server would.
    pub(crate) fn answer(
        &self,
        (store, limits): (&Store, &Limits),
        sender: &Principal,
        path: &str,
        request: &Request,
    ) -> Response {
        let arrival = Arrival { store, blobs: &self.blobs, most: limits.blob_bytes };
        let mut response = take(arrival, sender, path, request).unwrap_or_else(|refusal| refused(&refusal));
        response.headers.push(("Tus-Resumable".to_owned(), "1.0.0".to_owned()));
        response
    }
}

fn shelf_url(disk: &TempDir) -> String {
    format!("file:{}", disk.path().join("blobs").display())
}

/// A refusal as the web server writes it.
pub(crate) fn refused(refusal: &ApiError) -> Response {
    let response = refusal.error_response();
    let status = response.status().as_u16();
    let body = response.into_body().try_into_bytes().expect("a problem is one piece of JSON");
    Response { status, retry_after: None, body: body.to_vec(), headers: Vec::new() }
}

fn take(arrival: Arrival<'_>, sender: &Principal, path: &str, request: &Request) -> ApiResult<Response> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let organisation = match query.strip_prefix("organisation=") {
        Some(named) if sender.actor.role == Role::Relay && sender.standing == Standing::Good => {
            named.parse().unwrap_or_default()
        }
        Some(_) => return Err(ApiError::forbidden("a camp's")),
        None => sender.actor.organisation,
    };
    match (request.method, path.strip_prefix("/v1/blobs/").and_then(Hash::from_hex)) {
        (Some(Method::Head), Some(file)) => Ok(match arrival.open(file, organisation)? {
            Slot::Done { size, national } => stands(size, size, national),
            Slot::Open { upload, length } => stands(upload.offset(), length, false),
        }),
        (Some(Method::Patch), Some(file)) => part(arrival, file, organisation, request),
        (Some(Method::Post), None) => {
            let file = header(request, "Upload-Metadata").and_then(|pairs| {
                use base64::Engine as _;
                let name = base64::engine::general_purpose::STANDARD.decode(pairs.strip_prefix("sha256 ")?);
                Hash::from_hex(std::str::from_utf8(&name.ok()?).ok()?)
            });
            let file = file.ok_or_else(|| ApiError::bad_request("header", "Upload-Metadata"))?;
            arrival.declare(file, organisation, number(request, "Upload-Length")?)?;
            Ok(answer(201, &[]))
        }
        _ => Err(ApiError::not_found("page")),
    }
}

fn part(arrival: Arrival<'_>, file: Hash, organisation: Uuid, request: &Request) -> ApiResult<Response> {
    let offset = number(request, "Upload-Offset")?;
    let bytes = request.body.as_deref().unwrap_or_default();
    let at = |offset: u64| answer(204, &[("Upload-Offset", offset.to_string())]);
    let elsewhere = || Err(ApiError::new(StatusCode::CONFLICT, "offset", "it stands elsewhere"));
    match arrival.open(file, organisation)? {
        Slot::Done { size, .. } if size == offset => Ok(at(size)),
        Slot::Open { upload, length } if upload.offset() == offset => {
            let mut part = Part::begin(upload, length, None);
            part.write(bytes).expect("there is room in memory");
            Ok(at(arrival.end(part, End::Whole)?))
        }
        _ => elsewhere(),
    }
}

fn stands(offset: u64, length: u64, national: bool) -> Response {
    answer(
        200,
        &[
            ("Upload-Offset", offset.to_string()),
            ("Upload-Length", length.to_string()),
            ("Upload-National", national.to_string()),
        ],
    )
}

fn answer(status: u16, headers: &[(&str, String)]) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Response { status, retry_after: None, body: Vec::new(), headers }
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
}

fn number(request: &Request, name: &str) -> ApiResult<u64> {
    let read = header(request, name).and_then(|value| value.parse().ok());
    read.ok_or_else(|| ApiError::bad_request("header", name))
}

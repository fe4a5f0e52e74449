//! The operator's own base map, where there is one: a `PMTiles` file beside the data, of which browsers ask for parts.
//!
//! It is shown to whoever is logged in and to nobody else: what a programme has bought or flown may not be the public's.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get};

use super::access::Access;
use super::error::{ApiError, ApiResult};
use super::ranges::{Asked, asked, beyond, matches_tag, send};
use super::state::AppState;
use super::uploads::storage;
use crate::auth::permission::ReadProgramme;

/// Its name in the data folder.
pub const FILE: &str = "basemap.pmtiles";

/// The operator's own base map: a `PMTiles` archive, vector or raster. `Range` asks for a part.
#[utoipa::path(tag = "programme", params(("Range" = Option<String>, Header)), responses((status = 200, content_type = "application/vnd.pmtiles"), (status = 206, content_type = "application/vnd.pmtiles"), (status = 404, description = "This server has none")))]
#[get("/v1/basemap")]
pub(crate) async fn show(
    _: Access<ReadProgramme>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    let opened = web::block(move || open(&state.base_map)).await?;
    let (mut file, size, tag) = opened.map_err(|fault| match fault.kind() {
        ErrorKind::NotFound => ApiError::not_found("base map"),
        ErrorKind::InvalidData => {
            tracing::error!(%fault, "the base map cannot be shown");
            let detail = "the base map that lies beside the data is no PMTiles archive of version 3";
            ApiError::new(StatusCode::NOT_FOUND, "base-map", detail)
        }
        _ => storage(&fault),
    })?;
    if matches_tag(request.headers(), &tag) {
        return Ok(said(StatusCode::NOT_MODIFIED, &tag).finish());
    }
    let (status, range) = match asked(request.headers(), &tag, size) {
        Asked::Whole => (StatusCode::OK, 0..size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => return beyond(size),
    };
    file.seek(SeekFrom::Start(range.start)).map_err(|fault| storage(&fault))?;
    let reader = Box::new(file.take(range.end - range.start));
    Ok(send(status, said(status, &tag), range, size, reader))
}

/// How a `PMTiles` archive of the version that browsers read begins.
const MAGIC: &[u8; 8] = b"PMTiles\x03";

/// The file with its size, and a tag that changes when it is replaced.
fn open(path: &Path) -> std::io::Result<(File, u64, String)> {
    let mut file = File::open(path)?;
    let mut begins = [0; MAGIC.len()];
    if file.read_exact(&mut begins).is_err() || begins != *MAGIC {
        let detail = format!("{} is no PMTiles archive of version 3", path.display());
        return Err(std::io::Error::new(ErrorKind::InvalidData, detail));
    }
    let about = file.metadata()?;
    let changed = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok((file, about.len(), format!("\"{:x}-{:x}\"", about.len(), changed.as_nanos())))
}

fn said(status: StatusCode, tag: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, "application/vnd.pmtiles"))
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response
}

//! Files in whole or in part (RFC 9110 §14).

use std::io::Read;
use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, HeaderMap, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError as _};
use futures_util::stream;

use super::error::{ApiError, ApiResult};
use super::uploads::storage;

/// Bytes that are read at a time.
const PIECE: u64 = 256 * 1024;

/// Whether the asker has it already.
pub(super) fn matches_tag(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get(IF_NONE_MATCH).and_then(|given| given.to_str().ok());
    given.is_some_and(|given| {
        given.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
    })
}

/// Which bytes are asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

/// Reads `Range` (RFC 9110 §14). Several ranges at once, and what cannot be read, are answered with the whole file.
pub(super) fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    if headers.get(IF_RANGE).is_some_and(|of| of != tag) {
        return Asked::Whole;
    }
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Asked::Whole;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(many)) if first.is_empty() => (size.saturating_sub(many), size),
        _ => return Asked::Whole,
    };
    if start < end { Asked::Part(start..end) } else { Asked::Beyond }
}

/// 416: nothing of the file is asked for.
pub(super) fn beyond(size: u64) -> ApiResult<HttpResponse> {
    let detail = format!("the file has {size} bytes");
    let mut response = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", detail).error_response();
    let stands = format!("bytes */{size}").parse().map_err(|_never| ApiError::unavailable(1))?;
    response.headers_mut().insert(CONTENT_RANGE, stands);
    Ok(response)
}

/// Sends a range of a file of `size` bytes; `reader` begins there.
pub(super) fn send(
    status: StatusCode,
    mut response: HttpResponseBuilder,
    range: Range<u64>,
    size: u64,
    reader: Box<dyn Read + Send>,
) -> HttpResponse {
    if status == StatusCode::PARTIAL_CONTENT {
        let stands = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        response.insert_header((CONTENT_RANGE, stands));
    }
    response
        .insert_header((ACCEPT_RANGES, "bytes"))
        // Packing it would make no sense and its parts another file's.
        .insert_header((CONTENT_ENCODING, "identity"));
    response.status(status).body(SizedStream::new(range.end - range.start, pieces(reader)))
}

/// The bytes of a reader, piece by piece, read off the async threads.
pub(super) fn pieces(
    reader: Box<dyn Read + Send>,
) -> impl stream::Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let read = web::block(move || {
            let mut piece = Vec::new();
            let read = (&mut reader).take(PIECE).read_to_end(&mut piece);
            read.map(|_| (piece, reader))
        });
        match read.await {
            Ok(Ok((piece, _))) if piece.is_empty() => None,
            Ok(Ok((piece, reader))) => Some((Ok(Bytes::from(piece)), Some(reader))),
            Ok(Err(fault)) => Some((Err(storage(&fault).into()), None)),
            Err(fault) => Some((Err(ApiError::from(fault).into()), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let read = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_str(range).unwrap());
            asked(&headers, "\"x\"", 100)
        };
        assert_eq!(read("bytes=0-0"), Asked::Part(0..1));
        assert_eq!(read("bytes=90-"), Asked::Part(90..100));
        assert_eq!(read("bytes=-10"), Asked::Part(90..100));
        assert_eq!(read("bytes=-1000"), Asked::Part(0..100));
        assert_eq!(read("bytes=10-1000"), Asked::Part(10..100));
        for beyond in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(read(beyond), Asked::Beyond, "{beyond}");
        }
        for whole in ["bytes=5-4", "bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=a-b"] {
            assert_eq!(read(whole), Asked::Whole, "{whole}");
        }
    }
}

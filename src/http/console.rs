//! The console: one page and its files, built from `web/` by the build script and carried in the binary, packed.

use std::io::Read as _;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, VARY,
};
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use flate2::read::GzDecoder;

use super::error::ApiError;

/// Path and packed bytes of every file, or why there is no console in this binary.
const BUILT: Result<&[(&str, &[u8])], &str> = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// Nothing but what this server sends is run, shown or asked; photos are fetched with the reader's token and shown from
/// memory (`blob:`).
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; \
                      img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Said with every file of the console.
const GUARDS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The page at `/`, and its files.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/").get(page).head(page))
        .service(web::resource("/assets/{file}").get(file).head(file));
}

async fn page(request: HttpRequest) -> HttpResponse {
    match BUILT {
        Ok(files) => send(&request, files, "index.html"),
        Err(reason) => without_console(reason),
    }
}

async fn file(request: HttpRequest, name: Path<String>) -> HttpResponse {
    send(&request, BUILT.unwrap_or_default(), &format!("assets/{name}"))
}

fn send(request: &HttpRequest, files: &[(&str, &'static [u8])], name: &str) -> HttpResponse {
    let Ok(place) = files.binary_search_by_key(&name, |(path, _)| path) else {
        return ApiError::not_found("file of the console").error_response();
    };
    let packed = files[place].1;
    let mut response = HttpResponse::Ok();
    guard(&mut response);
    response.insert_header((CONTENT_TYPE, media_type(name))).insert_header((VARY, "accept-encoding"));
    // A file's name holds its hash; the page holds the names.
    let named_by_hash = !matches!(name, "index.html" | "assets/licences.md");
    let keep = if named_by_hash { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.insert_header((CACHE_CONTROL, keep));
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("gzip")) {
        return response.insert_header((CONTENT_ENCODING, "gzip")).body(packed);
    }
    let mut plain = Vec::new();
    match GzDecoder::new(packed).read_to_end(&mut plain) {
        Ok(_) => response.body(plain),
        Err(fault) => {
            tracing::error!(%fault, name, "a file of the console cannot be unpacked");
            ApiError::unavailable(1).error_response()
        }
    }
}

fn guard(response: &mut actix_web::HttpResponseBuilder) {
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY));
    for (name, value) in GUARDS {
        response.insert_header((HeaderName::from_static(name), value));
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        // MapLibre's worker is a module of its own.
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "md" => "text/plain; charset=utf-8",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

/// What stands at `/` where the binary was built without Node.
fn without_console(reason: &str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    guard(&mut response);
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    response.content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html>\n<html lang=\"en\">\n<title>Cartagena</title>\n<h1>This server was built without its console</h1>\n\
         <p>The API is all here, and described at <a href=\"/docs/\">/docs/</a>. The console was not built: {reason}. \
         Install Node.js with npm and build again (<code>cargo build --release</code>).</p>\n</html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;

    use super::*;

    #[test]
    fn a_server_without_a_console_says_so_plainly() {
        let page = without_console("Node <20.19> is not installed");
        assert!(page.headers().contains_key(CONTENT_SECURITY_POLICY));
        let body = page.into_body().try_into_bytes().expect("it is short");
        let text = std::str::from_utf8(&body).expect("it is text");
        assert!(text.contains("built without its console") && text.contains("/docs/"), "{text}");
        assert!(text.contains("Node &lt;20.19> is not installed"), "{text}");
    }
}

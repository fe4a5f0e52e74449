//! What is answered where no route is: 404, or 405 with the methods that the path has.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use utoipa::openapi::OpenApi;

use super::error::ApiError;

/// The methods of every path, as `Allow` names them, by the path's template.
pub(super) struct Methods(HashMap<String, HeaderValue>);

impl Methods {
    /// Those that the API's description has.
    pub(super) fn described(api: &OpenApi) -> Self {
        let paths = api.paths.paths.iter().filter_map(|(template, item)| {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
                ("HEAD", item.head.is_some() || matches!(template.as_str(), "/healthz" | "/readyz")),
                ("OPTIONS", item.options.is_some()),
            ];
            let there: Vec<&str> =
                methods.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
            Some((template.clone(), HeaderValue::from_str(&there.join(", ")).ok()?))
        });
        Self(paths.collect())
    }
}

/// The answer to a request that no route takes.
pub(super) async fn refuse(request: HttpRequest, methods: Data<Methods>) -> HttpResponse {
    // A path's template is found whatever the method.
    let allowed = request.match_pattern().and_then(|template| methods.0.get(&template));
    let Some(allowed) = allowed else { return ApiError::not_found("resource").error_response() };
    let detail = format!("{} is not a method of this resource", request.method());
    let mut response = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail).error_response();
    response.headers_mut().insert(ALLOW, allowed.clone());
    response
}

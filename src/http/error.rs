//! Errors as people and programs meet them: RFC 9457 problem details with a stable `type`.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::schema::Fault;
use crate::store::StoreError;

/// A result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// What a client is told when something cannot be done.
#[derive(Debug, Clone)]
pub struct ApiError(Box<ProblemDetails>);

/// Problem details (RFC 9457).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProblemDetails {
    /// `urn:cartagena:problem:<code>`; stable.
    #[serde(rename = "type")]
    type_: String,
    /// The status in words.
    title: String,
    /// HTTP status.
    status: u16,
    /// What was wrong, and what to do.
    detail: String,
    /// Where, as JSON pointers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Fault>,
    /// Further members, named by the problem's type.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    more: Option<Value>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
    /// Whether a name and a map password would do too.
    #[serde(skip)]
    basic: bool,
    /// The methods that there are.
    #[serde(skip)]
    allow: Option<&'static str>,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.0.type_, self.0.detail)
    }
}

impl ApiError {
    /// A problem of one type.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails {
            type_: format!("urn:cartagena:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            more: None,
            retry_after_s: None,
            basic: false,
            allow: None,
        }))
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: who are you?
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: not for your role.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: not there, or not for you.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"))
    }

    /// 405: what is asked for is there, but not to be treated so.
    pub fn method(allow: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail);
        problem.0.allow = Some(allow);
        problem
    }

    /// 503: come back in `seconds`.
    pub fn unavailable(seconds: u32) -> Self {
        let detail = "the server cannot take this just now; nothing of it is stored: send it again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).retry_after(seconds)
    }

    /// What was wrong, and what to do.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Whether it is a problem of this type.
    pub fn is(&self, code: &str) -> bool {
        self.0.type_.strip_prefix("urn:cartagena:problem:") == Some(code)
    }

    /// With a `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// A 401 that a name and a map password would answer too: programs ask their person for them only if they are told.
    #[must_use]
    pub fn or_basic(mut self) -> Self {
        self.0.basic = true;
        self
    }

    /// With single faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With further members.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let more = self.0.more.get_or_insert_with(|| json!({}));
        more[name] = value.into();
        self
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header(ContentType("application/problem+json".parse().expect("a media type")));
        if let Some(seconds) = self.0.retry_after_s {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allow) = self.0.allow {
            response.insert_header((ALLOW, allow));
        }
        if self.0.status == 401 {
            response.append_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            if self.0.basic {
                let basic =
                    HeaderValue::from_static("Basic realm=\"Cartagena map password\", charset=\"UTF-8\"");
                response.append_header((WWW_AUTHENTICATE, basic));
            }
        }
        response.body(serde_json::to_vec(&self.0).unwrap_or_default())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::Refused { code, detail } => {
                let status = match code {
                    "log-in" | "refresh-token" | "revoked" | "enrolment-code" => StatusCode::UNAUTHORIZED,
                    "stale" => StatusCode::PRECONDITION_FAILED,
                    "unseen" => StatusCode::PRECONDITION_REQUIRED,
                    "unknown-scope" => StatusCode::BAD_REQUEST,
                    "programme" => StatusCode::UNPROCESSABLE_ENTITY,
                    _ => StatusCode::CONFLICT,
                };
                Self::new(status, code, detail)
            }
            StoreError::NotAccepted { detail, faults } => {
                Self::new(StatusCode::CONFLICT, "not-accepted", detail).with_errors(faults)
            }
            StoreError::Busy => Self::unavailable(1),
            StoreError::Connection(fault) | StoreError::Away(fault) => {
                tracing::error!(%fault, "the database is away or full");
                Self::unavailable(5)
            }
            other => {
                tracing::error!(fault = %other, "a request failed in the store");
                internal()
            }
        }
    }
}

impl From<crate::ogc::Unreadable> for ApiError {
    fn from(fault: crate::ogc::Unreadable) -> Self {
        Self::bad_request(fault.name, fault.to_string())
    }
}

impl From<crate::export::ExportError> for ApiError {
    fn from(fault: crate::export::ExportError) -> Self {
        if let crate::export::ExportError::TooLarge(detail) = fault {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-large", detail);
        }
        tracing::error!(%fault, "an export could not be written");
        let detail = "the file could not be written on the server, whose disk may be full; the log has it under this \
                      request's id";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).retry_after(60)
    }
}

impl From<crate::geometry::display::DisplayError> for ApiError {
    fn from(fault: crate::geometry::display::DisplayError) -> Self {
        tracing::error!(%fault, "a piece of ground cannot be drawn");
        internal()
    }
}

impl From<crate::report::map::MapError> for ApiError {
    fn from(fault: crate::report::map::MapError) -> Self {
        match fault {
            crate::report::map::MapError::Store(fault) => fault.into(),
            crate::report::map::MapError::Ground(fault) => fault.into(),
            other => {
                tracing::error!(%other, "a tile cannot be made");
                internal()
            }
        }
    }
}

fn internal() -> ApiError {
    let detail = "something failed on the server; the log has it under this request's id";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

impl From<actix_web::error::BlockingError> for ApiError {
    fn from(_: actix_web::error::BlockingError) -> Self {
        tracing::error!("a blocking task panicked");
        internal()
    }
}

/// Extractors' own errors (query strings, paths) in our form.
pub fn from_extractor(code: &'static str, fault: &impl std::fmt::Display) -> actix_web::Error {
    let text = fault.to_string();
    // What failed within the framework is of no use to whoever asks; why is.
    let why = text.split_once("deserialize error: ").map_or(text.as_str(), |(_, why)| why);
    ApiError::bad_request(code, why).into()
}

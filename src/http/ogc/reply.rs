//! The form of an answer: absolute links, JSON or a page, and which parameters there are.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::Value;

use super::html;
use crate::http::error::{ApiError, ApiResult};
use crate::http::table::percent;
use crate::ogc::Unreadable;
use crate::ogc::page::Link;

/// JSON
pub(super) const JSON: &str = "application/json";
/// Features.
pub(super) const GEOJSON: &str = "application/geo+json";
/// A JSON Schema.
pub(super) const SCHEMA: &str = "application/schema+json";
/// The description of the API. The conformance tests compare it letter by letter.
pub(super) const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";
/// A page.
pub(super) const HTML: &str = "text/html";

/// JSON or a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Html,
}

/// A request's address, read: where this API is, and the parameters in their order.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// `https://host/ogc`
    pub(super) base: String,
    /// The path behind it, e.g. `/collections`.
    pub(super) path: String,
    /// What stands behind the `?`.
    pub(super) parameters: Vec<(String, String)>,
    /// What is to be answered with.
    pub(super) format: Format,
}

impl Address {
    /// Reads a request's address; only these parameters, and `f`, may stand in it.
    ///
    /// # Errors
    /// 400 with the first that is not known, stands there twice, or cannot be read.
    pub(super) fn read(request: &HttpRequest, known: impl Fn(&str) -> bool) -> ApiResult<Self> {
        let mut address = Self::of(request, known)?;
        address.format = match address.get("f") {
            Some("json" | "geojson") => Format::Json,
            Some("html") => Format::Html,
            Some(other) => return Err(Unreadable::new("f", format!("`{other}`: json or html")).into()),
            None if wants_page(request) => Format::Html,
            None => Format::Json,
        };
        Ok(address)
    }

    /// Reads an address whose `f` is something else than the form of a document.
    ///
    /// # Errors
    /// As for [`Address::read`].
    pub(super) fn of(request: &HttpRequest, known: impl Fn(&str) -> bool) -> ApiResult<Self> {
        let connection = request.connection_info();
        let base = format!("{}://{}/ogc", connection.scheme(), connection.host());
        let path = request.path().strip_prefix("/ogc").unwrap_or_default().to_owned();
        let parameters = serde_urlencoded_pairs(request.query_string())?;
        Ok(Self { base, path, ..Self::of_parameters(parameters, known)? })
    }

    /// The parameters of a question that came by another way.
    ///
    /// # Errors
    /// As for [`Address::read`].
    pub(super) fn of_parameters(
        parameters: Vec<(String, String)>,
        known: impl Fn(&str) -> bool,
    ) -> ApiResult<Self> {
        for (index, (name, _)) in parameters.iter().enumerate() {
            if name != "f" && !known(name) {
                let detail = format!("`{name}` is not a parameter of this resource");
                return Err(ApiError::bad_request("query", detail));
            }
            if parameters[..index].iter().any(|(before, _)| before == name) {
                return Err(ApiError::bad_request("query", format!("`{name}` stands there twice")));
            }
        }
        Ok(Self { base: String::new(), path: String::new(), parameters, format: Format::Json })
    }

    /// A parameter's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A place of this API.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// This address with one parameter set, or taken out.
    pub(super) fn with(&self, name: &str, value: Option<&str>) -> String {
        let others = self.parameters.iter().filter(|(known, _)| known != name);
        let pairs = others
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(value.map(|value| (name, value)));
        let query: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.base, self.path, query.join("&"))
    }

    /// The links to this resource itself and to its other form.
    pub(super) fn own_links(&self, json_type: &'static str) -> Vec<Link> {
        let (json, html) = (self.with("f", Some("json")), self.with("f", Some("html")));
        let (own, other) = match self.format {
            Format::Json => ("self", "alternate"),
            Format::Html => ("alternate", "self"),
        };
        vec![
            Link::new(own, json, json_type).titled("This document"),
            Link::new(other, html, HTML).titled("This document as a page"),
        ]
    }

    /// Answers with a document in the form that was asked for.
    pub(super) fn respond(&self, type_: &str, document: &Value, title: &str) -> HttpResponse {
        match self.format {
            Format::Json => fresh(HttpResponse::Ok()).content_type(type_).json(document),
            Format::Html => page(&html::document(self, title, document)),
        }
    }
}

/// Browsers name pages first.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let place = |name: &str| accept.find(name).unwrap_or(usize::MAX);
    place(HTML) < place("json")
}

fn serde_urlencoded_pairs(query: &str) -> ApiResult<Vec<(String, String)>> {
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(query);
    pairs
        .map(actix_web::web::Query::into_inner)
        .map_err(|fault| ApiError::bad_request("query", fault.to_string()))
}

/// What holds for every answer: it is its reader's alone, and may be another one a moment later.
pub(super) fn fresh(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Accept, Authorization"));
    response
}

/// Answers with a page that loads and runs nothing.
pub(super) fn page(page: &maud::Markup) -> HttpResponse {
    fresh(HttpResponse::Ok())
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, html::policy()))
        .body(page.0.clone())
}

//! Pages for people who follow a link: plain, without scripts, and nothing that records say is ever markup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::reply::Address;
use crate::export::Undrawn;
use crate::model::STATEMENT;
use crate::ogc::collection::Collection;
use crate::ogc::feature::{Feature, Form};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color:#1b1b1b;background:#fff}\
a{color:#0b5394}nav{margin-bottom:1rem}table{border-collapse:collapse;display:block;overflow-x:auto}\
th,td{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top;font-size:.9rem}\
th{background:#f2f2f2}footer{margin-top:2rem;color:#555;font-size:.9rem}dt{font-weight:600}dd{margin:0 0 .5rem 1rem}\
pre{overflow-x:auto;background:#f7f7f7;padding:.5rem}";

/// What a page may do: show itself in its own style.
pub(super) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn layout(address: &Address, title: &str, body: &Markup) -> Markup {
    let mut path = String::new();
    let crumbs: Vec<(String, String)> = address
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            path = format!("{path}/{part}");
            (address.at(&format!("{path}?f=html")), part.to_owned())
        })
        .filter(|(_, part)| part != "items")
        .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav {
                    a href=(address.at("/?f=html")) { "Cartagena" }
                    @for (href, name) in &crumbs { " / " a href=(href) { (name) } }
                }
                h1 { (title) }
                (body)
                footer { p { (STATEMENT) } p { a href=(address.with("f", Some("json"))) { "This as JSON" } } }
            }
        }
    }
}

/// Any document: what it says, and its links.
pub(super) fn document(address: &Address, title: &str, document: &Value) -> Markup {
    let collections = document["collections"].as_array().into_iter().flatten();
    let links = document["links"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let description = text(&document["description"]);
    let rest = without(document, &["title", "description", "links", "collections"]);
    let body = html! {
        @if !description.is_empty() { p { (description) } }
        @if document["collections"].is_array() {
            dl {
                @for collection in collections {
                    @let id = text(&collection["id"]);
                    dt { a href=(address.at(&format!("/collections/{id}?f=html"))) { (text(&collection["title"])) } }
                    dd { (text(&collection["description"])) " (" a href=(address.at(&format!("/collections/{id}/items?f=html"))) { "features" } ")" }
                }
            }
        }
        @if let Some(rest) = rest { pre { (rest) } }
        ul {
            @for link in links {
                li { a href=(text(&link["href"])) { (text(&link["rel"])) } " " (text(&link["title"])) " (" (text(&link["type"])) ")" }
            }
        }
    };
    layout(address, title, &body)
}

/// A document without some of its members, as it is written; nothing where nothing is left.
fn without(document: &Value, left_out: &[&str]) -> Option<String> {
    let mut rest = document.as_object()?.clone();
    rest.retain(|name, _| !left_out.contains(&name.as_str()));
    if rest.is_empty() { None } else { serde_json::to_string_pretty(&rest).ok() }
}

/// A page of features as a table.
pub(super) fn features(
    address: &Address,
    collection: &Collection,
    form: &Form<'_>,
    features: &[Feature],
    matched: u64,
    next: Option<&str>,
    undrawn: Option<Undrawn>,
) -> Markup {
    let names: Vec<&str> = form.names().collect();
    let body = html! {
        p { (collection.description) }
        p { (features.len()) " of " (matched) " features." @if let Some(next) = next { " " a href=(next) rel="next" { "Next page" } } }
        @if let Some(undrawn) = undrawn { p { (undrawn.sentence()) } }
        table {
            thead { tr { th { "id" } @for name in &names { th { (name) } } } }
            tbody {
                @for feature in features {
                    tr {
                        td { a href=(address.at(&format!("/collections/{}/items/{}?f=html", collection.id, feature.id))) { (feature.id) } }
                        @for name in &names { td { (cell(feature, name)) } }
                    }
                }
            }
        }
    };
    layout(address, &collection.title, &body)
}

/// One feature.
pub(super) fn feature(
    address: &Address,
    collection: &Collection,
    form: &Form<'_>,
    feature: &Feature,
) -> Markup {
    let body = html! {
        dl {
            @for name in form.names() {
                @let value = cell(feature, name);
                @if !value.is_empty() { dt { (name) } dd { (value) } }
            }
        }
    };
    layout(address, &format!("{} {}", collection.title, feature.id), &body)
}

fn cell(feature: &Feature, name: &str) -> String {
    match feature.properties.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

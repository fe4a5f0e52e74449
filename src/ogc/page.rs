//! Where a page begins and how it leads to the next one.
//!
//! Pages follow the features' ids, not their count: what is added or changed meanwhile moves nothing from one page to
//! another. All pages show the records as they stood in the log when the first was asked for; the ledger's ground is only
//! known as it stands now, and where it has changed the pages end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Unreadable;

/// Where a page begins. Clients are given it as text, and follow it as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last feature of the page before.
    pub after: Uuid,
    /// What it was sorted by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<Value>,
    /// The place in the log at which all pages are read.
    pub at: i64,
    /// What ground was counted with when the first page was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Features on all pages together.
    pub matched: u64,
}

impl Cursor {
    /// Reads what [`Cursor::text`] wrote.
    ///
    /// # Errors
    /// Where it is nothing that this server gave.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        cursor.ok_or_else(|| Unreadable::new("cursor", "follow a page's `next` link as it is"))
    }

    /// The cursor as text for an address.
    pub fn text(&self) -> String {
        // Its members are numbers, ids and JSON values.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// A link of a document.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// What it leads to.
    pub rel: String,
    /// Where; always absolute: QGIS does not resolve others.
    pub href: String,
    /// The media type there.
    #[serde(rename = "type")]
    pub type_: &'static str,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Link {
    /// A link.
    pub fn new(rel: impl Into<String>, href: impl Into<String>, type_: &'static str) -> Self {
        Self { rel: rel.into(), href: href.into(), type_, title: None }
    }

    /// With a title.
    #[must_use]
    pub fn titled(self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let cursor = Cursor {
            after: Uuid::now_v7(),
            key: vec![Value::from("x")],
            at: 7,
            edition: None,
            matched: 100_000,
        };
        assert_eq!(Cursor::parse(&cursor.text()).unwrap(), cursor);
        for text in ["", "x", "e30", "!!!"] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }
}

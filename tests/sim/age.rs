//! Programs of different age: what they know of the kinds of records.

use std::sync::LazyLock;

use cartagena::model::schema::Registry;
use serde_json::{Value, json};

/// How old a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// It knows every schema as it stands.
    Old,
    /// It knows a later schema of hazardous areas too, with another safety field and another status.
    New,
}

impl Age {
    pub(crate) fn registry(self) -> &'static Registry {
        static NEW: LazyLock<Registry> = LazyLock::new(with_a_later_schema);
        match self {
            Self::Old => Registry::embedded(),
            Self::New => &NEW,
        }
    }
}

fn with_a_later_schema() -> Registry {
    let there = Registry::embedded();
    let mut later: Value = there.latest("hazardous_area").expect("a kind of the standard").document().clone();
    later["x-version"] = json!(2);
    later["properties"]["burial_depth_cm"] = json!({
        "type": "number", "minimum": 0, "x-label": "Depth", "x-merge": "safety", "x-tier": 1, "x-unit": "cm",
    });
    let status = &mut later["properties"]["status"];
    status["enum"].as_array_mut().expect("a status is one of several").push(json!("monitored"));
    status["x-labels"]["monitored"] = json!("Monitored");
    let later = later.to_string();
    let all = there.schemas().map(|schema| (schema.kind(), schema.version(), schema.raw()));
    Registry::from_sources(all.chain([("hazardous_area", 2, later.as_str())])).expect("it is a schema")
}

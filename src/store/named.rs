//! Records by what people call them: a part of a reference or a name.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{Bool, Nullable};
use serde_json::Value;

use crate::model::record::{Feature, NAMES};

/// Characters of a name that are looked for.
const LONGEST: usize = 100;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// In small letters.
    part: String,
    /// As far as both databases can look for it: they agree about the small forms of ASCII's letters only, so that
    /// everything else stands for anything. Nothing is left of which more than a pattern could be made.
    pattern: String,
}

impl Named {
    /// A part of a name, without regard to upper and lower case; nothing where it says nothing.
    pub fn part(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let letter =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '%' };
        let pattern = text.chars().map(letter).collect();
        (!text.is_empty()).then(|| Self { part: text.to_lowercase(), pattern })
    }

    /// Whether a record is called so, as far as its reader sees its names.
    pub(super) fn is(&self, feature: &Feature) -> bool {
        let called = |name: &&str| feature.properties.get(*name).and_then(Value::as_str);
        NAMES.iter().filter_map(called).any(|name| name.to_lowercase().contains(&self.part))
    }

    /// Leaves out most that are not called so, whichever of two versions is shown. Both databases read `->>` alike.
    pub(super) fn prefilter(&self) -> SqlLiteral<Nullable<Bool>> {
        let called = |version: &str| {
            let like = |name| format!("lower({version}.properties ->> '{name}') like '%{}%'", self.pattern);
            NAMES.map(like).join(" or ")
        };
        sql(&format!("({} or {})", called("version"), called("finalised")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_letters_digits_and_wildcards_reaches_the_database() {
        let named = Named::part(" O'Brien%\\ \u{130}; DROP ").expect("it says something");
        assert_eq!(named.pattern, "o%brien%%%%%%drop");
        assert_eq!(Named::part("  "), None);
    }
}

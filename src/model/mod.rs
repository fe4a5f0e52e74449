//! What is recorded: kinds, records, mutations, stages and roles, as plain serde types.
//!
//! Knows nothing of sync, storage or the web.

pub mod hash;
pub mod mutation;
pub mod quality;
pub mod record;
pub mod role;
pub mod schema;
pub mod stage;

pub use hash::Hash;
pub use mutation::{Change, Mutation, Op};
pub use record::Record;
pub use role::Role;
pub use stage::{ReviewAction, Stage};

/// Gives a closed list of words its spelling: `as_str`, `FromStr`, `Display` and `ALL`.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $vis enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every word of the list, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in JSON and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::model::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::model::UnknownWord { word: word.to_owned(), allowed: &[$($word),+] }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use vocabulary;

/// A word that is not in a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {}", allowed.join(", "))]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What would have been understood.
    pub allowed: &'static [&'static str],
}

/// Said with every figure and every file.
pub const STATEMENT: &str =
    "No record is not evidence of no contamination; a status is not a safety certificate.";

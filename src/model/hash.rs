//! SHA-256 of a JSON value in its canonical form (RFC 8785), written `sha256:<hex>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of bytes as they are.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash of a value in canonical JSON, so that key order, blanks and `1` against `1.0` do not count.
    pub fn of_value(value: &impl Serialize) -> Self {
        let canonical = serde_json_canonicalizer::to_vec(value)
            .expect("a JSON value read from text is always written back");
        Self::of_bytes(&canonical)
    }

    /// The hash that 64 hexadecimal digits write: how a file is named.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits, in small letters.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Whether `value` is what `expected` names: the same value, or its hash as text.
    pub fn names(expected: &Value, value: &Value) -> bool {
        if expected == value {
            return true;
        }
        match expected.as_str().map(Self::from_str) {
            Some(Ok(hash)) => hash == Self::of_value(value),
            _ => Self::of_value(expected) == Self::of_value(value),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sha256:{}", self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Text that is not `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is written `sha256:` and 64 hexadecimal digits")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").ok_or(NotAHash)?;
        Self::from_hex(digits).ok_or(NotAHash)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spelling_of_json_does_not_change_a_hash() {
        let a: Value = serde_json::from_str(r#"{"a": 1.0, "b": [2]}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"b":[2.0],"a":1}"#).unwrap();
        assert_eq!(Hash::of_value(&a), Hash::of_value(&b));
        assert!(Hash::names(&a, &b));
    }

    #[test]
    fn a_hash_names_its_value_and_survives_text() {
        let square = json!({"type": "Point", "coordinates": [1.5, 2.5]});
        let text = Hash::of_value(&square).to_string();
        assert_eq!(text.parse::<Hash>().unwrap(), Hash::of_value(&square));
        assert!(Hash::names(&json!(text), &square));
        assert!(!Hash::names(&json!(text), &json!(null)));
        assert_eq!("sha256:00".parse::<Hash>(), Err(NotAHash));
    }
}

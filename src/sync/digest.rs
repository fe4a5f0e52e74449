//! The digest by which a client and a server find out that they hold the same records (docs/sync.md §4).

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// How many records a scope has, and the sum of 64-bit hashes of `record_id ‖ version`, modulo 2⁶⁴.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Digest {
    /// Records.
    pub count: i64,
    /// Sum of hashes, as a two's complement number.
    #[serde(with = "as_text")]
    #[schema(value_type = String)]
    pub sum: i64,
}

impl Digest {
    /// Adds a record at a version.
    pub fn add(&mut self, record: Uuid, version: Uuid) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash(record, version));
    }

    /// Takes a record at a version away.
    pub fn remove(&mut self, record: Uuid, version: Uuid) {
        self.count -= 1;
        self.sum = self.sum.wrapping_sub(hash(record, version));
    }
}

impl FromIterator<(Uuid, Uuid)> for Digest {
    fn from_iter<I: IntoIterator<Item = (Uuid, Uuid)>>(records: I) -> Self {
        let mut digest = Self::default();
        for (record, version) in records {
            digest.add(record, version);
        }
        digest
    }
}

/// The first eight bytes of SHA-256 over both UUIDs, big-endian.
fn hash(record: Uuid, version: Uuid) -> i64 {
    let hash = Sha256::new().chain_update(record).chain_update(version).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first)
}

/// JSON numbers above 2⁵³ are not safe in every client.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
    pub(super) fn serialize<S: Serializer>(sum: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(sum)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_count_and_removal_undoes() {
        let ids: Vec<Uuid> = (0..6).map(|_| Uuid::new_v4()).collect();
        let forward: Digest = ids.iter().map(|id| (*id, *id)).collect();
        let mut backward: Digest = ids.iter().rev().map(|id| (*id, *id)).collect();
        assert_eq!(forward, backward);
        backward.remove(ids[0], ids[0]);
        assert_ne!(forward, backward);
        backward.add(ids[0], ids[0]);
        assert_eq!(forward, backward);
        assert_ne!(forward, ids.iter().map(|id| (*id, ids[1])).collect());
    }
}

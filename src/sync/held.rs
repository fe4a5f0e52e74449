//! What holds a record back from the official books.

use serde_json::Value;
use uuid::Uuid;

use super::memory::Memory;
use crate::model::Record;

/// Why a record may not be finalised, if it may not. What is held must not enter official figures until a person has
/// decided, and says why; a safety conflict is settled first, whatever the reason.
///
/// # Errors
/// Only what the storage behind `memory` reports.
pub fn held<M: Memory>(
    memory: &mut M,
    head: &Record,
    reason: Option<&str>,
) -> Result<Option<String>, M::Error> {
    if head.contested {
        return Ok(Some("two people disagree about its safety fields: settle the conflict first".to_owned()));
    }
    if !is_blank(reason) {
        return Ok(None);
    }
    let mut why = memory.held_by(head.id)?;
    for heir in heirs(head) {
        if memory.head(heir)?.is_none_or(|heir| heir.official.is_none()) {
            why.push(format!(
                "its ground goes to {heir}, which is not finalised: until then nobody would count it"
            ));
        }
    }
    let what = "mend the record, or say in `reason` why it enters the books all the same; an outline with faults counts \
                nothing there until it is mended";
    Ok((!why.is_empty()).then(|| format!("it is held back: {}; {what}", why.join("; "))))
}

/// The records that a record's ground goes to.
fn heirs(record: &Record) -> Vec<Uuid> {
    let fields = ["merged_into", "split_into", "duplicate_of"].map(|name| record.field(name));
    let ids = fields.into_iter().flat_map(|value| match value {
        Value::Array(ids) => ids.as_slice(),
        one => std::slice::from_ref(one),
    });
    ids.filter_map(|id| Uuid::parse_str(id.as_str()?).ok()).collect()
}

/// Whether a text says nothing: blanks, and signs that nobody sees.
pub fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| !text.chars().any(char::is_alphanumeric))
}

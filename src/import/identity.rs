//! Ids that follow from what a file says, so that the same feature is the same record in every run, under every option.
//!
//! Where the source numbers its features, its number is the identity: a row that changed is still the same thing, and
//! must not be counted a second time. Where it does not, the content is.

use std::collections::{HashMap, HashSet};

use uuid::{Uuid, uuid};

use super::{Feature, ImportError, Source, cell};
use crate::model::Hash;

/// The namespace of all imports; another one would make every file new again.
const NAMESPACE: Uuid = uuid!("6b1f4a52-6a0e-5c5e-9a3b-0d5a1c1e7f10");

/// Columns by which programs number their rows; those that stay the same in every export come first.
const KNOWN: [&str; 9] =
    ["globalid", "uuid", "_uuid", "id", "local_reference", "objectid", "fid", "ogc_fid", "gid"];

/// What tells the features of a file apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    /// Whose numbers they are, where two sources number from 1.
    space: String,
    numbered: Numbered,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Numbered {
    /// By nothing: the content has to do.
    #[default]
    No,
    /// By the `id` that GeoJSON puts beside the properties.
    Member,
    /// By a column; whether it was asked for.
    Column { name: String, asked: bool },
}

impl Ids {
    /// Chooses the column: the one that is asked for, else one that looks like an id. `-` is none.
    ///
    /// # Errors
    /// Where no feature has the column, with those that there are.
    pub fn choose(source: &Source, column: Option<&str>, space: Option<&str>) -> Result<Self, ImportError> {
        let space = space.unwrap_or_default().to_owned();
        let has = |name: &str| source.features().any(|feature| feature.columns.contains_key(name));
        let numbered = match column {
            Some("-") => Numbered::No,
            Some(name) if has(name) => Numbered::Column { name: name.to_owned(), asked: true },
            Some(name) => return Err(ImportError::Mapping(source.lacks(name))),
            None if source.features().any(|feature| feature.id.is_some()) => Numbered::Member,
            None => known(source).map_or(Numbered::No, |name| Numbered::Column { name, asked: false }),
        };
        Ok(Self { space, numbered })
    }

    /// What is to be said of the choice before anything is taken, if an id was chosen.
    pub fn note(&self) -> Option<String> {
        match &self.numbered {
            Numbered::No | Numbered::Column { asked: true, .. } => None,
            Numbered::Member => Some("features are known again by their GeoJSON id".to_owned()),
            Numbered::Column { name, .. } => Some(format!(
                "features are known again by `{name}`; if that is no id, name another with --id"
            )),
        }
    }

    /// What happens to those of the features that have no id.
    pub(super) fn warning(&self, features: &[&Feature]) -> Option<String> {
        let count = features.iter().filter(|feature| self.of(feature).is_none()).count();
        let all = features.len();
        let lacking = match &self.numbered {
            _ if count == 0 => return None,
            Numbered::No => "the features have no id".to_owned(),
            Numbered::Member => format!("{count} of {all} features have no GeoJSON id"),
            Numbered::Column { name, .. } => format!("{count} of {all} features have no `{name}`"),
        };
        Some(format!(
            "{lacking}. They are known again by their content only: a row that changes in the file becomes a second \
             record in the next run. Name a column that identifies them with --id"
        ))
    }

    /// Whether somebody has said which column names the features: no other is to be trusted.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.numbered, Numbered::Column { asked: true, .. })
    }

    /// The feature's id in its source.
    pub fn of(&self, feature: &Feature) -> Option<String> {
        let id = match &self.numbered {
            Numbered::No => None,
            Numbered::Member => feature.id.clone(),
            Numbered::Column { name, .. } => feature.columns.get(name).map(cell),
        };
        id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())
    }
}

fn known(source: &Source) -> Option<String> {
    KNOWN.iter().find_map(|wanted| {
        source.features().flat_map(|feature| &feature.columns).find_map(|(name, value)| {
            (name.to_lowercase() == *wanted && !cell(value).is_empty()).then(|| name.clone())
        })
    })
}

/// The identity of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its id in the source.
    pub(super) source_id: Option<String>,
    /// The record.
    pub(super) record: Uuid,
    /// The record that it would be by its content: an earlier run may not have known of its id.
    pub(super) by_content: Uuid,
    /// The record that it would be by its id as it is spelt, where that is another spelling.
    pub(super) as_spelt: Option<Uuid>,
    /// Records that it would be by another column that looks like an id.
    pub(super) others: Vec<Uuid>,
    /// What it says of itself that may be the id of a record of this server: an export comes back.
    pub(super) own: Vec<Uuid>,
    /// The version of it that was exported.
    pub(super) version: Option<Uuid>,
    /// How many features before it in the file say exactly the same, where it has no id.
    pub(super) twins: u32,
    /// The feature before it in the file that has the same id, and whether it says exactly the same.
    pub(super) namesake: Option<(usize, bool)>,
}

/// Gives out identities in the order of a file.
#[derive(Debug)]
pub(super) struct Identities<'a> {
    ids: &'a Ids,
    /// Whose records they become, and of which kind.
    scope: String,
    /// The ids of the file: a number in another column that is one of them is no other name of a feature.
    chosen: HashSet<String>,
    contents: HashMap<Hash, u32>,
    numbers: HashMap<String, (usize, Hash)>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(source: &Source, ids: &'a Ids, organisation: Uuid, kind: &str) -> Self {
        let scope = format!("{organisation}\n{kind}\n{}", ids.space);
        let chosen = source.features().filter_map(|feature| ids.of(feature)).map(|id| plain(&id)).collect();
        Self { ids, scope, chosen, contents: HashMap::new(), numbers: HashMap::new() }
    }

    /// The identity of the next feature. Twins without an id are told apart by their place among themselves.
    pub(super) fn of(&mut self, number: usize, feature: &Feature) -> Identity {
        let count = self.contents.entry(feature.content).or_insert(0);
        let twins = *count;
        *count += 1;
        let by_content = self.record(&format!("content\n{}\n{twins}", feature.content));
        let source_id = self.ids.of(feature);
        let id = source_id.as_deref().map(plain);
        let record = id.as_deref().map_or(by_content, |id| self.numbered(id));
        let as_spelt = source_id.as_deref().map(|id| self.numbered(id)).filter(|id| *id != record);
        let names: Vec<String> = names(feature).chain(source_id.clone()).collect();
        let (others, own) = (self.others(&names), own(feature, &names));
        let version = feature.columns.get("version").and_then(|version| Uuid::try_parse(&cell(version)).ok());
        let namesake = id.and_then(|id| {
            let (first, content) = *self.numbers.entry(id).or_insert((number, feature.content));
            (first != number).then_some((first, content == feature.content))
        });
        let twins = if source_id.is_some() { 0 } else { twins };
        Identity { source_id, record, by_content, as_spelt, others, own, version, twins, namesake }
    }

    fn record(&self, name: &str) -> Uuid {
        Uuid::new_v5(&NAMESPACE, format!("{}\n{name}", self.scope).as_bytes())
    }

    fn numbered(&self, id: &str) -> Uuid {
        self.record(&format!("id\n{id}"))
    }

    /// The records that a feature would be by its names, in either spelling, but those that are ids of this file.
    fn others(&self, names: &[String]) -> Vec<Uuid> {
        let foreign =
            names.iter().map(|name| (name, plain(name))).filter(|(_, id)| !self.chosen.contains(id));
        let mut others: Vec<Uuid> =
            foreign.flat_map(|(name, id)| [self.numbered(name), self.numbered(&id)]).collect();
        others.sort_unstable();
        others.dedup();
        others
    }
}

/// The ids of records of this server that a feature may have. In a GPX they stand in the comment.
fn own(feature: &Feature, names: &[String]) -> Vec<Uuid> {
    let comment = feature.columns.get("cmt").map(cell);
    let mut own: Vec<Uuid> =
        names.iter().chain(&comment).filter_map(|name| Uuid::try_parse(name).ok()).collect();
    own.dedup();
    own
}

/// Whether a column has a name by which programs number their rows.
pub(super) fn names_features(column: &str) -> bool {
    KNOWN.contains(&column.to_lowercase().as_str())
}

/// Everything by which a feature may be numbered.
fn names(feature: &Feature) -> impl Iterator<Item = String> {
    let known = feature.columns.iter().filter(|(name, _)| names_features(name));
    let columns = known.map(|(_, value)| cell(value));
    feature.id.clone().into_iter().chain(columns).filter(|name| !name.is_empty())
}

/// An id as ids are compared: the same number is written as 7 and as 7.0, the same UUID with braces and without.
fn plain(id: &str) -> String {
    if let Ok(uuid) = Uuid::try_parse(id) {
        return uuid.to_string();
    }
    let whole = id.strip_suffix(".0").filter(|whole| whole.bytes().all(|digit| digit.is_ascii_digit()));
    whole.unwrap_or(id).to_owned()
}

/// The id of an edit that an import makes of a record: the same words give the same id, so that none is made twice.
pub(super) fn edit(record: Uuid, words: &str) -> Uuid {
    Uuid::new_v5(&record, words.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Reading;

    fn chosen(text: &str, column: Option<&str>) -> Result<Vec<Option<String>>, String> {
        let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
        let ids = Ids::choose(&source, column, None).map_err(|fault| fault.to_string())?;
        Ok(source.features().map(|feature| ids.of(feature)).collect())
    }

    #[test]
    fn the_column_that_numbers_the_rows_is_found_or_named() {
        let text = "FID,GlobalID,site,wkt\n1,{a},X,\n2,{b},,\n";
        let some = |ids: [&str; 2]| Ok(ids.map(|id| Some(id.to_owned())).to_vec());
        assert_eq!(
            chosen(text, None),
            some(["{a}", "{b}"]),
            "what every export keeps comes before row numbers"
        );
        assert_eq!(chosen(text, Some("FID")), some(["1", "2"]));
        assert_eq!(chosen(text, Some("site")), Ok(vec![Some("X".to_owned()), None]));
        assert_eq!(chosen(text, Some("-")), Ok(vec![None, None]));
        assert!(chosen(text, Some("fid")).unwrap_err().contains("FID, GlobalID"));
        assert_eq!(chosen("name,wkt\nX,\n", None), Ok(vec![None]));
    }
}

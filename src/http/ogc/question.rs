//! What a request asks of a collection.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use super::collections::extent;
use super::reply::Address;
use crate::auth::permission::ReadRecords;
use crate::http::error::{ApiError, ApiResult};
use crate::http::ground::must_see_ground;
use crate::http::map_access::MapAccess;
use crate::http::state::AppState;
use crate::http::which::has_begun;
use crate::model::role::{Actor, Sight};
use crate::ogc::Unreadable;
use crate::ogc::bbox::Bbox;
use crate::ogc::collection::Collection;
use crate::ogc::crs::Crs;
use crate::ogc::filter::Filter;
use crate::ogc::interval::{Interval, span};
use crate::ogc::page::Cursor;
use crate::ogc::sort::SortBy;
use crate::report::book::{Basis, Standing};

/// Features of a page where nobody says how many: QGIS asks for so many at a time.
pub(super) const DEFAULT_LIMIT: usize = 1_000;
/// Features of a page at most. They are streamed, so that a spreadsheet can have them all at once.
pub(super) const LARGEST_LIMIT: usize = 100_000;

/// What a request asks of a collection.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) address: Address,
    pub(super) collection: Arc<Collection>,
    pub(super) sight: Sight,
    pub(super) crs: Crs,
    pub(super) bbox: Option<Bbox>,
    pub(super) interval: Option<Interval>,
    pub(super) filters: Vec<Filter>,
    pub(super) sort: Vec<SortBy>,
    pub(super) properties: Option<Vec<String>>,
    pub(super) limit: usize,
    pub(super) cursor: Option<Cursor>,
    /// Ground as it was at the end of this day.
    pub(super) day: NaiveDate,
    /// That day, or the moment at which records are shown, in words.
    pub(super) as_of: String,
    /// The state of the ledger of which all ground is to be; any where nothing is said.
    pub(super) standing: Option<Standing>,
    pub(super) basis: Basis,
    /// Records as they stood at this place in the log.
    pub(super) at: i64,
}

/// The parameters of one feature.
const ONE: [&str; 3] = ["crs", "as_of", "basis"];
/// The further parameters of many.
const MANY: [&str; 10] = [
    "bbox",
    "bbox-crs",
    "datetime",
    "limit",
    "cursor",
    "filter",
    "filter-lang",
    "filter-crs",
    "properties",
    "sortby",
];

/// Those of them that make pages.
const PAGES: [&str; 2] = ["limit", "cursor"];

impl Question {
    /// Reads a question about many features.
    pub(super) async fn about_many(
        request: &HttpRequest,
        access: &MapAccess<ReadRecords>,
        state: &Data<AppState>,
        collection: Arc<Collection>,
    ) -> ApiResult<Self> {
        let known = |name: &str| {
            let fixed = ONE.contains(&name) || MANY.contains(&name);
            (fixed && has(&collection, name)) || collection.queryables().any(|one| one.name == name)
        };
        let address = Address::read(request, known)?;
        let mut question = Self::about(address, access.actor, state, collection).await?;
        question.read_selection(state).await?;
        question.read_page()?;
        Ok(question)
    }

    /// Reads a question about everything that it finds, without pages; `f` is its caller's to read.
    pub(super) async fn about_all(
        address: Address,
        actor: Actor,
        state: &Data<AppState>,
        collection: Arc<Collection>,
    ) -> ApiResult<Self> {
        let mut question = Self::about(address, actor, state, collection).await?;
        question.read_selection(state).await?;
        question.limit = usize::MAX;
        Ok(question)
    }

    /// Whether a question about everything has a parameter.
    pub(super) fn knows(collection: &Collection, name: &str) -> bool {
        let fixed = ONE.contains(&name) || MANY.contains(&name) && !PAGES.contains(&name);
        (fixed && has(collection, name)) || collection.queryables().any(|one| one.name == name)
    }

    /// Reads a question about one feature.
    pub(super) async fn about_one(
        request: &HttpRequest,
        access: &MapAccess<ReadRecords>,
        state: &Data<AppState>,
        collection: Arc<Collection>,
    ) -> ApiResult<Self> {
        let known = |name: &str| ONE.contains(&name) && has(&collection, name);
        let address = Address::read(request, known)?;
        Self::about(address, access.actor, state, collection).await
    }

    async fn about(
        address: Address,
        actor: Actor,
        state: &Data<AppState>,
        collection: Arc<Collection>,
    ) -> ApiResult<Self> {
        let ground = collection.kind().is_none();
        let basis = read_basis(address.get("basis"), ground)?;
        if ground {
            must_see_ground(actor.role, basis)?;
        }
        let mut sight = actor.sight();
        sight.official_only |= !ground && address.get("basis").is_some();
        let cursor = address.get("cursor").map(Cursor::parse).transpose()?;
        let moment = address.get("as_of").map(|text| end_of(text, ground)).transpose()?;
        let known_at = cursor.as_ref().map(|cursor| cursor.at);
        let at = state
            .store(move |store| match (known_at, moment) {
                (Some(at), _) => Ok(at),
                (None, Some(moment)) => store.seq_at(moment),
                (None, None) => Ok(store.head()?.seq),
            })
            .await?;
        let day = moment.map_or_else(|| Utc::now().date_naive(), |moment| moment.date_naive());
        let asked = address.get("as_of").map(|text| text.trim().to_owned());
        let mut question = Self {
            collection,
            sight,
            crs: Crs::default(),
            bbox: None,
            interval: None,
            filters: Vec::new(),
            sort: Vec::new(),
            properties: None,
            limit: DEFAULT_LIMIT,
            cursor,
            day,
            as_of: asked.unwrap_or_else(|| day.to_string()),
            standing: None,
            basis,
            at,
            address,
        };
        question.crs = question.read_crs("crs", state).await?;
        Ok(question)
    }

    /// A reference system that is offered; CRS84 where none is named.
    async fn read_crs(&self, name: &'static str, state: &Data<AppState>) -> ApiResult<Crs> {
        let Some(given) = self.address.get(name) else { return Ok(Crs::default()) };
        let offered = Crs::offered(extent(state).await?);
        let crs = Crs::parse(given).filter(|crs| offered.contains(crs));
        crs.ok_or_else(|| {
            let names: Vec<String> = offered.iter().map(ToString::to_string).collect();
            Unreadable::new(name, format!("`{given}`: one of {}", names.join(", "))).into()
        })
    }

    async fn read_selection(&mut self, state: &Data<AppState>) -> ApiResult<()> {
        let (bbox_crs, filter_crs) =
            (self.read_crs("bbox-crs", state).await?, self.read_crs("filter-crs", state).await?);
        let (address, collection) = (&self.address, &self.collection);
        self.bbox = address.get("bbox").map(|text| Bbox::parse(text, bbox_crs)).transpose()?;
        self.interval = address.get("datetime").map(Interval::parse).transpose()?;
        if let Some(text) = address.get("filter") {
            let language = address.get("filter-lang");
            self.filters.push(Filter::parse(text, language, filter_crs, collection)?);
        }
        for (name, value) in &address.parameters {
            let fixed = ONE.contains(&name.as_str()) || MANY.contains(&name.as_str()) || name == "f";
            if let Some(property) = collection.property(name).filter(|_| !fixed) {
                self.filters.push(Filter::of_parameter(property, value)?);
            }
        }
        if let Some(text) = address.get("sortby") {
            self.sort = SortBy::parse(text, collection)?;
        }
        if let Some(text) = address.get("properties") {
            let names: Vec<String> = text.split(',').map(str::to_owned).collect();
            if let Some(unknown) = names.iter().find(|name| collection.property(name).is_none()) {
                let reason = format!("`{unknown}` is no property of {}", collection.id);
                return Err(Unreadable::new("properties", reason).into());
            }
            self.properties = Some(names);
        }
        Ok(())
    }

    fn read_page(&mut self) -> ApiResult<()> {
        if let Some(given) = self.address.get("limit") {
            let limit = given.parse::<u64>().ok().filter(|limit| *limit > 0);
            let limit =
                limit.ok_or_else(|| Unreadable::new("limit", format!("`{given}`: a whole number from 1")))?;
            // More than there is on a page is no mistake.
            self.limit = usize::try_from(limit).unwrap_or(usize::MAX).min(LARGEST_LIMIT);
        }
        let fits = |cursor: &Cursor| cursor.key.len() == self.sort.len();
        if !self.cursor.as_ref().is_none_or(fits) {
            return Err(ApiError::bad_request("cursor", "this cursor is of a page in another order"));
        }
        Ok(())
    }

    /// Whether every feature of the scan is wanted.
    pub(super) fn takes_all(&self) -> bool {
        self.interval.is_none() && self.filters.is_empty()
    }
}

/// The basis of ground. Records are as they stand, whatever their stage, or those that official figures count.
fn read_basis(given: Option<&str>, ground: bool) -> Result<Basis, Unreadable> {
    let wrong = |what: &str| Err(Unreadable::new("basis", what.to_owned()));
    match given {
        None | Some("official") => Ok(Basis::Official),
        Some("provisional") if ground => Ok(Basis::Provisional),
        Some("provisional") => {
            wrong("`provisional` is of the ledger's ground: records come at every stage without it")
        }
        Some(other) => wrong(&format!("`{other}`: official or provisional")),
    }
}

/// Whether a parameter says anything of a collection.
fn has(collection: &Collection, name: &str) -> bool {
    match name {
        "bbox" | "bbox-crs" | "crs" | "filter-crs" => collection.shape.format().is_some(),
        _ => true,
    }
}

/// The last moment of a day, or of records a moment: ground is known by days.
fn end_of(text: &str, ground: bool) -> Result<DateTime<Utc>, Unreadable> {
    let text = text.trim();
    let readable = !ground || text.parse::<NaiveDate>().is_ok();
    let moment = span(text).filter(|_| readable).map(|(_, last)| last);
    let wrong = |what: &str| Unreadable::new("as_of", format!("`{text}`: {what}"));
    let last = moment
        .filter(|last| (1900..=2200).contains(&last.year()))
        .ok_or_else(|| wrong("a day between 1900 and 2200, like 2024-12-31"))?;
    if !has_begun(last.date_naive()) {
        return Err(wrong("it has not come yet"));
    }
    Ok(last)
}

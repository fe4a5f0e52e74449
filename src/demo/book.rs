//! Writes what people do as mutations: who may, on which version, on which day, and the review that follows.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cast::Cast;
use super::chance::Chance;
use crate::model::mutation::{Captured, Outcome, Txn};
use crate::model::record::Hands;
use crate::model::role::Actor;
use crate::model::{Change, Mutation, Op, ReviewAction};

/// What every record says of itself, for whoever sees it apart from the programme's own mark.
const MARK: &str = "Constructed for the demonstration: there is no such place, and nothing of this happened.";

/// Fields of a record, `geometry` among them.
pub(super) type Fields = Map<String, Value>;

/// The members of an object that are not null.
pub(super) fn fields(object: Value) -> Fields {
    match object {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Fields::new(),
    }
}

/// One human action of the demonstration.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When it is said to have happened.
    pub day: NaiveDate,
    /// Who acts.
    pub actor: Actor,
    /// What is done.
    pub mutations: Vec<Mutation>,
    /// What is meant to become of it.
    pub meant: Outcome,
}

/// One record of an action.
pub(super) struct Part {
    pub(super) op: Op,
    pub(super) kind: &'static str,
    pub(super) id: Uuid,
    pub(super) fields: Fields,
}

/// How far a record's review goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// All the way.
    Through,
    /// Now and then returned or rejected.
    Usual,
    /// So many steps, then somebody forgot it.
    Stops(usize),
    /// Returned by the operator's own manager and left lying.
    Returned,
    /// Rejected by quality assurance.
    Rejected,
}

/// A record as the book knows it.
#[derive(Debug, Clone)]
struct Head {
    kind: &'static str,
    version: Uuid,
    day: NaiveDate,
    made: NaiveDate,
    /// When another record last pointed at it.
    used: NaiveDate,
    organisation: Uuid,
    author: Actor,
    hands: Hands,
    referred: bool,
}

/// Everything that happens, in the making.
pub(super) struct Book<'a> {
    pub(super) cast: &'a Cast,
    pub(super) chance: Chance,
    pub(super) today: NaiveDate,
    steps: Vec<Step>,
    heads: BTreeMap<Uuid, Head>,
    references: u32,
}

const APPROVALS: [ReviewAction; 4] =
    [ReviewAction::Submit, ReviewAction::OrgValidate, ReviewAction::OpsValidate, ReviewAction::Finalise];

impl<'a> Book<'a> {
    pub(super) fn new(cast: &'a Cast, chance: Chance, today: NaiveDate) -> Self {
        Self { cast, chance, today, steps: Vec::new(), heads: BTreeMap::new(), references: 0 }
    }

    /// Everything in the order of the days. What happens on one day stays in the order in which it was written, so
    /// that nothing comes before what it builds on.
    pub(super) fn close(mut self) -> Vec<Step> {
        self.steps.sort_by_key(|step| step.day);
        self.steps
    }

    /// So many days before today.
    pub(super) fn ago(&self, days: u64) -> NaiveDate {
        self.today - Days::new(days)
    }

    /// Makes a record.
    pub(super) fn create(
        &mut self,
        day: NaiveDate,
        actor: Actor,
        kind: &'static str,
        fields: Fields,
    ) -> Uuid {
        let id = self.chance.id();
        self.act(day, actor, vec![Part { op: Op::Create, kind, id, fields }]);
        id
    }

    /// Changes a record; `false` where that would be in the future.
    pub(super) fn update(&mut self, day: NaiveDate, actor: Actor, id: Uuid, fields: Fields) -> bool {
        let Some(kind) = self.heads.get(&id).map(|head| head.kind) else { return false };
        self.act(day, actor, vec![Part { op: Op::Update, kind, id, fields }]).is_some()
    }

    /// Does several things at once, on the first day on which all that they build on is there. Nothing where that
    /// day is still to come.
    pub(super) fn act(&mut self, day: NaiveDate, actor: Actor, parts: Vec<Part>) -> Option<NaiveDate> {
        let day = parts.iter().fold(day, |day, part| day.max(self.earliest(part)));
        if day > self.today {
            return None;
        }
        let size = u32::try_from(parts.len()).ok()?;
        let txn = (size > 1).then(|| self.chance.id());
        let mut mutations = Vec::with_capacity(parts.len());
        for (index, mut part) in (0..size).zip(parts) {
            if part.op == Op::Create {
                self.sign(&mut part, day);
            }
            for id in pointed(&part.fields) {
                if let Some(head) = self.heads.get_mut(&id) {
                    head.used = head.used.max(day);
                }
            }
            let changes = part.fields.into_iter().map(|(name, value)| (name, Change::set(value))).collect();
            let mut mutation = self.draft(day, actor, part.op, part.kind, part.id, changes);
            mutation.txn = txn.map(|id| Txn { id, index, size });
            self.note(day, actor, &mutation, part.kind);
            mutations.push(mutation);
        }
        self.steps.push(Step { day, actor, mutations, meant: Outcome::Applied });
        Some(day)
    }

    /// Something that the server is not meant to take as it comes. The record stands as it stood.
    pub(super) fn amiss(&mut self, day: NaiveDate, actor: Actor, part: Part, base: Uuid, meant: Outcome) {
        let day = day.max(self.earliest(&part)).min(self.today);
        let changes = part.fields.into_iter().map(|(name, value)| (name, Change::set(value))).collect();
        let mut mutation = self.draft(day, actor, part.op, part.kind, part.id, changes);
        mutation.base_version = Some(base);
        self.steps.push(Step { day, actor, mutations: vec![mutation], meant });
    }

    /// The version that stands.
    pub(super) fn version(&self, id: Uuid) -> Uuid {
        self.heads.get(&id).map_or(Uuid::nil(), |head| head.version)
    }

    /// When another record last pointed at this one.
    pub(super) fn last_used(&self, id: Uuid) -> NaiveDate {
        self.heads.get(&id).map_or(self.today, |head| head.used)
    }

    /// Takes a record through its review, from its last change on; the day on which it was finalised, if it was.
    pub(super) fn approve(&mut self, id: Uuid, course: Course) -> Option<NaiveDate> {
        let luck = if course == Course::Usual { self.chance.unit() } else { 1.0 };
        let course = match luck {
            luck if luck < 0.012 => Course::Rejected,
            luck if luck < 0.022 => Course::Returned,
            _ => course,
        };
        if luck < 0.08 && course == Course::Usual {
            self.correct(id)?;
        }
        let steps = match course {
            Course::Through | Course::Usual => 4,
            Course::Stops(steps) => steps,
            Course::Returned => 1,
            Course::Rejected => 2,
        };
        for action in &APPROVALS[..steps] {
            self.review(id, *action, None)?;
        }
        match course {
            Course::Returned => {
                self.review(
                    id,
                    ReviewAction::Return,
                    Some("Outline and sketch do not agree: walk it again."),
                )?;
            }
            Course::Rejected => {
                self.review(
                    id,
                    ReviewAction::Reject,
                    Some("The lanes on the sketch are those of another task."),
                )?;
            }
            _ => {}
        }
        (steps == 4).then(|| self.heads.get(&id).map(|head| head.day)).flatten()
    }

    /// Submitted, returned, corrected: the way of many good records.
    fn correct(&mut self, id: Uuid) -> Option<()> {
        self.review(id, ReviewAction::Submit, None)?;
        if self.chance.often(0.5) {
            self.review(id, ReviewAction::OrgValidate, None)?;
        }
        self.review(id, ReviewAction::Return, Some("The accuracy of the positions is missing."))?;
        let (day, author) = self.heads.get(&id).map(|head| (head.day, head.author))?;
        let day = day + Days::new(3);
        self.update(day, author, id, fields(json!({"geometry_accuracy_m": 3.0}))).then_some(())
    }

    fn review(&mut self, id: Uuid, action: ReviewAction, reason: Option<&str>) -> Option<()> {
        let wait = match action {
            ReviewAction::Submit => (0, 3),
            ReviewAction::OrgValidate => (1, 9),
            ReviewAction::OpsValidate => (4, 24),
            ReviewAction::Finalise => (2, 16),
            ReviewAction::Return | ReviewAction::Reject => (2, 12),
        };
        let wait = self.chance.whole(wait.0, wait.1).unsigned_abs();
        let head = self.heads.get(&id)?.clone();
        let day = head.day + Days::new(wait);
        if day > self.today {
            return None;
        }
        let actor = self.reviewer(action, &head)?;
        let mut changes = BTreeMap::new();
        if action == ReviewAction::Finalise && !head.referred {
            self.references += 1;
            let reference = format!("CONSTRUCTED-{:05}", self.references);
            changes.insert("reference".to_owned(), Change::set(json!(reference)));
        }
        let mut mutation = self.draft(day, actor, Op::Review, head.kind, id, changes);
        mutation.review = Some(action);
        // What a finding holds back is finalised with a reason only.
        let checked =
            (action == ReviewAction::Finalise).then_some("Checked against the field report (constructed)");
        mutation.reason = reason.or(checked).map(str::to_owned);
        let version = mutation.mutation_id;
        self.steps.push(Step { day, actor, mutations: vec![mutation], meant: Outcome::Applied });
        let head = self.heads.get_mut(&id)?;
        (head.version, head.day) = (version, day);
        match action {
            ReviewAction::Finalise => {
                head.hands.finalise();
                head.referred = true;
            }
            ReviewAction::Return | ReviewAction::Reject => head.hands.send_back(),
            _ => head.hands.approve(actor.account),
        }
        Some(())
    }

    /// Who takes a step: the right role of the right organisation, with no hand in the record yet.
    fn reviewer(&self, action: ReviewAction, head: &Head) -> Option<Actor> {
        let cast = self.cast;
        let operator = cast.operators.iter().find(|operator| operator.id == head.organisation);
        let candidates: Vec<Actor> = match (action, operator) {
            (ReviewAction::Submit, _) => return Some(head.author),
            (ReviewAction::OrgValidate, Some(operator)) => vec![operator.manager],
            (ReviewAction::OrgValidate, None) => cast.directors.to_vec(),
            (ReviewAction::OpsValidate, Some(_)) => [cast.qa.as_slice(), &[cast.monitor]].concat(),
            (ReviewAction::OpsValidate, None) => vec![cast.monitor],
            (ReviewAction::Finalise, _) => cast.im.to_vec(),
            // The manager before its validation, quality assurance after it; for the authority's own an IM officer.
            (ReviewAction::Return | ReviewAction::Reject, Some(operator)) => {
                let validated = head.hands.approved_by(operator.manager.account);
                return Some(if validated { cast.qa[0] } else { operator.manager });
            }
            (ReviewAction::Return | ReviewAction::Reject, None) => return Some(cast.im[0]),
        };
        candidates.into_iter().find(|actor| !head.hands.contain(actor.account))
    }

    /// The mark, the dates and the place in the books that every record carries.
    fn sign(&mut self, part: &mut Part, day: NaiveDate) {
        let reported = (day + Days::new(1)).min(self.today);
        let common = [
            ("constructed", json!(true)),
            ("remarks", json!(MARK)),
            ("source", json!("Constructed demonstration programme")),
            ("local_reference", json!(format!("CONSTRUCTED/{:05}", self.heads.len() + 1))),
            ("date_of_information", json!(day)),
            ("date_of_report", json!(reported)),
        ];
        for (name, value) in common {
            part.fields.entry(name).or_insert(value);
        }
    }

    fn draft(
        &mut self,
        day: NaiveDate,
        actor: Actor,
        op: Op,
        kind: &str,
        record_id: Uuid,
        changes: BTreeMap<String, Change>,
    ) -> Mutation {
        Mutation {
            mutation_id: self.chance.id_of(day),
            device_id: None,
            device_seq: 0,
            txn: None,
            kind: kind.to_owned(),
            schema: 1,
            op,
            record_id,
            base_version: self.heads.get(&record_id).map(|head| head.version),
            changes,
            seen: None,
            settles: Vec::new(),
            review: None,
            reason: None,
            repairs: None,
            attachments: Vec::new(),
            captured: Some(Captured {
                wall: format!("{day}T09:00:00Z"),
                gnss: None,
                accuracy_m: None,
                app: Some("constructed".to_owned()),
            }),
            author: actor.account,
        }
    }

    fn note(&mut self, day: NaiveDate, actor: Actor, mutation: &Mutation, kind: &'static str) {
        let head = self.heads.entry(mutation.record_id).or_insert_with(|| Head {
            kind,
            version: mutation.mutation_id,
            day,
            made: day,
            used: day,
            organisation: actor.organisation,
            author: actor,
            hands: Hands::default(),
            referred: false,
        });
        (head.version, head.day, head.author) = (mutation.mutation_id, day, actor);
        head.hands.make([actor.account]);
    }

    /// The first day on which a part of an action can be: after the record's last change, and when everything that
    /// it points at is there.
    fn earliest(&self, part: &Part) -> NaiveDate {
        let own = self.heads.get(&part.id).map(|head| head.day);
        let pointed = pointed(&part.fields).filter_map(|id| self.heads.get(&id));
        pointed.map(|head| head.made).chain(own).max().unwrap_or(NaiveDate::MIN)
    }
}

/// The UUIDs among the values of fields, by themselves or in lists.
fn pointed(fields: &Fields) -> impl Iterator<Item = Uuid> {
    let values = fields.values().flat_map(|value| match value {
        Value::Array(rows) => rows.as_slice(),
        one => std::slice::from_ref(one),
    });
    values.filter_map(|value| Uuid::parse_str(value.as_str()?).ok())
}

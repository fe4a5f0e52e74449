//! A tablet: the real client on an SQLite database in memory, in the hands of somebody who does this and that.

use std::sync::{Arc, Mutex, PoisonError};

use cartagena::client::{Client, ClientError, Edit, Report};
use cartagena::model::mutation::Attachment;
use cartagena::model::role::Actor;
use cartagena::model::{Hash, Record, ReviewAction, Role};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::age::Age;
use crate::dice::Dice;
use crate::line::{Line, Shared, look};
use crate::server::Memory;
use crate::tus;

/// A tablet with its person.
pub(crate) struct Tablet {
    pub(crate) person: Actor,
    /// The server that it is enrolled at.
    pub(crate) at: usize,
    /// Nothing of its person is taken any more.
    pub(crate) revoked: bool,
    /// Every edit that its person was told was made.
    pub(crate) made: Vec<Uuid>,
    /// Every file that an edit of its person claims.
    pub(crate) claimed: Vec<Hash>,
    pub(crate) client: Client,
    memory: Memory,
    disk: TempDir,
    net: Shared,
    dice: Dice,
    flat: Arc<Mutex<bool>>,
    full: bool,
    skew_days: i64,
    age: Age,
}

impl Tablet {
    pub(crate) fn new(net: &Shared, person: Actor, at: usize, mut dice: Dice, skew_years: i64) -> Self {
        let memory = Memory::of_a_tablet();
        let flat = Arc::new(Mutex::new(false));
        let skew_days = dice.between(-365 * skew_years, 365 * skew_years);
        let (line, disk) = (Line::new(net, dice.fork(), skew_days, &flat), tus::disk());
        let age = if dice.chance(0.7) { Age::Old } else { Age::New };
        let client = open(&memory, &disk, line, age);
        let (revoked, full, net) = (false, false, Arc::clone(net));
        let (made, claimed) = (Vec::new(), Vec::new());
        Self {
            person,
            at,
            revoked,
            made,
            claimed,
            client,
            memory,
            disk,
            net,
            dice,
            flat,
            full,
            skew_days,
            age,
        }
    }

    /// Gets the newest program.
    pub(crate) fn renew(&mut self) {
        self.age = Age::New;
        self.charge();
    }

    /// Charges the battery: what was not on the disk is gone.
    pub(crate) fn charge(&mut self) {
        *self.flat.lock().unwrap_or_else(PoisonError::into_inner) = false;
        let line = Line::new(&self.net, self.dice.fork(), self.skew_days, &self.flat);
        self.client = open(&self.memory, &self.disk, line, self.age);
    }

    /// Fills the disk but for a few pages.
    pub(crate) fn fill(&mut self) {
        self.memory.limit(self.dice.between(0, 4));
        self.full = true;
    }

    /// Makes room on the disk.
    pub(crate) fn empty(&mut self) {
        self.memory.limit(1 << 20);
        self.full = false;
    }

    /// Is enrolled at a server, for the first time or again.
    pub(crate) fn enrol(&mut self, at: usize) -> Result<(), ClientError> {
        let (host, code) = {
            let net = look(&self.net);
            let server = &net.servers[at];
            (server.host.clone(), server.offer(self.person.account).unwrap_or_default())
        };
        self.client.enrol(&format!("sim://{host}"), &code, "tablet")?;
        self.at = at;
        Ok(())
    }

    /// What its person may and would follow.
    pub(crate) fn scope(&mut self, tasks: &[Uuid]) -> String {
        match self.person.role {
            Role::ImOfficer => "everything".to_owned(),
            Role::QaOfficer => "content".to_owned(),
            Role::Supervisor | Role::ProgrammeManager => format!("organisation:{}", self.person.organisation),
            _ => match tasks {
                [] => format!("task:{}", Uuid::nil()),
                tasks => format!("task:{}", self.dice.pick(tasks)),
            },
        }
    }

    /// Syncs once, whatever comes of it. A log-in that the server no longer knows is made anew.
    pub(crate) fn sync(&mut self) -> Result<Report, String> {
        match self.client.sync() {
            Ok(report) => Ok(report),
            Err(ClientError::NotEnrolled) => {
                let at = self.at;
                self.enrol(at).map_err(|fault| fault.to_string())?;
                Err("it was enrolled".to_owned())
            }
            Err(ClientError::LoggedOut(why)) => {
                let at = self.at;
                self.enrol(at).map_err(|fault| format!("{why}; {fault}"))?;
                Err(why)
            }
            Err(ClientError::Revoked(why)) => {
                self.revoked = true;
                Err(why)
            }
            // What a full disk, a bad line or a cut body does is not worth a word while the weather is bad.
            Err(other) => Err(other.to_string()),
        }
    }

    /// Its person does something, and perhaps takes a photo of it.
    pub(crate) fn work(&mut self) {
        let mut edits = self.some_edits();
        let photo = if self.dice.chance(0.2) { self.photo() } else { None };
        if let Some((_, attachment)) = &photo {
            edits = edits.into_iter().map(|edit| edit.attach(attachment.clone())).collect();
        }
        match self.client.act(edits) {
            Ok(made) => {
                self.made.extend(made);
                self.claimed.extend(photo.map(|(name, _)| name));
            }
            Err(ClientError::Database(_)) if self.full => {}
            Err(ClientError::NotEnrolled) => {}
            Err(fault) => panic!("an edit could not be made: {fault}"),
        }
    }

    /// A photo, or one that others have too; most are small, some come in several parts.
    fn photo(&mut self) -> Option<(Hash, Attachment)> {
        let size = if self.dice.chance(0.1) { 700_000 } else { self.dice.below(3_000) };
        let bytes = vec![u8::try_from(self.dice.below(4)).unwrap_or_default(); size];
        let from = self.disk.path().join("photo.jpg");
        std::fs::write(&from, &bytes).expect("there is room in memory");
        // Its database may be full.
        let kept = self.client.keep_file(&from, "image/jpeg").ok()?;
        Some((Hash::of_bytes(&bytes), kept))
    }

    fn some_edits(&mut self) -> Vec<Edit> {
        let views = self.client.records(None).unwrap_or_default();
        let records: Vec<Record> = views.into_iter().map(|view| view.record).collect();
        let areas: Vec<&Record> = records.iter().filter(|record| record.kind == "hazardous_area").collect();
        if areas.is_empty() || self.dice.chance(0.25) {
            let (east, id) = (self.dice.below(20), Uuid::now_v7());
            return match self.dice.below(6) {
                0 if self.person.role != Role::Surveyor => vec![task(id, self.person.organisation, &areas)],
                1 | 2 if !areas.is_empty() => vec![release(id, self.dice.pick(&areas).id, east)],
                _ => vec![area(id, east)],
            };
        }
        let one = (*self.dice.pick(&areas)).clone();
        vec![match self.dice.below(12) {
            0 | 1 => Edit::update(one.id).set("remarks", format!("{}", self.dice.below(1_000))),
            2 => Edit::update(one.id).set("name", *self.dice.pick(&["North", "South"])),
            3 | 4 => Edit::update(one.id).set("geometry", square(self.dice.below(20))),
            5 if self.age == Age::New && self.dice.chance(0.5) => {
                Edit::update(one.id).set("burial_depth_cm", json!(self.dice.below(3)))
            }
            5 => Edit::update(one.id).set("status", *self.dice.pick(self.statuses())),
            6 => Edit::update(one.id).add("evidence", evidence()),
            7 => Edit::retire(one.id),
            8 => Edit::restore(one.id),
            9 => return self.split(&one),
            10 => Edit::update(one.id)
                .set("remarks", "both")
                .set("classification", *self.dice.pick(&["SHA", "CHA"])),
            _ => Edit::review(one.id, *self.dice.pick(ReviewAction::ALL)).because("as agreed"),
        }]
    }

    fn statuses(&self) -> &'static [&'static str] {
        match self.age {
            Age::Old => &["open", "suspended", "tasked"],
            Age::New => &["open", "suspended", "tasked", "monitored"],
        }
    }

    /// One area becomes two: a human action that is taken whole or not at all.
    fn split(&mut self, one: &Record) -> Vec<Edit> {
        let (east, parts) = (self.dice.below(20), [Uuid::now_v7(), Uuid::now_v7()]);
        vec![
            area(parts[0], east),
            area(parts[1], east + 1),
            Edit::update(one.id).set("split_into", json!(parts)).set("status", "closed"),
        ]
    }
}

fn open(memory: &Memory, disk: &TempDir, line: Line, age: Age) -> Client {
    let client = Client::open_with(memory.path(), Box::new(line)).expect("its file is whole");
    client.keeping_files_in(disk.path().join("files")).knowing(age.registry())
}

fn square(east: usize) -> serde_json::Value {
    let x = 44.0 + 0.002 * f64::from(u32::try_from(east).unwrap_or_default());
    let (y, side) = (33.0, 0.001);
    json!({"type": "Polygon", "coordinates": [[[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]]})
}

fn area(id: Uuid, east: usize) -> Edit {
    Edit::create("hazardous_area", id)
        .set("classification", "SHA")
        .set("status", "open")
        .set("contamination", json!(["ap_mine"]))
        .set("geometry", square(east))
}

fn release(id: Uuid, of: Uuid, east: usize) -> Edit {
    Edit::create("land_release", id)
        .set("result", "cleared")
        .set("method", "manual")
        .set("completion_date", "2026-05-05")
        .set("hazardous_area_ids", json!([of]))
        .set("geometry", square(east))
}

fn task(id: Uuid, operator: Uuid, areas: &[&Record]) -> Edit {
    let areas: Vec<Uuid> = areas.iter().take(3).map(|area| area.id).collect();
    Edit::create("task", id)
        .set("order_number", id.to_string())
        .set("activity", "clearance")
        .set("operator_id", json!(operator))
        .set("hazardous_area_ids", json!(areas))
}

fn evidence() -> serde_json::Value {
    json!({"id": Uuid::now_v7(), "kind": "detonation", "strength": "direct", "date": "2026-04-01"})
}

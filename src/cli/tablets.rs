//! The demonstration's tablets: real clients with files of their own, over real HTTP and a network that loses
//! requests and answers; and the figures that people read afterwards.

use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::demo::tablet_file;
use super::print;
use crate::client::lossy::Lossy;
use crate::client::{Client, Edit, Http};
use crate::demo::Seeded;
use crate::model::ReviewAction;
use crate::model::mutation::Outcome;

/// Of ten requests so many never leave, and as many answers never arrive.
const LOSS: f64 = 0.2;
/// A tablet that has not got through after so many tries has found a fault in us.
const TRIES: usize = 60;

/// A small JSON client for what is not sync: log-in, enrolment, figures.
struct Api {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Api {
    fn log_in(url: &str, login: &str, password: &str) -> anyhow::Result<Self> {
        let agent = ureq::Agent::new_with_defaults();
        let mut api = Self { agent, url: url.to_owned(), token: String::new() };
        let tokens = api.post("/v1/auth/login", &json!({"login": login, "password": password}))?;
        tokens["access_token"].as_str().context("no token was given")?.clone_into(&mut api.token);
        Ok(api)
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        Ok(request.send_json(body)?.body_mut().read_json()?)
    }

    fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        Ok(request.call()?.body_mut().read_json()?)
    }
}

/// A tablet with what it has been through.
struct Tablet {
    name: String,
    client: Client,
    lost: usize,
}

impl Tablet {
    /// Goes on trying until it gets through: that is all a team leader at a camp gate can do.
    fn persist<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Client) -> crate::client::Result<T>,
    ) -> anyhow::Result<T> {
        for _ in 0..TRIES {
            match attempt(&mut self.client) {
                Ok(value) => return Ok(value),
                Err(crate::client::ClientError::Transport(_)) => self.lost += 1,
                Err(fault) => return Err(fault.into()),
            }
        }
        bail!("{} did not get through in {TRIES} tries", self.name)
    }

    fn sync(&mut self) -> anyhow::Result<crate::client::Report> {
        self.persist(Client::sync)
    }
}

/// Lets tablets of every operator work offline and sync, two of them on the same area.
pub(super) fn run(url: &str, folder: &Path, password: &str, seeded: &Seeded) -> anyhow::Result<()> {
    let mut tablets = Vec::new();
    let contest = seeded.contest;
    let admin = Api::log_in(url, "admin", password)?;
    for operator in &seeded.operators {
        let task = if operator.id == contest.operator {
            Some(contest.task)
        } else {
            seeded.tasks.iter().find(|task| task.open && task.operator == operator.id).map(|task| task.id)
        };
        let Some(task) = task else { continue };
        for place in 1..=2 {
            let number = tablets.len() + 1;
            let login = format!("{}-surveyor-{place}", operator.key);
            let account = seeded.accounts.iter().find(|account| account.login == login);
            let account = account.with_context(|| format!("there is no account {login}"))?.id;
            tablets.push(enrol(url, folder, &admin, account, number, task)?);
        }
    }
    for (tablet, number) in tablets.iter_mut().zip(1_u32..) {
        work_offline(tablet, number)?;
    }
    let quarrelling: Vec<usize> = (0..tablets.len())
        .filter(|place| {
            let view = tablets[*place].client.view(contest.hazard);
            view.is_ok_and(|view| view.is_some())
        })
        .take(2)
        .collect();
    if let [first, second] = quarrelling[..] {
        quarrel(&mut tablets[first], contest.hazard, "suspended", "Flooded: work stopped.")?;
        quarrel(&mut tablets[second], contest.hazard, "work_complete", "All lanes done.")?;
    }
    print("\nTablets, over a network that loses one request in five and one answer in five:");
    for tablet in &mut tablets {
        tablet.sync()?;
    }
    for tablet in &mut tablets {
        // Once more, so that each sees what the others brought.
        let report = tablet.sync()?;
        tell(tablet, report.complete)?;
    }
    Ok(())
}

fn enrol(
    url: &str,
    folder: &Path,
    admin: &Api,
    account: Uuid,
    number: usize,
    task: Uuid,
) -> anyhow::Result<Tablet> {
    let name = format!("Tablet {number}");
    let lossy = Lossy::new(Http::default(), number as u64, LOSS, LOSS);
    let client = Client::open_with(&tablet_file(folder, number), Box::new(lossy))?;
    let mut tablet = Tablet { name: name.clone(), client, lost: 0 };
    // A code is good once: if the answer to its use was lost, the tablet asks for another.
    for _ in 0..TRIES {
        let offer = admin.post("/v1/devices/enrolments", &json!({"account": account}))?;
        let code = offer["code"].as_str().context("no code was given")?;
        match tablet.client.enrol(url, code, &name) {
            Ok(_) => break,
            Err(_lost) => tablet.lost += 1,
        }
    }
    tablet.client.follow(&format!("task:{task}"))?;
    tablet.sync()?;
    Ok(tablet)
}

/// A day in the field: finds, and a note on the first area.
fn work_offline(tablet: &mut Tablet, number: u32) -> anyhow::Result<()> {
    let areas = tablet.client.records(Some("hazardous_area"))?;
    let today = Utc::now().date_naive().to_string();
    let place = areas.iter().find_map(|view| first_position(view.record.geometry.as_ref()?));
    for quantity in 1..=number {
        let found = Uuid::now_v7();
        let mut edit = Edit::create("eo_item", found)
            .set("category", "ap_mine")
            .set("quantity", 1)
            .set("found_date", today.clone())
            .set("notes", format!("Constructed find {quantity} of tablet {number}"))
            .set("constructed", true);
        if let Some(position) = &place {
            edit = edit.set("geometry", json!({"type": "Point", "coordinates": position}));
        }
        tablet.client.act(vec![edit, Edit::review(found, ReviewAction::Submit)])?;
    }
    Ok(())
}

fn first_position(geometry: &Value) -> Option<Value> {
    let mut coordinates = geometry.get("coordinates")?;
    while coordinates.get(0)?.is_array() {
        coordinates = coordinates.get(0)?;
    }
    Some(coordinates.clone())
}

/// Both tablets change the same safety field of the same area without knowing of each other.
fn quarrel(tablet: &mut Tablet, area: Uuid, status: &str, why: &str) -> anyhow::Result<()> {
    let today = Utc::now().date_naive().to_string();
    let edit = Edit::update(area).set("status", status).set("status_reason", why).set("status_date", today);
    tablet.client.edit(edit)?;
    Ok(())
}

fn tell(tablet: &mut Tablet, complete: bool) -> anyhow::Result<()> {
    let edits = tablet.client.edits()?;
    let count = |outcome: Outcome| edits.iter().filter(|sent| sent.outcome() == Some(outcome)).count();
    let outcomes: Vec<String> = Outcome::ALL
        .iter()
        .map(|outcome| (outcome, count(*outcome)))
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    let durable = edits.iter().filter(|sent| sent.durable).count();
    let held = tablet.client.records(None)?.len();
    print(&format!(
        "  {}: {} edits made offline, {durable} safe at the server ({}); {} exchanges lost; holds {held} records, {}",
        tablet.name,
        edits.len(),
        outcomes.join(", "),
        tablet.lost,
        if complete { "complete and verified" } else { "incomplete – do not rely" }
    ));
    Ok(())
}

/// What people at the authority read.
pub(super) fn report(url: &str, password: &str) -> anyhow::Result<()> {
    let api = Api::log_in(url, "authority-director", password)?;
    let conflicts = api.get("/v1/conflicts")?;
    for conflict in conflicts["conflicts"].as_array().into_iter().flatten() {
        let value = |side: &str| conflict[side]["values"]["status"].clone();
        print(&format!(
            "\nOpen conflict on {} {}: fields {}; theirs {}, mine {}. Nothing was overwritten: GET /v1/conflicts/{}",
            conflict["kind"].as_str().unwrap_or("?"),
            conflict["record_id"].as_str().unwrap_or("?"),
            conflict["fields"],
            value("theirs"),
            value("mine"),
            conflict["id"].as_str().unwrap_or("?"),
        ));
    }
    for basis in ["official", "provisional"] {
        let path = format!("/v1/progress/article5?basis={basis}");
        let progress = api.get(&path)?;
        print(&format!("\nBalance by year, {basis}, ground under Article 5, hectares:"));
        balance(&progress);
        print(&format!(
            "Article 5, {basis}: {} – {}",
            progress["forecast"]["standing"].as_str().unwrap_or("?"),
            progress["forecast"]["reasoning"].as_str().unwrap_or("?")
        ));
    }
    Ok(())
}

const COLUMNS: [(&str, &str); 10] = [
    ("opening_m2", "opening"),
    ("found_m2", "found"),
    ("corrected_m2", "corrected"),
    ("reclassified_m2", "reclass."),
    ("cancelled_m2", "cancelled"),
    ("reduced_m2", "reduced"),
    ("cleared_m2", "cleared"),
    ("bac_cleared_m2", "BAC"),
    ("remaining_m2", "closing"),
    ("residual_m2", "residual"),
];

fn balance(progress: &Value) {
    let heads: Vec<String> = COLUMNS.iter().map(|(_, head)| format!("{head:>10}")).collect();
    print(&format!("  year {}", heads.join(" ")));
    for year in progress["years"].as_array().into_iter().flatten() {
        let hectares = |name: &str| year[name].as_f64().unwrap_or(0.0) / 10_000.0;
        if hectares("opening_m2") + hectares("found_m2") + hectares("remaining_m2") <= 0.0 {
            continue;
        }
        let cells: Vec<String> =
            COLUMNS.iter().map(|(name, _)| format!("{:>10.2}", hectares(name))).collect();
        print(&format!("  {} {}", year["year"], cells.join(" ")));
    }
}

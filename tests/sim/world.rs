//! One seed's world: who is in it, what happens, how it ends.

use std::sync::{Arc, LazyLock};

use cartagena::auth::token::Keys;
use cartagena::model::Role;
use cartagena::model::role::Actor;
use cartagena::store::Store;
use cartagena::store::account::NewAccount;
use cartagena::store::conflict::ConflictQuery;
use cartagena::store::decide::Resolution;
use uuid::Uuid;

use crate::dice::{Dice, Weather};
use crate::line::{Net, Shared, look};
use crate::oracle;
use crate::server::Server;
use crate::tablet::Tablet;

/// With a fair network everything is where it belongs after so many rounds.
const ROUNDS: usize = 12;

/// The keys of the servers: costly to make and the same in every world.
static KEYS: LazyLock<Arc<Keys>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    Arc::new(Keys::load(folder.path()).expect("keys can be made"))
});

/// A world.
pub(crate) struct World {
    pub(crate) net: Shared,
    pub(crate) tablets: Vec<Tablet>,
    /// Who settles conflicts at the national server.
    pub(crate) officer: Actor,
    pub(crate) weather: Weather,
    dice: Dice,
}

/// Runs a seed's world to its end.
///
/// # Errors
/// What it lost, in words.
pub(crate) fn run(seed: u64) -> Result<(), String> {
    let mut world = World::begin(seed);
    let steps = world.dice.between(30, 120);
    for _ in 0..steps {
        world.step();
    }
    world.heal()?;
    oracle::check(&mut world)
}

impl World {
    fn begin(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let weather = Weather::draw(&mut dice);
        let nation = Server::start("nation", Arc::clone(&KEYS));
        let people = people(nation.store());
        let net = Net::new(vec![nation], Weather::fair(), dice.fork());
        let count = dice.between(4, 12);
        let tablets = (0..count)
            .map(|number| {
                let person = if number == 0 { people[0] } else { *dice.pick(&people) };
                let mut tablet = Tablet::new(&net, person, 0, dice.fork(), weather.skew_years);
                tablet.enrol(0).expect("the weather is still fair");
                let scope = tablet.scope(&[]);
                tablet.client.follow(&scope).expect("a scope can be followed");
                tablet
            })
            .collect();
        look(&net).weather = weather;
        Self { net, tablets, officer: people[0], weather, dice }
    }

    fn step(&mut self) {
        let weather = self.weather;
        let number = self.dice.below(self.tablets.len());
        if self.dice.chance(weather.fall) {
            self.some_server(Server::fall);
        }
        if self.dice.chance(weather.restore) {
            let told = self.dice.chance(0.5);
            self.some_server(|server| {
                server.restore(told);
            });
        }
        if self.dice.chance(0.03) {
            self.some_server(Server::copy);
        }
        if self.dice.chance(0.2) {
            look(&self.net).deliver_late();
        }
        if self.dice.chance(weather.revoke) {
            self.revoke(number);
        }
        if self.dice.chance(weather.full) {
            self.tablets[number].fill();
        }
        if self.dice.chance(weather.rescope) {
            self.rescope(number);
        }
        if self.dice.chance(0.05) {
            self.settle_one();
        }
        let tablet = &mut self.tablets[number];
        match self.dice.below(20) {
            0..=10 => tablet.work(),
            11..=18 => drop(tablet.sync()),
            _ => {
                tablet.charge();
                tablet.empty();
            }
        }
    }

    fn some_server(&mut self, act: impl FnOnce(&mut Server)) {
        let mut net = look(&self.net);
        let number = self.dice.below(net.servers.len());
        act(&mut net.servers[number]);
    }

    fn revoke(&mut self, number: usize) {
        let tablet = &mut self.tablets[number];
        if let Ok(identity) = tablet.client.identity() {
            let net = look(&self.net);
            let store = net.servers[tablet.at].store();
            // It may be enrolled in a future that a restored server does not know.
            if store.revoke_device(identity.device, self.officer.account).is_ok() {
                tablet.revoked = true;
            }
        }
    }

    /// The tablet's person is given something else to follow.
    fn rescope(&mut self, number: usize) {
        let tasks = self.tasks();
        let tablet = &mut self.tablets[number];
        let followed = tablet.client.scopes().unwrap_or_default();
        // A full disk may keep things as they were.
        if self.dice.chance(0.3) {
            for scope in followed {
                drop(tablet.client.unfollow(&scope.id));
            }
        }
        let scope = tablet.scope(&tasks);
        drop(tablet.client.follow(&scope));
    }

    fn tasks(&self) -> Vec<Uuid> {
        let scopes = look(&self.net).servers[0].store().list_scopes(&self.officer).unwrap_or_default();
        let task = |scope: cartagena::store::txn::Scope| match scope {
            cartagena::store::txn::Scope::Task(id) => Some(id),
            _ => None,
        };
        scopes.into_iter().filter_map(task).collect()
    }

    /// The officer at the national server settles a conflict as it stands.
    fn settle_one(&mut self) {
        let net = look(&self.net);
        let store = net.servers[0].store();
        let which = ConflictQuery { limit: 1, ..ConflictQuery::default() };
        let Some(conflict) = store.list_conflicts(which, self.officer.sight()).unwrap_or_default().pop()
        else {
            return;
        };
        let resolution = Resolution {
            record_id: conflict.record_id,
            settles: vec![conflict.id],
            version: conflict.theirs.as_ref().map(|head| head.version),
            seen: conflict.seen,
            changes: std::collections::BTreeMap::new(),
            reason: "as it stands".to_owned(),
        };
        // It may be refused: the record would not obey its schema, or something else is open.
        drop(store.resolve(self.officer, resolution));
    }

    /// The weather clears, every battery is charged; everything goes where it belongs.
    fn heal(&mut self) -> Result<(), String> {
        look(&self.net).weather = Weather::fair();
        for tablet in &mut self.tablets {
            tablet.charge();
            tablet.empty();
        }
        let mut left = String::new();
        for _ in 0..ROUNDS {
            left.clear();
            for (number, tablet) in self.tablets.iter_mut().enumerate() {
                left += &drain(number, tablet);
            }
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(format!("after {ROUNDS} rounds in fair weather: {left}"))
    }
}

/// Syncs a tablet; what is not yet as it should be.
fn drain(number: usize, tablet: &mut Tablet) -> String {
    let synced = tablet.sync();
    if tablet.revoked {
        return match tablet.client.pending() {
            Ok(0) => String::new(),
            pending => format!("tablet {number}, revoked, still holds {pending:?}. "),
        };
    }
    match synced {
        Err(fault) => format!("tablet {number}: {fault}. "),
        Ok(report) if !report.refetched.is_empty() => {
            format!("tablet {number} did not agree about {:?}. ", report.refetched)
        }
        Ok(_) if !complete(tablet) => format!("tablet {number} is not complete. "),
        Ok(report) => match tablet.client.pending() {
            Ok(0) if report.pushed == 0 => String::new(),
            _ => {
                let edits = tablet.client.edits().unwrap_or_default();
                let held = edits.iter().filter(|sent| !sent.durable || sent.answer.is_none());
                let held: Vec<_> = held.map(|sent| (sent.device_seq, sent.outcome(), sent.durable)).collect();
                format!("tablet {number} still holds {held:?}, {report:?}. ")
            }
        },
    }
}

/// Whether all that it may follow is all there. A scope that was never its person's stays away.
fn complete(tablet: &mut Tablet) -> bool {
    let scopes = tablet.client.scopes().unwrap_or_default();
    scopes.iter().all(|scope| scope.revoked || scope.complete_as_of.is_some())
}

/// Two organisations and the people who carry tablets.
fn people(store: &Store) -> Vec<Actor> {
    let authority = store.insert_organisation("Authority", "authority", None).expect("an empty database").id;
    let operators: Vec<Uuid> = ["Operator", "Other"]
        .map(|name| store.insert_organisation(name, "operator", None).expect("an empty database").id)
        .to_vec();
    let mut people = Vec::new();
    let mut hire = |role: Role, organisation: Uuid| {
        let login = format!("{role}-{}", people.len());
        let password = String::new();
        let new = NewAccount { name: login.clone(), login, role, organisation, password, must_change: false };
        people.push(store.insert_account(new, None).expect("a new log-in").actor());
    };
    hire(Role::ImOfficer, authority);
    hire(Role::ImOfficer, authority);
    hire(Role::QaOfficer, authority);
    for operator in operators {
        for role in [Role::Surveyor, Role::Surveyor, Role::Supervisor, Role::ProgrammeManager] {
            hire(role, operator);
        }
    }
    people
}

//! One seed's world: who is in it, what happens, how it ends.

use std::sync::{Arc, LazyLock};

use cartagena::auth::token::Keys;
use cartagena::bundle;
use cartagena::client::ClientError;
use cartagena::model::Hash;
use cartagena::model::role::Actor;
use cartagena::relay::Passed;
use cartagena::store::conflict::ConflictQuery;
use cartagena::store::decide::Resolution;
use uuid::Uuid;

use crate::age::Age;
use crate::camp::Camp;
use crate::dice::{Dice, Weather};
use crate::line::{Net, Shared, look};
use crate::oracle;
use crate::people::people;
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
    pub(crate) camps: Vec<Camp>,
    /// How many camps were lost for ever.
    pub(crate) lost_camps: usize,
    /// Edits that only the servers have: their tablets were thrown away once the nation was said to have everything.
    pub(crate) entrusted: Vec<Uuid>,
    /// Files that only the servers have, and whose organisation sent them.
    pub(crate) entrusted_files: Vec<(Hash, Uuid)>,
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
    let steps = world.dice.between(20, 80);
    for _ in 0..steps {
        world.step();
    }
    let end = world.heal().and_then(|()| oracle::check(&mut world));
    if end.is_err() && std::env::var_os("DUMP").is_some() {
        world.dump();
    }
    end
}

impl World {
    fn begin(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let weather = Weather::draw(&mut dice);
        let mut start = |host: &str| {
            let age = if dice.chance(0.5) { Age::Old } else { Age::New };
            Server::start(host, Arc::clone(&KEYS), age)
        };
        let servers: Vec<Server> = ["nation", "east", "west"].into_iter().map(&mut start).collect();
        let (people, relays) = people(servers[0].store());
        let net = Net::new(servers, Weather::fair(), dice.fork());
        let mut camps: Vec<Camp> = Vec::new();
        for (number, person) in relays.into_iter().enumerate() {
            let mut camp = Camp::new(&net, number + 1, person, dice.fork());
            drop(camp.pass());
            camp.pass().expect("the weather is still fair");
            camps.push(camp);
        }
        let count = dice.between(4, 12);
        let tablets = (0..count)
            .map(|number| {
                let person = if number == 0 { people[0] } else { *dice.pick(&people) };
                let at = dice.below(3);
                let mut tablet = Tablet::new(&net, person, at, dice.fork(), weather.skew_years);
                tablet.enrol(at).expect("the weather is still fair");
                let scope = tablet.scope(&[]);
                tablet.client.follow(&scope).expect("a scope can be followed");
                tablet
            })
            .collect();
        look(&net).weather = weather;
        let (entrusted, entrusted_files) = (Vec::new(), Vec::new());
        let officer = people[0];
        Self { net, tablets, camps, lost_camps: 0, entrusted, entrusted_files, officer, weather, dice }
    }

    fn step(&mut self) {
        let weather = self.weather;
        let number = self.dice.below(self.tablets.len());
        if self.dice.chance(weather.fall) {
            self.some_server(Server::fall);
        }
        if self.dice.chance(weather.renew) {
            self.some_server(Server::renew);
            self.tablets[number].renew();
        }
        if self.dice.chance(weather.restore) {
            let (told, without) = (self.dice.chance(0.5), self.dice.chance(0.5));
            self.some_server(|server| server.restore(told, without));
        }
        if self.dice.chance(0.03) {
            self.some_server(Server::copy);
        }
        if self.dice.chance(weather.scrap) {
            self.scrap(number);
        }
        if self.dice.chance(weather.lose_camp) {
            let camp = self.dice.below(self.camps.len());
            self.lose_camp(camp);
        }
        if self.dice.chance(weather.roam) {
            let at = self.dice.below(3);
            drop(self.tablets[number].enrol(at));
        }
        if self.dice.chance(0.2) {
            let camp = self.dice.below(self.camps.len());
            drop(self.camps[camp].pass());
        }
        if self.dice.chance(0.03) {
            self.carry_stick();
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

    /// Something happens to one of the servers.
    fn some_server(&mut self, act: impl FnOnce(&mut Server)) {
        let number = self.dice.below(3);
        let mut camp = self.camps.iter_mut().find(|camp| camp.at == number);
        if let Some(camp) = &mut camp {
            camp.fall();
        }
        act(&mut look(&self.net).servers[number]);
        if let Some(camp) = camp {
            camp.rise();
        }
    }

    /// Somebody carries the log on a stick between a camp and the nation, up or down; perhaps not all of it was copied.
    fn carry_stick(&mut self) {
        let (up, camp, whole) = (self.dice.chance(0.5), 1 + self.dice.below(2), self.dice.chance(0.8));
        let net = look(&self.net);
        let (from, to) = if up { (camp, 0) } else { (0, camp) };
        let (from, to) = (net.servers[from].store(), net.servers[to].store());
        let head = KEYS.prove(from.head().expect("a server can be asked"));
        let mut bytes = Vec::new();
        bundle::export(from, head, 1, None, &mut bytes).expect("a log can be written down");
        if !whole {
            // The last bytes are gzip's own checksum, and nothing of the log.
            bytes.truncate(self.dice.below(bytes.len() - 16));
        }
        let before = to.head().expect("a server can be asked");
        let taken = bundle::import(to, None, || Ok(bytes.as_slice()));
        // It may have come from another epoch, or to a camp that follows nobody yet.
        assert!(
            whole || taken.is_err() && to.head().is_ok_and(|head| head == before),
            "half a bundle was taken"
        );
    }

    /// A tablet that says that the nation has everything is thrown away, and its person gets another.
    /// Where servers go back in time nobody could hold them to their word.
    fn scrap(&mut self, number: usize) {
        let tablet = &mut self.tablets[number];
        let nothing = |left: Result<usize, ClientError>| left.is_ok_and(|left| left == 0);
        // Not everybody thinks of photos; nobody is promised anything of those.
        let photos_too = self.dice.chance(0.5);
        if self.weather.restore == 0.0
            && nothing(tablet.client.pending())
            && (!photos_too || nothing(tablet.client.files_pending()))
        {
            self.entrusted.append(&mut tablet.made);
            let person = tablet.person;
            if photos_too {
                self.entrusted_files.extend(tablet.claimed.drain(..).map(|file| (file, person.organisation)));
            }
            let mut new = Tablet::new(&self.net, person, tablet.at, self.dice.fork(), 0);
            let at = new.at;
            drop(new.enrol(at));
            let scope = new.scope(&[]);
            drop(new.client.follow(&scope));
            *tablet = new;
            // The hardest test of its word: the camp is gone too.
            if at > 0 && self.weather.lose_camp > 0.0 && self.dice.chance(0.3) {
                self.lose_camp(at - 1);
            }
        }
    }

    /// A camp's server is gone for ever; another takes its place, with nothing.
    fn lose_camp(&mut self, camp: usize) {
        let camp = &mut self.camps[camp];
        camp.fall();
        {
            let mut net = look(&self.net);
            let host = net.servers[camp.at].host.clone();
            let age = net.servers[camp.at].age();
            net.servers[camp.at] = Server::start(&host, Arc::clone(&KEYS), age);
        }
        camp.forget();
        self.lost_camps += 1;
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
        let task = |scope: cartagena::store::scope::Scope| match scope {
            cartagena::store::scope::Scope::Task(id) => Some(id),
            _ => None,
        };
        scopes.into_iter().filter_map(task).collect()
    }

    /// The officer settles a conflict at one of the servers, as it stands there.
    fn settle_one(&mut self) {
        let number = self.dice.below(3);
        let net = look(&self.net);
        let store = net.servers[number].store();
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

    /// Prints every server's log: `SEED=17 DUMP=1`.
    fn dump(&self) {
        for server in &look(&self.net).servers {
            println!("== {}", server.host);
            for entry in server.store().log_entries(1, i64::MAX).unwrap_or_default() {
                let device = entry.device_id.map(|id| id.to_string()).unwrap_or_default();
                println!(
                    "{:4} {:9} {} {:12} {device:.13}#{:?} {:?}",
                    entry.seq, entry.entry, entry.subject, entry.outcome, entry.device_seq, entry.role
                );
            }
        }
    }

    /// The weather clears, every battery is charged, every server has the newest program; everything goes where it belongs.
    fn heal(&mut self) -> Result<(), String> {
        look(&self.net).weather = Weather::fair();
        for camp in &mut self.camps {
            camp.fall();
        }
        look(&self.net).servers.iter_mut().for_each(Server::renew);
        for camp in &mut self.camps {
            camp.rise();
        }
        for tablet in &mut self.tablets {
            tablet.charge();
            tablet.empty();
        }
        let mut left = String::new();
        for _ in 0..ROUNDS {
            left.clear();
            for camp in &mut self.camps {
                left += &drain_camp(camp);
            }
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

/// Lets a camp pass on what it has; what is not yet as it should be.
fn drain_camp(camp: &mut Camp) -> String {
    match camp.pass() {
        Ok(passed) if passed == Passed::default() => String::new(),
        Ok(passed) => format!("camp {} had something to do: {passed:?}. ", camp.at),
        Err(fault) => format!("camp {}: {fault}. ", camp.at),
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
        Ok(report) if !tablet.client.files_pending().is_ok_and(|left| left == 0) => {
            format!(
                "tablet {number} at {} holds files that the nation has not: {:?}. ",
                tablet.at, report.files
            )
        }
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

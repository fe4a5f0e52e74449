//! The compiled program as a process of its own: it can be killed, starved and measured as nothing in this process can.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cartagena::model::schema::Registry;
use cartagena::store::{Store, migration};

use super::server::Serving;
use super::{Crew, Place};

/// How long anything that must come to pass is waited for. Only a failure takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// `cartagena serve` on a place's database. Killed when it is dropped.
pub(crate) struct Program {
    prefix: Vec<String>,
    settings: Vec<(String, String)>,
    data: PathBuf,
    running: Option<(Child, String)>,
}

impl Program {
    /// Migrates a place's database and hires its people.
    pub(crate) fn prepare(place: &Place) -> Crew {
        let database = place.database();
        migration::run(&database).unwrap();
        let store = Store::open(&database, Registry::embedded(), 1).unwrap();
        store.release_schemas().unwrap();
        let crew = Crew::hire(&store);
        store.shut_down();
        crew
    }

    /// The program on a place's database, not yet started.
    pub(crate) fn new(place: &Place) -> Self {
        let mut program = Self {
            prefix: Vec::new(),
            settings: Vec::new(),
            data: place.folder.path().to_owned(),
            running: None,
        };
        let database = place.database_url();
        program.set("DATABASE_URL", database);
        for limit in ["LOG_INS_PER_MINUTE", "PUSHES_PER_SECOND"] {
            program.set(&format!("LIMITS__{limit}"), "100000");
        }
        // What clients send wrong is no error of the server.
        program.set("LOG", "warn,actix_http=off");
        program
    }

    /// Prepares the database and starts the program on it.
    pub(crate) fn begin(place: &Place) -> (Self, Crew) {
        let crew = Self::prepare(place);
        let mut program = Self::new(place);
        program.start();
        (program, crew)
    }

    /// Sets `CARTAGENA_<name>` from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known.strip_prefix("CARTAGENA_") != Some(name));
        self.settings.push((format!("CARTAGENA_{name}"), value.to_owned()));
    }

    /// Runs it by means of another command, which must replace itself by the words that follow it.
    pub(crate) fn by_means_of(&mut self, prefix: &[String]) {
        self.prefix = prefix.to_vec();
    }

    fn command(&self, words: &[&str]) -> Command {
        let own = [env!("CARGO_BIN_EXE_cartagena")];
        let mut all = self.prefix.iter().map(String::as_str).chain(own).chain(words.iter().copied());
        let mut command = Command::new(all.next().expect("the program is one of them"));
        command.args(all).current_dir(&self.data).env_clear();
        // What runs the program for us is found by its name.
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("CARTAGENA_DATA", self.data.join("data")).envs(self.settings.iter().cloned());
        command
    }

    /// Starts it at a free port.
    #[track_caller]
    pub(crate) fn start(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let mut child =
            self.command(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Serving on ").map(str::to_owned));
        let Some(url) = url else { panic!("the program did not start: {:?}", child.wait()) };
        self.running = Some((child, url));
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.running.as_ref().expect("it runs").0.id()
    }

    /// Ends it as a power cut does: SIGKILL, at once.
    pub(crate) fn kill(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Whether it still runs: nothing that was done to it may end it.
    #[track_caller]
    pub(crate) fn must_run(&mut self) {
        let (child, _) = self.running.as_mut().expect("it was started");
        assert_eq!(child.try_wait().unwrap(), None, "the server has ended");
    }

    /// Memory of the process in KiB by a name of `/proc/<id>/status`: `VmRSS` now, `VmHWM` at most.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel tells it");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// `cartagena verify` finds the database to be what its log says.
    #[track_caller]
    pub(crate) fn verify(&self) {
        let done = self.command(&["verify"]).output().unwrap();
        let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(done.status.success(), "{}{}", told(&done.stdout), told(&done.stderr));
    }
}

impl Serving for Program {
    fn url(&self) -> &str {
        &self.running.as_ref().expect("it runs").1
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what}: not within {PATIENCE:?}");
}

/// The seed of a test's random moments: from `SEED`, or a new one. It is printed, which a test that fails shows.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a whole number"));
    let seed = seed.unwrap_or_else(rand::random);
    println!("to have the same moments again: SEED={seed}");
    seed
}

/// How often a random fault is tried: from the environment for long runs, or what CI has time for.
pub(crate) fn rounds(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |count| count.parse().expect("a number of rounds"))
}

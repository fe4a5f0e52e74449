//! A PostgreSQL for the tests: the one that is offered, or a private cluster that cannot outlive them.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use uuid::Uuid;

/// Names a PostgreSQL to use instead of a private cluster.
const OFFERED: &str = "CARTAGENA_TEST_POSTGRES_URL";
/// The account that runs PostgreSQL where the tests run as root: `initdb` refuses root.
pub(crate) const ACCOUNT: &str = "postgres";

/// URL of a new, empty database; nothing where there is no PostgreSQL, which is said once.
pub(crate) fn create_database() -> Option<String> {
    let server = server()?;
    let name = format!("cartagena_test_{}", Uuid::now_v7().simple());
    administer(server, &format!("create database {name}"));
    Some(with_database(server, &name))
}

/// Makes one database a copy of another that nobody is using.
pub(crate) fn copy_database(from: &str, to: &str) {
    drop_database(to);
    let server = server().expect("it has made both");
    // A connection of a pool that has just ended may need a moment to go.
    let statement = format!("create database {} template {}", name_in(to), name_in(from));
    let mut connection = PgConnection::establish(server).expect("the tests' PostgreSQL answers");
    for _ in 0..100 {
        if connection.batch_execute(&statement).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the database is still in use");
}

/// Drops a database that [`create_database`] made.
pub(crate) fn drop_database(url: &str) {
    let name = name_in(url);
    if let Some(server) = server()
        && let Ok(mut connection) = PgConnection::establish(server)
    {
        // A database that stays behind is the cluster's to remove; it is no reason to fail a test.
        let _ = connection.batch_execute(&format!("drop database if exists {name} with (force)"));
    }
}

/// Runs a statement, or several, on a database.
pub(crate) fn administer(server: &str, statement: &str) {
    let mut connection = PgConnection::establish(server).expect("the tests' PostgreSQL answers");
    connection.batch_execute(statement).expect("the tests may create databases");
}

/// The database's name in a URL.
fn name_in(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The same server, another database.
fn with_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let host = base.find("://").map_or(0, |at| at + 3);
    let path = base[host..].find('/').map_or(base.len(), |at| host + at);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{}/{name}{query}", &base[..path])
}

/// URL of the maintenance database of the one server of this test run.
fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match std::env::var(OFFERED) {
        Ok(url) => Some(Server { url, _cluster: None }),
        Err(_) => match Cluster::start(&[]) {
            Ok(cluster) => Some(Server { url: cluster.url.clone(), _cluster: Some(Mutex::new(cluster)) }),
            Err(reason) => {
                say_skipped(&reason);
                None
            }
        },
    });
    server.as_ref().map(|server| server.url.as_str())
}

/// Past the capturing of output: a skipped half of the tests must not look like a passed one.
fn say_skipped(reason: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "the PostgreSQL cases cannot run, and in CI they must: {reason}"
    );
    let text = format!("\nSKIPPED: no test on PostgreSQL was run: {reason}. Set {OFFERED} to offer one.\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
}

struct Server {
    url: String,
    /// Lives as long as this process does.
    _cluster: Option<Mutex<Cluster>>,
}

/// A private cluster, which can be stopped and started. It ends with its value, and with this process, however that ends.
pub(crate) struct Cluster {
    url: String,
    folder: PathBuf,
    /// Ends the cluster when its standard input ends.
    keeper: Child,
    said: BufReader<ChildStdout>,
}

/// Makes a cluster, serves it on a socket in its own folder, stops and starts it where it is told to, and removes it
/// once nobody holds our end of the pipe.
/// One shell does all of it in turn, so that there is no moment in which a cluster could be left behind; it is deaf
/// to the signals of a terminal, which reach it too. The disk's honesty is not what these tests test.
const KEEPER: &str = r#"
    trap "" INT TERM HUP PIPE
    binaries=$1 folder=$2 account=$3 primary=$4
    run() { if [ -n "$account" ]; then runuser -u "$account" -- "$@"; else "$@"; fi; }
    if [ -n "$account" ]; then chown "$account" "$folder"; fi
    start() {
        run "$binaries/pg_ctl" start -w -t 60 -D "$folder/data" -l "$folder/log" -o "-c listen_addresses='' \
            -c unix_socket_directories='$folder' -c max_connections=300 -c shared_buffers=64MB -c fsync=off \
            -c full_page_writes=off" >"$folder/said" 2>&1
    }
    make() {
        if [ -n "$primary" ]; then
            run "$binaries/pg_basebackup" -h "$primary" -U postgres -D "$folder/data" -R -X stream -c fast
        else
            run "$binaries/initdb" -U postgres -A trust -E UTF8 --locale=C -D "$folder/data"
        fi >"$folder/said" 2>&1
    }
    if make && start
    then echo ready
    else cat "$folder/said" "$folder/log" | tail -n 5 | tr '\n' ' '; echo
    fi
    while read -r word; do
        case $word in
            start) start ;;
            *) run "$binaries/pg_ctl" stop -w -D "$folder/data" -m "$word" >"$folder/said" 2>&1 ;;
        esac
        echo "$?"
    done
    run "$binaries/pg_ctl" stop -D "$folder/data" -m immediate >"$folder/said" 2>&1
    rm -rf "$folder"
"#;

impl Cluster {
    /// Starts one, by means of another command where one is given.
    pub(crate) fn start(prefix: &[String]) -> Result<Self, String> {
        Self::make(prefix, None)
    }

    /// Starts a streaming replica of this one.
    pub(crate) fn replicate(&self) -> Result<Self, String> {
        Self::make(&[], Some(&self.folder))
    }

    fn make(prefix: &[String], primary: Option<&Path>) -> Result<Self, String> {
        let binaries = find_binaries().ok_or("initdb and pg_ctl are not installed")?;
        let folder = tempfile::Builder::new().prefix("cartagena-pg-").tempdir();
        let folder = folder.map_err(|fault| format!("no temporary folder: {fault}"))?.keep();
        let shell = "sh".to_owned();
        let mut words = prefix.iter().chain([&shell]);
        let mut keeper = Command::new(words.next().expect("there is the shell at least"))
            .args(words)
            .args(["-c", KEEPER, "keeper"])
            .args([&binaries, &folder])
            .arg(if is_root() { ACCOUNT } else { "" })
            .arg(primary.unwrap_or(Path::new("")))
            // The account may not be able to enter the folder that the tests run in.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Whoever runs the tests waits for the end of their output, not of the keeper's.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|fault| format!("no shell: {fault}"))?;
        let said = BufReader::new(keeper.stdout.take().expect("its output is piped"));
        let url = format!("postgres:///postgres?host={}&user=postgres", folder.display());
        let mut cluster = Self { url, folder, keeper, said };
        match cluster.hear()?.as_str() {
            "ready" => Ok(cluster),
            reason => Err(reason.to_owned()),
        }
    }

    fn hear(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.said.read_line(&mut line).map_err(|fault| format!("the cluster's keeper: {fault}"))?;
        Ok(line.trim().to_owned())
    }

    /// Stops it, `fast` or `immediate`, or makes it `start` again.
    #[track_caller]
    pub(crate) fn must(&mut self, word: &str) {
        let pipe = self.keeper.stdin.as_mut().expect("its input is piped");
        writeln!(pipe, "{word}").unwrap();
        assert_eq!(self.hear().as_deref(), Ok("0"), "{word}");
    }

    /// URL of a new, empty database in it, made with these options.
    pub(crate) fn create_database(&self, options: &str) -> String {
        administer(&self.url, &format!("create database under_fault {options}"));
        self.database()
    }

    /// URL of the database that [`Cluster::create_database`] makes; a replica has it too.
    pub(crate) fn database(&self) -> String {
        with_database(&self.url, "under_fault")
    }

    /// Runs a statement that belongs to the whole cluster.
    pub(crate) fn administer(&self, statement: &str) {
        administer(&self.url, statement);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The newest installed version, or what is on the path.
fn find_binaries() -> Option<PathBuf> {
    let has_both = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("bin"))
        .filter(has_both)
        .collect();
    installed.sort_by_key(|folder| version(folder));
    let path = std::env::var_os("PATH").unwrap_or_default();
    installed.pop().or_else(|| std::env::split_paths(&path).find(has_both))
}

fn version(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

#[test]
fn a_database_is_put_into_a_url() {
    let put = |server| with_database(server, "x");
    assert_eq!(put("postgres:///postgres?host=/tmp/a&user=b"), "postgres:///x?host=/tmp/a&user=b");
    assert_eq!(put("postgres://u:p@h:5432/db"), "postgres://u:p@h:5432/x");
    assert_eq!(put("postgres://h"), "postgres://h/x");
}

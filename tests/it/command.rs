//! The command line, as somebody types it: the real program in a folder of its own, on SQLite.

mod copies;
mod demo;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use cartagena::store::DatabaseUrl;
use serde_json::json;
use tempfile::TempDir;

use crate::support::program::eventually;
use crate::support::{Crew, Place, TestServer, on_both};

on_both!(an_empty_database_stays_empty, a_camp_serves_right_after_it_has_enrolled);

/// A folder in which commands are typed.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with a database in it, and the authority and an admin as after a first start.
    fn begun() -> Self {
        let folder = Self::new();
        folder.must("migrate");
        let words = "user add admin --name A --role admin --organisation Authority --new-organisation --kind authority";
        folder.must(words);
        folder
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartagena"));
        command.args(words.split_whitespace()).current_dir(self.0.path()).env_clear();
        command
    }

    fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs what must succeed; what it prints.
    #[track_caller]
    fn must(&self, words: &str) -> String {
        let done = self.run(words);
        assert!(done.status.success(), "{words}: {}", told(&done));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs what must fail with this code and these words.
    #[track_caller]
    fn must_not(&self, words: &str, code: i32, because: &str) {
        let done = self.run(words);
        assert_eq!(done.status.code(), Some(code), "{words}: {}", told(&done));
        assert!(told(&done).contains(because), "{words}: {}", told(&done));
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }
}

/// What it said, on both ways.
fn told(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

#[test]
fn only_a_server_begins_a_database() {
    let folder = Folder::new();
    for words in [
        "user list",
        "user add jane --name J --role im_officer --organisation A --new-organisation",
        "device list",
        "programme show",
        "import sheet.csv --kind task --as jane",
        "bench sync",
    ] {
        let place = folder.0.path().join("data").join("cartagena.db");
        folder.must_not(words, 1, &format!("no database at {}", place.display()));
        folder.must_not(words, 1, "cartagena serve");
    }
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 0, "nothing was made");
    folder.must("migrate");
    folder.must("user list");
}

#[test]
fn only_serve_migrate_and_demo_change_what_a_database_is() {
    let folder = Folder::new();
    std::fs::create_dir(folder.0.path().join("data")).unwrap();
    let file = folder.0.path().join("data").join("cartagena.db");
    folder.write("data/cartagena.db", "");
    folder.must_not("user list", 1, &format!("{} is empty: `cartagena migrate`", file.display()));
    assert_eq!(file.metadata().unwrap().len(), 0, "nothing was written");
    folder.write("data/cartagena.db", &"no database at all\n".repeat(100));
    for words in ["user list", "migrate"] {
        folder.must_not(words, 1, &file.display().to_string());
    }
    std::fs::remove_file(&file).unwrap();
    folder.must("migrate");
    let execute = |statement: &str| {
        use diesel::connection::SimpleConnection as _;
        use diesel::prelude::*;
        SqliteConnection::establish(file.to_str().unwrap()).unwrap().batch_execute(statement).unwrap();
    };
    execute(
        "delete from __diesel_schema_migrations where version = (select max(version) from __diesel_schema_migrations)",
    );
    let lacks = format!("{}: the database lacks 1 migration(s): run `cartagena migrate`", file.display());
    for words in ["user list", "verify", "backup kept", "restore"] {
        folder.must_not(words, 1, &lacks);
    }
    execute("drop table __diesel_schema_migrations");
    folder.must_not("user list", 1, "run `cartagena migrate`");
    folder.must_not("user list", 1, "run `cartagena migrate`");
}

fn an_empty_database_stays_empty(place: &Place) {
    use diesel::prelude::*;
    let folder = Folder::new();
    let (url, name) = match place.database() {
        DatabaseUrl::Sqlite(path) => (format!("sqlite:{path}"), path),
        DatabaseUrl::Postgres(url) => (url.clone(), url.split('?').next().unwrap_or_default().to_owned()),
    };
    let name = name.rsplit('/').next().unwrap();
    let done = folder.command("user list").env("CARTAGENA_DATABASE_URL", &url).output().unwrap();
    let told = told(&done);
    assert!(done.status.code() == Some(1) && told.contains("`cartagena migrate`"), "{told}");
    assert!(told.contains(name), "{told}");
    if let DatabaseUrl::Postgres(url) = place.database() {
        let mut connection = PgConnection::establish(&url).unwrap();
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        let tables = diesel::dsl::sql::<diesel::sql_types::BigInt>(tables);
        assert_eq!(tables.get_result::<i64>(&mut connection), Ok(0));
    }
}

#[test]
fn a_path_that_cannot_be_looked_at_is_not_called_missing() {
    let folder = Folder::new();
    folder.write("data", "a file where the folder should be");
    let done = folder.run("user list");
    assert!(told(&done).contains("cannot be looked at"), "{}", told(&done));
    assert!(!told(&done).contains("no database"), "{}", told(&done));
}

#[test]
fn a_port_that_is_taken_costs_no_password() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    folder.must_not(&format!("serve --listen {address}"), 1, &format!("{address} cannot be listened on"));
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 0, "nothing was made");
}

fn a_camp_serves_right_after_it_has_enrolled(place: &Place) {
    let nation = TestServer::start(place);
    let crew = Crew::hire(nation.store());
    let folder = Folder::new();
    let code = crew.offer(&nation, &crew.camp);
    folder.must(&format!("relay enrol {} --code {code} --name Camp", nation.url()));
    let mut camp = folder
        .command("serve --listen 127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(camp.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let serves = said.starts_with("Serving on");
    if serves {
        eventually("its people come from the nation", || {
            folder.must("user list").contains(&crew.im.login).then_some(())
        });
    }
    camp.kill().unwrap();
    camp.wait().unwrap();
    assert!(serves, "it makes no admin of its own: {said}");
}

#[test]
fn a_running_demonstration_is_not_deleted_under_itself() {
    let folder = Folder::new();
    let data = folder.0.path().join("data").join("demo");
    std::fs::create_dir_all(&data).unwrap();
    let lock = std::fs::File::create(data.join("lock")).unwrap();
    lock.try_lock().unwrap();
    folder.write("data/demo/cartagena.db", "kept");
    for words in ["demo --exit", "demo --fresh --exit"] {
        folder.must_not(words, 1, "a demonstration runs in");
    }
    assert_eq!(std::fs::read(data.join("cartagena.db")).unwrap(), b"kept");
}

#[test]
fn a_demonstration_is_reached_from_its_own_machine_only() {
    let folder = Folder::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080", "8080"] {
        folder.must_not(&format!("demo --exit --listen {address}"), 1, "on loopback");
    }
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_log_in_is_a_word_that_can_be_typed_again() {
    let folder = Folder::begun();
    let add = |login: &str, name: &str| {
        let mut command = folder.command("user add --role surveyor --organisation Crew --new-organisation");
        command.args([login, "--name", name]).output().unwrap()
    };
    for (login, name) in
        [("", "J"), ("jane ", "J"), ("ja ne", "J"), ("ja\u{7}ne", "J"), ("jane", " "), ("jane", "J\n")]
    {
        let done = add(login, name);
        assert_eq!(done.status.code(), Some(1), "{login:?} {name:?}: {}", told(&done));
    }
    assert!(add("jane", "Jane Doe").status.success(), "nothing of the refused ones was made");
}

#[test]
fn the_last_admin_stays() {
    let folder = Folder::begun();
    folder.must_not("user close admin", 1, "the last admin");
    folder.must("user add second --name S --role admin --organisation Authority");
    folder.must("user close admin");
    folder.must_not("user close second", 1, "the last admin");
    folder.must("user close admin");
}

#[cfg(unix)]
#[test]
fn only_their_owner_reads_the_folder_and_the_database() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::begun();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = folder.0.path().join("data");
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_slip_of_the_pen_makes_no_second_organisation() {
    let folder = Folder::begun();
    let add = |login: &str, organisation: &str| {
        format!("user add {login} --name J --role supervisor --organisation {organisation}")
    };
    folder.must_not(&add("jane", "Autority"), 1, "there are: `Authority`");
    folder.must_not(&format!("{} --new-organisation", add("jane", "authority")), 1, "`Authority` already");
    folder.must(&add("jane", "Authority"));
    folder.must(&format!("{} --new-organisation", add("joe", "Operator")));
    folder.must_not(&add("joe", "Operator"), 1, "already");
    assert!(folder.must("user list").contains("joe  supervisor  Operator"));
}

#[test]
fn a_closed_account_gets_no_device_and_no_password() {
    let folder = Folder::begun();
    folder.must("user add jane --name J --role surveyor --organisation Authority");
    folder.must("device offer jane");
    folder.must("user close jane");
    folder.must_not("device offer jane", 1, "`jane` is closed");
    folder.must_not("user reset jane", 1, "`jane` is closed");
    folder.must_not("device offer jana", 1, "no account `jana`");
}

#[test]
fn faults_of_the_deadlines_are_said_when_they_are_set() {
    let folder = Folder::begun();
    let programme = |deadlines: serde_json::Value| {
        json!({"name": "P", "country": "BIH", "deposited_on": "1998-09-08", "deadlines": deadlines,
               "extent": {"west": 15.7, "south": 42.5, "east": 19.7, "north": 45.3}})
        .to_string()
    };
    let last = json!({"kind": "extension", "decided_on": "2018-11-30", "new_deadline": "2021-03-01"});
    folder.write("p.json", &programme(json!([last])));
    let done = folder.run("programme set p.json");
    assert!(done.status.success(), "a history is not refused: {}", told(&done));
    let warned = String::from_utf8(done.stderr).unwrap();
    assert!(warned.contains("beyond 2019-03-01"), "{warned}");
    let first = json!({"kind": "extension", "decided_on": "2008-11-28", "new_deadline": "2019-03-01"});
    folder.write("p.json", &programme(json!([first, last])));
    assert_eq!(folder.run("programme set p.json").stderr, b"");
}

#[test]
fn the_readmes_sample_programme_is_sound() {
    let readme = include_str!("../../README.md");
    let sample = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Folder::begun();
    folder.write("programme.json", sample);
    let done = folder.run("programme set programme.json");
    assert!(done.status.success() && done.stderr.is_empty(), "{}", told(&done));
}

#[test]
fn an_import_tells_by_its_code_whether_it_brought_anything() {
    let folder = Folder::begun();
    folder.must("user add jane --name J --role im_officer --organisation Authority");
    folder.must("user add sam --name S --role supervisor --organisation Operator --new-organisation");
    folder.write("good.csv", "id,date_identified,wkt\n1,2020-01-01,POINT (18.6 43.6)\n");
    folder.write("bad.csv", "date_identified,wkt\nsometime,POINT (18.6 43.6)\n");
    let set = "--kind hazardous_area --set classification=SHA --set status=open --set contamination=uxo";
    folder.must_not(&format!("import good.csv {set} --as jane"), 1, "--organisation");
    folder.must_not(
        &format!("import good.csv {set} --as sam --organisation Authority"),
        1,
        "only an IM officer",
    );
    let done = folder.run(&format!("import good.csv {set} --as sam"));
    assert!(done.status.success(), "{}", told(&done));
    let told = told(&done);
    assert!(told.contains("known again by `id`") && told.contains("step `org_validate`"), "{told}");
    folder.must_not(&format!("import good.csv {set} --as sam"), 0, "1 duplicate");
    folder.must_not(&format!("import good.csv {set} --as sam --where id=2"), 3, "1 skipped");
    folder.must_not(&format!("import bad.csv {set} --as sam"), 3, "1 quarantined");
    folder.must_not(&format!("import bad.csv {set} --as sam"), 3, "features have no id");
    folder.must_not(
        &format!("import good.csv {set} --as sam --where id=2"),
        3,
        "no feature has id=`2`; there are: `1`",
    );
    folder.must_not(&format!("import good.csv {set}"), 2, "--as");
    folder.write("open.csv", "id,name,wkt\n2,\"A,POINT (18 44)\n3,B,POINT (18 44)\n");
    folder.must_not(
        &format!("import open.csv {set} --as sam"),
        1,
        "the quote that opens in line 2 is not closed",
    );
    folder.write("undated.csv", "id,wkt\n2,POINT (18 44)\n");
    folder.must_not(
        &format!("import undated.csv {set} --as sam"),
        0,
        "1 of 1 features have no `date_identified`",
    );
    assert!(folder.must("import --help").contains("Exit codes"));
}

#[test]
fn nobody_need_read_to_the_end() {
    let folder = Folder::begun();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = folder.command("user list").stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", told(&done));
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_full_disk_swallows_is_a_failure() {
    let folder = Folder::begun();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = folder.command("user list").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(told(&done).contains("could not be written"), "{}", told(&done));
}

/// The blocks of a document that are typed into a shell.
fn shell_blocks(document: &str) -> String {
    document
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_walkthrough_leads_to_the_figure() {
    let folder = Folder::new();
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/walkthrough.md")).unwrap();
    folder.write("walkthrough.sh", &format!("set -e\ntrap 'kill $SERVER' EXIT\n{}", shell_blocks(&document)));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let program = Path::new(env!("CARGO_BIN_EXE_cartagena")).parent().unwrap();
    let done = Command::new("bash")
        .arg("walkthrough.sh")
        .current_dir(folder.0.path())
        .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap()))
        .env("CARTAGENA_LISTEN", format!("127.0.0.1:{port}"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", told(&done));
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.0.path().join(name)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let (remaining, pieces, balance) = (read("remaining.json"), read("pieces.json"), read("balance.json"));
    let total = remaining["total_m2"].as_f64().unwrap();
    // Half of 0.001° by 0.001° at 44° N: 111.1 m by 80.2 m by ½.
    assert!((total - 4_455.0).abs() < 10.0, "{remaining}");
    assert_eq!(pieces["total_m2"], remaining["total_m2"]);
    let cleared = balance["rows"][1]["cleared_m2"].as_f64().unwrap();
    assert!((cleared - total).abs() < 1.0 && balance["rows"][1]["residual_m2"] == 0.0, "{balance}");
    let said = told(&done);
    assert_eq!(
        (said.matches("\"applied\"").count(), said.matches("\"duplicate\"").count()),
        (12, 2),
        "{said}"
    );
    assert!(said.contains("4456 m² remain on 2025-12-31"), "{said}");
}

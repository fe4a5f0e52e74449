//! The console in a real browser (`tests/browser`): Debian's Chromium, driven by Playwright, against the compiled
//! demonstration. Where Node or Chromium is missing it says that it was skipped; with `CI=true` it fails instead.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Everybody's password in the demonstration.
const PASSWORD: &str = "demonstration only";

/// Where Chromium is called what, unless `CHROMIUM` says.
const PLACES: [&str; 4] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];

#[test]
fn people_work_with_the_console() {
    let Some(chromium) = tools() else { return };
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let files = std::fs::read_dir(&tests).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    files.sort();
    // One after the other: what one approves another would count.
    let done = Command::new("node")
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .args(files)
        .env("CONSOLE_URL", &demo.url)
        .env("CONSOLE_PASSWORD", PASSWORD)
        .env("CONSOLE_DATA", &demo.data)
        .env("CHROMIUM", chromium)
        .env_remove("NODE_OPTIONS")
        .output()
        .unwrap();
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", told(&done.stdout));
    assert!(done.status.success(), "{}{}", told(&done.stdout), told(&done.stderr));
}

/// Chromium, if everything is here.
fn tools() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let chromium = named.into_iter().chain(PLACES.map(PathBuf::from)).find(|path| path.exists());
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/node_modules/playwright-core");
    let missing = match &chromium {
        None => "Chromium is not installed",
        Some(_) if !driver.exists() => "the console was built without Node.js",
        Some(_) => return chromium,
    };
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    println!("skipped: {missing}");
    None
}

/// `cartagena demo`, until it is dropped.
struct Demo {
    url: String,
    /// Where its database lies.
    data: PathBuf,
    process: Child,
}

impl Demo {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cartagena"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env("CARTAGENA_DATA", folder.join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let mut url = None;
        let mut lines = lines.map_while(Result::ok);
        for line in lines.by_ref() {
            if let Some(there) = line.strip_prefix("Serving on ") {
                url = Some(there.to_owned());
            }
            // Everything of the demonstration has happened by then.
            if line == "Serving until Ctrl-C." {
                break;
            }
        }
        // It goes on reading what nobody needs: a pipe that is full would stop the server.
        std::thread::spawn(move || lines.for_each(drop));
        Self { url: url.expect("the demonstration serves"), data: folder.join("data/demo"), process }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Builds the console of `web/` where Node is present, and writes the table of its files for the binary to carry – or the
//! reason why there are none: a server without a console is a server all the same.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;

/// What Vite needs (its `engines`).
const OLDEST_NODE: (u32, u32) = (20, 19);

/// What a change of makes another console.
const SOURCES: [&str; 5] = ["src", "index.html", "package-lock.json", "vite.config.ts", "tsconfig.json"];

/// A Rust expression: `Ok(&[(path, gzipped bytes), …])` sorted by path, or `Err("why there is no console")`.
///
/// # Errors
/// Where the console's own sources cannot be built, which is a fault of theirs.
pub(crate) fn table(web: &Path, out: &Path) -> Result<String, Box<dyn Error>> {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", web.join(source).display());
    }
    if let Err(reason) = node().and_then(|()| packages(web)) {
        // Looked at again by the next build: somebody may have installed what is missing.
        println!("cargo:rerun-if-changed={}", out.join("no-console").display());
        println!("cargo:warning=built without the console: {reason}");
        return Ok(format!("Err({reason:?})"));
    }
    let built = out.join("console");
    let vite = Command::new("node")
        .current_dir(web)
        .args(["node_modules/vite/bin/vite.js", "build", "--emptyOutDir", "--logLevel", "warn", "--outDir"])
        .arg(&built)
        .output()?;
    if !vite.status.success() {
        return Err(format!("web/ cannot be built: {}", last_words(&vite)).into());
    }
    pack(&built, &out.join("console.gz"))
}

/// Whether there is a Node that is young enough.
fn node() -> Result<(), String> {
    let (major, minor) = OLDEST_NODE;
    let wanted = format!("Node {major}.{minor} or later");
    let told = Command::new("node").arg("--version").output();
    let told = told.map_err(|_absent| format!("{wanted} is not installed"))?;
    let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|part| part.parse().ok());
    let found: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST_NODE {
        return Err(format!("it takes {wanted}, and here is {version}"));
    }
    Ok(())
}

/// Installs what the lockfile names, unless that is there already.
fn packages(web: &Path) -> Result<(), String> {
    let told = |fault: std::io::Error| format!("{}: {fault}", web.display());
    // Cargo may build for two profiles at the same time.
    let turn = File::create(web.join(".lock")).map_err(told)?;
    turn.lock().map_err(told)?;
    let wanted = fs::read(web.join("package-lock.json")).map_err(told)?;
    let stamp = web.join("node_modules").join(".installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let install = Command::new(npm).current_dir(web).args(["ci", "--no-audit", "--no-fund"]).output();
    let install = install.map_err(|_absent| "npm is not installed".to_owned())?;
    if !install.status.success() {
        return Err(format!("`npm ci` in web/ failed: {}", last_words(&install)));
    }
    fs::write(&stamp, wanted).map_err(told)
}

fn last_words(output: &Output) -> String {
    let told =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    told.lines().map(str::trim).filter(|line| !line.is_empty()).take(12).collect::<Vec<_>>().join(" · ")
}

/// Packs every file and writes the table of them.
fn pack(built: &Path, packed: &Path) -> Result<String, Box<dyn Error>> {
    let _ = fs::remove_dir_all(packed);
    fs::create_dir_all(packed)?;
    let mut files = Vec::new();
    list(built, &mut files)?;
    files.sort();
    let mut table = String::from("Ok(&[\n");
    for (number, file) in files.iter().enumerate() {
        let to = packed.join(number.to_string());
        let mut writer = GzEncoder::new(File::create(&to)?, Compression::best());
        writer.write_all(&fs::read(file)?)?;
        writer.finish()?;
        let name =
            file.strip_prefix(built)?.to_str().ok_or("a file's name must be UTF-8")?.replace('\\', "/");
        let to = to.to_str().ok_or("the path of the build must be UTF-8")?;
        writeln!(table, "    ({name:?}, include_bytes!({to:?}).as_slice()),")?;
    }
    table.push_str("])\n");
    Ok(table)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

//! Rebuilds when a migration or a schema is added: cargo does not see new files that a macro embeds.
//! Writes `$OUT_DIR/schemas.rs`, the table of all `schemas/<kind>/<version>.json`, so that a new
//! kind of record is a new file and no line of code, and `$OUT_DIR/console.rs`, the table of the console's files.

#[path = "build/console.rs"]
mod console;

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=schemas");
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    let table = schema_table(&Path::new(&root).join("schemas"))?;
    fs::write(Path::new(&out).join("schemas.rs"), table)?;
    let console = console::table(&Path::new(&root).join("web"), Path::new(&out))?;
    fs::write(Path::new(&out).join("console.rs"), console)?;
    Ok(())
}

/// A Rust expression `&[(kind, version, text), …]`, sorted so that builds are reproducible.
fn schema_table(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut entries = Vec::new();
    for kind in fs::read_dir(folder)? {
        let kind = kind?;
        if !kind.file_type()?.is_dir() {
            continue;
        }
        let name = kind.file_name().to_str().ok_or("a kind's name must be UTF-8")?.to_owned();
        for file in fs::read_dir(kind.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|end| end == "json") {
                entries.push((name.clone(), version_of(&path)?));
            }
        }
    }
    entries.sort();
    let mut table = String::from("&[\n");
    for (kind, version) in entries {
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/schemas/{kind}/{version}.json\")");
        writeln!(table, "    (\"{kind}\", {version}, include_str!({path})),")?;
    }
    table.push_str("]\n");
    Ok(table)
}

fn version_of(path: &Path) -> Result<i32, Box<dyn Error>> {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .and_then(|stem| stem.parse().ok())
        .ok_or_else(|| format!("{}: a schema file is named <version>.json", path.display()).into())
}

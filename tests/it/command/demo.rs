//! The demonstration: its figures are those of the whole story, or of none.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::Folder;

#[test]
fn a_demonstration_that_was_interrupted_is_not_served() {
    let folder = Folder::new();
    let mut first = folder.command("demo --listen 127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(first.stdout.take().unwrap()).lines().map_while(Result::ok);
    // It serves while its tablets are still at work.
    assert!(lines.into_iter().any(|line| line.starts_with("Serving on ")));
    first.kill().unwrap();
    first.wait().unwrap();
    folder.must_not("demo --listen 127.0.0.1:0 --exit", 1, "begin again with --fresh");
}

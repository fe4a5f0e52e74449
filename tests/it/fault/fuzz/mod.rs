//! Inputs that nobody thought of: the kept cases first, then changes of them for some seconds.
//!
//! A target is a file here with a function that is given bytes and panics where a promise is broken, and a folder of
//! cases in `corpus/`. What is found is written there as `found-…`: it is kept, and tried first from then on.
//! `FUZZ_SECONDS=` makes a run longer, `SEED=` has the same one again.

mod bundle;
mod files;
mod geometry;
mod map;
mod mutate;
mod push;
mod tus;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sha2::{Digest as _, Sha256};

use self::mutate::changed;
use crate::support::program::{rounds, seed};

/// Changes of the kept cases that are tried at least, however busy the machine is.
const FEWEST: u32 = 200;

/// Tries every kept case of a target and then as many changes of them as there is time for.
fn fuzz(target: &str, mut holds: impl FnMut(&[u8])) {
    let folder =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fault/fuzz/corpus")).join(target);
    let corpus = corpus(&folder);
    for case in &corpus {
        holds(case);
    }
    let mut random = StdRng::seed_from_u64(seed());
    let seconds = u64::try_from(rounds("FUZZ_SECONDS", 5)).unwrap();
    let begun = Instant::now();
    let mut tried = 0;
    while tried < FEWEST || begun.elapsed() < Duration::from_secs(seconds) {
        let case = changed(&corpus, &mut random);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| holds(&case))) {
            let name = format!("found-{}", &hex::encode(Sha256::digest(&case))[..12]);
            std::fs::write(folder.join(&name), &case).unwrap();
            println!("{target}: the case is kept as {name}");
            resume_unwind(panic);
        }
        tried += 1;
    }
    println!("{target}: {tried} cases tried");
}

fn corpus(folder: &PathBuf) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // In the same order everywhere, so that a seed means the same.
    files.sort();
    assert!(!files.is_empty(), "{}: there is nothing to begin with", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

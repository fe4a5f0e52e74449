//! The simulator: many small worlds of tablets and servers in which everything goes wrong, by chance and repeatably.
//!
//! Every node is the real thing – the server's store and rules, the client library – on an SQLite database in memory;
//! only the network is made of dice. When the weather clears, nothing may have been lost (docs/sync.md §8).
//!
//! `cargo test --test sim --release` runs it alone. `SEED=17` runs one world again, `SEEDS=1000000` as many as that.

mod age;
mod camp;
mod dice;
mod line;
mod oracle;
mod people;
mod server;
mod tablet;
mod tus;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use cartagena::planted::{Fault, plant};
use mimalloc::MiMalloc;

/// As in the program: half of a world's time would go into allocating otherwise.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Worlds in an ordinary run.
const SEEDS: u64 = 2_000;
/// In so many worlds at most a planted fault must show.
const SOON: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What a seed's world lost, in words.
fn fault_of(seed: u64) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| world::run(seed))) {
        Ok(result) => result.err(),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            Some(
                words
                    .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_default(),
            )
        }
    }
}

/// A planted fault is in the whole process: nobody else looks meanwhile.
static PLANTED: RwLock<()> = RwLock::new(());

/// Every fault that can be planted is found, and soon.
#[test]
fn planted_faults_are_found() {
    let _alone = PLANTED.write().unwrap_or_else(PoisonError::into_inner);
    let found = Fault::ALL.map(|fault| {
        plant(Some(fault));
        let seed = (0..SOON).find_map(|seed| Some((seed, fault_of(seed)?)));
        plant(None);
        (fault, seed)
    });
    for (fault, seed) in &found {
        println!("{fault:?}: {seed:?}");
    }
    assert!(found.iter().all(|(_, seed)| seed.is_some()), "not every planted fault was found");
}

#[test]
fn nothing_is_lost() {
    let _sound = PLANTED.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(seed) = number("SEED") {
        assert_eq!(fault_of(seed), None, "SEED={seed}");
        return;
    }
    let (next, seeds) = (AtomicU64::new(0), number("SEEDS").unwrap_or(SEEDS));
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let run = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return;
                }
                if let Some(fault) = fault_of(seed) {
                    next.store(seeds, Ordering::Relaxed);
                    panic!("SEED={seed} lost something: {fault}");
                }
            }
        };
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
}

//! What a server counts, as `/metrics` tells it.

use super::Serving;

/// A metric by its name with its labels; 0 where it was never counted.
#[track_caller]
pub(crate) fn metric(server: &impl Serving, name: &str) -> u64 {
    let text = server.http().get_text("/metrics", "", &[]);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().expect("a whole number"))
}

//! What commands say: results to standard output, logs, warnings and errors to standard error.

use std::io::{Error, ErrorKind, Write as _};
use std::sync::OnceLock;

use chrono::{DateTime, SecondsFormat, Utc};

/// Why standard output took no more, the first time.
static FAULT: OnceLock<Error> = OnceLock::new();

/// What a command has to say goes to standard output; logs and errors do not. Whoever stops reading (`| head`) does
/// not break off what the command is for.
pub(super) fn print(text: &str) {
    if let Err(fault) = writeln!(std::io::stdout(), "{text}") {
        // Only the first one is worth telling.
        let _ = FAULT.set(fault);
    }
}

/// A moment as a person reads it.
pub(super) fn in_seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Whether nobody reads what is printed.
pub(super) fn is_unread() -> bool {
    FAULT.get().is_some()
}

/// Whoever stopped reading has seen enough; a full disk has swallowed what somebody wants to read.
///
/// # Errors
/// Where something could not be written that somebody may miss.
pub(super) fn expect_written() -> anyhow::Result<()> {
    match FAULT.get() {
        Some(fault) if fault.kind() != ErrorKind::BrokenPipe => {
            anyhow::bail!("the command was carried out, but what it says could not be written: {fault}")
        }
        _ => Ok(()),
    }
}

/// What should be known but stops nothing goes to standard error.
pub(super) fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "cartagena: warning: {text}");
}

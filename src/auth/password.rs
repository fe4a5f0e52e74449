//! Passwords: Argon2id with the crate's defaults, which follow OWASP's recommendation.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// The fewest characters of a password that a person chooses.
pub const SHORTEST: usize = 12;
/// More is not read: hashing a megabyte is an attack, not a password.
pub const LONGEST: usize = 256;

/// Hashed once, so that an unknown log-in takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJlISE$sUm9eqfCYzTMkWAvzZXHQ4VrTS3TGcZnBNJ5S9wJ1dU";

/// A password as it is stored: a PHC string.
///
/// # Panics
/// Never: the parameters are the crate's own.
pub fn hash(password: &str) -> String {
    Argon2::default()
        .hash_password(password.as_bytes())
        .expect("the default parameters are valid and the system has random numbers")
        .to_string()
}

/// Whether `given` is the password; for an unknown log-in (`stored` is nothing) it takes as long and is false.
pub fn verify(given: &str, stored: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(NOBODY)) else { return false };
    let fits = given.len() <= LONGEST && Argon2::default().verify_password(given.as_bytes(), &hash).is_ok();
    fits && stored.is_some()
}

/// A password that is shown once and must be changed.
pub fn one_time() -> String {
    super::token::code(16)
}

/// What is wrong with a password that a person chose.
///
/// # Errors
/// In words.
pub fn check_strength(password: &str) -> Result<(), String> {
    if password.chars().count() < SHORTEST {
        return Err(format!("a password has at least {SHORTEST} characters"));
    }
    if password.len() > LONGEST {
        return Err(format!("a password has at most {LONGEST} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_opens() {
        let stored = hash("correct horse battery");
        assert!(verify("correct horse battery", Some(&stored)));
        assert!(!verify("correct horse batterz", Some(&stored)));
        assert!(!verify("correct horse battery", None));
        assert!(!verify("correct horse battery", Some("not a hash")));
        assert!(PasswordHash::new(NOBODY).is_ok(), "or an unknown log-in would answer faster");
    }
}

//! Access tokens: short-lived JWTs signed with Ed25519, each naming its key. Keys rotate by adding a file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use chrono::{Duration, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::Hash;
use crate::store::token::Holder;
use crate::sync::wire::LogHead;

/// How long an access token lives.
pub const ACCESS_LIFE: Duration = Duration::minutes(15);
const ISSUER: &str = "cartagena";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    pub sub: Uuid,
    /// The device, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Uuid>,
    /// Who made the token.
    pub iss: String,
    /// When it was made, seconds since 1970.
    pub iat: i64,
    /// When it runs out, seconds since 1970.
    pub exp: i64,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its signature, algorithm, key or form is wrong.
    #[error("the token is not valid")]
    Invalid,
    /// It has run out.
    #[error("the token has run out: refresh it")]
    Expired,
}

/// What the proof of a head says. It has no `sub`: it is no access token, and an access token is no proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct HeadClaims {
    iss: String,
    epoch: Uuid,
    seq: i64,
    entry_hash: String,
}

struct Key {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// Access tokens that are remembered.
const KNOWN: usize = 4_096;

/// How soon after a look into the folder there may be another.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// The keys of a server: the newest signs, all verify. Processes that share the folder know each other's.
pub struct Keys {
    folder: PathBuf,
    held: RwLock<Held>,
}

struct Held {
    keys: Vec<Arc<Key>>,
    read_at: Instant,
    /// Access tokens whose signature was found to be that of one of the keys: a map asks with the same one for every tile.
    known: Cache<Hash, Claims>,
}

impl Held {
    fn new(keys: Vec<Arc<Key>>) -> Self {
        Self { keys, read_at: Instant::now(), known: Cache::new(KNOWN) }
    }
}

impl Keys {
    /// Reads `*.pem` (PKCS #8, Ed25519) from a folder, by name; makes the first key where there is none.
    ///
    /// # Errors
    /// Where the folder cannot be read or written, or holds something that is no such key.
    pub fn load(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut keys = read_keys(folder)?;
        if keys.is_empty() {
            make_key(folder)?;
            // Another process may have made one at the same moment: both sign with the newest that they see.
            keys = read_keys(folder)?;
        }
        Ok(Self { folder: folder.to_owned(), held: RwLock::new(Held::new(keys)) })
    }

    fn signing(&self) -> Arc<Key> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(held.keys.last().expect("a server is never without a key"))
    }

    fn find(&self, id: &str) -> Option<Arc<Key>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.keys.iter().find(|key| key.id == id).cloned()
    }

    /// A key by its name; one that is not known may be new in the folder. Anybody can name keys that nobody has: that
    /// is no way to keep the disk busy.
    fn find_or_look(&self, id: &str) -> Option<Arc<Key>> {
        self.find(id).or_else(|| {
            self.look();
            self.find(id)
        })
    }

    fn look(&self) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.read_at.elapsed() < PAUSE {
            return;
        }
        match read_keys(&self.folder) {
            Ok(keys) if !keys.is_empty() => *held = Held::new(keys),
            Ok(_) => tracing::warn!("the folder of the signing keys is empty: those that are known stay"),
            Err(fault) => {
                tracing::warn!(%fault, "the signing keys cannot be read: those that are known stay");
            }
        }
        held.read_at = Instant::now();
    }

    /// An access token for the next [`ACCESS_LIFE`].
    pub fn issue(&self, holder: Holder) -> String {
        let now = Utc::now();
        let claims = Claims {
            sub: holder.account,
            device: holder.device,
            iss: ISSUER.to_owned(),
            iat: now.timestamp(),
            exp: (now + ACCESS_LIFE).timestamp(),
        };
        self.sign(&claims)
    }

    /// A head that this server can know again as its own word.
    pub fn prove(&self, head: LogHead) -> LogHead {
        let claims = HeadClaims::of(&head);
        LogHead { proof: self.sign(&claims), ..head }
    }

    /// Whether this server, with the keys it has now, once stated this head.
    pub fn proves(&self, head: &LogHead) -> bool {
        let said = self.decode::<HeadClaims>(&head.proof, &HeadClaims::REQUIRED, false);
        said.is_ok_and(|said| said == HeadClaims::of(head))
    }

    /// Signs any claims.
    pub fn sign(&self, claims: &impl Serialize) -> String {
        let key = self.signing();
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &key.signing).expect("an Ed25519 key signs any claims")
    }

    /// What a token says, if it is ours. Only `EdDSA` is accepted, whatever the token's header asks for.
    ///
    /// # Errors
    /// `Invalid`, or `Expired` for one that was ours.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let name = Hash::of_bytes(token.as_bytes());
        let known = self.held.read().unwrap_or_else(PoisonError::into_inner).known.get(&name);
        if let Some(claims) = known {
            return if Utc::now().timestamp() <= claims.exp { Ok(claims) } else { Err(TokenError::Expired) };
        }
        let claims: Claims = self.decode(token, &["exp"], true)?;
        self.held.read().unwrap_or_else(PoisonError::into_inner).known.insert(name, claims.clone());
        Ok(claims)
    }

    /// What a token says, if it is ours, even where it has run out.
    ///
    /// # Errors
    /// `Invalid`
    pub fn verify_ignoring_age(&self, token: &str) -> Result<Claims, TokenError> {
        self.decode(token, &["exp"], false)
    }

    fn decode<C: DeserializeOwned + Clone>(
        &self,
        token: &str,
        required: &[&str],
        check_age: bool,
    ) -> Result<C, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_unreadable| TokenError::Invalid)?;
        let key = header.kid.and_then(|id| self.find_or_look(&id)).ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(required);
        validation.validate_exp = check_age;
        validation.leeway = 0;
        match jsonwebtoken::decode::<C>(token, &key.verifying, &validation) {
            Ok(token) => Ok(token.claims),
            Err(fault) if matches!(fault.kind(), ErrorKind::ExpiredSignature) => Err(TokenError::Expired),
            Err(_) => Err(TokenError::Invalid),
        }
    }
}

impl HeadClaims {
    const REQUIRED: [&str; 1] = ["iss"];

    fn of(head: &LogHead) -> Self {
        let LogHead { epoch, seq, entry_hash, .. } = head.clone();
        Self { iss: ISSUER.to_owned(), epoch, seq, entry_hash }
    }
}

impl Key {
    fn of(id: String, key: &SigningKey) -> Self {
        let der = key.to_pkcs8_der().expect("an Ed25519 key has a PKCS #8 form");
        Self {
            id,
            signing: EncodingKey::from_ed_der(der.as_bytes()),
            verifying: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
        }
    }
}

/// The keys in a folder, by name: the newest last.
fn read_keys(folder: &Path) -> io::Result<Vec<Arc<Key>>> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .collect();
    files.sort();
    let keys = files.iter().map(|path| {
        let pem = fs::read_to_string(path)?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|fault| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {fault}", path.display()))
        })?;
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Arc::new(Key::of(id, &key)))
    });
    keys.collect()
}

/// Makes a key. It has its name only once it is whole: another process may be reading the folder.
fn make_key(folder: &Path) -> io::Result<()> {
    let key = SigningKey::from_bytes(&rand::random());
    let pem = key.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key has a PEM form");
    let path = folder.join(format!("{}.pem", Uuid::now_v7()));
    let unfinished = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

/// 256 random bits as text.
pub fn random_secret() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// A code for people to read and type: `length` letters and digits without look-alikes.
pub fn code(length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..length).map(|_| char::from(ALPHABET[usize::from(rand::random::<u8>() % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn keys() -> (tempfile::TempDir, Keys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load(folder.path()).unwrap();
        (folder, keys)
    }

    const HOLDER: Holder = Holder { account: Uuid::nil(), device: None };

    #[test]
    fn a_token_is_read_back_also_after_a_restart_and_a_rotation() {
        let (folder, keys) = keys();
        let token = keys.issue(HOLDER);
        assert_eq!(keys.verify(&token).unwrap().sub, Uuid::nil());
        make_key(folder.path()).unwrap();
        let rotated = Keys::load(folder.path()).unwrap();
        assert!(rotated.verify(&token).is_ok());
        let new = rotated.issue(HOLDER);
        assert_eq!(keys.verify(&new), Err(TokenError::Invalid), "it has looked into the folder just now");
        rest(&keys);
        assert!(keys.verify(&new).is_ok(), "a process beside it has brought a key");
        assert!(rotated.verify(&keys.issue(HOLDER)).is_ok());
    }

    /// As if the folder was last looked into long ago.
    fn rest(keys: &Keys) {
        keys.held.write().unwrap().read_at = Instant::now().checked_sub(PAUSE).unwrap();
    }

    #[test]
    fn a_folder_that_goes_away_takes_no_key_from_a_running_server() {
        let (folder, keys) = keys();
        let token = keys.issue(HOLDER);
        let (_other_folder, others) = self::keys();
        drop(folder);
        rest(&keys);
        assert_eq!(keys.verify(&others.issue(HOLDER)), Err(TokenError::Invalid));
        assert!(keys.verify(&token).is_ok());
    }

    #[test]
    fn forgeries_are_refused() {
        let (_folder, keys) = keys();
        let token = keys.issue(HOLDER);
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let header: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[0]).unwrap()).unwrap();
        for algorithm in ["none", "HS256"] {
            let forged = serde_json::json!({"alg": algorithm, "kid": header["kid"], "typ": "JWT"});
            parts[0] = URL_SAFE_NO_PAD.encode(forged.to_string());
            assert_eq!(keys.verify(&parts.join(".")), Err(TokenError::Invalid), "{algorithm}");
            assert_eq!(keys.verify(&format!("{}.{}.", parts[0], parts[1])), Err(TokenError::Invalid));
        }
        let (_other_folder, others) = self::keys();
        assert_eq!(keys.verify(&others.issue(HOLDER)), Err(TokenError::Invalid));
        let old = Claims { sub: Uuid::nil(), device: None, iss: ISSUER.into(), iat: 0, exp: 1 };
        let old = keys.sign(&old);
        assert_eq!(keys.verify(&old), Err(TokenError::Expired));
        assert!(keys.verify_ignoring_age(&old).is_ok());
    }

    #[test]
    fn a_head_is_known_again_and_none_can_be_made_up() {
        let (_folder, keys) = keys();
        let head = LogHead { epoch: Uuid::nil(), seq: 7, entry_hash: "ab".to_owned(), proof: String::new() };
        assert!(!keys.proves(&head));
        let proven = keys.prove(head);
        assert!(keys.proves(&proven));
        assert!(!keys.proves(&LogHead { seq: 8, ..proven.clone() }));
        assert!(!keys.proves(&LogHead { proof: keys.issue(HOLDER), ..proven.clone() }));
        assert_eq!(keys.verify_ignoring_age(&proven.proof), Err(TokenError::Invalid), "a proof is no token");
        let (_other_folder, others) = self::keys();
        assert!(!keys.proves(&others.prove(proven)));
    }

    #[test]
    fn codes_have_no_look_alikes() {
        let code = code(400);
        assert!(!code.contains(['0', 'O', '1', 'I']));
    }
}

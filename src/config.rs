//! The configuration: defaults, then `cartagena.toml`, then `CARTAGENA_*` variables.

use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the SQLite file, the keys and the attachments lie.
    pub data: PathBuf,
    /// `sqlite:<file>` or `postgres://…`; left out, a SQLite file in `data`.
    pub database_url: Option<String>,
    /// Where whole attachments lie: `file:<folder>` or `s3://<bucket>/<prefix>`; left out, `blobs` in `data`. Uploads
    /// that are not whole yet lie in `data` in any case.
    pub blobs_url: Option<String>,
    /// A streaming replica of a PostgreSQL database, `postgres://…`: it answers pulls, lists and reports wherever it
    /// holds everything that is committed.
    pub replica_url: Option<String>,
    /// Address and port to listen on.
    pub listen: String,
    /// Connections for readers.
    pub readers: u32,
    /// Threads that serve requests.
    pub workers: usize,
    /// Logs as JSON lines instead of text.
    pub log_json: bool,
    /// Which messages are logged, e.g. `info` or `info,cartagena=debug`.
    pub log: String,
    /// What a request may ask of the server.
    pub limits: Limits,
    /// On a camp: its national server.
    pub relay: RelayTo,
}

/// On a camp: its national server. `cartagena relay enrol` does the same as `url` and `code`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayTo {
    /// Where the national server is; left out, this server is no camp unless it was enrolled.
    pub url: Option<String>,
    /// The one-time code for the first enrolment.
    pub code: Option<String>,
    /// What the national server's people call this camp.
    pub name: String,
    /// Seconds between two passes.
    pub every_seconds: u64,
}

impl Default for RelayTo {
    fn default() -> Self {
        Self { url: None, code: None, name: "camp".to_owned(), every_seconds: 30 }
    }
}

/// What a request may ask of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a push, unpacked.
    pub push_bytes: usize,
    /// Mutations of a push.
    pub push_mutations: usize,
    /// Bytes of records on one page of a pull.
    pub pull_bytes: usize,
    /// Rows of a list.
    pub list_rows: i64,
    /// Log-ins of one account in a minute; twenty times as many of one address.
    pub log_ins_per_minute: u32,
    /// Pushes of one device in a second.
    pub pushes_per_second: u32,
    /// Bytes of one attachment. The default holds any photo and about a minute of video: what is larger does not come
    /// over the links of a field camp in a day, and a picture of it is looked at whole in memory.
    pub blob_bytes: u64,
    /// Seconds for a request's head to arrive, and in which at least something more of its body must come.
    pub request_seconds: u64,
    /// Seconds for a whole body to arrive: the largest push at 14 kB/s.
    pub body_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            database_url: None,
            blobs_url: None,
            replica_url: None,
            listen: "127.0.0.1:8080".to_owned(),
            readers: 8,
            workers: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            log_json: false,
            log: "info".to_owned(),
            limits: Limits::default(),
            relay: RelayTo::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            push_bytes: 8 * 1024 * 1024,
            push_mutations: 1_000,
            pull_bytes: 1024 * 1024,
            list_rows: 1_000,
            log_ins_per_minute: 20,
            pushes_per_second: 50,
            blob_bytes: 100 * 1024 * 1024,
            request_seconds: 60,
            body_seconds: 600,
        }
    }
}

impl Config {
    /// Reads the configuration. `CARTAGENA_LIMITS__PUSH_BYTES` sets `limits.push_bytes`.
    ///
    /// # Errors
    /// Which setting cannot be read, and where it came from.
    pub fn load(file: Option<&std::path::Path>) -> Result<Self, Box<figment::Error>> {
        let file = file.map_or_else(|| Toml::file("cartagena.toml"), Toml::file_exact);
        Figment::from(Serialized::defaults(Self::default()))
            .merge(file)
            .merge(
                Env::prefixed("CARTAGENA_")
                    .ignore(&["config", "password", "passphrase", "shared_data"])
                    .split("__"),
            )
            .extract()
            .map_err(Box::new)
    }

    /// The database's URL.
    pub fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.join("cartagena.db").display()))
    }

    /// The URL of the place of attachments.
    pub fn blobs_url(&self) -> String {
        self.blobs_url.clone().unwrap_or_else(|| format!("file:{}", self.data.join("blobs").display()))
    }

    /// The configuration without secrets, to be shown.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        shown.database_url = Some(hide_password(&self.database_url()));
        shown.replica_url = self.replica_url.as_deref().map(hide_password);
        shown.relay.code = self.relay.code.as_ref().map(|_secret| "***".to_owned());
        shown.blobs_url = Some(self.blobs_url());
        shown
    }
}

/// `postgres://user:***@host/…`
fn hide_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user, |(name, _)| name);
            format!("{scheme}://{user}:***@{}", host.split('?').next().unwrap_or_default())
        }
        None => format!("{scheme}://{}", rest.split('?').next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(hide_password("postgres://me:se:c@ret@db/x?password=y"), "postgres://me:***@db/x");
        assert_eq!(hide_password("sqlite:data/x.db"), "sqlite:data/x.db");
    }
}

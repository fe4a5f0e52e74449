//! What devices and servers say to each other (docs/sync.md §4): bodies and answers, whatever carries them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Answer, Digest, Problem};
use crate::model::Role;
use crate::model::record::Feature;

/// The protocol's version.
pub const PROTOCOL: u32 = 1;

/// By what our answers are told from those of a captive portal, whose 200 says something else or nothing.
pub const SERVER: &str = "cartagena";

/// Scopes in one pull.
pub const MOST_SCOPES: usize = 64;

/// A push.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct PushBody<'a> {
    /// Version of the protocol: 1.
    pub protocol: u32,
    /// The device that the token belongs to.
    pub device_id: Uuid,
    /// The device's clock.
    #[serde(default)]
    pub client_time: Option<DateTime<Utc>>,
    /// Where the log stood when the device last heard of it.
    #[serde(default)]
    pub last_head: Option<LogHead>,
    /// Up to which place of that log the device was told what has become of its edits: 0 asks for all of them; where it does
    /// not say, that of `last_head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revised_from: Option<i64>,
    /// What the device still holds.
    #[serde(default)]
    pub outbox: Outbox,
    /// Program and version.
    #[serde(default)]
    pub app: Option<String>,
    /// Human actions, each a list of edits that are taken whole or not at all.
    #[serde(borrow, default)]
    #[schema(value_type = Vec<Vec<crate::model::Mutation>>)]
    pub txns: Vec<Vec<&'a RawValue>>,
    /// From a camp: for each action, which device made it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<Sender>,
    /// From a camp: the devices that were enrolled at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceReport>,
}

/// What a device still holds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Outbox {
    /// Mutations that are not acknowledged.
    #[serde(default)]
    pub pending: Option<i64>,
    /// When the oldest of them was made.
    #[serde(default)]
    pub oldest: Option<DateTime<Utc>>,
}

/// The answer to a push.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PushAnswer {
    /// Always `cartagena`: a captive portal's 200 does not parse.
    pub server: String,
    /// The server's epoch.
    pub epoch: Uuid,
    /// Where the log stood once the push was in it, to be shown back: a server that has forgotten it has gone back.
    #[serde(default)]
    pub head: Option<LogHead>,
    /// The server's clock.
    pub server_time: DateTime<Utc>,
    /// One for every mutation.
    pub results: Vec<Answer>,
    /// What has become since `revised_from` of edits that were answered before, and of every duplicate among `results`: one
    /// that waited was taken up, or the national server decided otherwise than the camp had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revised: Vec<Answer>,
    /// What is safe.
    pub durable: Durable,
    /// What the next push may be like.
    pub limits: PushLimits,
    /// The device was revoked: wipe it once its outbox is empty.
    #[serde(default)]
    pub wipe: bool,
}

/// Up to which of the device's numbers everything is stored.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Durable {
    /// Without a gap, on the national server: a tablet of a camp keeps its edits until then.
    pub device_seq_through: i64,
    /// Without a gap, on the server that answers.
    #[serde(default)]
    pub here_through: i64,
}

/// What a push may be like.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PushLimits {
    /// Mutations in it.
    pub max_mutations: usize,
    /// Bytes, unpacked.
    pub max_bytes: usize,
    /// How long to wait before the next.
    pub retry_after_ms: u64,
}

/// What a client asks for.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PullBody {
    /// Where it stands in every scope that it follows.
    pub scopes: Vec<ScopeCursor>,
    /// About how many bytes of records an answer may have.
    #[serde(default)]
    pub limit_bytes: Option<usize>,
}

/// Where a client stands in a scope.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScopeCursor {
    /// `everything`, `content`, `organisation:<uuid>` or `task:<uuid>`.
    pub id: String,
    /// The epoch that the cursor belongs to.
    #[serde(default)]
    pub epoch: Option<Uuid>,
    /// 0 to begin.
    #[serde(default)]
    pub cursor: i64,
}

/// The answer to a pull.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PullAnswer {
    /// Always `cartagena`.
    pub server: String,
    /// Where the log stood.
    pub head: LogHead,
    /// One page of every scope.
    pub scopes: Vec<ScopePage>,
}

/// One page of a scope.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScopePage {
    /// The scope.
    pub id: String,
    /// Records at their latest state.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Feature>,
    /// Records that left the scope.
    #[serde(default)]
    pub leaves: Vec<Uuid>,
    /// The scope is not the asker's (any more): forget it.
    #[serde(default)]
    pub revoked: bool,
    /// The cursor was of another epoch: forget the scope's records, not the outbox, and begin again.
    #[serde(default)]
    pub refetch: bool,
    /// Where the next page begins.
    pub cursor: i64,
    /// Whether there is more now.
    pub has_more: bool,
    /// On the last page: what the client should now hold.
    pub digest: Option<Digest>,
}

impl ScopePage {
    /// The answer for a scope that is not the asker's.
    pub fn revoked(id: String) -> Self {
        Self {
            id,
            records: Vec::new(),
            leaves: Vec::new(),
            revoked: true,
            refetch: false,
            cursor: 0,
            has_more: false,
            digest: None,
        }
    }
}

/// Where a server's log stands: shown back to it, it proves that the server has not gone back in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogHead {
    /// Minted when the database was made or found to have gone back in time.
    pub epoch: Uuid,
    /// Place of the newest entry.
    pub seq: i64,
    /// Hash of the newest entry, hexadecimal.
    pub entry_hash: String,
    /// The server's signature: it believes no one else about its own past.
    #[serde(default)]
    pub proof: String,
}

/// A part of the log.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogPage {
    /// Always `cartagena`.
    pub server: String,
    /// Where the log stands.
    pub head: LogHead,
    /// In order.
    pub entries: Vec<LogEntry>,
}

/// One entry of the log.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogEntry {
    /// Its place.
    pub seq: i64,
    /// `mutation`, `unparked` or `act`; on a camp also `rebased` and `withdrawn`.
    pub entry: String,
    /// The mutation, or whom an act concerns.
    pub subject: Uuid,
    /// The device that made the mutation.
    pub device_id: Option<Uuid>,
    /// Its number on that device.
    pub device_seq: Option<i64>,
    /// What became of it.
    pub outcome: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The bytes as received, base64.
    pub body: String,
    /// SHA-256(previous ‖ seq ‖ body ‖ outcome), hexadecimal.
    pub entry_hash: String,
    /// Who did it.
    #[serde(default)]
    pub actor: Option<Uuid>,
    /// What the actor was then.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whom the actor worked for then.
    #[serde(default)]
    pub organisation: Option<Uuid>,
    /// For a parked mutation: what it waits for.
    #[serde(default)]
    pub waiting_for: Option<String>,
    /// For a quarantined mutation: why.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// What a national server tells its camps of the people of the programme, and of the programme itself.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct People {
    /// Always `cartagena`.
    pub server: String,
    /// Every organisation.
    pub organisations: Vec<NamedOrganisation>,
    /// Every account, without its password.
    pub accounts: Vec<NamedAccount>,
    /// Devices of the asking camp that were revoked at the nation.
    pub revoked: Vec<Uuid>,
    /// The programme's settings.
    #[schema(value_type = Object)]
    pub programme: Value,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamedOrganisation {
    /// Names it for ever.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `authority`, `operator` or `other`.
    pub kind: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamedAccount {
    /// Names it for ever.
    pub id: Uuid,
    /// What is typed at log-in.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Whom the person works for.
    pub organisation: Uuid,
    /// May not log in.
    pub disabled: bool,
}

/// For one action in a camp's push: which device made it, and what the camp holds against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sender {
    /// The device that made the edits.
    pub device_id: Uuid,
    /// Why the camp has put it before a human because of how it was sent: revoked, expired, too much at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Problem>,
}

/// What a camp tells of a device that was enrolled at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceReport {
    /// Names it for ever.
    pub device_id: Uuid,
    /// For whom it was enrolled.
    pub account: Uuid,
    /// What people call it.
    pub name: String,
    /// When it was enrolled.
    pub enrolled_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Every one of its edits up to this number is stored at the camp.
    pub seq_through: i64,
    /// When it was last heard of.
    pub last_contact: Option<DateTime<Utc>>,
    /// How many edits it said it still held.
    pub outbox_pending: Option<i64>,
    /// When the oldest of them was made.
    pub outbox_oldest: Option<DateTime<Utc>>,
    /// Its clock against the camp's, ms.
    pub skew_ms: Option<i64>,
    /// Program and version.
    pub app: Option<String>,
}

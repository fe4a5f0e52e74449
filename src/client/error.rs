//! What can go wrong in a client.

use uuid::Uuid;

use super::transport::TransportError;

/// What can go wrong in a client. Whatever it is, nothing in the outbox is lost.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The client's file cannot be opened or brought up to this program.
    #[error("the client's file cannot be opened: {0}")]
    Open(String),
    /// The client's file failed.
    #[error("the client's file failed: {0}")]
    Database(#[from] diesel::result::Error),
    /// The client's file holds something that this program did not write.
    #[error("the client's file holds an unreadable value: {0}")]
    Unreadable(String),
    /// A file that is kept beside the client's own cannot be read or written.
    #[error("a file cannot be kept or read: {0}")]
    File(#[from] std::io::Error),
    /// The client has not been enrolled at a server.
    #[error("this client is not enrolled: it needs a server and a one-time code")]
    NotEnrolled,
    /// There is no such record here to edit.
    #[error("there is no record {0} here")]
    NoRecord(Uuid),
    /// The kind is not one that this program knows.
    #[error("`{0}` is not a kind of record that this program knows")]
    UnknownKind(String),
    /// The request or its answer was lost; the server may have acted on it.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Somebody answered who is not our server: a captive portal, a proxy.
    #[error("the answer (status {status}) is not our server's: is there a log-in page in between?")]
    NotOurs {
        /// HTTP status.
        status: u16,
    },
    /// The server does not know the client's log-in any more.
    #[error("the server asks for a new enrolment: {0}")]
    LoggedOut(String),
    /// The device was revoked.
    #[error("the server has revoked this device: {0}")]
    Revoked(String),
    /// The server has too much to do, again and again.
    #[error("the server cannot take anything just now: try again later")]
    Busy,
    /// The server refuses the request.
    #[error("the server refuses ({status}, {problem}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's stable `type`.
        problem: String,
        /// In words.
        detail: String,
    },
}

impl From<serde_json::Error> for ClientError {
    fn from(fault: serde_json::Error) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

impl From<uuid::Error> for ClientError {
    fn from(fault: uuid::Error) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

impl From<crate::model::UnknownWord> for ClientError {
    fn from(fault: crate::model::UnknownWord) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

impl From<chrono::ParseError> for ClientError {
    fn from(fault: chrono::ParseError) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

/// A result of the client.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

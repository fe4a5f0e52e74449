//! Column types that are native to each database behind one `table!`: PostgreSQL's uuid, jsonb and timestamptz
//! are SQLite's blob, text and integer (microseconds). Analysts get real types; the code has one.

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self as st, HasSqlType};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::backend::MultiBackend;

/// The SQL types.
pub(crate) mod sql_types {
    use diesel::sql_types::SqlType;

    /// uuid, or a blob of 16 bytes.
    #[derive(Clone, Copy, Debug, Default, diesel::query_builder::QueryId, SqlType)]
    #[diesel(postgres_type(name = "uuid"), sqlite_type(name = "Binary"))]
    pub struct Id;
    /// jsonb, or JSON text.
    #[derive(Clone, Copy, Debug, Default, diesel::query_builder::QueryId, SqlType)]
    #[diesel(postgres_type(name = "jsonb"), sqlite_type(name = "Text"))]
    pub struct Document;
    /// timestamptz, or microseconds since 1970 UTC.
    #[derive(Clone, Copy, Debug, Default, diesel::query_builder::QueryId, SqlType)]
    #[diesel(postgres_type(name = "timestamptz"), sqlite_type(name = "Long"))]
    pub struct Instant;
}

/// Teaches the backend that is one of the two a pair of SQL type and Rust type.
macro_rules! both_backends {
    ($sql:ty, $rust:ty) => {
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                MultiBackend::lookup_sql_type::<$sql>(lookup)
            }
        }
        impl FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<$rust, $sql>()
            }
        }
        impl ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
    };
}

/// A UUID in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Id)]
pub struct Id(pub Uuid);

impl ToSql<sql_types::Id, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<st::Uuid, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<sql_types::Id, Pg> for Id {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<st::Uuid, Pg>::from_sql(value).map(Self)
    }
}
impl ToSql<sql_types::Id, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}
impl FromSql<sql_types::Id, Sqlite> for Id {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<st::Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}
both_backends!(sql_types::Id, Id);

/// A JSON document in a column.
#[derive(Clone, Debug, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Document)]
pub struct Document(pub Value);

impl Document {
    /// The document of a serde value.
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_value(value).expect("our own types are JSON objects with text keys"))
    }

    /// The serde value in the document.
    ///
    /// # Errors
    /// Where the database holds something that this program did not write.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, serde_json::Error> {
        serde_json::from_value(self.0)
    }
}

impl ToSql<sql_types::Document, Pg> for Document {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<st::Jsonb, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<sql_types::Document, Pg> for Document {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<st::Jsonb, Pg>::from_sql(value).map(Self)
    }
}
impl ToSql<sql_types::Document, Sqlite> for Document {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl FromSql<sql_types::Document, Sqlite> for Document {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<st::Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}
both_backends!(sql_types::Document, Document);

/// A moment in a column, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Instant)]
pub struct Instant(pub DateTime<Utc>);

impl Instant {
    /// Now, cut to what both databases keep.
    pub fn now() -> Self {
        let micros = Utc::now().timestamp_micros();
        Self(DateTime::from_timestamp_micros(micros).expect("the present is in range"))
    }
}

impl ToSql<sql_types::Instant, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<st::Timestamptz, Pg>::to_sql(&self.0, out)
    }
}
impl FromSql<sql_types::Instant, Pg> for Instant {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<st::Timestamptz, Pg>::from_sql(value).map(Self)
    }
}
impl ToSql<sql_types::Instant, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.timestamp_micros());
        Ok(IsNull::No)
    }
}
impl FromSql<sql_types::Instant, Sqlite> for Instant {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<st::BigInt, Sqlite>>::from_sql(value)?;
        DateTime::from_timestamp_micros(micros).map(Self).ok_or_else(|| "a moment out of range".into())
    }
}
both_backends!(sql_types::Instant, Instant);

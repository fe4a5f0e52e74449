//! The tables of both databases, as Diesel sees them. A test compares them with the migrations.

#![allow(missing_docs, reason = "the columns are described in migrations/")]

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, SmallInt};
    use crate::store::column::sql_types::{Id};

    sync_clock (id) {
        id -> SmallInt,
        epoch -> Id,
        seq -> BigInt,
        head_hash -> Binary,
        server_device -> Id,
        server_seq -> BigInt,
        follows -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::store::column::sql_types::{Document, Id, Instant};

    log (seq) {
        seq -> BigInt,
        entry -> Text,
        subject -> Id,
        device_id -> Nullable<Id>,
        device_seq -> Nullable<BigInt>,
        record_id -> Nullable<Id>,
        outcome -> Text,
        answer -> Document,
        actor -> Nullable<Id>,
        received_at -> Instant,
        skew_ms -> Nullable<BigInt>,
        body -> Binary,
        entry_hash -> Binary,
        role -> Nullable<Text>,
        organisation -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, SmallInt, Text};
    use crate::store::column::sql_types::{Document, Id};

    record (record_id) {
        record_id -> Id,
        kind -> Text,
        organisation -> Id,
        version -> Id,
        official -> Nullable<Id>,
        author -> Id,
        stage -> Text,
        retired -> Bool,
        contested -> Bool,
        tier -> SmallInt,
        seq -> BigInt,
        created_seq -> BigInt,
        hands -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};
    use crate::store::column::sql_types::{Document, Id, Instant};

    version (version_id) {
        version_id -> Id,
        record_id -> Id,
        seq -> BigInt,
        base_version -> Nullable<Id>,
        branch -> Bool,
        op -> Text,
        kind -> Text,
        schema -> Integer,
        organisation -> Id,
        author -> Id,
        made_by -> Id,
        device_id -> Id,
        stage -> Text,
        retired -> Bool,
        official -> Nullable<Id>,
        reason -> Nullable<Text>,
        recorded_at -> Instant,
        properties -> Document,
        geometry -> Nullable<Document>,
        wkb -> Nullable<Binary>,
        min_lon -> Nullable<Double>,
        min_lat -> Nullable<Double>,
        max_lon -> Nullable<Double>,
        max_lat -> Nullable<Double>,
        area_m2 -> Nullable<Double>,
        hands -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use crate::store::column::sql_types::{Document, Id, Instant};

    conflict (conflict_id) {
        conflict_id -> Id,
        record_id -> Id,
        base_version -> Nullable<Id>,
        head_version -> Nullable<Id>,
        fields -> Document,
        safety -> Bool,
        opened_seq -> BigInt,
        opened_at -> Instant,
        closed_seq -> Nullable<BigInt>,
        closed_by -> Nullable<Id>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::store::column::sql_types::{Document, Id, Instant};

    parked (mutation_id) {
        mutation_id -> Id,
        txn -> Id,
        waiting_for -> Text,
        actor -> Document,
        since_seq -> BigInt,
        since -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::store::column::sql_types::{Document, Id, Instant};

    quarantine (mutation_id) {
        mutation_id -> Id,
        record_id -> Id,
        kind -> Text,
        organisation -> Id,
        author -> Id,
        problem -> Document,
        since_seq -> BigInt,
        since -> Instant,
        settled_seq -> Nullable<BigInt>,
        settled_by -> Nullable<Id>,
        repaired_by -> Nullable<Id>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::store::column::sql_types::{Id};

    finding (record_id, rule, pointer) {
        record_id -> Id,
        rule -> Text,
        pointer -> Text,
        severity -> Text,
        message -> Text,
        seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    scope_digest (scope) {
        scope -> Text,
        count -> BigInt,
        sum -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::store::column::sql_types::{Id};

    membership (scope, record_id) {
        scope -> Text,
        record_id -> Id,
        seq -> BigInt,
        version -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{Text};
    use crate::store::column::sql_types::{Id};

    organisation (organisation_id) {
        organisation_id -> Id,
        name -> Text,
        kind -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use crate::store::column::sql_types::{Id, Instant};

    account (account_id) {
        account_id -> Id,
        login -> Text,
        name -> Text,
        role -> Text,
        organisation -> Id,
        password -> Text,
        disabled -> Bool,
        must_change -> Bool,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::store::column::sql_types::{Id, Instant};

    device (device_id) {
        device_id -> Id,
        account_id -> Id,
        name -> Text,
        enrolled_at -> Instant,
        revoked_at -> Nullable<Instant>,
        seq_through -> BigInt,
        last_contact -> Nullable<Instant>,
        outbox_pending -> Nullable<BigInt>,
        outbox_oldest -> Nullable<Instant>,
        skew_ms -> Nullable<BigInt>,
        app -> Nullable<Text>,
        via -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable};
    use crate::store::column::sql_types::{Id, Instant};

    enrolment (code_hash) {
        code_hash -> Binary,
        account_id -> Id,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable};
    use crate::store::column::sql_types::{Id, Instant};

    refresh_token (token_hash) {
        token_hash -> Binary,
        family -> Id,
        account_id -> Id,
        device_id -> Nullable<Id>,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, SmallInt};
    use crate::store::column::sql_types::{Document};

    programme (id) {
        id -> SmallInt,
        revision -> Integer,
        document -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use crate::store::column::sql_types::{Document, Id, Instant};

    freeze (freeze_id) {
        freeze_id -> Id,
        year -> Integer,
        basis -> Text,
        seq -> BigInt,
        taken_at -> Instant,
        taken_by -> Id,
        note -> Nullable<Text>,
        hash -> Text,
        document -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::store::column::sql_types::{Id, Instant};

    receipt (receipt_id) {
        receipt_id -> Id,
        received_at -> Instant,
        device_id -> Nullable<Id>,
        reason -> Text,
        body -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::store::column::sql_types::Id;

    link (from_id, field, to_id) {
        from_id -> Id,
        field -> Text,
        to_id -> Id,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt};
    use crate::store::column::sql_types::{Id, Instant};

    upstream (id) {
        id -> SmallInt,
        epoch -> Nullable<Id>,
        seq -> BigInt,
        entry_hash -> Binary,
        last_contact -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::store::column::sql_types::Id;

    pending (mutation_id) {
        mutation_id -> Id,
        seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::store::column::sql_types::Id;

    followed (seq) {
        seq -> BigInt,
        mutation_id -> Nullable<Id>,
        entry_hash -> Binary,
        waiting_for -> Nullable<Text>,
        waited_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::store::column::sql_types::Id;

    renumbered (device_id, device_seq) {
        device_id -> Id,
        device_seq -> BigInt,
        mutation_id -> Id,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Text};
    use crate::store::column::sql_types::Id;

    claim (mutation_id, place) {
        mutation_id -> Id,
        place -> Integer,
        record_id -> Id,
        organisation -> Id,
        name -> Text,
        sha256 -> Text,
        size -> BigInt,
        media_type -> Text,
        seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::store::column::sql_types::Instant;

    blob (sha256) {
        sha256 -> Text,
        size -> BigInt,
        media_type -> Text,
        stored_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::store::column::sql_types::{Id, Instant};

    blob_holder (sha256, organisation) {
        sha256 -> Text,
        organisation -> Id,
        stored_at -> Instant,
        national -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::store::column::sql_types::{Id, Instant};

    map_password (map_password_id) {
        map_password_id -> Id,
        account_id -> Id,
        name -> Text,
        scope -> Text,
        secret_hash -> Binary,
        created_at -> Instant,
        last_used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    record,
    version,
    membership,
    log,
    parked,
    conflict,
    quarantine,
    link,
    finding,
    pending,
    renumbered,
    followed,
    claim,
    blob,
    blob_holder
);
diesel::allow_tables_to_appear_in_same_query!(account, organisation, device, map_password);
diesel::allow_tables_to_appear_in_same_query!(sync_clock, programme);

//! The tables of a client's own file, as `migrations/tablet` makes them. UUIDs and times are text.

diesel::table! {
    session (id) {
        id -> Integer,
        server_url -> Text,
        device_id -> Text,
        account -> Text,
        organisation -> Text,
        role -> Text,
        access_token -> Text,
        refresh_token -> Text,
        next_seq -> BigInt,
        epoch -> Nullable<Text>,
        durable_through -> BigInt,
        head -> Nullable<Text>,
        max_mutations -> BigInt,
        max_bytes -> BigInt,
        wipe -> Bool,
        revised_through -> BigInt,
    }
}

diesel::table! {
    scope (id) {
        id -> Text,
        epoch -> Nullable<Text>,
        cursor -> BigInt,
        verified_at -> Nullable<Text>,
        revoked -> Bool,
    }
}

diesel::table! {
    record (record_id) {
        record_id -> Text,
        kind -> Text,
        epoch -> Text,
        seq -> BigInt,
        feature -> Text,
    }
}

diesel::table! {
    member (scope, record_id) {
        scope -> Text,
        record_id -> Text,
        version -> Text,
        stale -> Bool,
    }
}

diesel::table! {
    outbox (place) {
        place -> BigInt,
        mutation_id -> Text,
        device_id -> Text,
        device_seq -> BigInt,
        record_id -> Text,
        kind -> Text,
        txn -> Text,
        body -> Text,
        made_at -> Text,
        epoch -> Nullable<Text>,
        seq -> Nullable<BigInt>,
        answer -> Nullable<Text>,
        settled -> Bool,
    }
}

diesel::table! {
    file (sha256) {
        sha256 -> Text,
        size -> BigInt,
        epoch -> Nullable<Text>,
        national -> Nullable<Text>,
    }
}

diesel::table! {
    attached (mutation_id, sha256) {
        mutation_id -> Text,
        sha256 -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(member, outbox, record, file, attached);

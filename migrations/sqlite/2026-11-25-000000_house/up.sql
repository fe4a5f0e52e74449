-- UUIDs are 16-byte blobs, times are integer microseconds since 1970 UTC, documents are JSON text.

-- One row: the counter that orders everything, and the head of the log's chain (sync.md §5).
create table sync_clock (
    id integer not null primary key constraint sync_clock_single check (id = 1),
    epoch blob not null,
    seq integer not null,
    head_hash blob not null,
    server_device blob not null,
    server_seq integer not null
) strict;

-- Append-only. entry: mutation (arrived), unparked (taken up after a wait), act (a security-relevant act).
create table log (
    seq integer not null primary key,
    entry text not null,
    subject blob not null,
    device_id blob,
    device_seq integer,
    record_id blob,
    outcome text not null,
    answer text not null,
    actor blob,
    received_at integer not null,
    skew_ms integer,
    body blob not null,
    entry_hash blob not null
) strict;
create unique index log_mutation_once on log (subject) where entry = 'mutation';
create index log_device on log (device_id, device_seq) where device_id is not null;

-- The latest state of every record: what feeds and filters need. Its content is its version's.
create table record (
    record_id blob not null primary key,
    kind text not null,
    organisation blob not null,
    version blob not null,
    official blob,
    author blob not null,
    stage text not null,
    retired integer not null,
    contested integer not null,
    tier integer not null,
    seq integer not null,
    created_seq integer not null,
    hands text not null
) strict;
create unique index record_seq on record (seq);
create index record_organisation on record (organisation, seq);
create index record_kind on record (kind, seq);

-- Every version that ever was; branch: kept beside the head's line because of a conflict.
create table version (
    version_id blob not null primary key,
    record_id blob not null,
    seq integer not null,
    base_version blob,
    branch integer not null,
    op text not null,
    kind text not null,
    schema integer not null,
    organisation blob not null,
    author blob not null,
    made_by blob not null,
    device_id blob not null,
    stage text not null,
    retired integer not null,
    official blob,
    reason text,
    recorded_at integer not null,
    properties text not null,
    geometry text,
    wkb blob,
    min_lon real,
    min_lat real,
    max_lon real,
    max_lat real,
    area_m2 real
) strict;
create index version_record on version (record_id, seq);
create index version_seq on version (seq);

create table conflict (
    conflict_id blob not null primary key,
    record_id blob not null,
    base_version blob,
    head_version blob,
    fields text not null,
    safety integer not null,
    opened_seq integer not null,
    opened_at integer not null,
    closed_seq integer,
    closed_by blob,
    reason text
) strict;
create index conflict_open on conflict (record_id) where closed_seq is null;

create table parked (
    mutation_id blob not null primary key,
    txn blob not null,
    waiting_for text not null,
    actor text not null,
    since_seq integer not null,
    since integer not null
) strict;
create index parked_waiting on parked (waiting_for);

create table quarantine (
    mutation_id blob not null primary key,
    record_id blob not null,
    kind text not null,
    organisation blob not null,
    author blob not null,
    problem text not null,
    since_seq integer not null,
    since integer not null,
    settled_seq integer,
    settled_by blob,
    repaired_by blob,
    reason text
) strict;
create index quarantine_open on quarantine (since_seq) where settled_seq is null;

-- What quality rules found in the head of a record.
create table finding (
    record_id blob not null,
    rule text not null,
    pointer text not null,
    severity text not null,
    message text not null,
    seq integer not null,
    constraint finding_key primary key (record_id, rule, pointer)
) strict;

-- Running digests of scopes: everything and each organisation, with and without personal records.
create table scope_digest (
    scope text not null primary key,
    count integer not null,
    sum integer not null
) strict;

-- Which records a task's scope holds; present = 0 tells that a record has left it.
create table membership (
    scope text not null,
    record_id blob not null,
    seq integer not null,
    -- the version that the scope shows; null once the record has left
    version blob,
    constraint membership_key primary key (scope, record_id)
) strict;
create index membership_seq on membership (scope, seq);
create index membership_record on membership (record_id);

-- Which records point at which: a release at its hazardous areas, a victim at an accident.
create table link (
    from_id blob not null,
    field text not null,
    to_id blob not null,
    constraint link_key primary key (from_id, field, to_id)
) strict;
create index link_to on link (to_id);

create table organisation (
    organisation_id blob not null primary key,
    name text not null constraint organisation_name unique,
    kind text not null
) strict;

create table account (
    account_id blob not null primary key,
    login text not null constraint account_login unique,
    name text not null,
    role text not null,
    organisation blob not null,
    password text not null,
    disabled integer not null,
    must_change integer not null,
    created_at integer not null,
    constraint account_organisation foreign key (organisation) references organisation (organisation_id)
) strict;

create table device (
    device_id blob not null primary key,
    account_id blob not null,
    name text not null,
    enrolled_at integer not null,
    revoked_at integer,
    seq_through integer not null,
    last_contact integer,
    outbox_pending integer,
    outbox_oldest integer,
    skew_ms integer,
    app text,
    constraint device_account foreign key (account_id) references account (account_id)
) strict;

create table enrolment (
    code_hash blob not null primary key,
    account_id blob not null,
    expires_at integer not null,
    used_at integer,
    constraint enrolment_account foreign key (account_id) references account (account_id)
) strict;

create table refresh_token (
    token_hash blob not null primary key,
    family blob not null,
    account_id blob not null,
    device_id blob,
    expires_at integer not null,
    used_at integer,
    revoked_at integer,
    constraint refresh_token_account foreign key (account_id) references account (account_id)
) strict;
create index refresh_token_family on refresh_token (family);

-- One row: country, administrative units, treaty dates, date rule, tolerances, milestones.
create table programme (
    id integer not null primary key constraint programme_single check (id = 1),
    revision integer not null,
    document text not null
) strict;

create table freeze (
    freeze_id blob not null primary key,
    year integer not null,
    basis text not null,
    seq integer not null,
    taken_at integer not null,
    taken_by blob not null,
    note text,
    hash text not null,
    document text not null,
    constraint freeze_once unique (year, basis, hash)
) strict;

-- What could not even be read, kept as it came.
create table receipt (
    receipt_id blob not null primary key,
    received_at integer not null,
    device_id blob,
    reason text not null,
    body blob not null
) strict;

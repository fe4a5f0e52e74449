-- One row: the counter that orders everything, and the head of the log's chain (sync.md §5).
create table sync_clock (
    id smallint not null primary key constraint sync_clock_single check (id = 1),
    epoch uuid not null,
    seq bigint not null,
    head_hash bytea not null,
    server_device uuid not null,
    server_seq bigint not null
);

-- Append-only. entry: mutation (arrived), unparked (taken up after a wait), act (a security-relevant act).
create table log (
    seq bigint not null primary key,
    entry text not null,
    subject uuid not null,
    device_id uuid,
    device_seq bigint,
    record_id uuid,
    outcome text not null,
    answer jsonb not null,
    actor uuid,
    received_at timestamptz not null,
    skew_ms bigint,
    body bytea not null,
    entry_hash bytea not null
);
create unique index log_mutation_once on log (subject) where entry = 'mutation';
create index log_device on log (device_id, device_seq) where device_id is not null;

-- The latest state of every record: what feeds and filters need. Its content is its version's.
create table record (
    record_id uuid not null primary key,
    kind text not null,
    organisation uuid not null,
    version uuid not null,
    official uuid,
    author uuid not null,
    stage text not null,
    retired boolean not null,
    contested boolean not null,
    tier smallint not null,
    seq bigint not null,
    created_seq bigint not null,
    hands jsonb not null
);
create unique index record_seq on record (seq);
create index record_organisation on record (organisation, seq);
create index record_kind on record (kind, seq);

-- Every version that ever was; branch: kept beside the head's line because of a conflict.
create table version (
    version_id uuid not null primary key,
    record_id uuid not null,
    seq bigint not null,
    base_version uuid,
    branch boolean not null,
    op text not null,
    kind text not null,
    schema integer not null,
    organisation uuid not null,
    author uuid not null,
    made_by uuid not null,
    device_id uuid not null,
    stage text not null,
    retired boolean not null,
    official uuid,
    reason text,
    recorded_at timestamptz not null,
    properties jsonb not null,
    geometry jsonb,
    wkb bytea,
    min_lon double precision,
    min_lat double precision,
    max_lon double precision,
    max_lat double precision,
    area_m2 double precision
);
create index version_record on version (record_id, seq);
create index version_seq on version (seq);

create table conflict (
    conflict_id uuid not null primary key,
    record_id uuid not null,
    base_version uuid,
    head_version uuid,
    fields jsonb not null,
    safety boolean not null,
    opened_seq bigint not null,
    opened_at timestamptz not null,
    closed_seq bigint,
    closed_by uuid,
    reason text
);
create index conflict_open on conflict (record_id) where closed_seq is null;

create table parked (
    mutation_id uuid not null primary key,
    txn uuid not null,
    waiting_for text not null,
    actor jsonb not null,
    since_seq bigint not null,
    since timestamptz not null
);
create index parked_waiting on parked (waiting_for);

create table quarantine (
    mutation_id uuid not null primary key,
    record_id uuid not null,
    kind text not null,
    organisation uuid not null,
    author uuid not null,
    problem jsonb not null,
    since_seq bigint not null,
    since timestamptz not null,
    settled_seq bigint,
    settled_by uuid,
    repaired_by uuid,
    reason text
);
create index quarantine_open on quarantine (since_seq) where settled_seq is null;

-- What quality rules found in the head of a record.
create table finding (
    record_id uuid not null,
    rule text not null,
    pointer text not null,
    severity text not null,
    message text not null,
    seq bigint not null,
    constraint finding_key primary key (record_id, rule, pointer)
);

-- Running digests of scopes: everything and each organisation, with and without personal records.
create table scope_digest (
    scope text not null primary key,
    count bigint not null,
    sum bigint not null
);

-- Which records a task's scope holds; present = 0 tells that a record has left it.
create table membership (
    scope text not null,
    record_id uuid not null,
    seq bigint not null,
    -- the version that the scope shows; null once the record has left
    version uuid,
    constraint membership_key primary key (scope, record_id)
);
create index membership_seq on membership (scope, seq);
create index membership_record on membership (record_id);

-- Which records point at which: a release at its hazardous areas, a victim at an accident.
create table link (
    from_id uuid not null,
    field text not null,
    to_id uuid not null,
    constraint link_key primary key (from_id, field, to_id)
);
create index link_to on link (to_id);

create table organisation (
    organisation_id uuid not null primary key,
    name text not null constraint organisation_name unique,
    kind text not null
);

create table account (
    account_id uuid not null primary key,
    login text not null constraint account_login unique,
    name text not null,
    role text not null,
    organisation uuid not null,
    password text not null,
    disabled boolean not null,
    must_change boolean not null,
    created_at timestamptz not null,
    constraint account_organisation foreign key (organisation) references organisation (organisation_id)
);

create table device (
    device_id uuid not null primary key,
    account_id uuid not null,
    name text not null,
    enrolled_at timestamptz not null,
    revoked_at timestamptz,
    seq_through bigint not null,
    last_contact timestamptz,
    outbox_pending bigint,
    outbox_oldest timestamptz,
    skew_ms bigint,
    app text,
    constraint device_account foreign key (account_id) references account (account_id)
);

create table enrolment (
    code_hash bytea not null primary key,
    account_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint enrolment_account foreign key (account_id) references account (account_id)
);

create table refresh_token (
    token_hash bytea not null primary key,
    family uuid not null,
    account_id uuid not null,
    device_id uuid,
    expires_at timestamptz not null,
    used_at timestamptz,
    revoked_at timestamptz,
    constraint refresh_token_account foreign key (account_id) references account (account_id)
);
create index refresh_token_family on refresh_token (family);

-- One row: country, administrative units, treaty dates, date rule, tolerances, milestones.
create table programme (
    id smallint not null primary key constraint programme_single check (id = 1),
    revision integer not null,
    document jsonb not null
);

-- Quoted: a reserved word of PostgreSQL.
create table "freeze" (
    freeze_id uuid not null primary key,
    year integer not null,
    basis text not null,
    seq bigint not null,
    taken_at timestamptz not null,
    taken_by uuid not null,
    note text,
    hash text not null,
    document jsonb not null,
    constraint freeze_once unique (year, basis, hash)
);

-- What could not even be read, kept as it came.
create table receipt (
    receipt_id uuid not null primary key,
    received_at timestamptz not null,
    device_id uuid,
    reason text not null,
    body bytea not null
);

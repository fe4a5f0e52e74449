-- What a client knows without a network: who it is, what it follows, what the server told, what it has not been rid of.

-- One row, once the client is enrolled.
create table session (
    id integer not null primary key constraint session_single check (id = 1),
    server_url text not null,
    device_id text not null,
    account text not null,
    organisation text not null,
    role text not null,
    access_token text not null,
    refresh_token text not null,
    -- The number of the next edit: counted in the transaction that writes the edit.
    next_seq bigint not null,
    -- The server's epoch, and up to which number of this device everything is stored in it.
    epoch text,
    durable_through bigint not null,
    -- Where the server's log stood, to be shown back to it.
    head text,
    -- What the server takes in one push.
    max_mutations bigint not null,
    max_bytes bigint not null,
    wipe boolean not null
);

create table scope (
    id text not null primary key,
    epoch text,
    cursor bigint not null,
    -- When its digest was last equal to the server's; empty while anything is amiss.
    verified_at text,
    revoked boolean not null
);

-- Records as the server last told them, whatever scope they came with.
create table record (
    record_id text not null primary key,
    kind text not null,
    epoch text not null,
    seq bigint not null,
    feature text not null
);
create index record_kind on record (kind);

-- Which scope holds which record, at the version that the scope told. `stale`: the scope is being fetched again and
-- has not named it yet.
create table member (
    scope text not null,
    record_id text not null,
    version text not null,
    stale boolean not null,
    primary key (scope, record_id),
    constraint member_scope foreign key (scope) references scope (id) on delete cascade
);
create index member_record on member (record_id);

-- Every edit that was made here, in order. None is removed: if a server goes back in time, it is pushed again.
create table outbox (
    place integer not null primary key autoincrement,
    mutation_id text not null constraint outbox_mutation unique,
    device_id text not null,
    device_seq bigint not null,
    record_id text not null,
    kind text not null,
    txn text not null,
    body text not null,
    made_at text not null,
    -- The server's answer, its place in the server's log, and the epoch that both belong to.
    epoch text,
    seq bigint,
    answer text,
    -- It is part of what the server tells, or beside it for good: no longer replayed.
    settled boolean not null,
    constraint outbox_number unique (device_id, device_seq)
);
create index outbox_unsettled on outbox (record_id) where settled = 0;

-- Whose role and organisation it was that the log's author acted with: what became of an edit can be worked out again.
alter table log add column role text;
alter table log add column organisation uuid;
create index log_withdrawn on log (seq) where entry = 'withdrawn';

-- Who had a hand in a version.
alter table version add column hands jsonb;

-- Whether this server is a camp that follows a national server.
alter table sync_clock add column follows boolean not null default false;

-- One row on a camp: where it stands in the national log.
create table upstream (
    id smallint not null primary key constraint upstream_single check (id = 1),
    epoch uuid,
    seq bigint not null,
    entry_hash bytea not null,
    last_contact timestamptz
);

-- Mutations that the national log is not known to have; seq: their place in this log.
create table pending (
    mutation_id uuid not null primary key,
    seq bigint not null
);
create index pending_seq on pending (seq);

-- The national log as far as it was followed; mutation_id: for entries that tell of a mutation's arrival, with what it
-- waits for there and the entry that tells of the end of its wait.
create table followed (
    seq bigint not null primary key,
    mutation_id uuid,
    entry_hash bytea not null,
    waiting_for text,
    waited_until bigint
);
create index followed_mutation on followed (mutation_id) where mutation_id is not null;

-- Numbers under which a device pushed what was known from another enrolment already.
create table renumbered (
    device_id uuid not null,
    device_seq bigint not null,
    mutation_id uuid not null,
    constraint renumbered_key primary key (device_id, device_seq)
);

-- The camp's own device, for tablets that a camp tells of.
alter table device add column via uuid;

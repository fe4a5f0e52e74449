-- Whose role and organisation it was that the log's author acted with: what became of an edit can be worked out again.
alter table log add column role text;
alter table log add column organisation blob;
create index log_withdrawn on log (seq) where entry = 'withdrawn';

-- Who had a hand in a version.
alter table version add column hands text;

-- Whether this server is a camp that follows a national server.
alter table sync_clock add column follows integer not null default 0;

-- One row on a camp: where it stands in the national log.
create table upstream (
    id integer not null primary key constraint upstream_single check (id = 1),
    epoch blob,
    seq integer not null,
    entry_hash blob not null,
    last_contact integer
) strict;

-- Mutations that the national log is not known to have; seq: their place in this log.
create table pending (
    mutation_id blob not null primary key,
    seq integer not null
) strict;
create index pending_seq on pending (seq);

-- The national log as far as it was followed; mutation_id: for entries that tell of a mutation's arrival, with what it
-- waits for there and the entry that tells of the end of its wait.
create table followed (
    seq integer not null primary key,
    mutation_id blob,
    entry_hash blob not null,
    waiting_for text,
    waited_until integer
) strict;
create index followed_mutation on followed (mutation_id) where mutation_id is not null;

-- Numbers under which a device pushed what was known from another enrolment already.
create table renumbered (
    device_id blob not null,
    device_seq integer not null,
    mutation_id blob not null,
    constraint renumbered_key primary key (device_id, device_seq)
) strict;

-- The camp's own device, for tablets that a camp tells of.
alter table device add column via blob;

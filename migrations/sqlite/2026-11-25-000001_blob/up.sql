-- Which files the edits of records claim (sync.md §2): taken from mutations as they arrive, whatever becomes of them.
-- sha256 is hexadecimal, in small letters; what is no hash stands here as it came, cut.
create table claim (
    mutation_id blob not null,
    place integer not null,
    record_id blob not null,
    organisation blob not null,
    name text not null,
    sha256 text not null,
    size integer not null,
    media_type text not null,
    seq integer not null,
    constraint claim_key primary key (mutation_id, place)
) strict;
create index claim_blob on claim (sha256, organisation);
create index claim_record on claim (record_id, seq);

-- Files that are here whole. media_type is what their first bytes say.
create table blob (
    sha256 text not null primary key,
    size integer not null,
    media_type text not null,
    stored_at integer not null
) strict;

-- Which organisation has sent a file whole. That another one has is nothing it may learn.
create table blob_holder (
    sha256 text not null,
    organisation blob not null,
    stored_at integer not null,
    constraint blob_holder_key primary key (sha256, organisation),
    constraint blob_holder_blob foreign key (sha256) references blob (sha256)
) strict;

-- What older programs took without noting its claims. A device's edits are its account's, others their author's.
insert into claim (mutation_id, place, record_id, organisation, name, sha256, size, media_type, seq)
select log.subject, entry.key, log.record_id, account.organisation,
    substr(coalesce(entry.value ->> '$.name', ''), 1, 255),
    substr(lower(coalesce(entry.value ->> '$.sha256', '')), 1, 64),
    max(0, coalesce(cast(entry.value ->> '$.size' as integer), 0)),
    substr(coalesce(entry.value ->> '$.media_type', ''), 1, 100),
    log.seq
from log
left join device on device.device_id = log.device_id
join account on account.account_id = coalesce(device.account_id, log.actor)
join json_each(cast(log.body as text), '$.attachments') as entry
where log.entry = 'mutation' and log.record_id is not null;

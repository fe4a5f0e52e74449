-- Which files the edits of records claim (sync.md §2): taken from mutations as they arrive, whatever becomes of them.
-- sha256 is hexadecimal, in small letters; what is no hash stands here as it came, cut.
create table claim (
    mutation_id uuid not null,
    place integer not null,
    record_id uuid not null,
    organisation uuid not null,
    name text not null,
    sha256 text not null,
    size bigint not null,
    media_type text not null,
    seq bigint not null,
    constraint claim_key primary key (mutation_id, place)
);
create index claim_blob on claim (sha256, organisation);
create index claim_record on claim (record_id, seq);

-- Files that are here whole. media_type is what their first bytes say.
create table blob (
    sha256 text not null primary key,
    size bigint not null,
    media_type text not null,
    stored_at timestamptz not null
);

-- Which organisation has sent a file whole. That another one has is nothing it may learn.
create table blob_holder (
    sha256 text not null,
    organisation uuid not null,
    stored_at timestamptz not null,
    constraint blob_holder_key primary key (sha256, organisation),
    constraint blob_holder_blob foreign key (sha256) references blob (sha256)
);

-- What older programs took without noting its claims. A device's edits are its account's, others their author's.
-- jsonb cannot hold U+0000: such edits are in quarantine, and are left out.
insert into claim (mutation_id, place, record_id, organisation, name, sha256, size, media_type, seq)
select edit.subject, entry.place - 1, edit.record_id, account.organisation,
    left(coalesce(entry.value ->> 'name', ''), 255),
    left(lower(coalesce(entry.value ->> 'sha256', '')), 64),
    least((entry.value ->> 'size')::numeric, 9223372036854775807)::bigint,
    left(coalesce(entry.value ->> 'media_type', ''), 100),
    edit.seq
from (
    select seq, subject, record_id, device_id, actor, convert_from(body, 'UTF8')::jsonb as body
    from log
    where entry = 'mutation' and record_id is not null
        and position('"attachments"'::bytea in body) > 0 and position('\\u0000'::bytea in body) = 0
) as edit
left join device on device.device_id = edit.device_id
join account on account.account_id = coalesce(device.account_id, edit.actor)
cross join lateral jsonb_array_elements(edit.body -> 'attachments') with ordinality as entry (value, place);

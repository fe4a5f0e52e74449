-- Passwords for map programs, which cannot renew a token. secret_hash is the SHA-256 of 130 random bits: nobody guesses
-- them, so that a slow hash would protect nothing and cost every tile and page of a map its time.
create table map_password (
    map_password_id blob not null primary key,
    account_id blob not null,
    name text not null,
    scope text not null,
    secret_hash blob not null constraint map_password_secret unique,
    created_at integer not null,
    last_used_at integer,
    revoked_at integer,
    constraint map_password_account foreign key (account_id) references account (account_id)
) strict;
create index map_password_of on map_password (account_id);

-- Pages of a collection follow the records' ids.
create index record_page on record (kind, record_id);

-- Where versions lie, without a look at what they say.
create index version_box on version (kind, min_lon, max_lon, min_lat, max_lat, record_id);

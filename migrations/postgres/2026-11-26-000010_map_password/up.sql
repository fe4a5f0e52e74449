-- Passwords for map programs, which cannot renew a token. secret_hash is the SHA-256 of 130 random bits: nobody guesses
-- them, so that a slow hash would protect nothing and cost every tile and page of a map its time.
create table map_password (
    map_password_id uuid not null primary key,
    account_id uuid not null,
    name text not null,
    scope text not null,
    secret_hash bytea not null constraint map_password_secret unique,
    created_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint map_password_account foreign key (account_id) references account (account_id)
);
create index map_password_of on map_password (account_id);

-- Pages of a collection follow the records' ids.
create index record_page on record (kind, record_id);

-- Where versions lie, without a look at what they say.
create index version_box on version (kind, min_lon, max_lon, min_lat, max_lat, record_id);

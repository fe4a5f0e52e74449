-- Files whose bytes are kept in the folder beside this database, each under its hash.
create table file (
    sha256 text not null primary key,
    size bigint not null,
    -- The epoch in which the server said that it has all of it.
    epoch text
);

-- Which edit claims which file.
create table attached (
    mutation_id text not null,
    sha256 text not null,
    primary key (mutation_id, sha256)
);
create index attached_file on attached (sha256);

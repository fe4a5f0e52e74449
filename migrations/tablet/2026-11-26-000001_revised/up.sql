-- Up to which place of the server's log this client was told what has become of its edits.
alter table session add column revised_through bigint not null default 0;

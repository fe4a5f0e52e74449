-- The epoch in which the server, or the nation behind it, was known to keep the file for good.
alter table file add column national text;

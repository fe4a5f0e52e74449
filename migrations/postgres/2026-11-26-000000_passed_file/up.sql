-- On a camp: the epoch of the national server that is known to have the file whole.
alter table blob_holder add column national uuid;

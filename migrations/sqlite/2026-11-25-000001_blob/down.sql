drop table blob_holder;
drop table blob;
drop table claim;

alter table blob_holder drop column national;

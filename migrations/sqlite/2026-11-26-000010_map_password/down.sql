drop index version_box;
drop index record_page;
drop table map_password;

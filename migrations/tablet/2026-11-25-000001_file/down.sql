drop table attached;
drop table file;

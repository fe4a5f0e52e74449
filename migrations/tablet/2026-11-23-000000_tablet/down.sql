drop table outbox;
drop table member;
drop table record;
drop table scope;
drop table session;

alter table file drop column national;

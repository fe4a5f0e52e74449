alter table session drop column revised_through;

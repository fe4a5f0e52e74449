//! The two databases have the same tables with the same columns, and Diesel's description has them too.

use std::collections::BTreeMap;

use cartagena::store::{DatabaseUrl, migration};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::support::{Place, on_both};

on_both!(the_tables_are_as_described);

const DESCRIBED: &str = include_str!("../../src/store/schema.rs");

/// Columns in their order, each with whether it may be empty, by table.
type Tables = BTreeMap<String, Vec<(String, bool)>>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

fn the_tables_are_as_described(place: &Place) {
    let url = place.database();
    migration::run(&url).unwrap();
    let columns: Vec<Column> = match &url {
        DatabaseUrl::Sqlite(path) => diesel::sql_query(
            "select t.name as place, c.name as name, c.\"notnull\" = 0 as nullable from sqlite_master t \
             join pragma_table_info(t.name) c where t.type = 'table' order by t.name, c.cid",
        )
        .load(&mut SqliteConnection::establish(path).unwrap()),
        DatabaseUrl::Postgres(url) => diesel::sql_query(
            "select table_name::text as place, column_name::text as name, is_nullable = 'YES' as nullable \
             from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position",
        )
        .load(&mut PgConnection::establish(url).unwrap()),
    }
    .unwrap();
    let mut there = Tables::new();
    for Column { place, name, nullable } in columns {
        there.entry(place).or_default().push((name, nullable));
    }
    there.retain(|name, _| name != "__diesel_schema_migrations" && !name.starts_with("sqlite_"));
    assert_eq!(there, described());
}

/// The tables of `src/store/schema.rs`, read as text: its macros leave nothing to ask at run time.
fn described() -> Tables {
    let mut tables = Tables::new();
    let mut table = None;
    for line in DESCRIBED.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = Some(name.to_owned());
        } else if let (Some(table), Some((column, kind))) = (&table, line.split_once(" -> ")) {
            let nullable = kind.starts_with("Nullable");
            tables.entry(table.clone()).or_default().push((column.to_owned(), nullable));
        }
    }
    tables
}

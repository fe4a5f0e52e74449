//! What every test stands on: a fresh database, a server on it, people and their devices.

pub(crate) mod chopper;
pub(crate) mod client;
pub(crate) mod disk;
pub(crate) mod file;
pub(crate) mod http;
pub(crate) mod metrics;
pub(crate) mod people;
pub(crate) mod place;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod server;
pub(crate) mod tablet;

pub(crate) use http::{Http, Reply};
pub(crate) use people::{Crew, Person};
pub(crate) use place::{Backend, Place};
pub(crate) use program::Program;
pub(crate) use server::{Serving, TestServer};
pub(crate) use tablet::Tablet;

/// Makes two tests of each function that takes a [`Place`]: `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[test]
            fn sqlite() {
                $crate::support::place::run($crate::support::Backend::Sqlite, super::$name);
            }

            #[test]
            fn postgres() {
                $crate::support::place::run($crate::support::Backend::Postgres, super::$name);
            }
        })+
    };
}
pub(crate) use on_both;

//! The client library in the hands of people.

use cartagena::client::{Client, Edit, Http, Sent, Transport};
use cartagena::model::Record;
use cartagena::model::mutation::Outcome;
use serde_json::json;
use uuid::Uuid;

use super::tablet::square;
use super::{Crew, Person, Place, Serving};

/// A client of somebody with a file of its own.
pub(crate) fn enrolled(
    place: &Place,
    server: &impl Serving,
    crew: &Crew,
    whom: &Person,
    transport: Box<dyn Transport>,
) -> Client {
    let file = place.folder.path().join(format!("{}.db", Uuid::now_v7()));
    let mut client = Client::open_with(&file, transport).unwrap();
    client.enrol(server.url(), &crew.offer(server, whom), "tablet").unwrap();
    client
}

/// The same over plain HTTP.
pub(crate) fn plain(place: &Place, server: &impl Serving, crew: &Crew, whom: &Person) -> Client {
    enrolled(place, server, crew, whom, Box::new(Http::default()))
}

/// Makes a hazardous area.
pub(crate) fn new_area(id: Uuid) -> Edit {
    Edit::create("hazardous_area", id)
        .set("classification", "SHA")
        .set("status", "open")
        .set("contamination", json!(["ap_mine"]))
        .set("geometry", square(0.0))
}

/// What became of every edit, in order.
pub(crate) fn outcomes(client: &mut Client) -> Vec<Option<Outcome>> {
    client.edits().unwrap().iter().map(Sent::outcome).collect()
}

/// A record as its author sees it.
#[track_caller]
pub(crate) fn shown(client: &mut Client, id: Uuid) -> Record {
    client.view(id).unwrap().expect("the record is here").record
}

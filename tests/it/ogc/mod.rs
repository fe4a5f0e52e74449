//! OGC API – Features: what QGIS, GDAL and others rely on, and what they must not be able to do.

mod clients;
pub(crate) mod contested;
mod edits;
mod ground;
mod pages;
mod passwords;
mod questions;
mod tiles;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::ledger::{create, push, set_programme, square};
use crate::support::{Crew, Http, Person, Place, Reply, Serving, TestServer, people::PASSWORD, people::text};

/// Somebody at a map, with a map password.
pub(crate) struct Map {
    http: Http,
    basic: String,
    /// The log-in.
    pub(crate) login: String,
    /// The map password.
    pub(crate) password: String,
}

impl Map {
    /// Makes a map password for somebody.
    pub(crate) fn of(server: &impl Serving, who: &Person, scope: &str) -> Self {
        let body = json!({"name": "the test's", "scope": scope, "account_password": PASSWORD});
        let path = "/v1/account/map-passwords";
        let made = server.http().post(path, &who.log_in(server), &body).expect(201);
        Self::with(server, &text(&made, "login"), &text(&made, "password"))
    }

    /// With any log-in and password.
    pub(crate) fn with(server: &impl Serving, login: &str, password: &str) -> Self {
        use base64::Engine as _;
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
        Self {
            http: server.http(),
            basic: format!("Basic {credentials}"),
            login: login.to_owned(),
            password: password.to_owned(),
        }
    }

    /// Any request under `/ogc`.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut all = vec![("Authorization", self.basic.as_str())];
        all.extend(headers);
        self.http.raw(method, &format!("/ogc{path}"), "", &all, body).0
    }

    /// GET of a file: the answer, and its bytes.
    pub(crate) fn download(&self, path: &str) -> (Reply, Vec<u8>) {
        let headers = [("Authorization", self.basic.as_str())];
        self.http.raw("GET", &format!("/ogc{path}"), "", &headers, &[])
    }

    /// GET
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], &[])
    }

    /// The features of a collection that a question has, which must be one page.
    #[track_caller]
    pub(crate) fn items(&self, collection: &str, query: &[(&str, &str)]) -> Value {
        self.get(&format!("/collections/{collection}/items?{}", encoded(query))).expect(200)
    }

    /// The ids of what a question finds, in the page's order.
    #[track_caller]
    pub(crate) fn ids(&self, collection: &str, query: &[(&str, &str)]) -> Vec<Uuid> {
        let page = self.items(collection, query);
        let ids: Vec<Uuid> = features(&page).iter().map(|one| text(one, "id").parse().unwrap()).collect();
        assert_eq!(page["numberMatched"], json!(ids.len()), "{query:?}");
        assert_eq!(page["numberReturned"], json!(ids.len()), "{query:?}");
        ids
    }
}

/// A query string.
pub(crate) fn encoded(query: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    query
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// The features of a page.
pub(crate) fn features(page: &Value) -> &Vec<Value> {
    page["features"].as_array().unwrap()
}

/// Where the next page is, under `/ogc`.
pub(crate) fn next_of(page: &Value) -> Option<String> {
    let mut links = page["links"].as_array().unwrap().iter();
    let next = links.find(|link| link["rel"] == "next")?["href"].as_str().unwrap();
    Some(next.split_once("/ogc").unwrap().1.to_owned())
}

/// A server with a programme, its people and some areas 0.01° apart, in their order from west to east.
pub(crate) struct Country {
    pub(crate) server: TestServer,
    pub(crate) crew: Crew,
    /// Areas with an outline.
    pub(crate) areas: Vec<Uuid>,
    /// An area that is known by a point.
    pub(crate) point: Uuid,
}

impl Country {
    /// Pushes `count` areas, one a year from 2000, the even ones confirmed, and one that is known by a point.
    pub(crate) fn prepare(place: &Place, count: i32) -> Self {
        let server = TestServer::start(place);
        let crew = Crew::hire(server.store());
        set_programme(&server, &crew);
        let (areas, point) = survey(&server, &crew, count);
        Self { server, crew, areas, point }
    }

    /// The information management officer's map.
    pub(crate) fn im(&self) -> Map {
        Map::of(&self.server, &self.crew.im, "read_write")
    }
}

/// Pushes areas to whatever serves; their ids, and that of the one that is known by a point.
pub(crate) fn survey(server: &impl Serving, crew: &Crew, count: i32) -> (Vec<Uuid>, Uuid) {
    let surveyor = &crew.surveyor;
    let areas: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let mut made: Vec<Value> = (0..count)
        .zip(&areas)
        .map(|(number, id)| area(number, *id, surveyor, &square(f64::from(number) * 0.01, 0.001)))
        .collect();
    let point = Uuid::now_v7();
    made.push(area(count, point, surveyor, &json!({"type": "Point", "coordinates": [0.5, 10.5]})));
    let answer = push(server, crew, surveyor, made);
    let results = answer["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["outcome"] == "applied"), "{answer}");
    (areas, point)
}

fn area(number: i32, id: Uuid, author: &Person, geometry: &Value) -> Value {
    let fields = json!({
        "name": format!("Area {number}"),
        "classification": if number % 2 == 0 { "CHA" } else { "SHA" },
        "status": "open",
        "contamination": ["ap_mine"],
        "date_identified": format!("{}-03-01", 2000 + number),
        "reported_area_m2": 1000 * number,
    });
    create("hazardous_area", id, author, &fields, geometry)
}

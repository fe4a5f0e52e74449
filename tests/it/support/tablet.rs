//! A device that speaks the bare protocol, so that a test can say what no client would.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use super::people::text;
use super::{Crew, Http, Person, Reply, Serving};

/// An enrolled device.
pub(crate) struct Tablet {
    /// The device.
    pub(crate) device: Uuid,
    /// Its access token.
    pub(crate) token: String,
    /// Its refresh token.
    pub(crate) refresh: String,
    /// Whose it is.
    pub(crate) author: Uuid,
    http: Http,
    next: AtomicI64,
}

impl Tablet {
    /// Enrols a device for somebody.
    pub(crate) fn enrol(server: &impl Serving, crew: &Crew, whom: &Person) -> Self {
        Self::of(server, whom, &crew.enrol(server, whom))
    }

    /// Enrols a device with a code that somebody has for it.
    pub(crate) fn with_code(server: &impl Serving, code: &str, whom: &Person) -> Self {
        let body = json!({"code": code, "name": "tablet"});
        Self::of(server, whom, &server.http().post("/v1/devices/enrol", "", &body).expect(201))
    }

    fn of(server: &impl Serving, whom: &Person, tokens: &Value) -> Self {
        Self {
            device: text(tokens, "device").parse().unwrap(),
            token: text(tokens, "access_token"),
            refresh: text(tokens, "refresh_token"),
            author: whom.id,
            http: server.http(),
            next: AtomicI64::new(1),
        }
    }

    /// Goes on at another address of its server.
    pub(crate) fn move_to(&mut self, server: &impl Serving) {
        self.http = server.http();
    }

    /// The number of its last edit.
    pub(crate) fn made(&self) -> i64 {
        self.next.load(Ordering::Relaxed) - 1
    }

    /// An edit with the device's next number.
    pub(crate) fn edit(&self, op: &str, kind: &str, record: Uuid) -> Value {
        json!({
            "mutation_id": Uuid::now_v7(), "device_seq": self.next.fetch_add(1, Ordering::Relaxed),
            "kind": kind, "schema": 1, "op": op, "record_id": record, "author": self.author,
        })
    }

    /// Makes a record of fields.
    pub(crate) fn create(&self, kind: &str, record: Uuid, fields: &Value) -> Value {
        let changes: serde_json::Map<String, Value> = fields
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), json!({"to": value})))
            .collect();
        with(self.edit("create", kind, record), &json!({"changes": changes}))
    }

    /// Makes a hazardous area.
    pub(crate) fn area(&self, record: Uuid) -> Value {
        self.create("hazardous_area", record, &area())
    }

    /// An edit of a hazardous area that was last seen at `base`.
    pub(crate) fn on(&self, op: &str, record: Uuid, base: &Value, more: &Value) -> Value {
        let edit = with(self.edit(op, "hazardous_area", record), &json!({"base_version": base}));
        with(edit, more)
    }

    /// Pushes actions.
    pub(crate) fn push(&self, txns: &[Vec<Value>]) -> Reply {
        self.http.post("/v1/sync/push", &self.token, &self.body(txns))
    }

    /// Pushes actions to a server that may be gone; nothing where no whole answer came.
    pub(crate) fn try_push(&self, txns: &[Vec<Value>]) -> Option<Reply> {
        self.http.try_post("/v1/sync/push", &self.token, &self.body(txns)).ok()
    }

    /// What [`Tablet::push`] sends.
    pub(crate) fn body(&self, txns: &[Vec<Value>]) -> Value {
        json!({"protocol": 1, "device_id": self.device, "txns": txns})
    }

    /// Pushes one edit; what became of it.
    #[track_caller]
    pub(crate) fn send(&self, edit: &Value) -> Value {
        self.push(&[vec![edit.clone()]]).expect(200)["results"][0].clone()
    }

    /// Pushes one edit that must come to `outcome`; its id, which is its version.
    #[track_caller]
    pub(crate) fn must(&self, outcome: &str, edit: &Value) -> Value {
        let result = self.send(edit);
        assert_eq!(result["outcome"], outcome, "{result}");
        edit["mutation_id"].clone()
    }

    /// A pull of one scope from its beginning.
    #[track_caller]
    pub(crate) fn pull(&self, scope: &str) -> Value {
        let body = json!({"scopes": [{"id": scope}]});
        self.http.post("/v1/sync/pull", &self.token, &body).expect(200)["scopes"][0].clone()
    }
}

/// The fields of a hazardous area.
pub(crate) fn area() -> Value {
    json!({"classification": "SHA", "status": "open", "contamination": ["ap_mine"], "geometry": square(0.0)})
}

/// A square of about a hundred metres, `east` degrees from its usual place.
pub(crate) fn square(east: f64) -> Value {
    let (x, y, side) = (44.0 + east, 33.0, 0.001);
    json!({"type": "Polygon", "coordinates": [[
        [x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]
    ]]})
}

/// The members of one object laid over another's.
pub(crate) fn with(mut object: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// The edits of one human action, marked as such.
pub(crate) fn action(edits: Vec<Value>) -> Vec<Value> {
    let (id, size) = (Uuid::now_v7(), edits.len());
    let mark = |(index, edit)| with(edit, &json!({"txn": {"id": id, "index": index, "size": size}}));
    edits.into_iter().enumerate().map(mark).collect()
}

/// A record over HTTP.
#[track_caller]
pub(crate) fn record(server: &impl Serving, token: &str, id: Uuid) -> Value {
    server.http().get(&format!("/v1/records/{id}"), token).expect(200)
}

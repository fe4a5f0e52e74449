//! The API's description says what the API does: every parameter in its place, every word as it travels.

use std::collections::{BTreeMap, BTreeSet};

use cartagena::model::mutation::{Op, Outcome};
use cartagena::model::{ReviewAction, Role, Stage};
use cartagena::programme::DateRule;
use cartagena::report::book::Basis;
use cartagena::treaty::DeadlineKind;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(the_description_is_true, the_page_is_where_people_look_for_it);

/// The operations, each with its method and path.
fn operations(api: &Value) -> impl Iterator<Item = (String, &Value)> {
    api["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters");
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

fn the_description_is_true(place: &Place) {
    let server = TestServer::start(place);
    let api = server.http().get("/openapi.json", "").expect(200);
    assert!(operations(&api).count() > 40);
    for (name, operation) in operations(&api) {
        parameters_stand_where_they_are(&name, operation);
        for body in operation["requestBody"]["content"].as_object().into_iter().flat_map(|all| all.values()) {
            let says_something =
                body["schema"]["$ref"].is_string() || body["schema"]["properties"].is_object();
            assert!(says_something, "{name}: the body is not described: {body}");
        }
    }
    what_is_read_is_described(&api);
    every_reference_leads_somewhere(&api);
    enums_have_the_words_of_the_wire(&api);
    let crew = Crew::hire(server.store());
    lists_are_what_they_are_said_to_be(&server, &crew, &api);
    the_example_of_a_push_is_taken(&server, &crew, &api);
}

/// A parameter of a path stands in the path's template, and the template has no other; what stands behind the `?` may
/// be left out.
fn parameters_stand_where_they_are(name: &str, operation: &Value) {
    let template: BTreeSet<&str> =
        name.split('{').skip(1).map(|part| part.split('}').next().unwrap()).collect();
    let parameters = || operation["parameters"].as_array().into_iter().flatten();
    let in_path = parameters().filter(|parameter| parameter["in"] == "path");
    let in_path: BTreeSet<&str> = in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(in_path, template, "{name}");
    for parameter in parameters().filter(|parameter| parameter["in"] == "query") {
        assert_ne!(parameter["required"], true, "{name}: {parameter}");
    }
    if name.starts_with("get /v1/ledger/remaining") {
        assert!(parameters().any(|it| it["name"] == "as_of" && it["in"] == "query"), "{name}");
    }
}

/// What a client's maker would otherwise learn by trying.
fn what_is_read_is_described(api: &Value) {
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(api["paths"][path]["get"]["security"], json!([{}]), "{path} needs no log-in");
    }
    for (path, method, required) in
        [("/v1/programme", "put", false), ("/v1/records/{id}/stage", "post", true)]
    {
        let mut parameters = api["paths"][path][method]["parameters"].as_array().unwrap().iter();
        let tag = parameters.find(|it| it["name"] == "If-Match" && it["in"] == "header").unwrap();
        assert_eq!(tag["required"] == true, required, "{path}");
    }
    // Two types of one name would stand for each other.
    let answer =
        &api["paths"]["/v1/progress/article5"]["get"]["responses"]["200"]["content"]["application/json"];
    let name = answer["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    let described = &api["components"]["schemas"][name];
    assert!(described["allOf"].is_array(), "{name}: {described}");
    let units = &api["components"]["schemas"]["Programme"]["properties"]["admin_units"];
    assert_eq!(units["type"], json!(["object", "null"]));
    for path in ["/healthz", "/readyz", "/metrics", "/v1/schemas", "/v1/schemas/{kind}", "/v1/sync/scopes"] {
        let content = &api["paths"][path]["get"]["responses"]["200"]["content"];
        let mut described = content.as_object().unwrap().values();
        assert!(described.all(|content| content["schema"].is_object()), "{path}: {content}");
    }
}

/// Every value of a tree.
fn walk<'a>(value: &'a Value, see: &mut dyn FnMut(&'a Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Value::Object(members) => members.values().for_each(|item| walk(item, see)),
        _ => {}
    }
}

fn every_reference_leads_somewhere(api: &Value) {
    walk(api, &mut |value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(api.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    });
}

fn enums_have_the_words_of_the_wire(api: &Value) {
    /// The words of closed lists, by the names of their schemas.
    macro_rules! words {
        ($($list:ident),+) => {
            BTreeMap::from([$((stringify!($list), $list::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())),+])
        };
    }
    let mut lists = words!(Role, Stage, ReviewAction, Op, Outcome, DateRule, DeadlineKind, Basis);
    let schemas = api["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        if let Some(words) = lists.remove(name.as_str()) {
            assert_eq!(schema["enum"], json!(words), "{name}");
        }
    }
    assert_eq!(lists.keys().collect::<Vec<_>>(), Vec::<&&str>::new(), "lists that are not described");
    walk(api, &mut |value| {
        for word in value["enum"].as_array().into_iter().flatten() {
            let word = word.as_str().unwrap_or_else(|| panic!("{value}"));
            assert!(word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{value}");
        }
    });
}

/// What is said to be a list is one, and what is said to be an object has just the members that are described.
fn lists_are_what_they_are_said_to_be(server: &TestServer, crew: &Crew, api: &Value) {
    let tokens = [&crew.im, &crew.admin, &crew.camp].map(|person| person.log_in(server));
    for (name, operation) in
        operations(api).filter(|(name, _)| name.starts_with("get ") && !name.contains('{'))
    {
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let path = name.trim_start_matches("get ");
        let replies = tokens.iter().map(|token| server.http().get(path, token));
        let body = replies.into_iter().find(|reply| reply.status == 200).expect("one of them may").body;
        assert_eq!(body.is_array(), schema["type"] == "array", "{name}: {body}");
        let reference = schema["$ref"].as_str().unwrap_or_default().trim_start_matches('#');
        if let Some(described) = api.pointer(reference).and_then(|schema| schema["properties"].as_object()) {
            let unknown: Vec<&String> =
                body.as_object().unwrap().keys().filter(|member| !described.contains_key(*member)).collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?} is not described");
        }
    }
}

fn the_example_of_a_push_is_taken(server: &TestServer, crew: &Crew, api: &Value) {
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let body = &api["paths"]["/v1/sync/push"]["post"]["requestBody"]["content"]["application/json"];
    let mut push = body["example"].clone();
    assert_eq!(push["protocol"], 1, "{body}");
    // What only the sender knows.
    push["device_id"] = json!(tablet.device);
    push["txns"][0][0]["author"] = json!(tablet.author);
    push["txns"][0][0]["mutation_id"] = json!(Uuid::now_v7());
    let answer = server.http().post("/v1/sync/push", &tablet.token, &push).expect(200);
    assert_eq!(answer["results"][0]["outcome"], "applied", "{answer}");
}

fn the_page_is_where_people_look_for_it(place: &Place) {
    let server = TestServer::start(place);
    for path in ["/docs", "/docs/"] {
        assert!(server.http().get_text(path, "", &[]).contains("swagger-ui"), "{path}");
    }
    let script = server.http().get_text("/docs/swagger-initializer.js", "", &[]);
    assert!(script.contains("\"validatorUrl\": \"none\""), "nothing on the internet is asked: {script}");
}

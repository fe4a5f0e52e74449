//! The console as the server sends it, a browser's session, and the news that a page hears. What people see of it is
//! looked at in a real browser (`browser.rs`).

use std::io::{BufRead as _, BufReader};

use cartagena::config::Limits;
use serde_json::{Value, json};

use crate::support::people::{PASSWORD, text};
use crate::support::server::patient_limits;
use crate::support::{Crew, Person, Place, Program, Reply, Serving as _, Tablet, TestServer, on_both};

on_both!(
    the_page_is_strict,
    scripts_never_hold_the_session,
    other_sites_cannot_use_it,
    a_used_cookie_ends_the_session,
    passwords_cannot_be_tried_here_either,
    a_page_hears_that_the_log_has_moved,
    the_operators_own_map_is_sent_in_parts,
);

/// A request of a browser's session, with a cookie and the headers that browsers add.
fn ask(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    server.http().raw(method, path, "", headers, body.to_string().as_bytes()).0
}

fn log_in(server: &TestServer, person: &Person) -> Reply {
    let body = json!({"login": person.login, "password": PASSWORD});
    ask(server, "POST", "/v1/session", &[("Sec-Fetch-Site", "same-origin")], &body)
}

/// `name=value` of the cookie that was set.
fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").expect("a cookie is set");
    set.split(';').next().unwrap().to_owned()
}

fn go_on(server: &TestServer, cookie: &str) -> Reply {
    let headers = [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")];
    ask(server, "POST", "/v1/session/refresh", &headers, &Value::Null)
}

fn the_page_is_strict(place: &Place) {
    let server = TestServer::start(place);
    let (page, bytes) = server.http().raw("GET", "/", "", &[], &[]);
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let text = String::from_utf8(bytes).unwrap();
    let mut files = 0;
    for name in text.split('"').filter_map(|word| word.strip_prefix("/assets/")) {
        let (file, _) = server.http().raw("GET", &format!("/assets/{name}"), "", &[], &[]);
        assert_eq!(file.status, 200, "{name}");
        assert!(file.header("cache-control").unwrap().contains("immutable"), "{name}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{name}");
        files += 1;
    }
    // Built without Node, the page says so and names what is here.
    assert!(files > 0 || text.contains("/docs/"), "{text}");
    if files > 0 {
        let licences = server.http().get_text("/assets/licences.md", "", &[]);
        assert!(licences.contains("maplibre-gl"), "whose work is in it is said");
    }
    let missing = server.http().get("/assets/nothing.js", "").expect(404);
    assert_eq!(missing["type"], "urn:cartagena:problem:not-found");
}

fn scripts_never_hold_the_session(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let reply = log_in(&server, &crew.observer);
    let set = reply.header("set-cookie").unwrap().to_owned();
    for rule in ["HttpOnly", "SameSite=Strict", "Path=/v1/session"] {
        assert!(set.contains(rule), "{set}");
    }
    assert!(!set.contains("Secure"), "this is not HTTPS: {set}");
    let body = json!({"login": crew.observer.login, "password": PASSWORD});
    let behind_tls = ask(&server, "POST", "/v1/session", &[("X-Forwarded-Proto", "https")], &body);
    assert!(behind_tls.header("set-cookie").unwrap().contains("Secure"), "{behind_tls:?}");
    let session = reply.expect(200);
    assert_eq!(session["refresh_token"], Value::Null, "{session}");
    let secret = set.split(['=', ';']).nth(1).unwrap().to_owned();
    assert!(!session.to_string().contains(&secret), "the answer holds the cookie's secret");
    assert_eq!(session["name"], "observer");
    let permissions = session["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("ReadLedger")) && !permissions.contains(&json!("ReadPieces")));
    server.http().get("/v1/ledger/remaining", &text(&session, "access_token")).expect(200);
    // The cookie opens nothing else.
    let with_cookie = [("Cookie", set.split(';').next().unwrap())];
    let (refused, _) = server.http().raw("GET", "/v1/ledger/remaining", "", &with_cookie, &[]);
    assert_eq!(refused.status, 401);
}

fn other_sites_cannot_use_it(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let cookie = cookie(&log_in(&server, &crew.im));
    let body = json!({"login": crew.im.login, "password": PASSWORD});
    for foreign in
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://example.org")]
    {
        for (method, path) in
            [("POST", "/v1/session"), ("POST", "/v1/session/refresh"), ("DELETE", "/v1/session")]
        {
            let refused = ask(&server, method, path, &[foreign, ("Cookie", &cookie)], &body);
            assert_eq!(refused.status, 403, "{method} {path} {foreign:?}: {}", refused.body);
            assert!(refused.header("set-cookie").is_none());
        }
    }
    let own = server.url().to_owned();
    let headers = [("Origin", own.as_str()), ("Cookie", cookie.as_str())];
    ask(&server, "POST", "/v1/session/refresh", &headers, &Value::Null).expect(200);
}

fn a_used_cookie_ends_the_session(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let first = cookie(&log_in(&server, &crew.im));
    let second = go_on(&server, &first);
    assert_eq!(second.status, 200);
    // An answer that was lost is asked for again at once; then the lost one is nobody's.
    let lost = cookie(&second);
    let second = cookie(&go_on(&server, &first));
    let third = go_on(&server, &second);
    assert_eq!(third.status, 200);
    let stolen = go_on(&server, &first);
    assert_eq!(stolen.status, 401, "{stolen:?}");
    assert!(stolen.header("set-cookie").unwrap().contains("Max-Age=0"), "it is taken back: {stolen:?}");
    for over in [lost, cookie(&third)] {
        assert_eq!(go_on(&server, &over).status, 401, "the family has ended");
    }
    // Logging out ends it too.
    let third = cookie(&log_in(&server, &crew.im));
    let out = ask(&server, "DELETE", "/v1/session", &[("Cookie", &third)], &Value::Null);
    assert_eq!(out.status, 204);
    assert_eq!(go_on(&server, &third).status, 401);
}

fn passwords_cannot_be_tried_here_either(place: &Place) {
    let server = TestServer::with_limits(place, Limits { log_ins_per_minute: 5, ..patient_limits() });
    let crew = Crew::hire(server.store());
    let guess = |number: u32| {
        let body = json!({"login": crew.im.login, "password": format!("guess number {number}")});
        ask(&server, "POST", "/v1/session", &[], &body).status
    };
    let answers: Vec<u16> = (0..10).map(guess).collect();
    assert!(answers[0] == 401 && answers[9] == 429, "{answers:?}");
}

fn a_page_hears_that_the_log_has_moved(place: &Place) {
    let (program, crew) = Program::begin(place);
    let token = crew.observer.log_in(&program);
    let url = format!("{}/v1/events", program.url());
    let stream = ureq::get(url).header("Authorization", format!("Bearer {token}")).call().unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut heads = BufReader::new(stream.into_body().into_reader())
        .lines()
        .map(Result::unwrap)
        .filter_map(|line| line.strip_prefix("data: ")?.parse::<i64>().ok());
    let now = heads.next().expect("where the log stands is said at once");
    Tablet::enrol(&program, &crew, &crew.surveyor);
    assert!(heads.next().expect("the enrolment is news") > now);
}

fn the_operators_own_map_is_sent_in_parts(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let token = crew.observer.log_in(&server);
    let ask = |headers: &[(&str, &str)]| server.http().raw("GET", "/v1/basemap", &token, headers, &[]);
    assert_eq!(ask(&[]).0.status, 404, "most servers have none");
    let put = |map: &[u8]| std::fs::write(server.data().join("basemap.pmtiles"), map).unwrap();
    put(b"PMTiles");
    let (refused, told) = ask(&[]);
    assert_eq!(refused.status, 404);
    assert!(String::from_utf8_lossy(&told).contains("no PMTiles archive"), "{told:?}");
    let map: Vec<u8> = b"PMTiles\x03".iter().copied().chain((0..=255).cycle()).take(1000).collect();
    put(&map);
    let (whole, bytes) = ask(&[]);
    assert_eq!((whole.status, bytes.as_slice()), (200, map.as_slice()));
    let (part, bytes) = ask(&[("Range", "bytes=100-199")]);
    assert_eq!((part.status, bytes.as_slice()), (206, &map[100..200]));
    assert_eq!(part.header("content-range"), Some("bytes 100-199/1000"));
    assert_eq!(ask(&[("Range", "bytes=0-999")]).0.header("content-range"), Some("bytes 0-999/1000"));
    assert_eq!(ask(&[("Range", "bytes=1000-")]).0.status, 416);
    let tag = whole.header("etag").unwrap().to_owned();
    assert_eq!(ask(&[("If-None-Match", &tag)]).0.status, 304);
    assert_eq!(
        server.http().raw("GET", "/v1/basemap", "", &[], &[]).0.status,
        401,
        "it may not be the public's"
    );
}

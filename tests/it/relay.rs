//! A camp passes on what its tablets pushed, over real HTTP, and everybody comes to see what the nation decided.

use cartagena::blob::Shelf;
use cartagena::client::{Client, Files, Http};
use cartagena::model::Hash;
use cartagena::model::mutation::Outcome;
use cartagena::relay::Relay;
use serde_json::json;
use uuid::Uuid;

use crate::support::client::{new_area, plain, shown};
use crate::support::file::{Sender, bytes};
use crate::support::tablet::{record, square, with};
use crate::support::{Crew, Person, Place, Tablet, TestServer, on_both, people::text};

on_both!(
    an_edit_goes_two_hops_and_its_fate_comes_back,
    a_camp_that_was_wrong_is_put_right,
    what_the_nation_does_not_take_leaves_the_camps_map_and_books,
    what_only_the_nation_does_is_refused_at_a_camp,
    a_tablet_cannot_stop_the_relay,
    a_camp_that_was_revoked_decides_nothing,
    a_photo_goes_two_hops_after_its_record,
    nobody_but_a_camp_sends_for_others,
);

fn shelf_of(server: &TestServer) -> Shelf {
    Shelf::open(&format!("file:{}", server.data().join("blobs").display())).unwrap()
}

/// A national server and a camp, each on a database of its own.
struct Both {
    nation: TestServer,
    camp: TestServer,
    crew: Crew,
    relay: Relay,
    place: Place,
}

impl Both {
    fn start(place: &Place) -> Self {
        let nation = TestServer::start(place);
        let crew = Crew::hire(nation.store());
        let place = place.another();
        let camp = TestServer::start(&place);
        let file = place.folder.path().join("nation.db");
        let mut relay = Relay::open(&file, camp.store().clone(), shelf_of(&camp)).unwrap();
        relay.enrol(nation.url(), &crew.offer(&nation, &crew.camp), "Camp north").unwrap();
        relay.pass().unwrap();
        Self { nation, camp, crew, relay, place }
    }

    /// A tablet that is enrolled at the camp.
    fn tablet(&self, whom: &Person) -> Client {
        let file = self.place.folder.path().join(format!("{}.db", Uuid::now_v7()));
        let mut client = Client::open_with(&file, Box::new(Http::default())).unwrap();
        let code = cartagena::auth::token::code(12);
        self.camp.store().insert_enrolment(&code, whom.id, whom.id).unwrap();
        client.enrol(self.camp.url(), &code, "tablet").unwrap();
        client
    }
}

fn an_edit_goes_two_hops_and_its_fate_comes_back(place: &Place) {
    let mut both = Both::start(place);
    let mut tablet = both.tablet(&both.crew.supervisor);
    tablet.follow(&format!("organisation:{}", both.crew.operator)).unwrap();
    let area = Uuid::now_v7();
    tablet.edit(new_area(area)).unwrap();
    tablet.sync().unwrap();
    let sent = tablet.edits().unwrap().remove(0);
    assert_eq!(
        (sent.outcome(), sent.durable),
        (Some(Outcome::Applied), false),
        "the camp has it, the nation not"
    );

    let passed = both.relay.pass().unwrap();
    assert_eq!((passed.sent, passed.pending), (1, 0));
    tablet.sync().unwrap();
    assert!(tablet.edits().unwrap()[0].durable, "the nation has it");
    let national = record(&both.nation, &both.crew.im.log_in(&both.nation), area);
    assert_eq!(national["author"], json!(both.crew.supervisor.id));
    assert_eq!(national["organisation"], json!(both.crew.operator));

    // The office finds the tablet in the nation's registry, and the camp that tells of it.
    let admin = both.crew.admin.log_in(&both.nation);
    let devices = both.nation.http().get("/v1/devices", &admin).expect(200);
    let device = tablet.identity().unwrap().device;
    let told = devices.as_array().unwrap().iter().find(|told| told["id"] == json!(device)).unwrap();
    assert_eq!(told["seq_through"], 1);
    assert!(told["via"].is_string());

    // An edit made at the nation comes down.
    let mut office = plain(place, &both.nation, &both.crew, &both.crew.im);
    office.follow("everything").unwrap();
    office.sync().unwrap();
    office.edit(cartagena::client::Edit::update(area).set("remarks", "seen")).unwrap();
    office.sync().unwrap();
    both.relay.pass().unwrap();
    tablet.sync().unwrap();
    assert_eq!(shown(&mut tablet, area).field("remarks"), "seen");
    assert_eq!(both.relay.pass().unwrap().followed, 0);
}

fn a_photo_goes_two_hops_after_its_record(place: &Place) {
    let mut both = Both::start(place);
    let mut tablet = both.tablet(&both.crew.surveyor);
    let from = both.place.folder.path().join("DCIM_0001.jpg");
    // More than one pass takes.
    let photo = bytes(1, 5_000_000);
    std::fs::write(&from, &photo).unwrap();
    let kept = tablet.keep_file(&from, "image/jpeg").unwrap();
    let area = Uuid::now_v7();
    tablet.edit(new_area(area).attach(kept)).unwrap();
    let report = tablet.sync().unwrap();
    assert_eq!(report.files, Files { sent: 1, not_national: 1, ..Files::default() }, "the camp has it");
    assert_eq!(tablet.files_pending().unwrap(), 1, "this tablet may hold the only other copy");

    let passed = both.relay.pass().unwrap();
    assert_eq!((passed.sent, passed.files, passed.files_to_come), (1, 0, 1), "the record first");
    let im = both.crew.im.log_in(&both.nation);
    let shown = both.nation.http().get(&format!("/v1/records/{area}"), &im).expect(200);
    assert_eq!(shown["attachments"], json!({"claimed": 1, "here": 0}));
    assert_eq!(tablet.sync().unwrap().files.not_national, 1);

    let passed = both.relay.pass().unwrap();
    assert_eq!((passed.files, passed.files_to_come), (1, 0));
    assert_eq!(tablet.sync().unwrap().files, Files::default());
    assert_eq!(tablet.files_pending().unwrap(), 0);
    let shown = both.nation.http().get(&format!("/v1/records/{area}"), &im).expect(200);
    assert_eq!(shown["attachments"], json!({"claimed": 1, "here": 1}));
    assert_eq!(Sender::new(&both.nation, &im).get(&Hash::of_bytes(&photo).to_hex(), &[]).1, photo);
    assert_eq!(both.relay.pass().unwrap().files, 0);

    // A nation that lost it is sent it again once it says that it began anew.
    std::fs::remove_dir_all(both.nation.data().join("blobs")).unwrap();
    both.nation.store().begin_epoch().unwrap();
    let files: usize = (0..3).map(|_| both.relay.pass().unwrap().files).sum();
    assert_eq!(files, 1);
    assert_eq!(Sender::new(&both.nation, &im).get(&Hash::of_bytes(&photo).to_hex(), &[]).1, photo);
}

fn nobody_but_a_camp_sends_for_others(place: &Place) {
    let both = Both::start(place);
    let name = Hash::of_bytes(b"x").to_hex();
    let other = both.crew.other;
    for (person, status) in [(&both.crew.supervisor, 403), (&both.crew.im, 403), (&both.crew.camp, 404)] {
        let sender = Sender::new(&both.nation, &person.log_in(&both.nation));
        assert_eq!(sender.head(&format!("{name}?organisation={other}")).status, status);
    }
}

fn a_camp_that_was_wrong_is_put_right(place: &Place) {
    let mut both = Both::start(place);
    let crew = &both.crew;
    let mut north = both.tablet(&crew.supervisor);
    let mut office = plain(place, &both.nation, crew, &crew.im);
    north.follow(&format!("organisation:{}", crew.operator)).unwrap();
    office.follow("everything").unwrap();
    let area = Uuid::now_v7();
    north.edit(new_area(area)).unwrap();
    north.sync().unwrap();
    both.relay.pass().unwrap();
    office.sync().unwrap();

    // Both change the outline; the nation hears of the office first.
    north.edit(cartagena::client::Edit::update(area).set("geometry", square(0.002))).unwrap();
    north.sync().unwrap();
    assert_eq!(both.camp.store().list_conflicts(every_conflict(), im_sight(crew)).unwrap().len(), 0);
    office.edit(cartagena::client::Edit::update(area).set("geometry", square(0.004))).unwrap();
    office.sync().unwrap();
    both.relay.pass().unwrap();

    // The tablet was told that its edit was applied; now it is told what the nation made of it.
    let fate = |north: &mut Client| north.edits().unwrap().last().unwrap().answer.clone().unwrap();
    assert_eq!(fate(&mut north).outcome, Outcome::Applied);
    north.sync().unwrap();
    let told = fate(&mut north);
    assert_eq!((told.outcome, told.conflict_id), (Outcome::Conflict, Some(told.mutation_id)));

    let (here, there) = (&both.camp, &both.nation);
    for server in [here, there] {
        let conflicts = server.store().list_conflicts(every_conflict(), im_sight(crew)).unwrap();
        assert_eq!(conflicts.len(), 1);
        assert!(conflicts[0].safety);
    }
    north.sync().unwrap();
    office.sync().unwrap();
    for client in [&mut north, &mut office] {
        let record = shown(client, area);
        assert!(record.contested);
        assert_eq!(record.field("geometry"), &square(0.004));
    }
}

fn what_the_nation_does_not_take_leaves_the_camps_map_and_books(place: &Place) {
    let mut both = Both::start(place);
    let crew = &both.crew;
    let mut tablet = both.tablet(&crew.supervisor);
    let area = Uuid::now_v7();
    tablet.edit(new_area(area)).unwrap();
    tablet.sync().unwrap();
    let code = cartagena::auth::token::code(12);
    both.camp.store().insert_enrolment(&code, crew.im.id, crew.im.id).unwrap();
    let enrolment = json!({"code": code, "name": "office"});
    let office = both.camp.http().post("/v1/devices/enrol", "", &enrolment).expect(201);
    let token = text(&office, "access_token");
    let seen = || {
        let camp = both.camp.http();
        let items = camp.get("/ogc/collections/remaining/items?basis=provisional", &token).expect(200);
        let tile = |layer: &str| camp.get(&format!("/tiles/{layer}/0/0/0?basis=provisional"), &token).status;
        (items["numberMatched"].clone(), tile("remaining"), tile("hazardous_area"))
    };
    assert_eq!(seen(), (json!(1), 200, 200));
    // Meanwhile the nation has closed the author's account.
    let closed = json!({"disabled": true});
    let path = format!("/v1/accounts/{}", crew.supervisor.id);
    let reply = both.nation.http().send("patch", &path, &crew.admin.log_in(&both.nation), &closed);
    assert!(reply.status < 300, "{}", reply.body);
    both.relay.pass().unwrap();
    both.relay.pass().unwrap();
    assert_eq!(seen(), (json!(0), 204, 204), "it is here no longer");
}

fn what_only_the_nation_does_is_refused_at_a_camp(place: &Place) {
    let both = Both::start(place);
    let refused = both.camp.store().insert_organisation("Ours", "operator", None).unwrap_err();
    assert!(refused.to_string().contains("at the national server"), "{refused}");
    // People are known at the camp, but no password travels.
    let account = both.camp.store().find_login("supervisor").unwrap().unwrap();
    assert_eq!((account.id, account.password.as_str()), (both.crew.supervisor.id, ""));
    let log_in = json!({"login": "supervisor", "password": ""});
    assert_eq!(both.camp.http().post("/v1/auth/login", "", &log_in).status, 401);
}

fn a_tablet_cannot_stop_the_relay(place: &Place) {
    let mut both = Both::start(place);
    let code = cartagena::auth::token::code(12);
    let whom = &both.crew.supervisor;
    both.camp.store().insert_enrolment(&code, whom.id, whom.id).unwrap();
    let tablet = Tablet::with_code(&both.camp, &code, whom);
    let (odd, plain) = (Uuid::now_v7(), Uuid::now_v7());
    let repair = with(tablet.area(odd), &json!({"repairs": Uuid::now_v7()}));
    let lying = with(tablet.area(Uuid::now_v7()), &json!({"txn": {"id": odd, "index": 0, "size": u32::MAX}}));
    tablet.must("quarantined", &repair);
    tablet.must("quarantined", &lying);
    tablet.must("applied", &tablet.area(plain));
    let passed = both.relay.pass().unwrap();
    assert_eq!((passed.sent, passed.pending, passed.stuck), (3, 0, Vec::new()));
    let im = both.crew.im.log_in(&both.nation);
    record(&both.nation, &im, plain);
    assert_eq!(both.nation.http().get(&format!("/v1/records/{odd}"), &im).status, 404);
}

fn a_camp_that_was_revoked_decides_nothing(place: &Place) {
    let nation = TestServer::start(place);
    let crew = Crew::hire(nation.store());
    let camp = Tablet::enrol(&nation, &crew, &crew.camp);
    let (maker, area) = (Uuid::now_v7(), Uuid::now_v7());
    let edit = with(camp.area(area), &json!({"author": crew.im.id}));
    let body = |edit: &serde_json::Value, maker: Uuid| {
        with(camp.body(&[vec![edit.clone()]]), &json!({"senders": [{"device_id": maker}]}))
    };
    let push = |body: &serde_json::Value| {
        nation.http().post("/v1/sync/push", &camp.token, body).expect(200)["results"][0]["outcome"].clone()
    };
    // A device that is enrolled at the nation pushes for itself.
    let own = Tablet::enrol(&nation, &crew, &crew.im);
    assert_eq!(
        push(&body(&with(edit.clone(), &json!({"mutation_id": Uuid::now_v7()})), own.device)),
        "quarantined"
    );
    assert_eq!(push(&body(&edit, maker)), "applied");
    nation.store().revoke_device(camp.device, crew.admin.id).unwrap();
    let next = with(camp.area(Uuid::now_v7()), &json!({"author": crew.im.id}));
    assert_eq!(push(&body(&next, maker)), "quarantined");
}

fn every_conflict() -> cartagena::store::conflict::ConflictQuery {
    cartagena::store::conflict::ConflictQuery { limit: 100, ..Default::default() }
}

fn im_sight(crew: &Crew) -> cartagena::model::role::Sight {
    let actor =
        cartagena::model::role::Actor { account: crew.im.id, role: crew.im.role, organisation: Uuid::nil() };
    actor.sight()
}

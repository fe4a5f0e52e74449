//! Who reads which file, and in what form.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::json;
use uuid::Uuid;

use crate::ledger::finalise;
use crate::support::file::{Sender, area_with, bytes, claim, name_of, path};
use crate::support::tablet::{square, with};
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(
    files_are_seen_as_their_records_are,
    the_public_sees_small_pictures_only,
    a_file_is_read_in_parts,
    only_pictures_are_shown_in_place,
    small_pictures_stand_upright_and_tell_nothing,
    pictures_that_are_none_are_refused,
    what_has_not_come_is_told,
);

/// A picture with its upper left quarter red.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        if x < width / 2 && y < height / 2 { Rgb([250, 10, 10]) } else { Rgb([10, 10, 250]) }
    })
}

/// A JPEG as a camera makes it that was held on its side: to be turned a quarter to the right, and with a position.
fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut jpeg = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture(width, height)).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0".to_vec();
    // Two entries: Orientation (0x0112) = 6, and a maker's text (0x010f) that names a place.
    exif.extend(2_u16.to_le_bytes());
    let text = b"44.0012N 33.9934E\0";
    exif.extend([0x0f, 0x01, 2, 0, u8::try_from(text.len()).unwrap(), 0, 0, 0, 38, 0, 0, 0]);
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(text);
    let length = u16::try_from(exif.len() + 2).unwrap();
    let jpeg = jpeg.into_inner();
    [&jpeg[..2], &[0xff, 0xe1], &length.to_be_bytes(), &exif, &jpeg[2..]].concat()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn files_are_seen_as_their_records_are(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let file = photo(40, 20);
    let record = area_with(&tablet, &[claim("lane3.jpg", &file, "image/jpeg")]);
    Sender::new(&server, &tablet.token).whole(&file);
    let name = name_of(&file);
    let status = |who: &crate::support::Person, of: &str| {
        server.http().raw("GET", of, &who.log_in(&server), &[], &[]).0.status
    };
    // The draft of a surveyor: `other_organisations_records` in the access table's file says who sees it.
    for (who, seen) in [
        (&crew.surveyor, 200),
        (&crew.second, 404),
        (&crew.supervisor, 200),
        (&crew.manager, 200),
        (&crew.stranger, 404),
        (&crew.qa, 200),
        (&crew.im, 200),
        (&crew.director, 200),
        (&crew.observer, 404),
        (&crew.admin, 403),
    ] {
        for of in
            [path(&name), format!("{}/thumbnail", path(&name)), format!("/v1/records/{record}/attachments")]
        {
            assert_eq!(status(who, &of), seen, "{of} as {}", who.login);
        }
        let head = server.http().raw("HEAD", &path(&name), &who.log_in(&server), &[], &[]).0;
        assert_eq!(head.status, seen, "head as {}", who.login);
    }
    // Somebody personal: an accident's victim. Tier 3 is for information management alone.
    let victim = Uuid::now_v7();
    let face = photo(30, 30);
    let office = Tablet::enrol(&server, &crew, &crew.im);
    let fields = json!({"sex": "unknown", "age_band": "adult", "outcome": "injured"});
    let create = office.create("victim", victim, &fields);
    office.must("applied", &with(create, &json!({"attachments": [claim("v.jpg", &face, "image/jpeg")]})));
    Sender::new(&server, &office.token).whole(&face);
    assert_eq!(status(&crew.im, &path(&name_of(&face))), 200);
    for who in [&crew.qa, &crew.director, &crew.manager] {
        assert_eq!(status(who, &path(&name_of(&face))), 404, "{}", who.login);
    }
}

fn the_public_sees_small_pictures_only(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let sender = Sender::new(&server, &tablet.token);
    let (official, draft) = (photo(60, 30), photo(50, 30));
    let id = Uuid::now_v7();
    let fields = json!({"result": "cleared", "method": "manual", "depth_cm": 20, "completion_date": "2024-06-30",
                        "geometry": square(0.0)});
    let create = tablet.create("land_release", id, &fields);
    let base = tablet
        .must("applied", &with(create, &json!({"attachments": [claim("Ali.jpg", &official, "image/jpeg")]})));
    sender.whole(&official);
    finalise(&server, &crew, id);
    let shown = server.http().get(&format!("/v1/records/{id}"), &crew.observer.log_in(&server)).expect(200);
    assert_eq!(shown["attachments"], json!({"claimed": 1, "here": 1}), "{base}");
    // What is added afterwards is a draft until somebody has approved it.
    let now = server.http().get(&format!("/v1/records/{id}"), &crew.im.log_in(&server)).expect(200);
    let amend = with(
        tablet.edit("update", "land_release", id),
        &json!({"base_version": now["version"], "changes": {"depth_cm": {"from": 20, "to": 13}},
                "attachments": [claim("later.jpg", &draft, "image/jpeg")]}),
    );
    tablet.must("applied", &amend);
    sender.whole(&draft);
    let list = format!("/v1/records/{id}/attachments");
    for (who, many) in [(&crew.observer, 1), (&crew.stranger, 1), (&crew.surveyor, 2), (&crew.im, 2)] {
        let listed = server.http().get(&list, &who.log_in(&server)).expect(200);
        assert_eq!(listed["attachments"].as_array().unwrap().len(), many, "{}", who.login);
        let named = listed["attachments"][0]["name"].is_string();
        assert_eq!(named, who.id != crew.observer.id, "{}: names may name people", who.login);
        let seen = Sender::new(&server, &who.log_in(&server)).get(&name_of(&draft), &[]).0.status;
        assert_eq!(seen, if many == 2 { 200 } else { 404 }, "{}", who.login);
    }
    let observer = crew.observer.log_in(&server);
    let (refused, _) = Sender::new(&server, &observer).get(&name_of(&official), &[]);
    assert!(refused.expect(403)["detail"].as_str().unwrap().contains("thumbnail"));
    let small = format!("{}/thumbnail", path(&name_of(&official)));
    let (reply, bytes) = server.http().raw("GET", &small, &observer, &[], &[]);
    assert_eq!(reply.status, 200);
    assert!(!holds(&bytes, b"44.0012N") && !holds(&bytes, b"Exif"));
    assert_eq!(
        Sender::new(&server, &crew.stranger.log_in(&server)).get(&name_of(&official), &[]).1,
        official
    );
}

fn a_file_is_read_in_parts(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let sender = Sender::new(&server, &tablet.token);
    let file = bytes(1, 700_000);
    area_with(&tablet, &[claim("track.bin", &file, "application/octet-stream")]);
    sender.whole(&file);
    let name = name_of(&file);
    let (whole, read) = sender.get(&name, &[("Accept-Encoding", "gzip")]);
    assert_eq!(read, file);
    let tag = format!("\"{name}\"");
    assert_eq!(whole.header("etag"), Some(tag.as_str()));
    assert_eq!(whole.header("cache-control"), Some("private, max-age=31536000, immutable"));
    assert_eq!(whole.header("content-length"), Some("700000"));
    for (range, from, to) in
        [("bytes=0-99", 0, 100), ("bytes=262100-600000", 262_100, 600_001), ("bytes=-1", 699_999, 700_000)]
    {
        let (part, read) = sender.get(&name, &[("Range", range)]);
        assert_eq!((part.status, read.as_slice()), (206, &file[from..to]), "{range}");
        let stands = format!("bytes {from}-{}/700000", to - 1);
        assert_eq!(part.header("content-range"), Some(stands.as_str()));
    }
    let (beyond, _) = sender.get(&name, &[("Range", "bytes=700000-")]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */700000")));
    assert_eq!(sender.get(&name, &[("Range", "bytes=0-1,5-6")]).1, file, "several at once are the whole");
    let of_this = [("Range", "bytes=0-9"), ("If-Range", tag.as_str())];
    assert_eq!(sender.get(&name, &of_this).1, file[..10]);
    assert_eq!(sender.get(&name, &[("Range", "bytes=0-9"), ("If-Range", "\"old\"")]).1, file);
    assert_eq!(sender.get(&name, &[("If-None-Match", &tag)]).0.status, 304);
    let head = server.http().raw("HEAD", &path(&name), &tablet.token, &[], &[]).0;
    assert_eq!((head.status, head.header("content-length")), (200, Some("700000")));
}

fn only_pictures_are_shown_in_place(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let sender = Sender::new(&server, &tablet.token);
    let page = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
    let picture = photo(20, 10);
    let record = area_with(
        &tablet,
        &[
            claim("photo.jpg\"\r\nX-Evil: 1", &page, "image/jpeg"),
            claim("dir/\u{43c}\u{438}\u{43d}\u{430}.jpg", &picture, "image/jpeg"),
        ],
    );
    for file in [&page, &picture] {
        sender.whole(file);
    }
    let (reply, _) = sender.get(&name_of(&page), &[]);
    let disposition = reply.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert!(reply.header("content-security-policy").unwrap().contains("sandbox"));
    assert_eq!(reply.header("content-type"), Some("text/html"));
    assert!(reply.headers.get("x-evil").is_none());
    let (reply, _) = sender.get(&name_of(&picture), &[]);
    let disposition = reply.header("content-disposition").unwrap();
    assert!(disposition.starts_with("inline;") && disposition.contains("UTF-8''dir%D0%BC"), "{disposition}");
    assert_eq!(reply.header("content-type"), Some("image/jpeg"));
    let listed = server.http().get(&format!("/v1/records/{record}/attachments"), &tablet.token).expect(200);
    assert_eq!(listed["attachments"][0]["found_type"], "text/html");
    assert!(listed["attachments"][0]["problem"].as_str().unwrap().contains("image/jpeg and is text/html"));
    assert!(listed["attachments"][1]["problem"].is_null());
}

fn small_pictures_stand_upright_and_tell_nothing(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let sender = Sender::new(&server, &tablet.token);
    let encoded = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let jpeg = photo(400, 200);
    let png = encoded(&DynamicImage::ImageRgb8(picture(300, 100)).to_rgba8().into(), ImageFormat::Png);
    let webp = encoded(&DynamicImage::ImageRgb8(picture(30, 90)), ImageFormat::WebP);
    let claims =
        [claim("a", &jpeg, "image/jpeg"), claim("b", &png, "image/png"), claim("c", &webp, "image/webp")];
    area_with(&tablet, &claims);
    for (file, size, width, height, media_type) in [
        (&jpeg, "?size=64", 32, 64, "image/jpeg"),
        (&jpeg, "", 128, 256, "image/jpeg"),
        (&png, "?size=150", 150, 50, "image/png"),
        // It is small enough as it is.
        (&webp, "?size=1024", 30, 90, "image/jpeg"),
    ] {
        if sender.offset(&name_of(file)) == 0 {
            sender.whole(file);
        }
        let of = format!("{}/thumbnail{size}", path(&name_of(file)));
        let (reply, bytes) = server.http().raw("GET", &of, &tablet.token, &[], &[]);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(media_type)), "{}", reply.body);
        let small = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(small.dimensions(), (width, height), "{of}");
        assert!(!holds(&bytes, b"Exif") && !holds(&bytes, b"44.0012N"));
        // The red corner, turned with the picture.
        let corner = if *file == jpeg { (width - 3, 2) } else { (2, 2) };
        let Rgb([red, _, blue]) = *small.get_pixel(corner.0, corner.1);
        assert!(red > 200 && blue < 60, "{of}: {red} {blue}");
        let tag = reply.header("etag").unwrap().to_owned();
        let again = server.http().raw("GET", &of, &tablet.token, &[("If-None-Match", &tag)], &[]).0;
        assert_eq!(again.status, 304);
    }
    assert!(holds(&jpeg, b"44.0012N"));
    assert_eq!(sender.get(&name_of(&jpeg), &[]).1, jpeg, "the original is as it came");
    for size in ["0", "15", "1025", "x", "-1"] {
        let of = format!("{}/thumbnail?size={size}", path(&name_of(&jpeg)));
        assert_eq!(server.http().raw("GET", &of, &tablet.token, &[], &[]).0.status, 400, "{size}");
    }
}

fn pictures_that_are_none_are_refused(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let sender = Sender::new(&server, &tablet.token);
    let jpeg = photo(400, 200);
    let mut png = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture(10, 10)).write_to(&mut png, ImageFormat::Png).unwrap();
    // A few bytes that say they unpack into four thousand million pixels; the checksum of the chunk is right.
    let mut bomb = png.into_inner();
    bomb[16..20].copy_from_slice(&65_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&65_000_u32.to_be_bytes());
    let sum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    for file in [b"no picture at all".to_vec(), jpeg[..300].to_vec(), bomb] {
        area_with(&tablet, &[claim("x.jpg", &file, "image/jpeg")]);
        sender.whole(&file);
        let of = format!("{}/thumbnail", path(&name_of(&file)));
        let (reply, _) = server.http().raw("GET", &of, &tablet.token, &[], &[]);
        assert_eq!(reply.expect(422)["type"], "urn:cartagena:problem:no-thumbnail");
    }
}

/// CRC-32 of PNG's chunks.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn what_has_not_come_is_told(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let (here, away) = (photo(40, 20), photo(20, 40));
    let claims = [claim("here.jpg", &here, "image/jpeg"), claim("away.jpg", &away, "image/jpeg")];
    let record = area_with(&tablet, &claims);
    Sender::new(&server, &tablet.token).whole(&here);
    let absent = |who: &crate::support::Person| {
        server.http().get("/v1/attachments/absent", &who.log_in(&server)).expect(200)["absent"].clone()
    };
    for who in [&crew.supervisor, &crew.manager, &crew.qa, &crew.im, &crew.director] {
        let told = absent(who);
        assert_eq!(told.as_array().unwrap().len(), 1, "{}: {told}", who.login);
        assert_eq!(told[0]["name"], "away.jpg");
        assert_eq!(told[0]["record_id"], json!(record));
        assert_eq!(told[0]["device"], json!(tablet.device));
        assert_eq!(told[0]["size"], json!(away.len()));
    }
    let stranger = crate::support::Person::new(
        server.store(),
        "other-manager",
        cartagena::model::Role::ProgrammeManager,
        crew.other,
    );
    assert_eq!(absent(&stranger), json!([]), "another operator's");
    Sender::new(&server, &tablet.token).whole(&away);
    assert_eq!(absent(&crew.im), json!([]));
}

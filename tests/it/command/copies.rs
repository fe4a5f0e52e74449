//! What is taken out of a folder and looked through: backups, attachments, exports.

use cartagena::model::Hash;
use cartagena::model::schema::Registry;
use cartagena::store::{DatabaseUrl, Store};

use super::Folder;

#[test]
fn a_backup_comes_back_with_a_new_epoch() {
    let folder = Folder::begun();
    folder.write(
        "areas.json",
        r#"{"type": "FeatureCollection", "features": [{"type": "Feature", "id": 1, "properties": {},
        "geometry": {"type": "Point", "coordinates": [18.0, 44.0]}}]}"#,
    );
    folder.must("user add im --name I --role im_officer --organisation Authority");
    folder.must("import areas.json --as im --organisation Authority --kind hazardous_area --set classification=SHA --set status=open --set contamination=ap_mine");
    let kept = folder.must("backup kept");
    assert!(kept.contains("1 records"), "{kept}");
    folder.must_not("backup kept", 1, "cannot be made");
    folder.must_not("backup nowhere/kept", 1, "the folder nowhere is not there");
    folder.must_not("restore kept", 1, "already");
    folder.must_not("restore nothing --data elsewhere", 1, "is not a backup");
    let told = folder.must("--data elsewhere restore kept");
    assert!(told.contains("new epoch"), "{told}");
    assert!(folder.must("--data elsewhere verify").contains("Sound."));
    assert!(folder.must("--data elsewhere user list").contains("im"));
    for file in ["kept/cartagena.db", "elsewhere/cartagena.db"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.0.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let epoch = |data: &str| {
        use diesel::prelude::*;
        let file = folder.0.path().join(data).join("cartagena.db");
        let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        diesel::dsl::sql::<diesel::sql_types::Binary>("select epoch from sync_clock")
            .get_result::<Vec<u8>>(&mut connection)
            .unwrap()
    };
    assert_ne!(epoch("data"), epoch("elsewhere"));
    folder.must("restore");
}

#[test]
fn verify_reads_every_attachment() {
    let folder = Folder::begun();
    let data = folder.0.path().join("data");
    let url = DatabaseUrl::Sqlite(data.join("cartagena.db").to_string_lossy().into_owned());
    let store = Store::open(&url, Registry::embedded(), 1).unwrap();
    let file = Hash::of_bytes(b"photo");
    store.insert_blob(file, 5, "image/jpeg", uuid::Uuid::nil()).unwrap();
    store.shut_down();
    let name = file.to_hex();
    folder.must_not("verify", 3, &format!("attachment {name}: it is missing"));
    assert!(!data.join("blobs").exists(), "to look makes nothing");
    let place = format!("data/blobs/{}/{name}", &name[..2]);
    std::fs::create_dir_all(folder.0.path().join(&place).parent().unwrap()).unwrap();
    folder.write(&place, "photo");
    assert!(folder.must("verify").contains("1 attachments looked at"));
    folder.write(&place, "phot");
    folder.must_not("verify", 3, "it has another size");
    folder.write(&place, "photu");
    folder.must_not("verify", 3, "its bytes have changed");
    assert!(folder.must("backup copy").contains("Attachments are not in it"));
    folder.must_not("--data other verify", 1, "no database");
}

#[test]
fn an_export_holds_what_its_account_sees() {
    let folder = Folder::begun();
    folder.must("user add ivy --name I --role im_officer --organisation Authority");
    folder.must("user add sue --name S --role supervisor --organisation Operator --new-organisation");
    folder
        .must("user add olga --name O --role observer --organisation Donor --new-organisation --kind other");
    folder.write("a.csv", "id,classification,wkt\n1,CHA,POINT (18 44)\n2,SHA,POINT (18 44)\n");
    folder.must("import a.csv --kind hazardous_area --as sue --set status=open --set contamination=ap_mine");
    let rows = |file: &str| std::fs::read_to_string(folder.0.path().join(file)).unwrap().lines().count() - 1;
    folder.must("export hazardous_area_points all.csv --as ivy");
    assert_eq!(rows("all.csv"), 2);
    folder.must("export hazardous_area_points some.csv --as sue --filter classification='CHA'");
    assert_eq!(rows("some.csv"), 1);
    folder.must("export hazardous_area_points none.csv --as ivy --as-of 2020-01-01");
    assert_eq!(rows("none.csv"), 0);
    folder.must_not("export hazardous_area_points x.csv --as olga", 1, "there is no such collection");
    folder.must_not("export hazardous_area_points x.csv --as admin", 1, "who sees no records");
    folder.must_not("export hazardous_area_points x.dxf --as ivy", 1, "one of geojson, gpkg, zip");
    folder.must_not("export hazardous_area_points x.gpkg --as ivy --filter x=1", 1, "filter");
    assert!(!folder.0.path().join("x.gpkg").exists(), "nothing is written where nothing is found");
}

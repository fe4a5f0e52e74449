use geo::{Distance, Geodesic, Point};
use proptest::prelude::*;

use super::*;

/// The corner of the traverse in docs/domain.md §5.
const CAMBODIA: Position = Position::new(104.90, 11.55);

fn metres(a: Position, b: Position) -> f64 {
    Geodesic.distance(Point::from(a), Point::from(b))
}

fn read(text: &str) -> Position {
    parse(text, AxisOrder::LatLon).unwrap_or_else(|error| panic!("{text}: {error}")).position
}

fn fault(text: &str) -> CoordinateError {
    parse(text, AxisOrder::LatLon).expect_err(text)
}

#[test]
fn degrees_are_read_however_they_are_written() {
    for text in [
        "11.55, 104.90",
        "11.55 104.9",
        "11,55 104,90",
        "11,55; 104,9",
        "+11.55; +104.9",
        "11.55N 104.90E",
        "104.9 e, 11.55 n",
        "N11.55 E104.9",
        "11°33'00.0\"N 104°54'00\"E",
        "11° 33.0' N, 104° 54.0' E",
        "N 11º33′00″ E 104º54′00″",
        "11 33 00 N 104 54 00 E",
        "11°33'00'' 104°54'00''",
    ] {
        assert!(metres(read(text), CAMBODIA) < 1e-6, "{text}: {:?}", read(text));
    }
    assert_eq!(parse("104.9 11.55", AxisOrder::LonLat).unwrap().position, CAMBODIA);
    assert!(metres(read("-0°30'00\" -0°15'00\""), Position::new(-0.25, -0.5)) < 1e-6);
}

#[test]
fn signs_and_letters_point_the_same_way() {
    assert_eq!(read("11.55 S 104.9 W"), Position::new(-104.9, -11.55));
    assert_eq!(read("-11.55 -104.9"), Position::new(-104.9, -11.55));
    assert_eq!(read("−11.55 104.9"), Position::new(104.9, -11.55));
    assert!(metres(read("0°30'S 0°15'W"), Position::new(-0.25, -0.5)) < 1e-6);
}

#[test]
fn what_may_mean_two_things_is_an_error() {
    assert_eq!(fault(""), CoordinateError::Empty);
    assert_eq!(fault("11,104"), CoordinateError::AmbiguousComma);
    assert_eq!(fault("11 33 104 54"), CoordinateError::NotTwoValues(4));
    assert_eq!(fault("11.55"), CoordinateError::NotTwoValues(1));
    assert_eq!(fault("-11.55 S 104.9 E"), CoordinateError::SignAndLetter);
    assert_eq!(fault("11.55 N 104.9 N"), CoordinateError::SameAxisTwice);
    assert_eq!(fault("11°75'00\"N 104°54'00\"E"), CoordinateError::SixtyOrMore(75.0));
    assert_eq!(fault("11°33'60\"N 104°54'00\"E"), CoordinateError::SixtyOrMore(60.0));
    assert_eq!(fault("11.5°33'N 104°54'E"), CoordinateError::PartsOutOfOrder);
    assert_eq!(fault("11'N 104'E"), CoordinateError::PartsOutOfOrder);
    assert_eq!(fault("104.90, 11.55"), CoordinateError::OutOfRange(104.9));
    assert_eq!(fault("1.1.1 5"), CoordinateError::Number("1.1.1".to_owned()));
    assert_eq!(fault("11.55 x 104.9"), CoordinateError::UnexpectedCharacter('X'));
    assert_eq!(fault("61N 489096 1276796"), CoordinateError::Zone(61));
    assert_eq!(fault("48I 489096 1276796"), CoordinateError::Band('I'));
    // The Falkland Islands, or Japan's latitude over the Atlantic: 950 km of northing apart or more.
    assert_eq!(fault("21S 450000 4280000"), CoordinateError::AmbiguousS);
    assert!(read("21 south 450000 4280000").lat < -51.0);
    assert!(read("36S 450000 8280000").lat < -15.0);
}

#[test]
fn utm_matches_published_positions() {
    let cambodia = Utm::from_position(CAMBODIA).unwrap();
    assert_eq!(cambodia.to_string(), "48N 489096.36 1276796.21");
    let paris = Utm::from_position(Position::new(2.2945, 48.8582)).unwrap();
    assert_eq!((paris.zone, paris.north), (31, true));
    assert!((paris.easting - 448_251.795).abs() < 1e-3, "{}", paris.easting);
    assert!((paris.northing - 5_411_932.678).abs() < 1e-3, "{}", paris.northing);
    for text in [
        "48N 489096.36 1276796.21",
        "48P 489096.36, 1276796.21",
        "Zone 48 north E 489 096.36 N 1 276 796.21",
        "48N 489096.36mE 1276796.21mN",
    ] {
        assert!(metres(read(text), CAMBODIA) < 0.01, "{text}");
    }
}

#[test]
fn the_wrong_zone_is_654_km_away() {
    let right = Utm { zone: 48, north: true, easting: 489_096.36, northing: 1_276_796.21 };
    let wrong = Utm { zone: 47, ..right };
    let away = metres(right.to_position().unwrap(), wrong.to_position().unwrap());
    assert!((away / 1000.0 - 654.5).abs() < 0.05, "{away}");
}

#[test]
fn zones_have_their_exceptions() {
    let zone = |lon, lat| utm_zone(Position::new(lon, lat));
    assert_eq!((zone(5.3, 60.4), zone(5.3, 50.0)), (32, 31));
    assert_eq!((zone(8.0, 78.0), zone(15.0, 78.0), zone(25.0, 78.0), zone(35.0, 78.0)), (31, 33, 35, 37));
    assert_eq!((zone(-180.0, 0.0), zone(180.0, 0.0)), (1, 60));
}

#[test]
fn metres_per_degree_of_longitude() {
    for (lat, expected) in [(0.0, 111_319.5), (15.0, 107_550.4), (45.0, 78_846.3), (60.0, 55_799.5)] {
        // The geodesic over a whole degree, which leaves the parallel: 0.5 m shorter at 45°.
        let degree = metres(Position::new(0.0, lat), Position::new(1.0, lat));
        assert!((degree - expected).abs() < 0.06, "{lat}: {degree}");
    }
}

#[test]
fn convergence_is_the_angle_between_two_norths() {
    // East of the central meridian in the north, grid north lies east of true north.
    let east = Position::new(107.5, 45.0);
    let west = Position::new(102.5, 45.0);
    assert!((convergence_deg(east, 48) + convergence_deg(west, 48)).abs() < 1e-9);
    assert!((convergence_deg(Position::new(105.0, 45.0), 48)).abs() < 1e-12);
    // Against the grid itself: the direction of a metre north on the grid.
    let here = Utm::in_zone(east, 48).unwrap();
    let ahead = Utm { northing: here.northing + 10.0, ..here }.to_position().unwrap();
    let azimuth = geo::Bearing::bearing(&Geodesic, Point::from(east), Point::from(ahead));
    assert!((azimuth - convergence_deg(east, 48)).abs() < 1e-3, "{azimuth}");
    assert!(azimuth > 1.7 && azimuth < 1.8, "{azimuth}");
}

#[test]
fn mgrs_matches_published_references() {
    assert_eq!(to_mgrs(Position::new(2.2945, 48.8582), 5).unwrap(), "31UDQ4825111932");
    assert_eq!(to_mgrs(CAMBODIA, 5).unwrap(), "48PVT8909676796");
    assert_eq!(to_mgrs(CAMBODIA, 2).unwrap(), "48PVT8976");
    // The example of the standard's own pages: 4Q FJ 12345 67890, near Honolulu.
    let honolulu = Utm { zone: 4, north: true, easting: 612_345.0, northing: 2_367_890.0 };
    let honolulu = honolulu.to_position().unwrap();
    assert!(metres(read("4Q FJ 12345 67890"), honolulu) < 1e-3);
    assert!((honolulu.lat - 21.41).abs() < 0.01 && (honolulu.lon + 157.92).abs() < 0.01);
    assert!(metres(read("31UDQ4825111932"), Position::new(2.2945, 48.8582)) < 1.5);
    assert!(metres(read("48pvt 89096 76796"), CAMBODIA) < 1.5);
}

#[test]
fn impossible_squares_are_refused() {
    assert_eq!(fault("48PAT8909676796"), CoordinateError::Square("48PAT8909676796".to_owned()));
    assert_eq!(fault("48PVT890967679"), CoordinateError::Digits(9));
    assert_eq!(fault("48IVT89096767"), CoordinateError::Band('I'));
    assert_eq!(fault("0PVT89096767"), CoordinateError::Zone(0));
    assert!(matches!(fault("48PVF8909676796"), CoordinateError::Square(_)), "row F is not in band P");
    assert_eq!(to_mgrs(Position::new(0.0, 85.0), 5), Err(CoordinateError::OutsideUtm));
}

#[test]
fn formats_say_what_they_mean() {
    assert_eq!(to_decimal_degrees(CAMBODIA), "11.5500000, 104.9000000");
    assert_eq!(to_dms(CAMBODIA), "11°33'00.00\"N 104°54'00.00\"E");
    assert_eq!(to_dms(Position::new(-0.5, -59.999_999_9)), "60°00'00.00\"S 0°30'00.00\"W");
    assert_eq!(to_utm(CAMBODIA).unwrap(), "48N 489096.36 1276796.21");
    assert_eq!(serde_json::to_string(&CAMBODIA).unwrap(), "[104.9,11.55]");
}

proptest! {
    #[test]
    fn every_notation_comes_back(lon in -180.0..180.0_f64, lat in -79.9..83.9_f64) {
        let here = Position::new(lon, lat);
        let utm = Utm::from_position(here).unwrap();
        prop_assert!(metres(utm.to_position().unwrap(), here) < 1e-5);
        prop_assert!(metres(read(&to_decimal_degrees(here)), here) < 0.012);
        prop_assert!(metres(read(&to_dms(here)), here) < 0.35);
        let reference = to_mgrs(here, 5).unwrap();
        prop_assert!(metres(read(&reference), here) < 1.5, "{reference}");
        let square = to_mgrs(here, 1).unwrap();
        prop_assert!(metres(read(&square), here) < 15_000.0, "{square}");
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,30}", grid in "[0-9]{1,2}[A-Z]{1,3} ?[0-9 .EN]{0,20}") {
        let _ = parse(&text, AxisOrder::LatLon);
        let _ = parse(&grid, AxisOrder::LonLat);
    }
}

#[test]
fn what_somebody_typed_lies_near_its_zone_and_what_a_program_computed_as_far_as_the_grid_goes() {
    let kabul = Position::new(69.2, 34.5);
    let utm = Utm::in_zone(kabul, 41).unwrap();
    assert!(utm.easting > 1_000_000.0 && utm.to_position().is_err(), "{utm}");
    assert!(metres(utm.to_position_in_zone().unwrap(), kabul) < 1e-5);
    assert!(Utm { easting: 6e6, ..utm }.to_position_in_zone().is_err());
}

//! Changes of a case: of its bytes, and, where it is JSON, of its values.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};

/// What readers are known to trip over.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "0",
    "-0",
    "-",
    "null",
    "[",
    "]",
    "{",
    "}",
    "\"",
    ",",
    "\\u0000",
    "\\ud800",
    "\0",
    "\u{202e}",
    "\u{feff}",
    "é́",
    "1e400",
    "-1e-400",
    "NaN",
    "9223372036854775808",
    "EMPTY",
    "(",
    ")",
    ";",
];

/// A case of the corpus with some changes.
pub(super) fn changed(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let case = corpus.choose(random).expect("there are cases");
    let mut case = match serde_json::from_slice::<Value>(case) {
        Ok(mut value) if random.random_bool(0.8) => {
            for _ in 0..random.random_range(1..4) {
                change_value(&mut value, random);
            }
            value.to_string().into_bytes()
        }
        _ => change_bytes(case.clone(), corpus, random),
    };
    if random.random_bool(0.1) {
        case = change_bytes(case, corpus, random);
    }
    case
}

fn change_bytes(mut case: Vec<u8>, corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    for _ in 0..random.random_range(1..5) {
        let at = random.random_range(0..=case.len());
        let to = random.random_range(at..=case.len().min(at + 40));
        match random.random_range(0..6) {
            0 if at < case.len() => case[at] ^= 1 << random.random_range(0..8),
            1 => drop(case.drain(at..to)),
            2 => {
                let piece = case[at..to].repeat(random.random_range(1..20));
                case.splice(at..at, piece);
            }
            3 => case.truncate(at),
            4 => {
                let other = corpus.choose(random).expect("there are cases");
                case.splice(at.., other[random.random_range(0..=other.len())..].iter().copied());
            }
            _ => drop(case.splice(at..to, TEXTS.choose(random).expect("there are some").bytes())),
        }
    }
    case
}

/// Goes down a random way and changes what is there.
fn change_value(value: &mut Value, random: &mut StdRng) {
    // The further down, the more there is to change.
    if random.random_bool(0.9) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                let place = random.random_range(0..items.len());
                return change_value(&mut items[place], random);
            }
            Value::Object(members) if !members.is_empty() => {
                let place = random.random_range(0..members.len());
                let member = members.iter_mut().nth(place).expect("it has so many");
                return change_value(member.1, random);
            }
            _ => {}
        }
    }
    *value = match (std::mem::take(value), random.random_range(0..4)) {
        (Value::Array(items), kind @ 0..3) => Value::Array(change_items(items, kind, random)),
        (Value::Object(members), 0..3) => Value::Object(change_members(members, random)),
        (Value::Number(number), 0..3) => near(number.as_f64().unwrap_or_default(), random),
        (Value::String(text), 0) => {
            json!(String::from_utf8_lossy(&change_bytes(text.into_bytes(), &[vec![0x41]], random)))
        }
        _ => strange(random),
    };
}

fn change_items(mut items: Vec<Value>, kind: i32, random: &mut StdRng) -> Vec<Value> {
    let at = random.random_range(0..=items.len());
    match kind {
        0 => items.truncate(at),
        1 => items.insert(at, strange(random)),
        _ => {
            let copies = items.clone();
            items.splice(at..at, copies);
        }
    }
    items
}

fn change_members(mut members: Map<String, Value>, random: &mut StdRng) -> Map<String, Value> {
    let names: Vec<String> = members.keys().cloned().collect();
    let name = names.choose(random).cloned().unwrap_or_default();
    let value = members.get(&name).cloned().unwrap_or_default();
    match random.random_range(0..4) {
        0 => drop(members.remove(&name)),
        1 => drop(members.insert(name, strange(random))),
        2 => drop(members.insert((*TEXTS.choose(random).expect("there are some")).to_owned(), value)),
        // A value where another one should be.
        _ => drop(names.choose(random).map(|other| members.insert(other.clone(), value))),
    }
    members
}

/// A number that is nearly the same, or nearly nothing, or turned round.
fn near(number: f64, random: &mut StdRng) -> Value {
    json!(match random.random_range(0..6) {
        0 => -number,
        1 => number + 1.0,
        2 => number * (1.0 + f64::EPSILON),
        3 => number * 1e300,
        4 => number + random.random_range(-1.0..1.0),
        _ => number.trunc(),
    })
}

fn strange(random: &mut StdRng) -> Value {
    let nested = |levels: usize| (0..levels).fold(json!(1), |value, _| json!([value]));
    match random.random_range(0..16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(i64::MAX),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!(1e308),
        6 => json!(5e-324),
        7 => json!(-0.0),
        8 => json!("\u{0}"),
        9 => json!("x".repeat(random.random_range(1..5_000))),
        10 => json!({"to": null, "from": {"": []}}),
        11 => nested(random.random_range(1..100)),
        12 => json!("9999-12-31T23:59:60Z"),
        13 => json!("00000000-0000-0000-0000-000000000000"),
        14 => json!([[0, 90], [180, 90], [-180, -90], [0, 90]]),
        _ => json!(TEXTS.choose(random)),
    }
}

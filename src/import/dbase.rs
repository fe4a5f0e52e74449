//! The table of a shapefile (dBASE III to V, and `FoxPro`).

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use serde_json::{Map, Value, json};

/// Bytes before the first description of a field, and of each.
const DESCRIBED: usize = 32;

/// Stands for bytes that are no text.
const REPLACED: char = char::REPLACEMENT_CHARACTER;

struct Field {
    name: String,
    type_: u8,
    from: usize,
    width: usize,
}

/// A table as it was read.
pub(super) struct Table<'a> {
    fields: Vec<Field>,
    rows: &'a [u8],
    width: usize,
    count: usize,
    encoding: Texts,
}

/// How texts are read.
enum Texts {
    As(&'static Encoding),
    /// Nothing says how.
    Guessed,
    /// So, which cannot be read beyond ASCII.
    Unknown(String),
}

/// A row: its values, and whether it was struck out.
pub(super) struct Row {
    pub(super) values: Map<String, Value>,
    pub(super) is_deleted: bool,
    /// The columns whose bytes are no text in the table's encoding.
    pub(super) malformed: Vec<String>,
}

impl<'a> Table<'a> {
    /// Reads what stands before the rows. `label` is what the `.cpg` says.
    ///
    /// # Errors
    /// Where it is no table.
    pub(super) fn read(bytes: &'a [u8], label: Option<&str>) -> Result<Self, String> {
        let cut = || "its table (.dbf) is cut off or is none".to_owned();
        let head = bytes.get(..DESCRIBED).ok_or_else(cut)?;
        if head[0] & 7 == 4 {
            return Err("its table (.dbf) is one of dBASE 7, which is not read here: save it again as dBASE IV or III".to_owned());
        }
        let small = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (begin, width) = (small(8), small(10));
        let count = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let described = bytes.get(DESCRIBED..begin).ok_or_else(cut)?;
        let (mut fields, mut from): (Vec<Field>, usize) = (Vec::new(), 1);
        for one in described.chunks_exact(DESCRIBED).take_while(|one| one[0] != 0x0d) {
            let name = one[..11].split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).trim().to_owned();
            // Long texts have their high byte where numbers have their decimals.
            let high = if one[11] == b'C' { usize::from(one[17]) << 8 } else { 0 };
            let field = Field {
                name: unlike(&name, &fields),
                type_: one[11],
                from,
                width: usize::from(one[16]) + high,
            };
            from += field.width;
            fields.push(field);
        }
        if fields.is_empty() || width == 0 || from > width {
            return Err(cut());
        }
        let rows = bytes.get(begin..).ok_or_else(cut)?;
        Ok(Self {
            fields,
            rows,
            width,
            count: count.min(rows.len() / width),
            encoding: texts(label, head[29]),
        })
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A row.
    ///
    /// # Errors
    /// Where a text cannot be read.
    pub(super) fn row(&self, index: usize) -> Result<Option<Row>, String> {
        let bytes = index.checked_mul(self.width).and_then(|from| self.rows.get(from..)?.get(..self.width));
        let Some(bytes) = bytes.filter(|_| index < self.count) else { return Ok(None) };
        let (mut values, mut malformed) = (Map::new(), Vec::new());
        for field in &self.fields {
            let bytes = &bytes[field.from..field.from + field.width];
            let value = self.value(field, bytes)?;
            if is_malformed(&value, bytes) {
                malformed.push(field.name.clone());
            }
            if !value.is_null() {
                values.insert(field.name.clone(), value);
            }
        }
        Ok(Some(Row { values, is_deleted: bytes[0] == b'*', malformed }))
    }

    fn value(&self, field: &Field, bytes: &[u8]) -> Result<Value, String> {
        let quad = || bytes.try_into().ok().map(i32::from_le_bytes);
        let double = || bytes.try_into().ok().map(f64::from_le_bytes);
        let text = || String::from_utf8_lossy(bytes).replace('\0', " ").trim().to_owned();
        Ok(match field.type_ {
            _ if field.is_elsewhere() || field.is_binary() => Value::Null,
            b'N' | b'F' => number(&text()),
            b'I' | b'+' => json!(quad()),
            b'O' | b'B' if bytes.len() == 8 => json!(double()),
            b'D' => date(&text()),
            b'L' => match bytes.first() {
                Some(b'T' | b't' | b'Y' | b'y' | b'1') => json!(true),
                Some(b'F' | b'f' | b'N' | b'n' | b'0') => json!(false),
                _ => Value::Null,
            },
            _ => {
                let text = self.text(bytes)?;
                let text = text.trim_end_matches([' ', '\0']);
                if text.is_empty() { Value::Null } else { json!(text) }
            }
        })
    }

    fn text(&self, bytes: &[u8]) -> Result<String, String> {
        let encoding = match &self.encoding {
            Texts::As(encoding) => encoding,
            Texts::Guessed if std::str::from_utf8(bytes).is_ok() => UTF_8,
            Texts::Guessed => WINDOWS_1252,
            Texts::Unknown(_) if bytes.is_ascii() => UTF_8,
            Texts::Unknown(name) => {
                return Err(format!(
                    "its texts are in {name}, which is not read here: save it again with the encoding UTF-8"
                ));
            }
        };
        // A NUL is padding at the end, and nothing that a database takes inside.
        Ok(encoding.decode_without_bom_handling(bytes).0.trim_end_matches('\0').replace('\0', " "))
    }

    /// What a person should know about it.
    pub(super) fn notes(&self) -> Vec<String> {
        let named = |which: fn(&Field) -> bool| {
            let names =
                self.fields.iter().filter(|field| which(field)).map(|field| format!("`{}`", field.name));
            Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
        };
        let is_guess = matches!(self.encoding, Texts::Guessed) && !self.rows.is_ascii();
        let guess = is_guess.then(|| {
            "no .cpg says how its texts are encoded: they are read as UTF-8 where they are that, else as Windows-1252".to_owned()
        });
        let elsewhere = named(Field::is_elsewhere).map(|names| {
            format!("memos and pictures lie in a file beside the table and are not taken: the column {names} stays empty")
        });
        let binary = named(Field::is_binary).map(|names| {
            format!("moments and sums of money that FoxPro wrote in a form of its own are not taken: the column {names} stays empty")
        });
        let malformed = named(|field| field.name.contains(REPLACED)).map(|names| {
            format!("bytes in the name of the column {names} are no text: {REPLACED} stands for them")
        });
        [guess, elsewhere, binary, malformed].into_iter().flatten().collect()
    }
}

impl Field {
    /// Whether its bytes say where a value lies in the file of the memos, and no value.
    fn is_elsewhere(&self) -> bool {
        matches!(self.type_, b'M' | b'G' | b'P') || (self.type_ == b'B' && self.width != 8)
    }

    /// Whether its bytes are a moment or a currency, which no shapefile has, and would pass for a text.
    fn is_binary(&self) -> bool {
        matches!(self.type_, b'T' | b'Y' | b'@')
    }
}

/// Whether something stands for bytes that are no text; whoever wrote U+FFFD has it kept.
fn is_malformed(value: &Value, bytes: &[u8]) -> bool {
    let written = REPLACED.to_string();
    value.as_str().is_some_and(|text| text.contains(REPLACED))
        && !bytes.windows(written.len()).any(|part| part == written.as_bytes())
}

/// A name that no field before has, so that none hides another.
fn unlike(name: &str, taken: &[Field]) -> String {
    let is_free = |name: &String| !taken.iter().any(|field| field.name == *name);
    let twins = (2..).map(|number: usize| format!("{name}_{number}"));
    std::iter::once(name.to_owned()).chain(twins).find(is_free).unwrap_or_default()
}

/// The encoding that a `.cpg` names, else the table's own mark.
fn texts(label: Option<&str>, mark: u8) -> Texts {
    let Some(label) = label.map(str::trim).filter(|label| !label.is_empty()) else {
        return match mark {
            0 => Texts::Guessed,
            0x03 | 0x57 | 0x58 | 0x59 => Texts::As(WINDOWS_1252),
            0xc8 => Texts::As(encoding_rs::WINDOWS_1250),
            0xc9 => Texts::As(encoding_rs::WINDOWS_1251),
            0x65 | 0x26 => Texts::As(encoding_rs::IBM866),
            mark => Texts::Unknown(format!("an encoding with the mark {mark:#04x}")),
        };
    };
    let number: String = label.chars().filter(char::is_ascii_digit).collect();
    let named = match number.as_str() {
        "65001" => Some("utf-8".to_owned()),
        "936" => Some("gbk".to_owned()),
        "950" => Some("big5".to_owned()),
        "932" => Some("shift_jis".to_owned()),
        "949" => Some("euc-kr".to_owned()),
        "866" => Some("ibm866".to_owned()),
        number => match number.strip_prefix("8859") {
            Some(part) => Some(format!("iso-8859-{part}")),
            None if number.len() == 4 && number.starts_with("125") => Some(format!("windows-{number}")),
            None => None,
        },
    };
    let found = Encoding::for_label(label.as_bytes()).or_else(|| Encoding::for_label(named?.as_bytes()));
    found.map_or_else(|| Texts::Unknown(format!("`{label}`")), Texts::As)
}

/// A number as it is written, a whole one as such; what is none stays a text. Asterisks say that there is none, or that it
/// did not fit.
fn number(text: &str) -> Value {
    if text.bytes().all(|byte| byte == b'*') {
        return Value::Null;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return json!(whole);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(text),
    }
}

fn date(text: &str) -> Value {
    if text.chars().all(|letter| letter == '0') {
        return Value::Null;
    }
    match chrono::NaiveDate::parse_from_str(text, "%Y%m%d") {
        Ok(day) if text.len() == 8 => json!(day.to_string()),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with one column and its rows.
    fn table(type_: u8, mark: u8, rows: &[&[u8]]) -> Vec<u8> {
        let width = rows.iter().map(|row| row.len()).max().unwrap_or(1);
        let mut out = vec![3, 0, 0, 0];
        out.extend(u32::try_from(rows.len()).unwrap().to_le_bytes());
        out.extend(65_u16.to_le_bytes());
        out.extend(u16::try_from(width + 1).unwrap().to_le_bytes());
        out.resize(29, 0);
        out.push(mark);
        out.resize(32, 0);
        out.extend(b"column\0\0\0\0\0");
        out.extend([type_, 0, 0, 0, 0, u8::try_from(width).unwrap()]);
        out.resize(64, 0);
        out.push(0x0d);
        for row in rows {
            out.push(b' ');
            out.extend(*row);
            out.resize(out.len() + width - row.len(), b' ');
        }
        out
    }

    fn values(type_: u8, mark: u8, label: Option<&str>, rows: &[&[u8]]) -> Result<Vec<Value>, String> {
        let bytes = table(type_, mark, rows);
        let table = Table::read(&bytes, label)?;
        let value = |index| Ok(table.row(index)?.unwrap().values.remove("column").unwrap_or_default());
        (0..table.count()).map(value).collect()
    }

    #[test]
    fn numbers_days_and_truths_are_read_and_what_is_none_stays() {
        let numbers = values(b'N', 0, None, &[b"7", b"12.50", b"***", b"", b"1e999", b"x"]).unwrap();
        assert_eq!(numbers, [json!(7), json!(12.5), Value::Null, Value::Null, json!("1e999"), json!("x")]);
        let days = values(b'D', 0, None, &[b"20200301", b"00000000", b"20201301"]).unwrap();
        assert_eq!(days, [json!("2020-03-01"), Value::Null, json!("20201301")]);
        assert_eq!(
            values(b'L', 0, None, &[b"T", b"n", b"?"]).unwrap(),
            [json!(true), json!(false), Value::Null]
        );
        assert_eq!(values(b'I', 0, None, &[&(-3_i32).to_le_bytes()]).unwrap(), [json!(-3)]);
    }

    #[test]
    fn texts_are_read_as_the_file_says_else_as_they_look() {
        let one = |mark: u8, label: Option<&str>, text: &[u8]| values(b'C', mark, label, &[text]);
        for (mark, label, text, expected) in [
            (0, Some("UTF-8"), "é".as_bytes(), "é"),
            (0, Some("ISO-8859-1"), b"\xe9", "é"),
            (0, Some("1250"), b"\xe8", "č"),
            (0, Some("ANSI 1251"), b"\xe6", "ж"),
            (0x57, None, b"\xe9", "é"),
            (0, None, "é".as_bytes(), "é"),
            (0, None, b"\xe9", "é"),
            (0x01, None, b"plain", "plain"),
        ] {
            assert_eq!(one(mark, label, text), Ok(vec![json!(expected)]), "{mark} {label:?}");
        }
        assert!(one(0x01, None, b"\x82").unwrap_err().contains("save it again with the encoding UTF-8"));
        let bytes = table(b'C', 0, &[b"\xe9"]);
        assert!(Table::read(&bytes, None).unwrap().notes()[0].contains("Windows-1252"));
    }

    #[test]
    fn the_number_of_a_memo_is_no_value() {
        assert_eq!(values(b'M', 0, None, &[b"0000000012"]).unwrap(), [Value::Null]);
        let bytes = table(b'M', 0, &[b"0000000012"]);
        let notes = Table::read(&bytes, None).unwrap().notes();
        assert!(notes[0].contains("`column`") && notes[0].contains("memo"), "{notes:?}");
    }

    #[test]
    fn a_table_of_dbase_7_is_refused_in_words() {
        for version in [0x04, 0x8c] {
            let mut bytes = table(b'C', 0, &[b"one"]);
            bytes[0] = version;
            assert!(Table::read(&bytes, None).is_err_and(|fault| fault.contains("dBASE 7")));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_said() {
        let bytes = table(b'C', 0, &[b"a\xff", "\u{fffd}".as_bytes(), b"b"]);
        let table = Table::read(&bytes, Some("UTF-8")).unwrap();
        let malformed = |index: usize| table.row(index).unwrap().unwrap().malformed;
        assert_eq!((0..3).map(malformed).collect::<Vec<_>>(), [vec!["column".to_owned()], vec![], vec![]]);
    }

    #[test]
    fn what_is_cut_off_is_refused_or_ends() {
        let bytes = table(b'C', 0, &[b"one", b"two"]);
        for end in 0..65 {
            assert!(Table::read(&bytes[..end], None).is_err(), "{end}");
        }
        assert_eq!(Table::read(&bytes[..bytes.len() - 1], None).unwrap().count(), 1);
    }
}

//! XML as a tree, for KML and GPX. Nothing is expanded but what XML itself names, nothing is fetched, and it nests only so
//! deep.

use encoding_rs::{Encoding, UTF_8};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value, json};

/// How deep elements may nest: folders of folders.
const DEPTH: usize = 64;
/// Bytes at the beginning in which the encoding is looked for.
const DECLARED: usize = 200;

/// An element, named without its prefix.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    text: String,
}

impl Element {
    /// An attribute's value.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text without the blanks around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }
}

/// Sets a column; where it says something else already, this is another one.
pub(super) fn put(columns: &mut Map<String, Value>, name: &str, text: &str) {
    if text.is_empty() || columns.get(name).is_some_and(|there| there == text) {
        return;
    }
    let twins = (2..).map(|number: usize| format!("{name}_{number}"));
    let free = std::iter::once(name.to_owned()).chain(twins).find(|name| !columns.contains_key(name));
    columns.extend(free.map(|name| (name, json!(text))));
}

/// Whether bytes are XML: it begins with an angle bracket.
pub(super) fn is_xml(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Reads a document; its outermost element.
///
/// # Errors
/// What is wrong with it, and at which byte.
pub(super) fn read(bytes: &[u8]) -> Result<Element, String> {
    let text = decode(bytes)?;
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|fault| broken(&reader, &fault))?;
        match event {
            Event::Start(start) => {
                if open.len() >= DEPTH {
                    return Err(format!("its elements nest more than {DEPTH} levels"));
                }
                open.push(begun(&reader, &start)?);
            }
            Event::Empty(start) => {
                let element = begun(&reader, &start)?;
                if let Some(root) = close(element, &mut open) {
                    return Ok(root);
                }
            }
            Event::End(_) => {
                // The reader looks that it closes what was opened.
                let element = open.pop().unwrap_or_default();
                if let Some(root) = close(element, &mut open) {
                    return Ok(root);
                }
            }
            Event::Text(text) => add(&mut open, &text.decode().map_err(|fault| broken(&reader, &fault))?),
            Event::CData(text) => add(&mut open, &text.decode().map_err(|fault| broken(&reader, &fault))?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|fault| broken(&reader, &fault))?.into_owned();
                let letter = reference.resolve_char_ref().map_err(|fault| broken(&reader, &fault))?;
                match (letter, resolve_xml_entity(&name)) {
                    (Some(letter), _) => add(&mut open, letter.encode_utf8(&mut [0; 4])),
                    (None, Some(known)) => add(&mut open, known),
                    (None, None) => return Err(format!("`&{name};` is an entity, which is not expanded")),
                }
            }
            Event::DocType(_) => {
                return Err("it declares a document type, which neither KML nor GPX has".to_owned());
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => {
                let inside = open
                    .last()
                    .map_or_else(|| "before it begins".to_owned(), |last| format!("inside <{}>", last.name));
                return Err(format!("it ends {inside}: it was cut off"));
            }
        }
    }
}

fn broken(reader: &Reader<&[u8]>, fault: &impl std::fmt::Display) -> String {
    format!("it is not XML at byte {}: {fault}", reader.error_position().max(reader.buffer_position()))
}

/// Puts an element that has ended into the one around it, or gives it back where there is none.
fn close(element: Element, open: &mut [Element]) -> Option<Element> {
    match open.last_mut() {
        Some(around) => {
            around.children.push(element);
            None
        }
        None => Some(element),
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn begun(reader: &Reader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, String> {
    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|fault| broken(reader, &fault))?;
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|fault| broken(reader, &fault))?;
        let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
        attributes.push((name, value.into_owned()));
    }
    Ok(Element { name, attributes, ..Element::default() })
}

/// The text in the encoding that its declaration names.
fn decode(bytes: &[u8]) -> Result<String, String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED)]).into_owned();
    let declared = head.split_once("?>").and_then(|(declaration, _)| {
        let (_, rest) = declaration.split_once("encoding")?;
        let quoted = rest.trim_start().strip_prefix('=')?.trim_start();
        quoted.get(1..)?.split(['"', '\'']).next().map(str::to_owned)
    });
    let encoding = match &declared {
        None => UTF_8,
        Some(name) => Encoding::for_label(name.as_bytes())
            .ok_or_else(|| format!("its encoding `{name}` is not known: save it as UTF-8"))?,
    };
    let (text, _, is_wrong) = encoding.decode(bytes);
    if is_wrong {
        return Err(format!("it is not {}, as it should be: save it as UTF-8", encoding.name()));
    }
    if text.contains('\0') {
        return Err("it holds a NUL character, which no XML does".to_owned());
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_attributes_and_entities_are_read() {
        let read = read(
            b"<?xml version='1.0'?><k:a xmlns:k='x' n='1 &lt; 2'>x &amp; <![CDATA[<y>]]>&#65;<b/></k:a>",
        )
        .unwrap();
        assert_eq!((read.name.as_str(), read.text(), read.attribute("n")), ("a", "x & <y>A", Some("1 < 2")));
        assert!(read.child("b").is_some());
        let latin = super::read(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>").unwrap();
        assert_eq!(latin.text(), "é");
    }

    #[test]
    fn what_is_broken_is_refused_in_words() {
        let deep = "<a>".repeat(100_000);
        for (text, words) in [
            ("<a><b></a>", "not XML at byte"),
            ("<a><b>", "it ends inside <b>"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
            ("<a>&b;</a>", "not expanded"),
            ("<a>&#0;</a>", "not XML"),
            ("<?xml version='1.0' encoding='x-odd'?><a/>", "save it as UTF-8"),
            (&deep, "nest more than"),
            ("", "it was cut off"),
        ] {
            let refused = read(text.as_bytes()).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
    }
}

//! Text in XML.

use std::borrow::Cow;

/// A text in an element or an attribute. What XML 1.0 cannot hold at all is shown as the replacement character.
pub(super) fn escaped(text: &str) -> String {
    let forbidden = |letter: char| {
        (letter < ' ' && !['\t', '\n', '\r'].contains(&letter)) || matches!(letter, '\u{fffe}' | '\u{ffff}')
    };
    let text: Cow<'_, str> =
        if text.contains(forbidden) { text.replace(forbidden, "\u{fffd}").into() } else { text.into() };
    quick_xml::escape::escape(text).into_owned()
}

//! Finds the quote of a table that nobody closed: all rows up to the next quote would be one cell, and gone.

/// Where a quoted cell begins that is never closed, or that is closed by the opening quote of another: the offset of its
/// quote. A quote inside a bare cell (`12" mortar`) is a sign like any other.
pub(super) fn unclosed(text: &str, separator: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_odd = text.matches('"').count() % 2 == 1;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at = end_of_cell(bytes, at, separator) + 1;
            continue;
        }
        let opened = at;
        let Some(after) = after_quoted(bytes, opened + 1) else { return Some(opened) };
        at = end_of_cell(bytes, after, separator);
        // Sloppy files quote inside quotes; theirs come in pairs.
        if is_odd && bytes[after..at].iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            return Some(opened);
        }
        at += 1;
    }
    None
}

/// Behind the quote that closes a cell; a doubled quote does not.
fn after_quoted(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', _) => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn end_of_cell(bytes: &[u8], from: usize, separator: u8) -> usize {
    let ends = |byte: &u8| *byte == separator || matches!(byte, b'\n' | b'\r');
    bytes[from..].iter().position(ends).map_or(bytes.len(), |found| from + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_is_not_closed_is_found_where_it_opens() {
        let line = |text: &str| unclosed(text, b',').map(|at| text[..at].matches('\n').count() + 1);
        for sound in [
            "",
            "a,b\n1,2\n",
            "a,\"b\"\n",
            "a,\"b \"\"c\"\"\",\"d\ne\"\n",
            "12\" mortar,b\n",
            "a,\"\"\n",
            "\"a\" ,b\n",
        ] {
            assert_eq!(line(sound), None, "{sound}");
        }
        assert_eq!(line("a,b\n1,\"2\n3,4\n"), Some(2));
        assert_eq!(line("a,b\n\"1\",\"2\n3,4\n5,\"6\"\n"), Some(2), "it is not the last quote that is wrong");
        assert_eq!(line("a,b\n1,\""), Some(2));
        assert_eq!(line("a,\"b\"\"\n"), Some(1));
    }
}

//! The words of a CQL2 text.

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or keyword as written; `quoted` is never a keyword.
    Name { text: String, quoted: bool },
    /// `'text'`
    Text(String),
    /// A number.
    Number(f64),
    /// A parenthesis, comma or operator.
    Sign(&'static str),
}

/// A word with where it begins, in bytes, and where it ends.
pub(super) type Placed = (Token, std::ops::Range<usize>);

const SIGNS: [&str; 10] = ["<>", "<=", ">=", "!=", "=", "<", ">", "(", ")", ","];

/// Cuts a text into words.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let (token, length) = match first {
            '\'' => {
                let (inner, length) = quoted(rest, '\'').ok_or_else(|| open(at, "text"))?;
                (Token::Text(inner), length)
            }
            '"' => {
                let (inner, length) = quoted(rest, '"').ok_or_else(|| open(at, "name"))?;
                (Token::Name { text: inner, quoted: true }, length)
            }
            _ if first.is_alphabetic() || first == '_' => {
                let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
                let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
                (Token::Name { text: rest[..length].to_owned(), quoted: false }, length)
            }
            '0'..='9' | '.' | '-' | '+' => number(rest).ok_or_else(|| unknown(at, rest))?,
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = *sign.ok_or_else(|| unknown(at, rest))?;
                (Token::Sign(sign), sign.len())
            }
        };
        found.push((token, at..at + length));
        at += length;
    }
    Ok(found)
}

fn open(at: usize, what: &str) -> String {
    format!("the {what} that begins at character {} has no end", at + 1)
}

fn unknown(at: usize, rest: &str) -> String {
    let shown: String = rest.chars().take(10).collect();
    format!("`{shown}` at character {} cannot be read", at + 1)
}

/// What stands between quotes, where two stand for one, and the length of it all. In a text `\'` stands for one too; any
/// other backslash is itself, as patterns need it.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut inner = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        let quote_follows = characters.peek().is_some_and(|(_, next)| *next == quote);
        if character == '\\' && quote == '\'' && quote_follows {
            characters.next();
            inner.push(quote);
        } else if character != quote {
            inner.push(character);
        } else if quote_follows {
            characters.next();
            inner.push(quote);
        } else {
            return Some((inner, at + quote.len_utf8()));
        }
    }
    None
}

fn number(rest: &str) -> Option<(Token, usize)> {
    let mut length = 0;
    let bytes = rest.as_bytes();
    while let Some(byte) = bytes.get(length) {
        let after_exponent = length > 0 && matches!(bytes[length - 1], b'e' | b'E');
        let sign = matches!(byte, b'+' | b'-') && (length == 0 || after_exponent);
        if !(byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E') || sign) {
            break;
        }
        length += 1;
    }
    let value: f64 = rest[..length].parse().ok()?;
    value.is_finite().then_some((Token::Number(value), length))
}

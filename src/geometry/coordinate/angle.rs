//! Degrees, with or without minutes and seconds.

use super::{AxisOrder, CoordinateError, Notation, Parsed, Position};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Number {
        value: f64,
        negative: bool,
    },
    /// 0 degrees, 1 minutes, 2 seconds.
    Mark(usize),
    Letter(char),
}

/// One angle: its numbers in order, and its letter.
#[derive(Debug, Default)]
struct Angle {
    parts: Vec<f64>,
    negative: bool,
    letter: Option<char>,
}

pub(super) fn parse(text: &str, order: AxisOrder) -> Result<Parsed, CoordinateError> {
    let tokens = tokenize(&normalise(text)?)?;
    let [first, second] = split(&tokens)?;
    let notation = if first.parts.len() > 1 || second.parts.len() > 1 {
        Notation::DegreesMinutesSeconds
    } else {
        Notation::DecimalDegrees
    };
    let latitude_first = match (first.is_latitude(), second.is_latitude()) {
        (Some(first), Some(second)) if first != second => first,
        (None, None) => order == AxisOrder::LatLon,
        _ => return Err(CoordinateError::SameAxisTwice),
    };
    let (lon, lat) = if latitude_first { (second, first) } else { (first, second) };
    Ok(Parsed { position: place(&lon, &lat)?, notation })
}

fn place(lon: &Angle, lat: &Angle) -> Result<Position, CoordinateError> {
    let in_range = |value: f64, limit: f64| {
        if value.abs() <= limit { Ok(value) } else { Err(CoordinateError::OutOfRange(value)) }
    };
    Ok(Position::new(in_range(lon.degrees()?, 180.0)?, in_range(lat.degrees()?, 90.0)?))
}

/// One spelling for signs, marks and the decimal point.
fn normalise(text: &str) -> Result<String, CoordinateError> {
    let mut out: Vec<char> = text
        .chars()
        .map(|c| match c {
            '−' | '–' => '-',
            'º' | '˚' => '°',
            '′' | '’' | '‘' | '´' => '\'',
            '″' | '”' | '“' => '"',
            c => c.to_ascii_uppercase(),
        })
        .collect();
    let between_digits = |out: &[char], i: usize| {
        i > 0 && out[i - 1].is_ascii_digit() && out.get(i + 1).is_some_and(char::is_ascii_digit)
    };
    let has_point = out.contains(&'.');
    let commas: Vec<usize> = (0..out.len()).filter(|&i| out[i] == ',').collect();
    // Without a point, `11,55 104,90` has decimal commas; `11,104` alone could be either.
    let separated = out.iter().any(|c| c.is_whitespace() || matches!(c, ';' | 'N' | 'S' | 'E' | 'W'));
    for i in commas {
        let inside = between_digits(&out, i);
        if inside && !has_point && !separated {
            return Err(CoordinateError::AmbiguousComma);
        }
        out[i] = if inside && !has_point { '.' } else { ' ' };
    }
    Ok(out.into_iter().collect::<String>().replace("''", "\""))
}

fn tokenize(text: &str) -> Result<Vec<Token>, CoordinateError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '°' => tokens.push(Token::Mark(0)),
            '\'' => tokens.push(Token::Mark(1)),
            '"' => tokens.push(Token::Mark(2)),
            'N' | 'S' | 'E' | 'W' => tokens.push(Token::Letter(c)),
            '0'..='9' | '.' | '+' | '-' => {
                let digits = |c: char| !(c.is_ascii_digit() || c == '.');
                length = rest[1..].find(digits).map_or(rest.len(), |end| end + 1);
                let word = &rest[..length];
                let value: f64 = word.parse().map_err(|_nan| CoordinateError::Number(word.to_owned()))?;
                tokens.push(Token::Number { value: value.abs(), negative: c == '-' });
            }
            c if c.is_whitespace() || c == ';' => {}
            c => return Err(CoordinateError::UnexpectedCharacter(c)),
        }
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// Groups tokens into two angles: by their letters, else by their degree marks, else one number each.
fn split(tokens: &[Token]) -> Result<[Angle; 2], CoordinateError> {
    let letters = tokens.iter().filter(|token| matches!(token, Token::Letter(_))).count();
    let marked = tokens.contains(&Token::Mark(0));
    let prefixed = matches!(tokens.first(), Some(Token::Letter(_)));
    let mut angles: Vec<Angle> = Vec::new();
    let mut open = false;
    for (i, token) in tokens.iter().enumerate() {
        match *token {
            Token::Letter(letter) if prefixed => {
                angles.push(Angle { letter: Some(letter), ..Angle::default() });
                open = true;
            }
            Token::Letter(letter) => {
                angles.last_mut().ok_or(CoordinateError::PartsOutOfOrder)?.letter = Some(letter);
                open = false;
            }
            Token::Number { value, negative } => {
                let starts = letters == 0 && (!marked || tokens.get(i + 1) == Some(&Token::Mark(0)));
                if !open || starts {
                    if prefixed {
                        return Err(CoordinateError::PartsOutOfOrder);
                    }
                    angles.push(Angle { negative, ..Angle::default() });
                    open = true;
                }
                push_part(angles.last_mut(), value, negative)?;
            }
            Token::Mark(order) => {
                let parts = angles.last().map_or(0, |angle| angle.parts.len());
                if parts != order + 1 {
                    return Err(CoordinateError::PartsOutOfOrder);
                }
            }
        }
    }
    let found = angles.len();
    angles.try_into().map_err(|_other| CoordinateError::NotTwoValues(found))
}

fn push_part(angle: Option<&mut Angle>, value: f64, negative: bool) -> Result<(), CoordinateError> {
    let angle = angle.ok_or(CoordinateError::PartsOutOfOrder)?;
    if angle.parts.is_empty() {
        angle.negative = negative;
    } else if negative || angle.parts.len() == 3 {
        return Err(CoordinateError::PartsOutOfOrder);
    }
    angle.parts.push(value);
    Ok(())
}

impl Angle {
    fn is_latitude(&self) -> Option<bool> {
        self.letter.map(|letter| matches!(letter, 'N' | 'S'))
    }

    fn degrees(&self) -> Result<f64, CoordinateError> {
        let (last, whole) = self.parts.split_last().ok_or(CoordinateError::NotTwoValues(1))?;
        if whole.iter().any(|part| part.fract() != 0.0) {
            return Err(CoordinateError::PartsOutOfOrder);
        }
        if let Some(part) = self.parts.iter().skip(1).find(|part| **part >= 60.0) {
            return Err(CoordinateError::SixtyOrMore(*part));
        }
        if self.negative && self.letter.is_some() {
            return Err(CoordinateError::SignAndLetter);
        }
        let size = match whole {
            [] => *last,
            [degrees] => degrees + last / 60.0,
            [degrees, minutes, ..] => degrees + minutes / 60.0 + last / 3600.0,
        };
        let negative = self.negative || matches!(self.letter, Some('S' | 'W'));
        Ok(if negative { -size } else { size })
    }
}

pub(super) fn format_dms(degrees: f64, positive: char, negative: char) -> String {
    // Rounded first, so that 59.999" does not print as 60.00".
    let hundredths = (degrees.abs() * 360_000.0).round();
    let seconds = (hundredths % 6_000.0) / 100.0;
    let minutes = (hundredths / 6_000.0).floor() % 60.0;
    let whole = (hundredths / 360_000.0).floor();
    let letter = if degrees < 0.0 { negative } else { positive };
    format!("{whole:.0}°{minutes:02.0}'{seconds:05.2}\"{letter}")
}

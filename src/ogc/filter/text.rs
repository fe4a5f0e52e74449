//! CQL2 as text.

use geo::Geometry;
use serde_json::Value;
use wkt::TryFromWkt as _;

use super::token::{Placed, Token, tokens};
use super::{Comparison, DEEPEST, Filter, Items, ListTest, Operand, Scope};

type Read<T> = Result<T, String>;

/// Reads a filter.
pub(super) fn parse(text: &str, scope: Scope<'_>) -> Read<Filter> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0, scope };
    let filter = parser.any_of()?;
    if parser.at < parser.tokens.len() {
        return Err(parser.unexpected("the end, AND or OR"));
    }
    Ok(filter)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
    scope: Scope<'t>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// The next word, where it is one that `take` makes something of.
    fn next<T>(&mut self, wanted: &str, take: impl FnOnce(&Token) -> Option<T>) -> Read<T> {
        let taken = self.peek().and_then(take);
        self.at += usize::from(taken.is_some());
        taken.ok_or_else(|| self.unexpected(wanted))
    }

    /// The next word where it is this keyword, in whatever case.
    fn keyword(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Name { text, quoted: false }) if text.eq_ignore_ascii_case(word));
        self.at += usize::from(there);
        there
    }

    fn sign(&mut self, wanted: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(there);
        there
    }

    fn must(&mut self, sign: &str) -> Read<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.tokens.get(self.at) {
            Some((_, range)) => format!(
                "{wanted} is expected at character {}, not `{}`",
                range.start + 1,
                &self.text[range.clone()]
            ),
            None => format!("{wanted} is expected at the end"),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= DEEPEST {
            return Err(format!("more than {DEEPEST} levels"));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn any_of(&mut self) -> Read<Filter> {
        let mut parts = vec![self.all_of()?];
        while self.keyword("or") {
            parts.push(self.all_of()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    fn all_of(&mut self) -> Read<Filter> {
        let mut parts = vec![self.condition()?];
        while self.keyword("and") {
            parts.push(self.condition()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn condition(&mut self) -> Read<Filter> {
        if self.keyword("not") {
            return self.deeper(|parser| Ok(Filter::Not(Box::new(parser.condition()?))));
        }
        if self.sign("(") {
            let inner = self.deeper(Self::any_of)?;
            self.must(")")?;
            return Ok(inner);
        }
        if let Some(name) = self.function() {
            if name.eq_ignore_ascii_case("s_intersects") {
                return self.intersects();
            }
            if let Some(test) = ListTest::named(&name) {
                return self.list_test(test);
            }
        }
        self.predicate()
    }

    /// The name of a function, where one follows.
    fn function(&self) -> Option<String> {
        let opens = matches!(self.tokens.get(self.at + 1), Some((Token::Sign("("), _)));
        match self.peek() {
            Some(Token::Name { text, quoted: false }) if opens => Some(text.clone()),
            _ => None,
        }
    }

    fn intersects(&mut self) -> Read<Filter> {
        self.at += 1;
        self.must("(")?;
        let literal = if self.geometry_property() {
            self.must(",")?;
            self.geometry()?
        } else {
            let literal = self.geometry()?;
            self.must(",")?;
            if !self.geometry_property() {
                return Err(self.unexpected("`geometry`"));
            }
            literal
        };
        self.must(")")?;
        Ok(Filter::Intersects(Box::new(literal)))
    }

    fn geometry_property(&mut self) -> bool {
        let there = matches!(self.peek(), Some(Token::Name { text, .. }) if Scope::is_geometry(text));
        self.at += usize::from(there);
        there
    }

    /// `BBOX(…)`, or well-known text but a collection.
    fn geometry(&mut self) -> Read<Geometry<f64>> {
        let begin = self.tokens.get(self.at).map_or(self.text.len(), |(_, range)| range.start);
        let name = self.function().unwrap_or_default().to_uppercase();
        let known = ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON"];
        if name != "BBOX" && !known.contains(&name.as_str()) {
            return Err(self.unexpected("a geometry as text, like POINT(18.1 43.5) or BBOX(18,43,19,44),"));
        }
        self.at += 1;
        let mut open = 0_usize;
        let mut numbers = Vec::new();
        let end = loop {
            let Some((token, range)) = self.tokens.get(self.at) else { return Err(self.unexpected("`)`")) };
            self.at += 1;
            match token {
                Token::Sign("(") => open += 1,
                Token::Sign(")") => open = open.saturating_sub(1),
                Token::Number(number) => numbers.push(*number),
                _ => {}
            }
            if open == 0 {
                break range.end;
            }
        };
        if name == "BBOX" {
            return self.scope.envelope(&numbers);
        }
        let text = &self.text[begin..end];
        let found =
            Geometry::try_from_wkt_str(text).map_err(|fault| format!("`{text}` is no geometry: {fault}"))?;
        self.scope.locate(&found)
    }

    fn list_test(&mut self, test: ListTest) -> Read<Filter> {
        self.at += 1;
        self.must("(")?;
        let there = self.list()?;
        self.must(",")?;
        let wanted = self.list()?;
        self.must(")")?;
        Ok(Filter::List(test, there, wanted))
    }

    /// A property that is a list, or values between parentheses.
    fn list(&mut self) -> Read<Items> {
        if !self.sign("(") {
            let name =
                self.next("a property that is a list, or values as in ('ap_mine','uxo'),", |token| {
                    if let Token::Name { text, .. } = token { Some(text.clone()) } else { None }
                })?;
            return self.scope.list(&name);
        }
        let mut items = Vec::new();
        while !self.sign(")") {
            if !items.is_empty() {
                self.must(",")?;
            }
            items.push(self.next("a text or a number, as in ('ap_mine','uxo'),", Token::literal)?);
        }
        Ok(Items::These(items))
    }

    fn predicate(&mut self) -> Read<Filter> {
        let left = self.operand()?;
        if self.keyword("is") {
            let not = self.keyword("not");
            if !self.keyword("null") {
                return Err(self.unexpected("NULL"));
            }
            return Ok(negated(not, Filter::IsNull(left)));
        }
        let not = self.keyword("not");
        if self.keyword("like") {
            return Ok(negated(not, Filter::Like(left, self.operand()?)));
        }
        if self.keyword("between") {
            let low = self.operand()?;
            if !self.keyword("and") {
                return Err(self.unexpected("AND"));
            }
            return Ok(negated(not, Filter::Between(left, low, self.operand()?)));
        }
        if self.keyword("in") {
            self.must("(")?;
            let mut items = vec![self.operand()?];
            while self.sign(",") {
                items.push(self.operand()?);
            }
            self.must(")")?;
            return Ok(negated(not, Filter::In(left, items)));
        }
        if not {
            return Err(self.unexpected("LIKE, BETWEEN or IN"));
        }
        if let Some(Token::Sign(sign)) = self.peek()
            && let Some(comparison) = Comparison::of(sign)
        {
            self.at += 1;
            return Ok(Filter::Compare(comparison, left, self.operand()?));
        }
        self.alone(left)
    }

    /// A property that is true or false is a condition by itself.
    fn alone(&self, operand: Operand) -> Read<Filter> {
        match operand {
            Operand::Literal(Value::Bool(constant)) => Ok(Filter::Constant(constant)),
            Operand::Property(name) if self.scope.property(&name)?.type_ == super::Type::Boolean => {
                let yes = Operand::Literal(Value::Bool(true));
                Ok(Filter::Compare(Comparison::Equal, Operand::Property(name), yes))
            }
            _ => Err(self.unexpected("a comparison")),
        }
    }

    fn operand(&mut self) -> Read<Operand> {
        if let Some(name) = self.function() {
            return self.function_operand(&name.to_uppercase());
        }
        let operand = self.next("a property or a value", |token| match token {
            Token::Name { text, .. } if token.literal().is_none() => Some(Operand::Property(text.clone())),
            other => other.literal().map(Operand::Literal),
        })?;
        match operand {
            Operand::Property(name) => self.scope.operand(&name),
            value => Ok(value),
        }
    }

    fn function_operand(&mut self, name: &str) -> Read<Operand> {
        if !["CASEI", "DATE", "TIMESTAMP"].contains(&name) {
            return Err(
                self.unexpected("CASEI, DATE, TIMESTAMP, S_INTERSECTS, A_CONTAINS, a property or a value")
            );
        }
        self.at += 2;
        let inner = self.deeper(Self::operand)?;
        self.must(")")?;
        match (name, inner) {
            ("CASEI", inner) => Ok(Operand::CaseInsensitive(Box::new(inner))),
            (_, Operand::Literal(Value::String(text))) => Operand::moment(text),
            _ => Err(format!("{name} takes a text, like {name}('2024-12-31')")),
        }
    }
}

fn negated(not: bool, filter: Filter) -> Filter {
    if not { Filter::Not(Box::new(filter)) } else { filter }
}

impl Operand {
    /// A day or moment.
    pub(super) fn moment(text: String) -> Read<Self> {
        match crate::ogc::interval::span(&text) {
            Some(span) => Ok(Self::Moment(Value::from(text), span)),
            None => Err(format!("`{text}` is no day or moment")),
        }
    }
}

impl Token {
    /// The value that it is.
    fn literal(&self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::from(text.as_str())),
            Self::Number(number) => Some(Value::from(*number)),
            Self::Name { text, quoted: false } if text.eq_ignore_ascii_case("true") => Some(true.into()),
            Self::Name { text, quoted: false } if text.eq_ignore_ascii_case("false") => Some(false.into()),
            _ => None,
        }
    }
}

impl Comparison {
    pub(super) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" | "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

impl ListTest {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "a_equals" => Self::Equals,
            "a_contains" => Self::Contains,
            "a_containedby" => Self::ContainedBy,
            "a_overlaps" => Self::Overlaps,
            _ => return None,
        })
    }
}

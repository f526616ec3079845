//! JSON, as far as the results of a shard have it: no fractions, and nothing nested deeply.

use std::fmt::{self, Write};
use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Number(u64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn object<const N: usize>(fields: [(&str, Self); N]) -> Self {
        Self::Object(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_number(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// `None`: it is not such a text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser(text.chars().peekable());
        let value = parser.value(8)?;
        parser.skip_spaces();
        parser.0.next().is_none().then_some(value)
    }
}

struct Parser<'a>(Peekable<Chars<'a>>);

impl Parser<'_> {
    fn skip_spaces(&mut self) {
        while self.0.next_if(|c| c.is_ascii_whitespace()).is_some() {}
    }

    /// Takes this character if it is the next one, and returns whether it was.
    fn takes(&mut self, letter: char) -> bool {
        self.skip_spaces();
        self.0.next_if_eq(&letter).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.skip_spaces();
        match *self.0.peek()? {
            '"' => self.string().map(Value::Text),
            '0'..='9' => {
                let mut digits = String::new();
                digits.extend(std::iter::from_fn(|| self.0.next_if(char::is_ascii_digit)));
                digits.parse().ok().map(Value::Number)
            }
            'n' => "null".chars().all(|letter| self.0.next() == Some(letter)).then_some(Value::Null),
            '[' => self.items('[', ']', |parser| parser.value(depth)).map(Value::List),
            '{' => {
                let field = |parser: &mut Self| {
                    parser.skip_spaces();
                    let name = parser.string()?;
                    if parser.takes(':') { Some((name, parser.value(depth)?)) } else { None }
                };
                self.items('{', '}', field).map(Value::Object)
            }
            _ => None,
        }
    }

    fn items<T>(&mut self, begin: char, end: char, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        if !self.takes(begin) || self.takes(end) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(end) {
                return Some(items);
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        if self.0.next() != Some('"') {
            return None;
        }
        loop {
            match self.0.next()? {
                '"' => return Some(text),
                '\\' => match self.0.next()? {
                    'n' => text.push('\n'),
                    'u' => {
                        let digits: String = self.0.by_ref().take(4).collect();
                        text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    letter => text.push(letter),
                },
                letter => text.push(letter),
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write_text(f, text),
            Self::List(list) => {
                f.write_char('[')?;
                for (at, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if at > 0 { ", " } else { "" })?;
                }
                f.write_char(']')
            }
            Self::Object(fields) => {
                f.write_char('{')?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    write_text(f, name)?;
                    write!(f, ": {value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\n' => f.write_str("\\n")?,
            '\0'..='\u{1f}' => write!(f, "\\u{:04x}", letter as u32)?,
            _ => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = Value::text("\"a\\b\"\n\t\0 é\u{7f} 🦀");
        let list = Value::List(vec![Value::Null, Value::Number(u64::MAX), text, Value::List(vec![])]);
        let value =
            Value::object([("list", list), ("empty", Value::Object(vec![])), ("\"", Value::Number(0))]);
        assert_eq!(Value::parse(&value.to_string()), Some(value.clone()));
        let spaced = value.to_string().replace(", ", "\n , ").replace(": ", " :\t");
        assert_eq!(Value::parse(&format!(" {spaced}\n")), Some(value));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "[1",
            "[1 2]",
            "[1,]",
            "\"a",
            "{\"a\"}",
            "{1: 2}",
            "nul",
            "1 2",
            "-1",
            "18446744073709551616",
            "\"\\ud800\"",
        ] {
            assert_eq!(Value::parse(text), None, "{text}");
        }
        assert_eq!(Value::parse(&"[".repeat(100_000)), None);
    }
}

//! As much JSON as a safetensors header needs: objects, strings, arrays of whole numbers, and
//! skipping the rest.

use crate::Malformed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How deep skipped values may nest; too little to exhaust the stack.
const MAX_DEPTH: usize = 64;

/// A text and the place reached in it.
pub(crate) struct Reader<'a> {
    rest: &'a str,
    len: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { rest: text, len: text.len(), depth: 0 }
    }

    fn expected(&self, what: &str) -> Malformed {
        Malformed(format!("byte {} of its header: expected {what}", self.len - self.rest.len()))
    }

    /// Skips white space and then this character if it comes next.
    fn eat(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: char, what: &str) -> Result<(), Malformed> {
        if self.eat(sign) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Nothing but white space may be left.
    pub(crate) fn finish(&mut self) -> Result<(), Malformed> {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// `{"key": value, ..}`; `field` reads each value.
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, String) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect('{', "`{`")?;
        if self.eat('}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(':', "`:`")?;
            field(self, key)?;
            if !self.eat(',') {
                return self.expect('}', "`,` or `}`");
            }
        }
    }

    /// `[value, ..]`; `element` reads each value.
    fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.expect('[', "`[`")?;
        if self.eat(']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.eat(',') {
                return self.expect(']', "`,` or `]`");
            }
        }
    }

    /// `[2, 3]`.
    pub(crate) fn numbers(&mut self) -> Result<Vec<usize>, Malformed> {
        let mut numbers = Vec::new();
        self.array(|reader| {
            numbers.push(reader.number()?);
            Ok(())
        })?;
        Ok(numbers)
    }

    /// A whole number that is not negative.
    fn number(&mut self) -> Result<usize, Malformed> {
        let (digits, rest) = self.split(|c| c.is_ascii_digit());
        let written = digits.parse().ok().filter(|_| digits == "0" || !digits.starts_with('0'));
        let value = written.ok_or_else(|| self.expected("a whole number that fits"))?;
        self.rest = rest;
        Ok(value)
    }

    /// What follows, split where the test first fails.
    fn split(&self, test: impl Fn(char) -> bool) -> (&'a str, &'a str) {
        let rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
        let end = rest.find(|c| !test(c)).unwrap_or(rest.len());
        rest.split_at_checked(end).unwrap_or((rest, ""))
    }

    /// A string, its escapes resolved.
    pub(crate) fn string(&mut self) -> Result<String, Malformed> {
        self.expect('"', "a string")?;
        let mut out = String::new();
        loop {
            let end = self.rest.find(['"', '\\']).ok_or_else(|| self.expected("the end of the string"))?;
            let (plain, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
            if plain.contains(|c: char| c < ' ') {
                return Err(self.expected("no control character in a string"));
            }
            out.push_str(plain);
            self.rest = rest;
            if self.take() == Some('"') {
                return Ok(out);
            }
            let escaped = match self.take() {
                Some(c @ ('"' | '\\' | '/')) => c,
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => self.unicode()?,
                Some(_) | None => return Err(self.expected("an escape that JSON knows")),
            };
            out.push(escaped);
        }
    }

    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let first = chars.next();
        self.rest = chars.as_str();
        first
    }

    /// What follows `\u`: a character, or the first half of a surrogate pair and then the second.
    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.rest.starts_with("\\u") {
            self.rest = self.rest.get(2..).unwrap_or("");
            let second = self.hex()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.expected("the second half of a surrogate pair"));
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.expected("a character"))
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let digits = self.rest.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        let code = code.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.rest = self.rest.get(4..).unwrap_or("");
        Ok(code)
    }

    /// Skips a value of any kind.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        if self.depth >= MAX_DEPTH {
            return Err(self.expected("values nested less deep"));
        }
        self.depth += 1;
        let result = self.skip_value();
        self.depth -= 1;
        result
    }

    fn skip_value(&mut self) -> Result<(), Malformed> {
        let start = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
        if start.starts_with('{') {
            return self.object(|reader, _| reader.skip());
        }
        if start.starts_with('[') {
            return self.array(Reader::skip);
        }
        if start.starts_with('"') {
            return self.string().map(|_| ());
        }
        let (word, rest) = self.split(|c| c.is_ascii_alphanumeric() || ['+', '-', '.'].contains(&c));
        let number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && word.parse::<f64>().is_ok();
        if !number && !["true", "false", "null"].contains(&word) {
            return Err(self.expected("a value"));
        }
        self.rest = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn strings() {
        for (json, text) in
            [(r#""a""#, "a"), (r#" "a\"\\\/\n" "#, "a\"\\/\n"), (r#""é\u00e9\ud83d\ude00""#, "éé😀"), (r#""""#, "")]
        {
            assert_eq!(Reader::new(json).string().as_deref(), Ok(text), "{json}");
        }
        for json in ["", "a", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\n\""] {
            assert!(Reader::new(json).string().is_err(), "{json}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(Reader::new(" [ 1 ,\n20 ] ").numbers(), Ok(vec![1, 20]));
        assert_eq!(Reader::new("[]").numbers(), Ok(vec![]));
        for json in ["", "[", "[1", "[1,]", "[-1]", "[1.5]", "[01]", "[99999999999999999999]", "[a]"] {
            assert!(Reader::new(json).numbers().is_err(), "{json}");
        }
    }

    #[test]
    fn anything_is_skipped() {
        let mut reader = Reader::new(r#" {"a": [1, -2.5e3, "x", null, true, {}], "b": []} "#);
        assert_eq!(reader.skip(), Ok(()));
        assert_eq!(reader.finish(), Ok(()));
        for json in ["{", "[1 2]", "nope", "", "{\"a\"}", "{\"a\":1,}"] {
            assert!(Reader::new(json).skip().is_err(), "{json}");
        }
        let deep = "[".repeat(100_000);
        assert!(Reader::new(&deep).skip().unwrap_err().to_string().contains("nested less deep"));
    }
}

//! The words that the IR readers and printers share: a small lexer, names, numbers and linear forms.
//!
//! Every print of an IR parses back to an equal value. The readers are descents over [`Reader`],
//! which never panics and reports mistakes as `line 3, column 7: expected …`.

use std::fmt::{self, Write};

/// How deep expressions and loops may nest in a text: enough for any print, too little to
/// exhaust the stack.
pub const MAX_DEPTH: usize = 100;

/// One word of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// A letter or `_`, then letters, digits and `_`.
    Ident(&'a str),
    /// What stands between the quotes, escapes unresolved.
    Quoted(&'a str),
    /// Starts with a digit; `12`, `0.5`, `1e-5`.
    Number(&'a str),
    /// One of the signs of [`PAIRS`], or any other single character.
    Sign(&'a str),
    /// What follows `//` (and one space) on the line; only if the reader keeps comments.
    Comment(&'a str),
    /// The end of the text.
    End,
}

/// Signs of two characters.
const PAIRS: [&str; 4] = ["..", "<-", "?<", "//"];

/// A text and the place reached in it.
#[derive(Clone)]
pub struct Reader<'a> {
    text: &'a str,
    /// Where the current token starts.
    start: usize,
    /// Where it ends.
    end: usize,
    token: Token<'a>,
    keep_comments: bool,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// A reader that skips comments.
    pub fn new(text: &'a str) -> Reader<'a> {
        let mut reader = Reader { text, start: 0, end: 0, token: Token::End, keep_comments: false, depth: 0 };
        reader.bump();
        reader
    }

    /// A reader to which comments are tokens.
    pub fn with_comments(text: &'a str) -> Reader<'a> {
        let mut reader = Reader { text, start: 0, end: 0, token: Token::End, keep_comments: true, depth: 0 };
        reader.bump();
        reader
    }

    /// The current token.
    pub fn token(&self) -> Token<'a> {
        self.token
    }

    /// The token after the current one.
    pub fn second(&self) -> Token<'a> {
        let mut ahead = self.clone();
        ahead.bump();
        ahead.token
    }

    /// Goes to the next token.
    pub fn bump(&mut self) {
        loop {
            (self.token, self.start, self.end) = lex(self.text, self.end);
            if self.keep_comments || !matches!(self.token, Token::Comment(_)) {
                return;
            }
        }
    }

    /// Whether the current token is this sign or word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self.token, Token::Ident(w) | Token::Sign(w) if w == word)
    }

    /// Skips this sign or word if it is the current token.
    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.bump();
        }
        found
    }

    /// Skips this sign or word, which must be the current token.
    pub fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.eat(word) { Ok(()) } else { Err(self.expected(&format!("`{word}`"))) }
    }

    /// The message that the current token is wrong.
    pub fn fail(&self, message: impl fmt::Display) -> String {
        let before = self.text.get(..self.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("line {line}, column {column}: {message}")
    }

    /// The message that something else was expected here.
    pub fn expected(&self, what: &str) -> String {
        let found = match self.token {
            Token::End => "the end".to_string(),
            Token::Ident(w) | Token::Number(w) | Token::Sign(w) => format!("`{w}`"),
            Token::Quoted(w) => format!("\"{w}\""),
            Token::Comment(_) => "a comment".to_string(),
        };
        self.fail(format!("expected {what}, found {found}"))
    }

    /// The text must end here.
    pub fn finish(&self) -> Result<(), String> {
        if self.token == Token::End { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// Reads something nested, unless it is nested too deep.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail(format!("nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// A name as [`Name`] prints it.
    pub fn name(&mut self) -> Result<String, String> {
        let name = match self.token {
            Token::Ident(w) => w.to_string(),
            Token::Quoted(w) => unescape(w),
            Token::Number(_) | Token::Sign(_) | Token::Comment(_) | Token::End => return Err(self.expected("a name")),
        };
        self.bump();
        Ok(name)
    }

    /// A number that is not negative.
    pub fn usize(&mut self) -> Result<usize, String> {
        let Token::Number(digits) = self.token else { return Err(self.expected("a number")) };
        let value = digits.parse().map_err(|_| self.fail(format!("`{digits}` is not a whole number that fits")))?;
        self.bump();
        Ok(value)
    }

    /// A whole number.
    pub fn i64(&mut self) -> Result<i64, String> {
        let negative = self.eat("-");
        self.magnitude(negative)
    }

    /// A whole number whose sign is known.
    fn magnitude(&mut self, negative: bool) -> Result<i64, String> {
        let Token::Number(digits) = self.token else { return Err(self.expected("a number")) };
        let value = digits.parse::<i128>().ok().map(|v| if negative { -v } else { v });
        let value = value.and_then(|v| i64::try_from(v).ok());
        let value = value.ok_or_else(|| self.fail(format!("`{digits}` is not a whole number that fits")))?;
        self.bump();
        Ok(value)
    }

    /// A number as [`Number`] prints it.
    pub fn f64(&mut self) -> Result<f64, String> {
        let negative = self.eat("-");
        let value = if self.eat("inf") {
            f64::INFINITY
        } else if self.eat("nan") {
            if negative {
                return Err(self.fail("the sign of a NaN is part of its bits: write `nan(bits)`"));
            }
            return self.nan();
        } else {
            let Token::Number(digits) = self.token else { return Err(self.expected("a number")) };
            let value = digits.parse().map_err(|_| self.fail(format!("`{digits}` is not a number")))?;
            self.bump();
            value
        };
        Ok(if negative { -value } else { value })
    }

    /// What follows `nan`: nothing, or its bits.
    fn nan(&mut self) -> Result<f64, String> {
        if !self.eat("(") {
            return Ok(f64::NAN);
        }
        let Token::Number(digits) = self.token else { return Err(self.expected("the bits of a NaN")) };
        let value = digits.parse().ok().map(f64::from_bits).filter(|v| v.is_nan());
        let value = value.ok_or_else(|| self.fail(format!("`{digits}` is not the bits of a NaN")))?;
        self.bump();
        self.expect(")")?;
        Ok(value)
    }

    /// Items between commas up to (and with) the closing sign.
    pub fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(close) {
                return Ok(items);
            }
            if !self.eat(",") {
                return Err(self.expected(&format!("`,` or `{close}`")));
            }
        }
    }

    /// A linear form as [`write_linear`] prints it: the constant and `(variable, coefficient)`
    /// ascending by variable. `variable` reads a variable's name.
    pub fn linear<V: Ord + Copy>(
        &mut self,
        mut variable: impl FnMut(&mut Self) -> Result<V, String>,
    ) -> Result<(i64, Vec<(V, i64)>), String> {
        let mut constant = 0i64;
        let mut terms: Vec<(V, i64)> = Vec::new();
        let mut negative = self.eat("-");
        loop {
            if matches!(self.token, Token::Number(_)) {
                let value = self.magnitude(negative)?;
                constant = constant.checked_add(value).ok_or_else(|| self.fail("the constant overflows"))?;
            } else {
                let name = self.clone();
                let v = variable(self)?;
                let coefficient = if self.eat("*") { self.magnitude(negative)? } else { 1 - 2 * i64::from(negative) };
                match terms.binary_search_by_key(&v, |t| t.0) {
                    Ok(_) => return Err(name.fail("this variable has a term already")),
                    Err(_) if coefficient == 0 => return Err(name.fail("a term with coefficient 0")),
                    Err(at) => terms.insert(at, (v, coefficient)),
                }
            }
            negative = self.is("-");
            if !negative && !self.is("+") {
                return Ok((constant, terms));
            }
            self.bump();
        }
    }
}

/// The token at or after byte `at`, with its start and end.
fn lex(text: &str, at: usize) -> (Token<'_>, usize, usize) {
    let rest = text.get(at..).unwrap_or("");
    let trimmed = rest.trim_start();
    let start = text.len() - trimmed.len();
    let take = |len: usize| trimmed.get(..len).unwrap_or(trimmed);
    let span = |test: &dyn Fn(char) -> bool| trimmed.find(|c| !test(c)).unwrap_or(trimmed.len());
    let Some(first) = trimmed.chars().next() else { return (Token::End, text.len(), text.len()) };
    if let Some(comment) = trimmed.strip_prefix("//") {
        let line = comment.split('\n').next().unwrap_or("");
        return (Token::Comment(line.strip_prefix(' ').unwrap_or(line)), start, start + 2 + line.len());
    }
    if first.is_alphabetic() || first == '_' {
        let word = take(span(&|c| c.is_alphanumeric() || c == '_'));
        return (Token::Ident(word), start, start + word.len());
    }
    if first.is_ascii_digit() {
        let digits = take(number_len(trimmed));
        return (Token::Number(digits), start, start + digits.len());
    }
    if first == '"' {
        let inside = trimmed.get(1..).unwrap_or("");
        if let Some(len) = quoted_len(inside) {
            return (Token::Quoted(inside.get(..len).unwrap_or(inside)), start, start + len + 2);
        }
    }
    let sign = PAIRS.into_iter().find(|p| trimmed.starts_with(p)).map_or(first.len_utf8(), str::len);
    (Token::Sign(take(sign)), start, start + take(sign).len())
}

/// Bytes of the number that the text starts with. A `.` belongs to it only before a digit, so that
/// `0..4` is a range; an `e` only before digits.
fn number_len(text: &str) -> usize {
    let digits = |from: usize, test: fn(&u8) -> bool| {
        text.as_bytes().get(from..).unwrap_or(&[]).iter().take_while(|b| test(b)).count()
    };
    let mut len = digits(0, u8::is_ascii_digit);
    if text[len..].starts_with('.') && digits(len + 1, u8::is_ascii_digit) > 0 {
        len += 1 + digits(len + 1, u8::is_ascii_digit);
    }
    if text[len..].starts_with('e') {
        let sign = usize::from(text[len + 1..].starts_with(['-', '+']));
        let exponent = digits(len + 1 + sign, u8::is_ascii_digit);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

/// Bytes before the closing quote, if there is one.
fn quoted_len(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return Some(at),
            '\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
    }
    None
}

/// Resolves `\n`, `\r`, `\t`, `\"`, `\\`.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    out
}

/// A text in quotes.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '"' | '\\' => write!(f, "\\{c}")?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

/// A name: bare if it is one word, else in quotes.
pub struct Name<'a>(pub &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match lex(self.0, 0) {
            (Token::Ident(word), 0, _) if word == self.0 => f.write_str(word),
            _ => Quoted(self.0).fmt(f),
        }
    }
}

/// A number that reads back to the same bits.
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_nan() {
            write!(f, "{:?}", self.0)
        } else if self.0.to_bits() == f64::NAN.to_bits() {
            f.write_str("nan")
        } else {
            write!(f, "nan({})", self.0.to_bits())
        }
    }
}

/// Prints `h*2 + p - 1`: the terms, largest stride first, then the constant unless it is 0 beside terms.
pub fn write_linear(out: &mut impl Write, constant: i64, terms: &[(impl fmt::Display, i64)]) -> fmt::Result {
    let mut ordered: Vec<&(_, i64)> = terms.iter().collect();
    ordered.sort_by_key(|t| std::cmp::Reverse(t.1.unsigned_abs()));
    for (at, (name, coefficient)) in ordered.into_iter().enumerate() {
        let sign = match (at, *coefficient < 0) {
            (0, false) => "",
            (0, true) => "-",
            (_, false) => " + ",
            (_, true) => " - ",
        };
        write!(out, "{sign}{name}")?;
        if coefficient.unsigned_abs() != 1 {
            write!(out, "*{}", coefficient.unsigned_abs())?;
        }
    }
    match constant {
        0 if !terms.is_empty() => Ok(()),
        c if terms.is_empty() => write!(out, "{c}"),
        c if c < 0 => write!(out, " - {}", c.unsigned_abs()),
        c => write!(out, " + {c}"),
    }
}

/// Items with `, ` between them.
pub fn joined<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut out = String::new();
    for item in items {
        if !out.is_empty() {
            out.push_str(", ");
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "{item}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut reader = Reader::with_comments(text);
        let mut tokens = Vec::new();
        while reader.token() != Token::End {
            tokens.push(reader.token());
            reader.bump();
        }
        tokens
    }

    #[test]
    fn words() {
        use Token::{Comment, Ident, Number, Quoted, Sign};
        assert_eq!(
            tokens("for m in 0..12"),
            [Ident("for"), Ident("m"), Ident("in"), Number("0"), Sign(".."), Number("12")]
        );
        assert_eq!(tokens("n:16x2"), [Ident("n"), Sign(":"), Number("16"), Ident("x2")]);
        assert_eq!(
            tokens("1e-5 0.5 2e 0x2"),
            [Number("1e-5"), Number("0.5"), Number("2"), Ident("e"), Number("0"), Ident("x2")]
        );
        assert_eq!(tokens("a // b\n\"c \\\" d\""), [Ident("a"), Comment("b"), Quoted("c \\\" d")]);
        assert_eq!(tokens("\"é"), [Sign("\""), Ident("é")]);
    }

    #[test]
    fn numbers_keep_their_bits() {
        for x in [0.0, -0.0, 1.0, 1e300, 1e-310, 0.1, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN] {
            let text = Number(x).to_string();
            assert_eq!(Reader::new(&text).f64().map(f64::to_bits), Ok(x.to_bits()), "{text}");
        }
    }

    #[test]
    fn names_come_back() {
        for name in ["x", "a b", "", "é", "1x", "\"", "\\", "a\nb", " x", "x ", "// x", "a\\\"b"] {
            let text = Name(name).to_string();
            assert_eq!(Reader::new(&text).name().as_deref(), Ok(name), "{text}");
        }
    }

    #[test]
    fn mistakes_have_a_place() {
        let mut reader = Reader::new("a\n  b");
        reader.bump();
        assert_eq!(reader.expect("c"), Err("line 2, column 3: expected `c`, found `b`".to_string()));
    }
}

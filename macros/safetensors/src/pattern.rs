//! Patterns for names: `ignore = ["decoder_8k.*"]`.

/// Whether a name fits a pattern, in which `*` stands for any text, also none.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    // Every piece but the last is taken where it first occurs, which leaves the most to the others.
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return name.ends_with(piece);
        }
        let Some(at) = name.find(piece) else { return false };
        name = name.get(at + piece.len()..).unwrap_or("");
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("*", "") && matches("*", "a.b"));
        for (pattern, yes, no) in [
            ("a.b", "a.b", "a.bc"),
            ("a.*", "a.b.c", "b.a."),
            ("*.num", "x.y.num", "x.numb"),
            ("a*c*e", "abcde", "abcd"),
            ("a*a", "aa", "a"),
            ("*ab*", "xabab", "ba"),
            ("**x", "x", "y"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(!matches(pattern, no), "{pattern} {no}");
        }
    }
}

//! Damage to texts, token by token, so that a parser of TOML, JSON or the like gets further than its lexer.

use bolero::{TypeGenerator, produce};

/// Tokens that parsers go wrong at.
const WORDS: [&str; 32] = [
    "",
    " ",
    "\n",
    "0",
    "1",
    "-1",
    "00",
    "0x10",
    "1e400",
    "1e-400",
    "0.000000001",
    "127",
    "255",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "nan",
    "true",
    "null",
    "never",
    "\"",
    "\"\"",
    "[]",
    "{}",
    "[",
    "}",
    "\u{202e}é\u{0}",
    "\"\\u0000\\ud800\"",
];

/// Up to three changes of a text; none is one of the cases.
#[derive(Clone, Debug, TypeGenerator)]
pub struct TextDamage {
    #[generator(produce::<Vec<Edit>>().with().len(0..4_usize))]
    edits: Vec<Edit>,
}

/// A change of a text's tokens. A place counts from the front, and beyond the end from the front again.
#[derive(Clone, Debug, TypeGenerator)]
enum Edit {
    Replace { at: u16, word: u16 },
    Insert { at: u16, word: u16 },
    Remove { at: u16 },
    Repeat { at: u16 },
    Swap { one: u16, other: u16 },
    ReplaceChar { at: u16, character: char },
    Cut { at: u16 },
}

impl TextDamage {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.edits.is_empty()
    }

    /// What is left of `text`. `words` are what a token may be replaced with, beside some that every
    /// parser may go wrong at.
    #[must_use]
    pub fn apply(&self, text: &str, words: &[&str]) -> String {
        let mut tokens = tokens(text);
        for edit in &self.edits {
            edit.apply(&mut tokens, words);
        }
        tokens.concat()
    }
}

impl Edit {
    fn apply(&self, tokens: &mut Vec<String>, words: &[&str]) {
        let places = tokens.len();
        if places == 0 {
            return;
        }
        let place = |at: u16| usize::from(at) % places;
        match self {
            Self::Replace { at, word: which } => tokens[place(*at)] = word(*which, words),
            Self::Insert { at, word: which } => tokens.insert(place(*at), word(*which, words)),
            Self::Remove { at } => {
                tokens.remove(place(*at));
            }
            Self::Repeat { at } => tokens.insert(place(*at), tokens[place(*at)].clone()),
            Self::Swap { one, other } => tokens.swap(place(*one), place(*other)),
            Self::ReplaceChar { at, character } => {
                tokens[place(*at)].pop();
                tokens[place(*at)].push(*character);
            }
            Self::Cut { at } => tokens.truncate(place(*at)),
        }
    }
}

fn word(which: u16, words: &[&str]) -> String {
    let which = usize::from(which) % (WORDS.len() + words.len());
    let word = WORDS.iter().chain(words).nth(which);
    word.copied().unwrap_or_default().to_owned()
}

/// Words and numbers as a whole, every other character by itself.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for character in text.chars() {
        let continues = character.is_alphanumeric() || character == '_';
        match tokens.last_mut() {
            Some(token) if in_word && continues => token.push(character),
            _ => tokens.push(character.to_string()),
        }
        in_word = continues;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(edit: Edit) -> String {
        let edits = vec![edit];
        TextDamage { edits }.apply("a_1 = 25", &["own"])
    }

    #[test]
    fn edits_change_tokens() {
        let own = u16::try_from(WORDS.len()).expect("few");
        assert_eq!(after(Edit::Replace { at: 9, word: own }), "a_1 = own");
        assert_eq!(after(Edit::Insert { at: 0, word: own }), "owna_1 = 25");
        assert_eq!(after(Edit::Remove { at: 1 }), "a_1= 25");
        assert_eq!(after(Edit::Repeat { at: 2 }), "a_1 == 25");
        assert_eq!(after(Edit::Swap { one: 0, other: 4 }), "25 = a_1");
        let character = 'é';
        assert_eq!(after(Edit::ReplaceChar { at: 4, character }), "a_1 = 2é");
        assert_eq!(after(Edit::Cut { at: 3 }), "a_1 =");
    }

    #[test]
    fn an_empty_text_stays_empty() {
        let edits = vec![Edit::Cut { at: 3 }, Edit::Remove { at: 1 }];
        assert_eq!(TextDamage { edits }.apply("", &[]), "");
    }
}

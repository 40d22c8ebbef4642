//! What the command line and the configuration files say, and which of it holds: Bitcoin Core's rules (`ArgsManager`,
//! `common::GetSetting`), its odd ones among them, because files that people have count on them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::flags::{self, Scope};

/// A value as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// `-noname`.
    False,
    /// `-noname=0`.
    True,
    /// `-name=text`; `-name` alone is an empty text.
    Text(String),
}

impl Value {
    /// As a text.
    fn text(&self) -> &str {
        match self {
            Self::False => "0",
            Self::True => "1",
            Self::Text(text) => text,
        }
    }

    /// As a switch.
    fn is_on(&self) -> bool {
        match self {
            Self::False => false,
            Self::True => true,
            Self::Text(text) => interpret_bool(text),
        }
    }
}

/// A setting's name, taken apart.
struct Key {
    section: String,
    name: String,
    is_negated: bool,
}

/// A section of a configuration file, and where it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

type Values = BTreeMap<String, Vec<Value>>;

/// All settings.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The chain's section, once the chain is known.
    network: Option<&'static str>,
    /// Set because of others, where nobody said anything.
    implied: BTreeMap<&'static str, Value>,
    command_line: Values,
    /// By section; the empty one is the file's beginning.
    config: BTreeMap<String, Values>,
    pub(super) sections: Vec<Section>,
}

impl Settings {
    /// Reads a command line, without the program's name.
    ///
    /// # Errors
    /// Bitcoin Core's, without what it puts in front.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut settings = Self::default();
        for argument in arguments {
            if argument == "-" {
                break;
            }
            // What has no dash ends the parameters: a command, of which bitcoind has none.
            let Some(text) = argument.strip_prefix('-') else {
                break;
            };
            let text = text.strip_prefix('-').unwrap_or(text);
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text, None),
            };
            let key = Key::parse(name);
            let known = flags::find(&key.name).filter(|_| key.section.is_empty());
            if known.is_none() {
                bail!("Invalid parameter {argument}");
            }
            let value = interpret(&key, value)?;
            let values = settings.command_line.entry(key.name).or_default();
            values.push(value);
        }
        let includes = settings.command_line.get("includeconf");
        if let Some(include) = includes.and_then(|values| counted(values).first()) {
            bail!(
                "-includeconf cannot be used from commandline; -includeconf={}",
                serde_json::Value::from(include.text())
            );
        }
        Ok(settings)
    }

    /// Takes a setting of a configuration file.
    pub(super) fn add_from_file(&mut self, name: &str, value: &str) -> Result<()> {
        let key = Key::parse(name);
        if key.name == "conf" {
            bail!(
                "conf cannot be set in the configuration file; use includeconf= if you want to include additional \
                 config files"
            );
        }
        if flags::find(&key.name).is_none() {
            tracing::warn!("Ignoring unknown configuration value {name}");
            return Ok(());
        }
        let value = interpret(&key, Some(value))?;
        let section = self.config.entry(key.section).or_default();
        section.entry(key.name).or_default().push(value);
        Ok(())
    }

    /// The files that a section includes, without the first `skip` of them, and how many there are.
    pub(super) fn includes(&self, section: &str, skip: usize) -> (Vec<String>, usize) {
        let values = self
            .config
            .get(section)
            .and_then(|values| values.get("includeconf"));
        let Some(values) = values else {
            return (Vec::new(), 0);
        };
        let first = skip.max(negated(values));
        let files = values.iter().skip(first);
        (
            files.map(|value| value.text().to_owned()).collect(),
            values.len(),
        )
    }

    /// Whether `-noincludeconf` was given.
    pub(super) fn includes_are_off(&self) -> bool {
        self.command_line.contains_key("includeconf")
    }

    /// From now on, the section of that chain holds too.
    pub(crate) fn select_network(&mut self, network: &'static str) {
        self.network = Some(network);
    }

    /// Sets a switch where nobody said anything.
    pub(crate) fn imply(&mut self, name: &'static str, value: &str) {
        if !self.is_set(name) {
            self.implied.insert(name, Value::Text(value.to_owned()));
        }
    }

    /// What holds of a setting that is given once: the last on the command line, the first in a file.
    fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.implied.get(name) {
            return Some(value.clone());
        }
        if let Some(values) = self.command_line.get(name) {
            match counted(values).last() {
                Some(value) => return Some(value.clone()),
                None if is_negated_last(values) => return Some(Value::False),
                None => {}
            }
        }
        for (values, is_default) in self.of_files(name) {
            // A negation at the file's beginning holds for every chain.
            if is_default && !self.uses_default_section(name) && !is_negated_last(values) {
                continue;
            }
            match counted(values).first() {
                Some(value) => return Some(value.clone()),
                None if is_negated_last(values) => return Some(Value::False),
                None => {}
            }
        }
        None
    }

    /// All that holds of a setting that may be given several times.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        if let Some(value) = self.implied.get(name) {
            return vec![value.text().to_owned()];
        }
        let (mut is_complete, mut is_emptied) = (false, false);
        if let Some(values) = self.command_line.get(name) {
            list.extend(counted(values).iter().map(|value| value.text().to_owned()));
            is_complete = negated(values) > 0;
            is_emptied = is_negated_last(values) && list.is_empty();
        }
        for (values, is_default) in self.of_files(name) {
            if is_default && !self.uses_default_section(name) {
                continue;
            }
            // As in Bitcoin Core: values of files come after a negation that something followed.
            if !is_complete || !is_emptied {
                list.extend(counted(values).iter().map(|value| value.text().to_owned()));
            }
            is_complete |= negated(values) > 0;
            is_emptied |= is_negated_last(values) && list.is_empty();
        }
        list
    }

    /// What the files say of a setting, the chain's section first, and whether it is the file's beginning.
    fn of_files(&self, name: &str) -> impl Iterator<Item = (&[Value], bool)> {
        let chain = self.network.map(|network| (network, false));
        chain
            .into_iter()
            .chain([("", true)])
            .filter_map(move |(section, is_default)| {
                let values = self.config.get(section)?.get(name)?;
                Some((values.as_slice(), is_default))
            })
    }

    fn uses_default_section(&self, name: &str) -> bool {
        let is_for_one_chain =
            flags::find(name).is_some_and(|flag| flag.scope == Scope::ChainSection);
        self.network == Some("main") || !is_for_one_chain
    }

    /// Whether it was set to anything.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether it was negated.
    pub(crate) fn is_negated(&self, name: &str) -> bool {
        self.get(name) == Some(Value::False)
    }

    /// As a text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.text().to_owned())
    }

    /// As a switch.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value.is_on())
    }

    /// As a number: 0 where there is none in the text, as Bitcoin Core reads it.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).map(|value| leading_number(value.text()))
    }

    /// Whether a switch that chooses the chain is on. Unlike for other settings, a negation on the command line does not
    /// overrule a file, and the last word of a file holds.
    pub(super) fn chooses_chain(&self, name: &str) -> bool {
        if let Some(values) = self.command_line.get(name)
            && let Some(value) = counted(values).last()
        {
            return value.is_on();
        }
        let values = self.config.get("").and_then(|values| values.get(name));
        values
            .and_then(|values| values.last())
            .is_some_and(Value::is_on)
    }

    /// Settings that are for one chain and stand at the file's beginning alone.
    pub(super) fn in_wrong_section(&self) -> BTreeSet<&'static str> {
        if self.network == Some("main") {
            return BTreeSet::new();
        }
        let chain = self.network.unwrap_or_default();
        let has = |section: &str, name: &str| {
            let values = self.config.get(section).and_then(|values| values.get(name));
            values.is_some_and(|values| !counted(values).is_empty())
        };
        let says = |name: &str| {
            let in_section = self.config.get(chain).and_then(|values| values.get(name));
            self.command_line.contains_key(name) || in_section.is_some()
        };
        flags::all()
            .filter(|flag| flag.scope == Scope::ChainSection)
            .map(|flag| flag.name)
            .filter(|name| has("", name) && !says(name))
            .collect()
    }
}

impl Key {
    /// `section.name` or `section.noname`.
    fn parse(text: &str) -> Self {
        let (section, name) = text.split_once('.').unwrap_or(("", text));
        let (name, is_negated) = match name.strip_prefix("no") {
            Some(name) => (name, true),
            None => (name, false),
        };
        Self {
            section: section.to_owned(),
            name: name.to_owned(),
            is_negated,
        }
    }
}

fn interpret(key: &Key, value: Option<&str>) -> Result<Value> {
    let syntax = flags::find(&key.name).map(|flag| flag.syntax);
    let name = &key.name;
    if key.is_negated {
        if syntax.is_some_and(flags::Syntax::forbids_negation) {
            bail!("Negating of -{name} is meaningless and therefore forbidden");
        }
        return Ok(match value {
            Some(value) if !interpret_bool(value) => Value::True,
            _ => Value::False,
        });
    }
    if value.is_none() && syntax.is_some_and(flags::Syntax::forbids_elision) {
        bail!("Can not set -{name} with no value. Please specify value with -{name}=value.");
    }
    Ok(Value::Text(value.unwrap_or_default().to_owned()))
}

/// How many values the last negation among them makes void, itself among them.
fn negated(values: &[Value]) -> usize {
    let last = values.iter().rposition(|value| *value == Value::False);
    last.map_or(0, |position| position + 1)
}

/// The values after the last negation.
fn counted(values: &[Value]) -> &[Value] {
    values.get(negated(values)..).unwrap_or_default()
}

fn is_negated_last(values: &[Value]) -> bool {
    values.last() == Some(&Value::False)
}

/// An empty text is on, other texts are by their number: `-foo=true` is off, as in Bitcoin Core.
fn interpret_bool(text: &str) -> bool {
    text.is_empty() || leading_number(text) != 0
}

/// The number that a text begins with, 0 if there is none, and the nearest that fits if it is too large.
pub(super) fn leading_number(text: &str) -> i64 {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number: i64 = 0;
    for digit in digits.bytes().take_while(u8::is_ascii_digit) {
        number = number
            .saturating_mul(10)
            .saturating_add(sign * i64::from(digit - b'0'));
    }
    number
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;

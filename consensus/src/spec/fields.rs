//! Fields of a TOML document, read one by one, so that everything that is wrong is found at once and each
//! error names its field.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::SpecError;

/// How much of a wrong value an error repeats.
const MAX_QUOTED_CHARS: usize = 120;

/// How many errors are told: more help nobody, and each takes a look at the text.
pub(super) const MAX_ERRORS: usize = 100;

/// Reads fields and collects what is wrong with them.
pub(super) struct Reader<'t> {
    text: &'t str,
    /// What is wrong, as it was found.
    pub(super) errors: Vec<SpecError>,
    /// Fields and tables without a usable value.
    pub(super) unread: BTreeSet<String>,
}

/// A table of the document whose fields are being read.
pub(super) struct Section<'t> {
    /// What stands before its keys' names: `genesis.`, or nothing.
    prefix: String,
    table: &'t DeTable<'t>,
    known: BTreeSet<&'static str>,
}

type Value<'t> = &'t Spanned<DeValue<'t>>;

impl<'t> Section<'t> {
    pub(super) fn new(prefix: String, table: &'t DeTable<'t>) -> Self {
        Self {
            prefix,
            table,
            known: BTreeSet::new(),
        }
    }

    /// A key's name with its table's.
    pub(super) fn field(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn get(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.insert(key);
        self.table.get(key)
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            errors: Vec::new(),
            unread: BTreeSet::new(),
        }
    }

    /// Notes that a field has no usable value, and why.
    pub(super) fn refuse(&mut self, field: String, error: SpecError) {
        self.unread.insert(field);
        self.note(error);
    }

    /// Notes an error that leaves nothing without a value.
    pub(super) fn note(&mut self, error: SpecError) {
        if self.has_room() {
            self.errors.push(error);
        }
    }

    fn has_room(&self) -> bool {
        self.errors.len() < MAX_ERRORS
    }

    /// A table that must be there. Its fields are not missed one by one when it is not.
    pub(super) fn table(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Option<Section<'t>> {
        let value = self.required(section, key)?;
        let field = section.field(key);
        self.as_table(field, value)
    }

    /// The tables of an array that may be left out.
    pub(super) fn tables(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Vec<Section<'t>> {
        self.array(section, key)
            .into_iter()
            .filter_map(|(field, value)| self.as_table(field, value))
            .collect()
    }

    /// The strings of an array that may be left out.
    pub(super) fn strings(&mut self, section: &mut Section<'t>, key: &'static str) -> Vec<String> {
        self.array(section, key)
            .into_iter()
            .filter_map(|(field, value)| {
                self.converted(field, value, "a string", |value| {
                    value.as_str().map(str::to_owned)
                })
            })
            .collect()
    }

    /// A string that must be there.
    pub(super) fn string(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Option<String> {
        self.read(section, key, "a string", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A string that may be left out.
    pub(super) fn optional_string(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Option<String> {
        let value = section.get(key)?;
        let field = section.field(key);
        self.converted(field, value, "a string", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A number that must be there. `expected` says what it may be.
    pub(super) fn number<N: TryFrom<i128>>(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
        expected: &'static str,
    ) -> Option<N> {
        self.read(section, key, expected, as_number)
    }

    /// A truth value; false when it is left out.
    pub(super) fn flag(&mut self, section: &mut Section<'t>, key: &'static str) -> bool {
        let Some(value) = section.get(key) else {
            return false;
        };
        let field = section.field(key);
        self.converted(field, value, "true or false", DeValue::as_bool)
            .unwrap_or(false)
    }

    /// A value that must be there, of a form of its own.
    pub(super) fn read<T>(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
        expected: &'static str,
        convert: impl FnOnce(&DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = self.required(section, key)?;
        let field = section.field(key);
        self.converted(field, value, expected, convert)
    }

    /// A value that may be left out, of a form of its own.
    pub(super) fn read_optional<T>(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
        expected: &'static str,
        convert: impl FnOnce(&DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = section.get(key)?;
        let field = section.field(key);
        self.converted(field, value, expected, convert)
    }

    /// Ends a table: keys that nothing asked for are unknown.
    pub(super) fn finish(&mut self, section: &Section<'t>) {
        for key in section.table.keys() {
            if !section.known.contains(key.get_ref().as_ref()) && self.has_room() {
                self.errors.push(SpecError::UnknownField {
                    field: quoted(&section.field(key.get_ref())),
                    line: self.line(key.span().start),
                });
            }
        }
    }

    /// The line of a place in the text, counted from 1.
    pub(super) fn line(&self, place: usize) -> usize {
        let before = self.text.as_bytes().iter().take(place);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    fn required(&mut self, section: &mut Section<'t>, key: &'static str) -> Option<Value<'t>> {
        let value = section.get(key);
        if value.is_none() {
            let field = section.field(key);
            self.refuse(field.clone(), SpecError::MissingField { field });
        }
        value
    }

    /// The elements of an array, each with its name.
    fn array(&mut self, section: &mut Section<'t>, key: &'static str) -> Vec<(String, Value<'t>)> {
        let Some(value) = section.get(key) else {
            return Vec::new();
        };
        let name = section.field(key);
        let Some(elements) = value.get_ref().as_array() else {
            self.wrong_type(name, value, "an array");
            return Vec::new();
        };
        elements
            .iter()
            .enumerate()
            .map(|(index, element)| (format!("{name}[{index}]"), element))
            .collect()
    }

    fn as_table(&mut self, field: String, value: Value<'t>) -> Option<Section<'t>> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(field, value, "a table");
            return None;
        };
        Some(Section::new(format!("{field}."), table))
    }

    fn converted<T>(
        &mut self,
        field: String,
        value: Value<'t>,
        expected: &'static str,
        convert: impl FnOnce(&DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let converted = convert(value.get_ref());
        if converted.is_none() {
            self.wrong_type(field, value, expected);
        }
        converted
    }

    fn wrong_type(&mut self, field: String, value: Value<'t>, expected: &'static str) {
        if !self.has_room() {
            self.unread.insert(field);
            return;
        }
        let span = value.span();
        let written = self.text.get(span.clone()).unwrap_or_default();
        let one_line = written.split_whitespace().collect::<Vec<_>>().join(" ");
        let error = SpecError::WrongType {
            field: field.clone(),
            line: self.line(span.start),
            value: quoted(&one_line),
            expected,
        };
        self.refuse(field, error);
    }
}

/// A whole number that fits the type.
pub(super) fn as_number<N: TryFrom<i128>>(value: &DeValue<'_>) -> Option<N> {
    let integer = value.as_integer()?;
    let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok()?;
    N::try_from(number).ok()
}

/// As much of a value from outside as an error repeats.
pub(super) fn quoted(value: &str) -> String {
    value.chars().take(MAX_QUOTED_CHARS).collect()
}

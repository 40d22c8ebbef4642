//! What a descriptor is, and the outputs of each of its paths, for those who ask about it.

use std::ops::RangeInclusive;

use pyrite_consensus::bitcoin::ScriptBuf;
use pyrite_consensus::spec::AddressKind;

use super::checksum::without_checksum;
use super::expand::{Expansion, Parsed, expand, split};
use super::paths::single_paths;
use crate::call::{CallError, CallResult};
use crate::error::stopping;
use crate::json::with_checksum;
use crate::stop::Stop;

/// What a descriptor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    /// Its text in canonical form, with public keys alone and a checksum: one for each of its paths.
    pub(crate) canonical: Vec<String>,
    /// Whether it has a wildcard.
    pub(crate) is_range: bool,
    /// Whether it says how its outputs are spent.
    pub(crate) is_solvable: bool,
    /// Whether private keys were given.
    pub(crate) has_private_keys: bool,
}

/// What a descriptor is.
///
/// # Errors
/// Code −5 when it is none.
pub(crate) fn describe(text: &str, addresses: AddressKind, stop: &Stop) -> CallResult<Description> {
    let mut paths = single_paths(without_checksum(text)?)?.into_iter();
    let first = paths.next().unwrap_or_default();
    let mut description = describe_path(&first, addresses, stop)?;
    for path in paths {
        if stop.is_stopping() {
            return Err(stopping());
        }
        let other = describe_path(&path, addresses, stop)?;
        description.canonical.extend(other.canonical);
    }
    Ok(description)
}

/// What a descriptor without several paths is.
fn describe_path(inner: &str, addresses: AddressKind, stop: &Stop) -> CallResult<Description> {
    let (function, argument) = split(inner);
    let parsed = |form: &str| Parsed::read(form, addresses.network());
    match function {
        "addr" | "raw" => {
            let expansion = Expansion {
                range: 0..=0,
                addresses,
                stop,
            };
            expand(inner, &expansion)?;
            let argument = match function {
                "raw" => argument.to_ascii_lowercase(),
                _ => argument.to_owned(),
            };
            Ok(Description {
                canonical: vec![with_checksum(&format!("{function}({argument})"))],
                is_range: false,
                is_solvable: false,
                has_private_keys: false,
            })
        }
        "combo" => parsed(&format!("pkh({argument})"))?
            .description(inner, |text| text.replacen("pkh(", "combo(", 1)),
        "rawtr" => parsed(&format!("tr({argument})"))?
            .description(inner, |text| text.replacen("tr(", "rawtr(", 1)),
        // Miniscript knows it inside of `sh` alone.
        "sortedmulti" => {
            parsed(&format!("sh({inner})"))?.description(inner, |text| split(text).1.to_owned())
        }
        _ => parsed(inner)?.description(inner, str::to_owned),
    }
}

impl Parsed {
    /// What it is; `form` makes the text that was asked about of the one that was read.
    fn description(self, asked: &str, form: impl Fn(&str) -> String) -> CallResult<Description> {
        let is_range = self.descriptor.has_wildcard();
        let has_private_keys = !self.keys.is_empty();
        let branches = self
            .descriptor
            .into_single_descriptors()
            .map_err(|error| CallError::not_found(error.to_string()))?;
        let text = |text: String| {
            // Hardened steps are written as they were.
            let text = match asked.contains('\'') {
                true => text,
                false => text.replace('\'', "h"),
            };
            with_checksum(&form(&text))
        };
        Ok(Description {
            canonical: branches
                .iter()
                .map(|branch| text(format!("{branch:#}")))
                .collect(),
            is_range,
            is_solvable: true,
            has_private_keys,
        })
    }
}

/// The outputs of each path of a descriptor, in the order of their indexes.
///
/// # Errors
/// Those of [`describe`], and code −5 when there are no keys for the range.
pub(crate) fn outputs_of_paths(
    text: &str,
    paths: usize,
    range: RangeInclusive<u32>,
    addresses: AddressKind,
    stop: &Stop,
) -> CallResult<Vec<Vec<ScriptBuf>>> {
    let expansion = Expansion {
        range: range.clone(),
        addresses,
        stop,
    };
    let needles = expand(text, &expansion)?;
    let is_combo = text.starts_with("combo(");
    let indexes = usize::try_from(range.end() - range.start()).unwrap_or(usize::MAX) + 1;
    let forms = if is_combo {
        (needles.len() / (paths.max(1) * indexes)).max(1)
    } else {
        1
    };
    // Of `combo`, all outputs of one form come before those of the next.
    let scripts = |path: usize| {
        (0..indexes)
            .flat_map(move |index| {
                (0..forms).map(move |form| (path * forms + form) * indexes + index)
            })
            .filter_map(|place| needles.get(place))
            .map(|needle| needle.script.clone())
            .collect()
    };
    Ok((0..paths).map(scripts).collect())
}

/// Whether a descriptor stands for several outputs at one index, of which not all have addresses.
pub(crate) fn is_combo(text: &str) -> bool {
    text.starts_with("combo(")
}

//! The text of `help`: all methods by family, or one method in detail.

use std::fmt::Write;

use crate::catalogue::{Catalogue, Family, Kind, MethodSpec, Need, ParamSpec};

/// The methods by family, one signature a line.
pub(crate) fn overview(catalogue: &Catalogue) -> String {
    let sections: Vec<String> = Family::ALL
        .into_iter()
        .filter_map(|family| {
            let mut lines: Vec<String> = catalogue
                .methods()
                .filter(|method| method.family == family)
                .map(signature)
                .collect();
            lines.sort_unstable();
            if lines.is_empty() {
                return None;
            }
            Some(format!("== {} ==\n{}", family.title(), lines.join("\n")))
        })
        .collect();
    sections.join("\n\n")
}

/// A method's signature: optional parameters in parentheses, strings in quotes.
pub(crate) fn signature(method: &MethodSpec) -> String {
    let mut text = method.name.to_owned();
    let mut in_optional = false;
    for param in method.params {
        match param.need {
            Need::Required if in_optional => {
                text.push_str(" )");
                in_optional = false;
            }
            Need::Optional(_) if !in_optional => {
                text.push_str(" (");
                in_optional = true;
            }
            _ => {}
        }
        text.push(' ');
        text.push_str(&shown(param));
    }
    if in_optional {
        text.push_str(" )");
    }
    text
}

/// Everything about a method.
pub(crate) fn detail(method: &MethodSpec) -> String {
    let mut text = format!("{}\n\n{}\n", signature(method), method.summary);
    if !method.params.is_empty() {
        text.push_str("\nArguments:\n");
        let width = method
            .params
            .iter()
            .map(|param| param.name().len())
            .max()
            .unwrap_or(0);
        for (index, param) in method.params.iter().enumerate() {
            writeln!(
                text,
                "{}. {:width$}    ({}) {}",
                index + 1,
                param.name(),
                traits(param),
                param.about
            )
            .expect("writing to a string succeeds");
        }
    }
    write!(text, "\nResult:\n{}\n", method.result).expect("writing to a string succeeds");
    text
}

/// A parameter in a signature.
fn shown(param: &ParamSpec) -> String {
    match param.kind {
        Kind::Text | Kind::Hex => format!("\"{}\"", param.name()),
        Kind::Array => format!("[\"{}\",...]", param.name()),
        Kind::Object | Kind::ObjectOrText | Kind::Options(_) => {
            format!("{{\"{}\":...}}", param.name())
        }
        Kind::Number
        | Kind::Boolean
        | Kind::Amount
        | Kind::HashOrHeight
        | Kind::Any
        | Kind::Described(_) => param.name().to_owned(),
    }
}

/// A parameter's type, need and default.
fn traits(param: &ParamSpec) -> String {
    let kind = match param.kind {
        Kind::Text => "string",
        Kind::Hex => "string, hex",
        Kind::Number => "numeric",
        Kind::Boolean => "boolean",
        Kind::Amount => "numeric or string",
        Kind::Array => "json array",
        Kind::Object | Kind::Options(_) => "json object",
        Kind::ObjectOrText => "json object or string",
        Kind::HashOrHeight => "string or numeric",
        Kind::Any => "numeric or boolean",
        Kind::Described(kind) => kind,
    };
    match param.need {
        Need::Required => format!("{kind}, required"),
        Need::Optional("") => format!("{kind}, optional"),
        Need::Optional(default) => format!("{kind}, optional, default={default}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{optional, required};

    const SAMPLE: MethodSpec = MethodSpec {
        name: "sample",
        family: Family::Util,
        summary: "Does nothing.",
        params: &[
            required("text", Kind::Text, "A text."),
            optional("count|number", Kind::Number, "1", "A count."),
            optional("flags", Kind::Array, "", "Flags."),
        ],
        result: "null",
    };

    #[test]
    fn a_signature_shows_what_is_optional() {
        assert_eq!(
            signature(&SAMPLE),
            "sample \"text\" ( count [\"flags\",...] )"
        );
    }

    #[test]
    fn the_detail_numbers_the_arguments() {
        let text = detail(&SAMPLE);
        assert!(
            text.contains("1. text     (string, required) A text.\n"),
            "{text}"
        );
        assert!(
            text.contains("2. count    (numeric, optional, default=1) A count.\n"),
            "{text}"
        );
        assert!(text.ends_with("Result:\nnull\n"), "{text}");
    }

    #[test]
    fn the_overview_has_a_heading_for_each_family() {
        let text = overview(&Catalogue::node());
        for family in Family::ALL {
            assert!(
                text.contains(&format!("== {} ==", family.title())),
                "{text}"
            );
        }
        assert!(
            text.contains("\ngetblock \"blockhash\" ( verbosity )\n"),
            "{text}"
        );
    }

    #[test]
    fn no_two_methods_share_a_name() {
        let mut names: Vec<_> = Catalogue::node()
            .methods()
            .map(|method| method.name)
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

//! Lists as tables, for people at a terminal.

use serde_json::{Map, Value};

/// The widest table.
const MAX_WIDTH: usize = 160;

/// The widest cell; a hash fits.
const MAX_CELL: usize = 64;

/// Between two columns.
const GAP: &str = "  ";

/// A list of objects as a table; `None` for anything else. Columns that find no room are named below.
pub(super) fn table(value: &Value) -> Option<String> {
    let rows: Vec<&Map<String, Value>> = value
        .as_array()
        .filter(|rows| !rows.is_empty())?
        .iter()
        .map(Value::as_object)
        .collect::<Option<_>>()?;
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let (mut shown, mut left_out, mut room) = (Vec::new(), Vec::new(), MAX_WIDTH);
    for name in columns {
        let width = column_width(name, &rows);
        match width.and_then(|width| room.checked_sub(width + GAP.len()).zip(Some(width))) {
            Some((rest, width)) => {
                room = rest;
                shown.push((name, width));
            }
            None => left_out.push(name),
        }
    }
    if shown.is_empty() {
        return None;
    }
    let mut lines = vec![line(&shown, |name| name.to_owned())];
    lines.extend(
        rows.iter()
            .map(|row| line(&shown, |name| cell(row.get(name)))),
    );
    if !left_out.is_empty() {
        lines.push(format!("\n(--json shows also: {})", left_out.join(", ")));
    }
    Some(lines.join("\n"))
}

/// How wide a column is; `None` where a value is no single one, or too long.
fn column_width(name: &str, rows: &[&Map<String, Value>]) -> Option<usize> {
    let mut width = name.chars().count();
    for value in rows.iter().filter_map(|row| row.get(name)) {
        if value.is_array() || value.is_object() {
            return None;
        }
        width = width.max(cell(Some(value)).chars().count());
    }
    (width <= MAX_CELL).then_some(width)
}

/// A value without quotes. Control characters must not reach the terminal.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.replace(char::is_control, "?"),
        Some(other) => other.to_string(),
    }
}

fn line(columns: &[(&str, usize)], text: impl Fn(&str) -> String) -> String {
    let cells = columns
        .iter()
        .map(|(name, width)| format!("{:width$}", text(name)));
    let line: Vec<_> = cells.collect();
    line.join(GAP).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_stand_under_their_columns() {
        let tips = json!([
            {"height": 12, "hash": "aa", "status": "active", "more": [1]},
            {"height": 9, "hash": "bbbb", "branchlen": 1},
        ]);
        assert_eq!(
            table(&tips).unwrap(),
            "height  hash  status  branchlen\n\
             12      aa    active\n\
             9       bbbb          1\n\n\
             (--json shows also: more)"
        );
    }

    #[test]
    fn what_finds_no_room_is_named() {
        let mut row = Map::new();
        for index in 0..10 {
            row.insert(format!("column{index}"), json!("x".repeat(30)));
        }
        row.insert("long".to_owned(), json!("x".repeat(MAX_CELL + 1)));
        let text = table(&json!([row])).unwrap();
        assert!(text.lines().all(|line| line.len() <= MAX_WIDTH), "{text}");
        assert!(text.contains("column9, long)"), "{text}");
    }

    #[test]
    fn only_lists_of_objects_are_tables() {
        for value in [
            json!([]),
            json!([1]),
            json!({"a": 1}),
            json!([{"a": [1]}]),
            json!("a"),
        ] {
            assert_eq!(table(&value), None, "{value}");
        }
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        let text = table(&json!([{"subver": "a\u{1b}[2J"}])).unwrap();
        assert!(text.ends_with("a?[2J"), "{text}");
    }
}

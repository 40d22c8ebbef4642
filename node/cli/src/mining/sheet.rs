//! A report as rows and columns, printed as a table for people, and as CSV and JSON for programs.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// What is in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// A text.
    Text(String),
    /// A number, in decimal.
    Number(String),
    /// What is not known.
    Unknown,
}

impl Cell {
    pub(crate) fn count(count: impl ToString) -> Self {
        Self::Number(count.to_string())
    }

    pub(crate) fn known(number: Option<String>) -> Self {
        number.map_or(Self::Unknown, Self::Number)
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Unknown => "",
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.clone().into(),
            // As exact as it is written.
            Self::Number(text) => text.parse::<Number>().map_or(Value::Null, Value::Number),
            Self::Unknown => Value::Null,
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name for programs.
    pub(crate) key: &'static str,
    /// Its heading for people; `None` for one that they don't get to see.
    pub(crate) title: Option<String>,
}

/// Rows of cells, and what they come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// The columns.
    pub(crate) columns: Vec<Column>,
    /// The rows, each with a cell for every column.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// A last row that is the sum of the others, if there is one.
    pub(crate) total: Option<Vec<Cell>>,
}

impl Sheet {
    /// A table with aligned columns.
    pub(crate) fn table(&self) -> String {
        let shown: Vec<(usize, &str)> = self
            .columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| Some((index, column.title.as_deref()?)))
            .collect();
        let cell = |row: &[Cell], index: usize| match &row[index] {
            Cell::Unknown => "-".to_owned(),
            cell => cell.text().to_owned(),
        };
        let mut lines: Vec<Vec<String>> =
            vec![shown.iter().map(|(_, title)| (*title).to_owned()).collect()];
        for row in self.rows.iter().chain(&self.total) {
            lines.push(shown.iter().map(|(index, _)| cell(row, *index)).collect());
        }
        let widths: Vec<usize> = (0..shown.len())
            .map(|column| {
                let cells = lines.iter().map(|line| line[column].chars().count());
                cells.max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for line in &lines {
            let mut out = String::new();
            for (position, cell) in line.iter().enumerate() {
                let width = widths[position];
                // The first column is a name, and stands on the left.
                let _ = match position {
                    0 => write!(out, "{cell:<width$}"),
                    _ => write!(out, "  {cell:>width$}"),
                };
            }
            text.push_str(out.trim_end());
            text.push('\n');
        }
        text
    }

    /// Comma-separated values: the columns' names, and the rows without their sum.
    pub(crate) fn csv(&self) -> String {
        let keys = self.columns.iter().map(|column| column.key.to_owned());
        let mut text = csv_line(keys);
        for row in &self.rows {
            text.push_str(&csv_line(row.iter().map(|cell| quoted(cell.text()))));
        }
        text
    }

    /// The rows as objects.
    pub(crate) fn json_rows(&self) -> Vec<Value> {
        self.rows.iter().map(|row| self.json_row(row)).collect()
    }

    /// The sum as an object.
    pub(crate) fn json_total(&self) -> Option<Value> {
        self.total.as_ref().map(|row| self.json_row(row))
    }

    fn json_row(&self, row: &[Cell]) -> Value {
        let keys = self.columns.iter().map(|column| column.key.to_owned());
        let fields: Map<String, Value> = keys.zip(row.iter().map(Cell::json)).collect();
        Value::Object(fields)
    }
}

fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// A CSV field (RFC 4180). A text that a spreadsheet would take for a formula is not written by anyone here but a device's
/// name, so it gets an apostrophe.
fn quoted(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok();
    let guarded = if !is_number && text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let column = |key, title: Option<&str>| Column {
            key,
            title: title.map(str::to_owned),
        };
        Sheet {
            columns: vec![
                column("period", Some("PERIOD")),
                column("coins", Some("COINS")),
                column("currency", None),
            ],
            rows: vec![
                vec![
                    Cell::Text("2026-11".to_owned()),
                    Cell::Number("50.00000001".to_owned()),
                    Cell::Text("E,U\"R".to_owned()),
                ],
                vec![
                    Cell::Text("=1+1".to_owned()),
                    Cell::Unknown,
                    Cell::Text(String::new()),
                ],
            ],
            total: Some(vec![
                Cell::Text("total".to_owned()),
                Cell::Number("-5.10".to_owned()),
                Cell::Unknown,
            ]),
        }
    }

    #[test]
    fn a_table_has_aligned_columns() {
        let expected = "PERIOD         COINS\n\
                        2026-11  50.00000001\n\
                        =1+1               -\n\
                        total          -5.10\n";
        assert_eq!(sheet().table(), expected);
    }

    #[test]
    fn csv_is_quoted_where_it_must_be_and_has_no_sum() {
        let expected = "period,coins,currency\r\n\
                        2026-11,50.00000001,\"E,U\"\"R\"\r\n\
                        '=1+1,,\r\n";
        assert_eq!(sheet().csv(), expected);
    }

    #[test]
    fn json_has_exact_numbers() {
        let sheet = sheet();
        let rows = Value::Array(sheet.json_rows()).to_string();
        assert!(rows.contains("\"coins\":50.00000001"), "{rows}");
        assert!(rows.contains("\"coins\":null"), "{rows}");
        let total = sheet.json_total().unwrap().to_string();
        assert!(total.contains("\"coins\":-5.10"), "{total}");
    }
}

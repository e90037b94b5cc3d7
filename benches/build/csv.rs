//! The little of CSV that `shapes/` uses: `#` comments, a header, commas, no quotes.

use std::collections::BTreeMap;

/// A row by column name.
pub struct Row(BTreeMap<String, String>);

/// All rows of a file.
pub fn rows(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let header: Vec<&str> = lines.next().ok_or("no header")?.split(',').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            if cells.len() != header.len() {
                return Err(format!("`{line}` has {} cells, the header {}", cells.len(), header.len()));
            }
            Ok(Row(header.iter().zip(cells).map(|(key, cell)| (key.to_string(), cell.to_string())).collect()))
        })
        .collect()
}

impl Row {
    /// A cell as it is.
    pub fn text(&self, column: &str) -> Result<&str, String> {
        self.0.get(column).map(String::as_str).ok_or_else(|| format!("no column `{column}`"))
    }

    /// A cell as a whole number.
    pub fn number(&self, column: &str) -> Result<usize, String> {
        let text = self.text(column)?;
        text.parse().map_err(|_| format!("`{text}` in column `{column}` is not a number"))
    }

    /// A cell that may be empty, as the text of an `Option<f64>`.
    pub fn optional(&self, column: &str) -> Result<String, String> {
        Ok(match self.text(column)? {
            "" => "None".to_owned(),
            text => format!("Some({:?})", text.parse::<f64>().map_err(|error| format!("`{text}`: {error}"))?),
        })
    }
}

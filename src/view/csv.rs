//! Tables as files for spreadsheets: RFC 4180, with the mark by which they know UTF-8, and no cell that they would run.

/// Writes a table. Every cell is quoted; one that a spreadsheet would take for a formula begins with an apostrophe (OWASP,
/// "CSV injection").
#[must_use]
pub fn table<R: AsRef<[String]>>(rows: impl IntoIterator<Item = R>) -> String {
    let mut text = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.as_ref().iter().map(|cell| self::cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn cell(text: &str) -> String {
    let runs = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let apostrophe = if text.trim_start_matches(' ').starts_with(runs) { "'" } else { "" };
    format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_lines_end_as_the_rule_says() {
        let rows = [vec!["a".to_owned(), "b \"c\", d".to_owned()], vec!["é\nf".to_owned(), String::new()]];
        assert_eq!(table(rows), "\u{feff}\"a\",\"b \"\"c\"\", d\"\r\n\"é\nf\",\"\"\r\n");
        assert_eq!(table(Vec::<Vec<String>>::new()), "\u{feff}");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for evil in ["=1+1", "+33", "-2", "@sum", "\tx", "\rx", "\n=x", "  =x", "＝x"] {
            assert_eq!(table([[evil.to_owned()]]), format!("\u{feff}\"'{evil}\"\r\n"));
        }
        for plain in ["a=1", "'", "1", "ليلى"] {
            assert_eq!(table([[plain.to_owned()]]), format!("\u{feff}\"{plain}\"\r\n"));
        }
    }
}

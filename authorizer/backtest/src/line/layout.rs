//! The columns of an access log in the W3C extended log file format.
//!
//! [AWS: standard logging
//! reference](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html) has
//! the names of the fields; with standard logging (v2) a distribution logs any selection of them, in any order.

use std::borrow::Cow;

use super::access::Values;

/// The names of the columns, in order, from a `#Fields:` line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout(Vec<String>);

/// What can stand between the fields of standard logging (v2), beside the tab, which is the default. A field does not
/// contain it: a space is logged as `%20`.
const OTHER_DELIMITERS: [char; 4] = [' ', ',', ';', '|'];

impl Layout {
    /// Parses a line of a log; `None` if it is not a `#Fields:` line.
    pub fn parse(line: &str) -> Option<Self> {
        let names = line.trim_end().strip_prefix("#Fields:")?;
        // The name of a field has none of these.
        let is_between = |one: char| one.is_ascii_whitespace() || OTHER_DELIMITERS.contains(&one);
        Some(Self(names.split(is_between).filter(|name| !name.is_empty()).map(str::to_owned).collect()))
    }

    /// The values of a line; an error if it does not have these columns.
    pub(super) fn values<'l>(&self, line: &'l str) -> Result<Values<'l>, String> {
        let delimiter = self.delimiter(line);
        let mut values = Values::default();
        let mut columns = line.split(delimiter);
        for name in &self.0 {
            let value = columns.next().ok_or_else(|| self.problem(line, delimiter))?;
            values.set(name, Cow::Borrowed(value));
        }
        // AWS's own example has a line that ends in a tab.
        match (columns.next(), columns.next()) {
            (None | Some(""), None) => Ok(values),
            (Some(_), _) | (None, Some(_)) => Err(self.problem(line, delimiter)),
        }
    }

    /// The names and values of a line that has these columns.
    pub(super) fn pairs(&self, line: &str) -> Vec<(String, String)> {
        self.0.iter().cloned().zip(line.split(self.delimiter(line)).map(str::to_owned)).collect()
    }

    /// The tab, unless the line has none, and exactly one other delimiter makes as many columns as there are names.
    fn delimiter(&self, line: &str) -> char {
        if line.contains('\t') {
            return '\t';
        }
        let mut fitting = OTHER_DELIMITERS.into_iter().filter(|one| line.split(*one).count() == self.0.len());
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => one,
            (None | Some(_), _) => '\t',
        }
    }

    fn problem(&self, line: &str, delimiter: char) -> String {
        let (columns, names) = (line.split(delimiter).count(), self.0.len());
        format!("the line has {columns} tab-separated columns, but the `#Fields:` line names {names}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_whatever_their_order() {
        let layout = Layout::parse("#Fields: sc-status cs-uri-stem cs(Host) cs-method\n").unwrap();
        let values = layout.values("200\t/a\th\tGET").unwrap();
        assert_eq!(values.method.as_deref(), Some("GET"));
        assert_eq!(values.stem.as_deref(), Some("/a"));
        assert_eq!(values.status.as_deref(), Some("200"));
        assert_eq!(layout.values("200\t-\th\tGET\t").unwrap().stem, None);
        for line in
            ["200\t/a\th", "200\t/a\th\tGET\tx", "200\t/a\th\tGET\t\t", "200 /a h GET x", "200\t/a h GET"]
        {
            assert!(layout.values(line).is_err(), "{line}");
        }
        assert_eq!(Layout::parse("#Version: 1.0"), None);
    }

    #[test]
    fn another_delimiter_is_known_by_the_number_of_columns() {
        for (fields, line) in [
            ("#Fields: sc-status cs-uri-stem cs-method", "200 /a,b;c|d GET"),
            ("#Fields: sc-status,cs-uri-stem,cs-method", "200,/a;b|c,GET"),
            ("#Fields: sc-status;cs-uri-stem;cs-method", "200;/a,b,c,d;GET"),
            ("#Fields: sc-status cs-uri-stem cs-method", "200|/a,b,c,d|GET"),
        ] {
            let values = Layout::parse(fields).unwrap().values(line).unwrap();
            assert_eq!(
                (values.status.as_deref(), values.method.as_deref()),
                (Some("200"), Some("GET")),
                "{line}"
            );
        }
        // Two delimiters make three columns: which one it is cannot be told.
        let layout = Layout::parse("#Fields: sc-status cs-uri-stem cs-method").unwrap();
        assert!(layout.values("200,/a;b,c;GET").is_err());
    }
}

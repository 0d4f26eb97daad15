//! The columns of an access log in the W3C extended log file format.
//!
//! [AWS: standard logging
//! reference](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html) has
//! the names of the fields; with standard logging (v2) a distribution logs any selection of them, in any order.

use std::borrow::Cow;

use super::access::Values;

/// The columns of a log, from its `#Fields:` line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    /// The names of the columns, in order.
    names: Vec<String>,
    delimiter: Delimiter,
}

/// What stands between the fields of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Delimiter {
    /// A tab; or a space, in a line without a tab. No field has either of them: they are logged as `%09` and `%20`.
    TabOrSpace,
    /// This character, which is also between the names, or which a person chose.
    Char(char),
}

/// What standard logging (v2) can put between the fields, beside the tab and the space.
///
/// A viewer can put each of these into a path. So a log is never read with one of them because it fits a line: that
/// line could be the viewer's own text.
const OTHER_DELIMITERS: [char; 3] = [',', ';', '|'];

impl Layout {
    /// Parses a line of a log; `None` if it is not a `#Fields:` line.
    pub fn parse(line: &str) -> Option<Self> {
        let text = line.trim_end().strip_prefix("#Fields:")?;
        // The name of a field has none of these.
        let is_between = |one: char| one.is_ascii_whitespace() || OTHER_DELIMITERS.contains(&one);
        let names = text.split(is_between).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let mut others = OTHER_DELIMITERS.into_iter().filter(|other| text.contains(*other));
        let delimiter = match (others.next(), others.next()) {
            (Some(other), None) => Delimiter::Char(other),
            (None | Some(_), _) => Delimiter::TabOrSpace,
        };
        Some(Self { names, delimiter })
    }

    /// The same columns, with this character between the fields, whatever is between the names.
    #[must_use]
    pub fn separated_by(self, delimiter: char) -> Self {
        Self { delimiter: Delimiter::Char(delimiter), ..self }
    }

    /// The values of a line; an error if it does not have these columns.
    pub(super) fn values<'l>(&self, line: &'l str) -> Result<Values<'l>, String> {
        let delimiter = self.delimiter(line);
        let mut values = Values::default();
        let mut columns = line.split(delimiter);
        for name in &self.names {
            let value = columns.next().ok_or_else(|| self.problem(line))?;
            values.set(name, Cow::Borrowed(value));
        }
        match (columns.next(), columns.next()) {
            (None, _) => Ok(values),
            // AWS's own example has a line that ends in a tab.
            (Some(""), None) if delimiter == '\t' => Ok(values),
            (Some(_), _) => Err(self.problem(line)),
        }
    }

    /// The names and values of a line that has these columns.
    pub(super) fn pairs(&self, line: &str) -> Vec<(String, String)> {
        self.names.iter().cloned().zip(line.split(self.delimiter(line)).map(str::to_owned)).collect()
    }

    fn delimiter(&self, line: &str) -> char {
        match self.delimiter {
            Delimiter::Char(one) => one,
            Delimiter::TabOrSpace if line.contains('\t') => '\t',
            Delimiter::TabOrSpace => ' ',
        }
    }

    fn problem(&self, line: &str) -> String {
        let (columns, names) = (line.split(self.delimiter(line)).count(), self.names.len());
        let delimiter = match self.delimiter {
            Delimiter::TabOrSpace => "a tab or a space".to_owned(),
            Delimiter::Char(one) => format!("`{one}`"),
        };
        format!(
            "the line has {columns} columns with {delimiter} between them, but the `#Fields:` line names {names}; \
             if the log has another delimiter, name it with --delimiter"
        )
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
    fn another_delimiter_is_that_of_the_fields_line() {
        for (fields, line) in [
            ("#Fields: sc-status cs-uri-stem cs-method", "200 /a,b;c|d GET"),
            ("#Fields: sc-status,cs-uri-stem,cs-method", "200,/a;b|c,GET"),
            ("#Fields: sc-status, cs-uri-stem, cs-method", "200,/a;b|c,GET"),
            ("#Fields: sc-status;cs-uri-stem;cs-method", "200;/a,b,c,d;GET"),
            ("#Fields: sc-status|cs-uri-stem|cs-method", "200|/a,b,c,d|GET"),
        ] {
            let values = Layout::parse(fields).unwrap().values(line).unwrap();
            assert_eq!(
                (values.status.as_deref(), values.method.as_deref()),
                (Some("200"), Some("GET")),
                "{line}"
            );
        }
    }

    #[test]
    fn a_viewer_does_not_choose_the_delimiter() {
        // The path is the viewer's: with another delimiter, the rest of the line is too.
        let names = ["c-ip", "cs-method", "cs-uri-stem", "sc-status", "x-edge-result-type", "cs(Host)"];
        for (between_names, between) in
            [(" ", ","), (" ", "|"), (" ", " "), (" ", "\t"), (",", ","), (";", ";"), ("|", "|")]
        {
            let layout = Layout::parse(&format!("#Fields: {}", names.join(between_names))).unwrap();
            let starts = ["/a", "/a,", "/a;", "/a|"];
            for (start, forged) in starts.iter().flat_map(|start| [",", ";", "|"].map(|one| (start, one))) {
                let path = [start, "GET", "/shared/plan.pdf", "200", "Hit", ""].join(forged);
                let line = ["203.0.113.9", "GET", &path, "403", "LambdaGeneratedResponse", "h"].join(between);
                if let Ok(values) = layout.values(&line) {
                    assert_eq!(values.stem.as_deref(), Some(path.as_str()), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_delimiter_that_the_fields_line_does_not_have_is_not_taken() {
        let layout = Layout::parse("#Fields: sc-status cs-uri-stem cs-method").unwrap();
        for line in ["200,/a,GET", "200|/a|GET", "200,/a;b,c;GET"] {
            let problem = layout.values(line).unwrap_err();
            assert!(problem.contains("name it with --delimiter"), "{problem}");
        }
        // A person knows it.
        let values = layout.clone().separated_by(',');
        assert_eq!(values.values("200,/a;b,GET").unwrap().stem.as_deref(), Some("/a;b"));
        // Two delimiters between the names: neither is taken.
        let layout = Layout::parse("#Fields: sc-status,cs-uri-stem;cs-method").unwrap();
        assert!(layout.values("200,/a,GET").is_err());
        // Only a tab may end a line.
        let layout = Layout::parse("#Fields: sc-status,cs-uri-stem,cs-method").unwrap();
        assert!(layout.values("200,/a,GET,").is_err());
    }
}

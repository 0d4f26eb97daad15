//! The table for spreadsheets: each row of the table is a row, each operation is a column.

use authorizer_analysis::{Cell, Matrix, who_in_words};
use authorizer_core::operation::S3Operation;

use authorizer_findings::deployment::Reach;

use super::reach::{through, undecided};
use crate::output::OutputError;

/// Writes the table to standard output.
pub(super) fn write(table: &Matrix) -> Result<(), OutputError> {
    let mut writer = csv::Writer::from_writer(anstream::stdout());
    let failed = |error: csv::Error| OutputError::of(error.into());
    let headings = ["who", "keys", "conditions"].into_iter().chain(S3Operation::ALL.map(S3Operation::name));
    writer.write_record(headings).map_err(failed)?;
    for row in &table.rows {
        let mut fields = vec![
            who_in_words(&row.who, &row.sessions).join("; "),
            plain(&row.keys),
            plain(&row.conditions.join("; ")),
        ];
        for operation in S3Operation::ALL {
            let cell = row.cells.iter().find(|cell| cell.operation == operation);
            fields.push(cell.map(shown).unwrap_or_default());
        }
        writer.write_record(&fields).map_err(failed)?;
    }
    writer.flush().map_err(OutputError::of)
}

/// Writes the table of buckets to standard output. A behavior without a policy that is known is a row without operations.
pub(super) fn write_reach(all: &Reach) -> Result<(), OutputError> {
    let mut writer = csv::Writer::from_writer(anstream::stdout());
    let failed = |error: csv::Error| OutputError::of(error.into());
    let headings = ["bucket", "who", "keys", "conditions", "through"];
    let operations = S3Operation::ALL.map(S3Operation::name);
    writer.write_record(headings.into_iter().chain(operations)).map_err(failed)?;
    for bucket in &all.buckets {
        for one in undecided(bucket) {
            let fields =
                [plain(&bucket.bucket), "anyone".to_owned(), "**".to_owned(), plain(&one), String::new()];
            let none = S3Operation::ALL.map(|_| String::new());
            writer.write_record(fields.iter().chain(&none)).map_err(failed)?;
        }
        for row in &bucket.rows {
            let ways: Vec<String> = row.through.iter().map(through).collect();
            let mut fields = vec![
                plain(&bucket.bucket),
                plain(&who_in_words(&row.who, &row.sessions).join("; ")),
                plain(&row.keys),
                plain(&row.conditions.join("; ")),
                plain(&ways.join("; ")),
            ];
            for operation in S3Operation::ALL {
                let cell = row.cells.iter().find(|cell| cell.operation == operation);
                fields.push(cell.map(shown).unwrap_or_default());
            }
            writer.write_record(&fields).map_err(failed)?;
        }
    }
    for one in &all.elsewhere {
        let what = format!("goes to {}, which is not known to be a bucket", one.origin);
        let way = format!("{} {}", one.distribution, one.behavior);
        let fields = [String::new(), "not shown".to_owned(), String::new(), plain(&what), plain(&way)];
        let none = S3Operation::ALL.map(|_| String::new());
        writer.write_record(fields.iter().chain(&none)).map_err(failed)?;
    }
    writer.flush().map_err(OutputError::of)
}

fn shown(cell: &Cell) -> String {
    let except: String = cell.except.iter().map(|rule| format!("; not where {rule} denies it")).collect();
    plain(&format!("{}{except}", cell.rules.join("; ")))
}

/// Text that a spreadsheet does not read as a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

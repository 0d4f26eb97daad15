//! The table for spreadsheets: a row for each row, a column for each operation.

use authorizer_analysis::{Cell, Matrix};
use authorizer_core::operation::S3Operation;

use crate::output::OutputError;

/// Writes it to standard output.
pub(super) fn write(table: &Matrix) -> Result<(), OutputError> {
    let mut writer = csv::Writer::from_writer(anstream::stdout());
    let failed = |error: csv::Error| OutputError::of(error.into());
    let headings = ["who", "keys", "conditions"].into_iter().chain(S3Operation::ALL.map(S3Operation::name));
    writer.write_record(headings).map_err(failed)?;
    for row in &table.rows {
        let mut fields = vec![row.who.join("; "), plain(&row.keys), plain(&row.conditions.join("; "))];
        for operation in S3Operation::ALL {
            let cell = row.cells.iter().find(|cell| cell.operation == operation);
            fields.push(cell.map(shown).unwrap_or_default());
        }
        writer.write_record(&fields).map_err(failed)?;
    }
    writer.flush().map_err(OutputError::of)
}

fn shown(cell: &Cell) -> String {
    let except: String = cell.except.iter().map(|rule| format!("; not where {rule} denies it")).collect();
    plain(&format!("{}{except}", cell.rules.join("; ")))
}

/// A text that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

//! The table for people.

use authorizer_analysis::{Cell, Matrix, who_in_words};

use crate::output::{OutputError, line};
use crate::table::table;

pub(super) fn write(matrix: &Matrix) -> Result<(), OutputError> {
    if matrix.rows.is_empty() {
        return line("nobody can do anything");
    }
    let headings = ["keys", "who", "only where", "operations", "by rule"];
    let rows = matrix.rows.iter().flat_map(|row| {
        let conditions = row.conditions.join("\n");
        by_rules(&row.cells).into_iter().map(move |cells| {
            [
                row.keys.clone(),
                who_in_words(&row.who, &row.sessions).join("\n"),
                where_of(&conditions, &cells),
                operations_of(&cells),
                rules_of(&cells),
            ]
        })
    });
    line(table(headings, rows))
}

/// The cells of a row, those together that the same rules allow.
pub(super) fn by_rules(cells: &[Cell]) -> Vec<Vec<&Cell>> {
    let mut groups: Vec<Vec<&Cell>> = Vec::new();
    for cell in cells {
        let same = |group: &&mut Vec<&Cell>| {
            group.first().is_some_and(|one| one.rules == cell.rules && one.except == cell.except)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    groups
}

/// The conditions, and the deny rules that take keys or people out.
pub(super) fn where_of(conditions: &str, cells: &[&Cell]) -> String {
    let except = cells.first().map(|cell| cell.except.as_slice()).unwrap_or_default();
    let except = except.iter().map(|rule| format!("not where {rule} denies it"));
    let conditions = conditions.lines().map(str::to_owned);
    conditions.chain(except).collect::<Vec<_>>().join("\n")
}

pub(super) fn operations_of(cells: &[&Cell]) -> String {
    cells.iter().map(|cell| cell.operation.name()).collect::<Vec<_>>().join("\n")
}

pub(super) fn rules_of(cells: &[&Cell]) -> String {
    cells.first().map(|cell| cell.rules.join("\n")).unwrap_or_default()
}

//! The reason words of `docs/decision-log.md`.

use std::fs;
use std::path::Path;

use authorizer_core::Reason;

use super::{holds, with_part};
use crate::harness::ROOT;

const PAGE: &str = "docs/decision-log.md";

#[test]
fn the_table_of_reasons_is_the_list_of_the_core() {
    let mut table = "| status | reason | the request |\n| --- | --- | --- |\n".to_owned();
    for reason in Reason::ALL {
        // The anchor is what links to a reason name, `decision-log.md#token_expired`.
        let (status, word) = (reason.status(), reason.word());
        table += &format!("| {status} | <a id=\"{word}\"></a>`{word}` | {} |\n", reason.meaning());
    }
    let page = fs::read_to_string(Path::new(ROOT).join(PAGE)).unwrap();
    holds(PAGE, &with_part(&page, "reasons", &table));
}

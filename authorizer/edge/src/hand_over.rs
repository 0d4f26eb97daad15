//! How a managed runtime handed the work over. A shim, or the handler of the library, says so in an environment variable,
//! which it sets right before.

use std::env;
use std::process;

/// The variable: the runtime, and the id of its process, such as `python3.14:8`.
const VARIABLE: &str = "AUTHORIZER_HANDED_OVER";

/// The runtime that handed over, and how.
#[derive(Debug, Eq, PartialEq)]
pub struct HandOver {
    /// As Lambda names it, such as `python3.14`; `None` if no shim took part.
    pub(crate) runtime: Option<String>,
    /// The id that the runtime's process had.
    pub(crate) runtime_pid: Option<u32>,
    /// The word for the log.
    pub(crate) how: &'static str,
}

impl HandOver {
    /// That to this process.
    pub fn of_process() -> Self {
        Self::said(env::var(VARIABLE).ok().as_deref(), process::id())
    }

    /// That to a library, whose handler keeps the runtime's process.
    pub fn of_library() -> Self {
        Self { how: "library", ..Self::of_process() }
    }

    /// That of a process with this id, by what the variable has.
    fn said(text: Option<&str>, pid: u32) -> Self {
        let read = text.and_then(|text| text.split_once(':')).and_then(|(runtime, id)| {
            let is_name = runtime.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
            (is_name && (1..=32).contains(&runtime.len())).then_some(runtime).zip(id.parse::<u32>().ok())
        });
        match read {
            // Only exec keeps the id.
            Some((runtime, id)) => Self {
                runtime: Some(runtime.to_owned()),
                runtime_pid: Some(id),
                how: if id == pid { "exec" } else { "child" },
            },
            None => Self { runtime: None, runtime_pid: None, how: "none" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_kept_its_id_was_handed_over_by_exec_and_what_no_shim_wrote_is_not_believed() {
        let said = |text| {
            let HandOver { runtime, runtime_pid, how } = HandOver::said(text, 8);
            (runtime.unwrap_or_default(), runtime_pid, how)
        };
        assert_eq!(said(Some("python3.14:8")), ("python3.14".to_owned(), Some(8), "exec"));
        assert_eq!(said(Some("nodejs20.x:7")), ("nodejs20.x".to_owned(), Some(7), "child"));
        let long = format!("{}:8", "a".repeat(33));
        for text in [
            None,
            Some(""),
            Some("python3.14"),
            Some(":8"),
            Some("python3.14:"),
            Some("a\"b:8"),
            Some("a:8:8"),
            Some(&*long),
        ] {
            assert_eq!(said(text), (String::new(), None, "none"), "{text:?}");
        }
    }
}

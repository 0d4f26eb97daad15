//! The paths that the function answers itself.

use super::super::super::document::CodeFlowDocument;
use super::super::super::problem::{Place, Problems};
use crate::key::{KeyError, ObjectKey};
use crate::sign_in::code_flow::{REFRESH_PATH, SESSION_PATH, SIGNED_OUT_PATH};

/// The paths that the function answers itself. They are compared with the path of a request as it is sent.
pub(super) fn check_paths(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    let fixed = [SESSION_PATH, REFRESH_PATH, SIGNED_OUT_PATH];
    for (member, path) in
        [("redirect_path", &document.redirect_path), ("sign_out_path", &document.sign_out_path)]
    {
        let place = place.then(member);
        let key = ObjectKey::from_uri(path);
        let message = match key {
            Err(KeyError::Missing) if path == "/" => "`/` is the path of a listing of the bucket".to_owned(),
            Err(KeyError::Missing) => {
                format!("`{}` is not a path: it does not begin with `/`", path.escape_debug())
            }
            Err(error) => format!("`{}` is not a path of an object: {error}", path.escape_debug()),
            Ok(key) if key.to_uri() != *path => {
                format!("`{}` is another spelling of the path `{}`", path.escape_debug(), key.to_uri())
            }
            Ok(_) if fixed.contains(&path.as_str()) => format!("`{path}` has another meaning"),
            Ok(_) if member == "sign_out_path" && *path == document.redirect_path => {
                format!("`{path}` is `redirect_path` too")
            }
            Ok(_) => continue,
        };
        let example = if member == "redirect_path" { "/.auth/callback" } else { "/.auth/sign-out" };
        problems.add(
            place,
            message,
            format!(
                "write a path of the distribution that no object has, such as `{member} = \"{example}\"`"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::assert_problems;

    #[test]
    fn every_problem_of_a_path_is_found_at_its_place() {
        assert_problems(&[
            ("redirect_path", json!("/"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("callback"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/a?b"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/%61"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/a/../b"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/a b"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/.auth/session"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/.auth/sign-out"), Some("sign_in.sign_out_path")),
            ("redirect_path", json!("/parseauth"), None),
            ("sign_out_path", json!("/.auth/refresh"), Some("sign_in.sign_out_path")),
        ]);
    }
}

//! `infra/smoke` passes for a correct distribution, and fails for others.

use std::process::Command;

use authorizer_e2e::binaries::root;
use authorizer_e2e::served::Served;
use authorizer_e2e::skipped::skip;

/// Runs the script: its exit status, and the lines that it printed.
fn smoke(served: &Served, url: &str, folder: &str, users: &[&str]) -> Option<(i32, Vec<String>)> {
    if Command::new("curl").arg("--version").output().is_err() {
        skip("infra/smoke: curl is not installed");
        return None;
    }
    let tokens = users.iter().map(|user| served.folder().join("tokens").join(user));
    let mut smoke = Command::new(root().join("infra/smoke"));
    let output = smoke.args([url, folder]).args(tokens).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    Some((output.status.code().unwrap(), lines))
}

fn wrong(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("WRONG  ")).collect()
}

#[test]
fn the_distribution_of_make_run_is_as_it_should_be_and_is_left_as_it_was() {
    let served = Served::sample();
    let url = format!("http://{}", served.addr());
    let Some((status, lines)) = smoke(&served, &url, "users/alice/", &["alice", "bob"]) else { return };
    assert_eq!((status, wrong(&lines)), (0, Vec::new()), "{lines:#?}");
    assert_eq!(lines.len(), 23, "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "all answers are right");
    let left = served.everything().into_iter().filter(|(path, _)| path.is_file()).count();
    assert_eq!(left, 0);
}

#[test]
fn a_bucket_without_the_function_in_front_of_it_is_found_wrong_though_it_refuses() {
    let served = Served::sample();
    let url = format!("http://{}", served.s3_addr());
    let Some((status, lines)) = smoke(&served, &url, "users/alice", &["alice"]) else { return };
    assert_eq!(status, 1);
    // S3 answers 403 and 400 to these as well, but here the function must answer.
    for refusal in ["GET without a token: 401", "the ACL: 400", "a path with ..: 400"] {
        assert!(wrong(&lines).iter().any(|line| line.starts_with(refusal)), "{refusal}: {lines:#?}");
    }
    assert_eq!(lines.last().unwrap(), &format!("{} wrong", wrong(&lines).len()));
}

#[test]
fn a_user_without_the_right_and_another_with_it_are_found_wrong() {
    let served = Served::sample();
    let url = format!("http://{}", served.addr());
    let Some((status, lines)) = smoke(&served, &url, "users/alice/", &["bob", "alice"]) else { return };
    assert_eq!(status, 1);
    for line in ["PUT by the user: 200: 403", "GET by the other user: 403: 404"] {
        assert!(wrong(&lines).contains(&line), "{line}: {lines:#?}");
    }
}

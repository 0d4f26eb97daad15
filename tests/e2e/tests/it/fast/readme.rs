//! The README: its picture of a terminal shows what the programs print, and its requests get the answers that it says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::pages::blocks;
use authorizer_e2e::served::Served;

const PICTURE: &str = "docs/at-work.svg";

/// What is typed, one command after the other. `$FILES` is the local distribution.
const SESSION: [&str; 6] = [
    "curl -sw '%{http_code}\\n' -X PUT -d hello -H @.local/tokens/alice $FILES/users/alice/hello.txt",
    "curl -sw '\\n%{http_code}\\n' -H @.local/tokens/alice $FILES/users/alice/hello.txt",
    "curl -sw '%{http_code}\\n' -o /dev/null -H @.local/tokens/bob $FILES/users/alice/hello.txt",
    "authorizer explain --policy .local/policy.toml --method GET --path /users/alice/hello.txt \\\n    \
     --issuer sample --claims '{\"sub\": \"bob\", \"scope\": \"files\"}' | grep -e refused -e owners-manage",
    "authorizer audit query --policy .local/policy.toml --operation DeleteObject --keys 'records/**'",
    "sed 's|\"public/|\"shared/**\", &|' .local/policy.toml > .local/change.toml\n\
     authorizer audit diff .local/policy.toml .local/change.toml --no-new-access | head -n 7",
];

/// The columns of the terminal.
const WIDE: usize = 104;

/// Runs a command in the folder; what it prints.
fn shell(folder: &Path, files: &str, command: &str) -> String {
    let program = authorizer();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-euc", command])
        .current_dir(folder)
        .envs([("PATH", path.as_str()), ("FILES", files), ("NO_COLOR", "1")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success() && err.is_empty(), "{command}\n{out}{err}");
    out
}

/// The lines of the terminal: those that a person types, and those that are printed.
fn session() -> Vec<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::sample_in(&folder.path().join(".local"));
    let files = format!("http://{}", served.addr());
    // Where `make run` serves; here it is another port.
    let mut lines =
        vec![(true, "$ FILES=http://127.0.0.1:8080  # `make run` serves it, in another terminal".to_owned())];
    for command in SESSION {
        let out = shell(folder.path(), &files, command);
        assert!(!out.trim().is_empty(), "{command}");
        // A line of a command that was continued is no prompt.
        let mut continued = false;
        for line in command.lines() {
            lines.push((true, format!("{}{line}", if continued { "" } else { "$ " })));
            continued = line.ends_with('\\');
        }
        lines.extend(out.lines().map(|line| (false, line.to_owned())));
    }
    lines
}

/// Spaces stay as many as they are.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "&#160;")
}

/// A terminal that is dark on a light page and on a dark one. Each line has its length, so that any font fits.
fn svg(lines: &[(bool, String)]) -> String {
    let (column, row, edge) = (8, 19, 16);
    let (width, height) = (WIDE * column + 2 * edge, lines.len() * row + 2 * edge);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"A terminal: requests to the local distribution, why one \
         is refused, who can delete records, and what a change would open\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#161b22\" stroke=\"#57606a\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"13.2\">\n"
    );
    for (index, (typed, line)) in lines.iter().enumerate() {
        let columns = line.chars().count();
        assert!(columns <= WIDE, "{line:?} has {columns} columns");
        let (y, length) = (edge + index * row + 14, columns * column);
        let color = if *typed { "#7ee787" } else { "#e6edf3" };
        writeln!(
            svg,
            "<text x=\"{edge}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{color}\">{}</text>",
            escaped(line)
        )
        .unwrap();
    }
    svg + "</g>\n</svg>\n"
}

/// `UPDATE_DOCS=1` writes it.
#[test]
fn the_picture_of_the_readme_shows_what_the_programs_print() {
    let (file, drawn) = (root().join(PICTURE), svg(&session()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "CI compares, and does not write");
        fs::write(&file, &drawn).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == drawn, "{PICTURE} differs from what is printed now: run `make generate`\n{drawn}");
    assert!(drawn.len() < 20_000 && fs::read_to_string(root().join("README.md")).unwrap().contains(PICTURE));
}

#[test]
fn each_request_of_the_readme_gets_the_status_that_stands_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::sample_in(&folder.path().join(".local"));
    let files = format!("http://{}", served.addr());
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (mut said, mut sent) = (None, 0);
    for line in
        blocks(&readme).iter().filter(|(language, _)| language == "sh").flat_map(|(_, text)| text.lines())
    {
        if let Some(request) = line.strip_prefix("curl -i ") {
            let request = request.replace("http://127.0.0.1:8080", &files);
            let status =
                shell(folder.path(), &files, &format!("curl -sS -o /dev/null -w '%{{http_code}}' {request}"));
            assert_eq!(Some(status.as_str()), said, "{line}");
            sent += 1;
        }
        said = line.strip_prefix("# ").and_then(|comment| comment.split(':').next());
    }
    assert!(sent >= 2, "{sent}");
}

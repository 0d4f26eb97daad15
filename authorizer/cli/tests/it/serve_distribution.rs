//! `serve --distribution`: what it says at its start, and what it cannot serve. How it serves is tested in
//! authorizer-local.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use authorizer_local::EmbeddedS3;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Done, PROGRAM, ROOT, command_in};

/// A `serve` that is ended with the test.
struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    _data: TempDir,
}

impl Serving {
    fn start(arguments: &[&str]) -> (Self, Value) {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    fn start_in(data: TempDir, arguments: &[&str]) -> (Self, Value) {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--policy", "fixtures/policies/sample.toml", "--listen", "127.0.0.1:0"])
            .args(["--format", "json", "--data", data.path().to_str().unwrap()])
            .args(arguments)
            .current_dir(ROOT)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut serving = Self { child, out, _data: data };
        let started = serving.line();
        (serving, started)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Ends it, and gives what it wrote on standard error.
    fn end(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.child.wait().unwrap();
        said
    }
}

fn ask(addr: &str, request: &str) -> String {
    let mut connection = TcpStream::connect(addr).unwrap();
    write!(connection, "{request} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_export_is_served_with_its_policies_and_says_what_differs() {
    let (mut serving, started) = Serving::start(&["--distribution", "fixtures/deployments/good"]);
    assert_eq!(
        started["behaviors"],
        json!([{"pattern": "default", "methods": "all", "function": "yes", "origin": "private-files", "cache": "no"}])
    );
    assert!(started["bucket"].as_str().unwrap().ends_with("/private-files"), "{started}");
    let addr = started["addr"].as_str().unwrap().to_owned();
    let answer = ask(&addr, "GET /public/a");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("<H1>403 ERROR</H1>"), "{answer}");
    let line = serving.line();
    assert_eq!(line["problem"], "the default behavior takes HTTPS only: start `serve` with `--tls`");
    let said = serving.end();
    assert!(said.contains("the distribution takes HTTPS: without `--tls`"), "{said}");
    let cors = "warning: the default behavior: CORS of S3's answers: there are CORS headers, but the policy has no `[cors]`";
    assert!(said.contains(cors), "{said}");
}

#[test]
fn the_template_of_this_repository_is_served_in_yaml_with_its_parameters() {
    let arguments = [
        "--distribution",
        "infra/cloudformation/stack.yaml",
        "--parameter",
        "ForwardedHeaders=Range,Content-Type",
    ];
    let (serving, started) = Serving::start(&arguments);
    let behavior = &started["behaviors"][0];
    assert_eq!(
        (&behavior["pattern"], &behavior["function"]),
        (&json!("default"), &json!("yes")),
        "{started}"
    );
    assert_eq!(started["behaviors"].as_array().unwrap().len(), 1);
    serving.end();
}

#[test]
fn the_folder_of_the_cdk_is_searched_for_the_one_template_with_a_distribution() {
    let folder = tempfile::tempdir().unwrap();
    let template = |bucket: &str| {
        json!({"Resources": {
            "Files": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
            "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {
                "Enabled": true,
                "Origins": [{
                    "Id": "o",
                    "DomainName": {"Fn::GetAtt": ["Files", "RegionalDomainName"]},
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                }],
                "DefaultCacheBehavior": {
                    "TargetOriginId": "o",
                    "ViewerProtocolPolicy": "allow-all",
                    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                    "LambdaFunctionAssociations": [
                        {"EventType": "viewer-request", "LambdaFunctionARN": {"Fn::ImportValue": "version"}},
                    ],
                },
            }}},
        }})
        .to_string()
    };
    fs::write(folder.path().join("Other.template.json"), r#"{"Resources": {}}"#).unwrap();
    fs::write(folder.path().join("Files.template.json"), template("of-the-cdk")).unwrap();
    let path = folder.path().to_str().unwrap();
    let (mut serving, started) = Serving::start(&["--distribution", path]);
    let behavior = &started["behaviors"][0];
    assert_eq!(
        (&behavior["methods"], &behavior["origin"], &behavior["cache"]),
        (&json!("GET HEAD"), &json!("of-the-cdk"), &json!("CachingOptimized"))
    );
    let addr = started["addr"].as_str().unwrap().to_owned();
    assert!(ask(&addr, "PUT /public/a").contains("This distribution is not configured to allow"), "a method");
    assert_eq!(serving.line()["status"], 403);
    serving.end();

    fs::write(folder.path().join("Second.template.json"), template("second")).unwrap();
    assert_refused(
        &["--distribution", path],
        &["several templates", "Files.template.json, Second.template.json"],
    );
}

/// Sends the console a command, with the secret of its address.
fn command(console: &str, paths: &str) -> String {
    let (host, secret) = console.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let body = format!("{{\"paths\": {paths}}}");
    let mut connection = TcpStream::connect(host).unwrap();
    write!(
        connection,
        "POST /api/invalidate HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nX-Console-Secret: {secret}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_hit_is_told_and_the_console_empties_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let mut export: Value = serde_json::from_str(
        &fs::read_to_string(format!("{ROOT}/fixtures/deployments/good/distribution.json")).unwrap(),
    )
    .unwrap();
    let behavior = &mut export["DistributionConfig"]["DefaultCacheBehavior"];
    behavior["ViewerProtocolPolicy"] = json!("allow-all");
    behavior["CachePolicyId"] = json!("658327ea-f89d-4fab-a63d-7e88639e58f6");
    behavior["OriginRequestPolicyId"] = json!("b689b0a8-53d0-40ab-baf2-68738e2966ac");
    behavior["ResponseHeadersPolicyId"] = json!("60669652-455b-4ae9-85a4-c4c02393f86c");
    let path = folder.path().join("distribution.json");
    fs::write(&path, export.to_string()).unwrap();
    let data = tempfile::tempdir().unwrap();
    let object = data.path().join("private-files/public/a");
    fs::create_dir_all(object.parent().unwrap()).unwrap();
    fs::write(object, "first").unwrap();
    let at = data.path().to_owned();
    let (mut serving, started) = Serving::start_in(data, &["--distribution", path.to_str().unwrap()]);
    let addr = started["addr"].as_str().unwrap().to_owned();
    let console = started["console"].as_str().unwrap().to_owned();
    for (content, cache, is_hit) in
        [("first", "Miss from cloudfront", false), ("first", "Hit from cloudfront", true)]
    {
        let answer = ask(&addr, "GET /public/a");
        assert!(answer.contains(cache) && answer.ends_with(content), "{answer}");
        let line = serving.line();
        assert_eq!((line["age"].is_u64(), &line["record"]["decision"]), (is_hit, &json!("allow")), "{line}");
        // As long as it was: the index knows the length.
        fs::write(EmbeddedS3::file(&at, "private-files", "public/a").unwrap(), "other").unwrap();
    }
    assert!(command(&console, "[\"/users/*\"]").ends_with("{\"removed\":0}"));
    assert!(command(&console, "[\"public\"]").contains("does not begin with `/`"));
    assert!(command(&console, "[\"/*\"]").ends_with("{\"removed\":1}"));
    assert!(ask(&addr, "GET /public/a").ends_with("other"));
    serving.end();
}

/// It ends at once: exit 2, nothing on standard output, and these words in one diagnostic.
fn assert_refused(arguments: &[&str], words: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let fixed = ["serve", "--policy", "fixtures/policies/sample.toml", "--listen", "127.0.0.1:0", "--data"];
    let fixed = [&fixed[..], &[data.path().to_str().unwrap()]].concat();
    let done = Done::of(&mut command_in(ROOT, &[&fixed, arguments].concat()));
    let said = done.err.replace(['│', '\n'], " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: `{word}` is not in: {said}");
    }
}

#[test]
fn what_cannot_be_served_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let export = fs::read_to_string(format!("{ROOT}/fixtures/deployments/good/distribution.json")).unwrap();
    let alone = file("alone.json", &export);
    let listed = file("listed.json", r#"{"DistributionList": {}}"#);
    let broken = file("broken.json", "{");
    let yaml = file("broken.yaml", "a: [");
    let imported = file(
        "imported.json",
        r#"{"Resources": {"D": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {
            "Origins": [{"Id": "o", "DomainName": {"Fn::ImportValue": "x"}}]}}}}}"#,
    );
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for (arguments, words) in [
        (
            vec!["--distribution", &alone],
            &[
                "the origin request policy `11111111-2222-3333-4444-555555555555` of the default behavior is not known",
                "aws cloudfront get-origin-request-policy --id 11111111-2222-3333-4444-555555555555",
            ][..],
        ),
        (vec!["--distribution", &listed], &["the output of `list-distributions`", "get-distribution-config"]),
        (vec!["--distribution", &broken], &["not valid JSON"]),
        (vec!["--distribution", &yaml], &["is neither JSON nor YAML"]),
        (
            vec!["--distribution", &imported],
            &["D/DistributionConfig/Origins/0/DomainName: `Fn::ImportValue` is known only to CloudFormation"],
        ),
        (
            vec!["--distribution", "infra/cloudformation/stack.yaml", "--parameter", "Nothing=1"],
            &["the template has no parameter `Nothing`"],
        ),
        (
            vec!["--distribution", &alone, "--parameter", "Stage=1"],
            &["is not a template, so it has no parameter `Stage`", "name a CloudFormation template"],
        ),
        (vec!["--distribution", empty.to_str().unwrap()], &["contains neither `distribution.json` nor"]),
        (vec!["--distribution", "/nonexistent"], &["/nonexistent", "cannot be read"]),
    ] {
        assert_refused(&arguments, words);
    }
}

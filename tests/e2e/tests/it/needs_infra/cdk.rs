//! `infra/cdk`: the constructs, compiled by jsii, and their example, compared with the template and deployed to the
//! emulator by the CDK's own command line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{lint, linter, resources_where, template};
use authorizer_e2e::ministack::Ministack;
use authorizer_e2e::tools::installed;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::deploy::{audited, export, package_as, policy_of, published, reading_only, said};
use super::prove::code_sha256;
use super::terraform::template::of_template;

/// A copy of `infra/cdk`, built, with the CDK beside it.
struct Built {
    folder: TempDir,
    tool: &'static Path,
}

/// The files of `infra` that a build needs, without what somebody's own build left there.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if ["node_modules", "lib", "cdk.out"].iter().any(|made| name == *made) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Built once per process, because jsii needs half a minute.
fn built() -> Option<&'static Built> {
    static BUILT: OnceLock<Built> = OnceLock::new();
    let tool = installed("cdk", "the AWS CDK")?;
    Some(BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        copy(&root().join("infra/cdk"), &folder.path().join("infra/cdk"));
        copy(&root().join("infra/policies"), &folder.path().join("infra/policies"));
        fs::copy(root().join("infra/parameters"), folder.path().join("infra/parameters")).unwrap();
        symlink(tool.join("node_modules"), folder.path().join("infra/cdk/node_modules")).unwrap();
        let built = Built { folder, tool };
        said(&built.npm(&["run", "build"]).output().unwrap(), 0);
        said(&built.node(&["node_modules/typescript/bin/tsc", "-p", "example"]).output().unwrap(), 0);
        built
    }))
}

impl Built {
    fn path(&self) -> PathBuf {
        self.folder.path().join("infra/cdk")
    }

    /// Node.js in the folder, without the caller's settings of the CDK.
    fn node(&self, arguments: &[&str]) -> Command {
        let mut node = Command::new(self.tool.join("node"));
        node.args(arguments).current_dir(self.path());
        self.configured(node)
    }

    fn npm(&self, arguments: &[&str]) -> Command {
        let mut npm = Command::new(fs::canonicalize(self.tool.join("node")).unwrap().with_file_name("npm"));
        npm.args(arguments).current_dir(self.path());
        self.configured(npm)
    }

    fn configured(&self, mut command: Command) -> Command {
        let node = fs::canonicalize(self.tool.join("node")).unwrap();
        let path = format!("{}:{}", node.parent().unwrap().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("HOME", self.folder.path()).env("npm_config_update_notifier", "false");
        for setting in [
            "CODE_SHA256",
            "DISTRIBUTION_ID",
            "CDK_OUTDIR",
            "CDK_CONTEXT_JSON",
            "NODE_OPTIONS",
            "RATE_LIMIT",
            "ACCESS_LOGS",
        ] {
            command.env_remove(setting);
        }
        command.env("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1");
        command
    }

    /// The file of the example's template, with a package and, from the second deployment on, the distribution's id and
    /// what the emulator does not have: access logs and a limit.
    fn template(&self, name: &str, package: &Path, distribution: Option<&str>) -> PathBuf {
        let out = self.folder.path().join(name);
        let mut app = self.node(&["example/app.js"]);
        app.env("PACKAGE", package).env("CODE_SHA256", code_sha256(package)).env("CDK_OUTDIR", &out);
        match distribution {
            Some(id) => app.env("DISTRIBUTION_ID", id).env("RATE_LIMIT", "3000"),
            None => app.env("ACCESS_LOGS", "no"),
        };
        said(&app.output().unwrap(), 0);
        out.join("Files.template.json")
    }
}

#[test]
fn the_constructs_refuse_each_wrong_use_while_an_app_is_synthesized() {
    let Some(built) = built() else { return };
    let output = built.node(&["--test", "test/wrong-use.test.js"]).output().unwrap();
    let text = said(&output, 0);
    let passed = text.lines().find_map(|line| line.split_once("pass ")).unwrap().1;
    assert!(passed.trim().parse::<u32>().unwrap() >= 96, "{text}");
    // Nor does the example run without the hash of the review.
    let output = built.node(&["example/app.js"]).output().unwrap();
    assert!(said(&output, 1).contains("set CODE_SHA256 to the SHA-256 of the reviewed package"));
}

#[test]
fn each_property_of_the_constructs_is_in_the_table_of_the_readme() {
    let Some(built) = built() else { return };
    let assembly: Value = serde_json::from_slice(&fs::read(built.path().join(".jsii")).unwrap()).unwrap();
    let mut part = String::new();
    for (interface, what) in [
        ("EdgeAuthorizerFunctionProps", "of `EdgeAuthorizer` and of `EdgeAuthorizerFunction`"),
        ("EdgeAuthorizerOptions", "of `EdgeAuthorizer` only"),
        ("AccessLogsProps", "of `AccessLogs`"),
        ("RateLimitProps", "of `RateLimit`"),
    ] {
        part += &format!("\n| property, {what} | default | |\n| --- | --- | --- |\n");
        let properties =
            assembly["types"][format!("edge-authorizer-cdk.{interface}")]["properties"].as_array();
        for property in properties.unwrap() {
            let docs = &property["docs"];
            let word = |name: &str| docs[name].as_str().unwrap_or_default().replace('\n', " ");
            let default = match word("default").as_str() {
                "" => {
                    assert!(property["optional"].is_null(), "{property}: no default");
                    "required".to_owned()
                }
                text => match text.split_once("- ") {
                    Some(("", said)) => said.to_owned(),
                    Some((value, said)) => format!("`{}`: {said}", value.trim()),
                    None => format!("`{text}`"),
                },
            };
            let text = format!("{} {}", word("summary"), word("remarks"));
            part += &format!("| `{}` | {default} | {} |\n", property["name"].as_str().unwrap(), text.trim());
        }
    }
    let readme = root().join("infra/cdk/README.md");
    let page = fs::read_to_string(&readme).unwrap();
    let (before, rest) = page.split_once("<!-- generated: properties, by `make generate` -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of what is generated -->").unwrap();
    let expected = format!(
        "{before}<!-- generated: properties, by `make generate` -->\n{part}\n<!-- end of what is generated -->{after}"
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&readme, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(&readme).unwrap() == expected,
        "infra/cdk/README.md: run this test with UPDATE_DOCS=1"
    );
}

/// A policy in which every parameter has another value than by default.
fn everything(folder: &Path) -> PathBuf {
    let keys = root().join("fixtures/policies/keys/sample.jwks.json");
    let text = format!(
        r#"version = 1

[cors]
origins         = ["https://app.example.com"]
credentials     = true
exposed_headers = ["ETag"]
max_age_seconds = 300

[[issuers]]
name       = "sample"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = {{ file = {keys:?} }}

[[rules]]
id         = "owners-manage-their-files"
effect     = "allow"
methods    = ["GET", "PUT", "DELETE"]
operations = ["ListObjectsV2", "GetObjectVersion", "AbortMultipartUpload", "ListParts"]
keys       = ["users/{{sub}}/**"]
"#
    );
    let path = folder.join("everything.toml");
    fs::write(&path, text).unwrap();
    path
}

/// The parameters and conditions of the template that follow from a package.
fn conditions(package: &Path) -> (Value, Vec<&'static str>) {
    let output = Command::new(root().join("infra/parameters")).arg(package).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said: BTreeMap<_, _> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let lists = ["ForwardedHeaders", "CorsOrigins", "CorsExposedHeaders"];
    let value = |name: &str, text: &str| match name {
        name if lists.contains(&name) => text.split(',').filter(|one| !one.is_empty()).collect(),
        "CorsMaxAgeSeconds" => json!(text.parse::<u32>().unwrap()),
        _ => json!(text),
    };
    let mut parameters: Map<_, _> =
        said.iter().map(|(name, text)| ((*name).to_owned(), value(name, text))).collect();
    parameters.insert("RateLimit".to_owned(), json!(3000));
    let is = |name: &str| said.get(name).is_some_and(|value| *value == "yes");
    let has_cors = !said["CorsOrigins"].is_empty();
    let exposes = said.get("CorsExposedHeaders").is_some_and(|list| !list.is_empty());
    let writes = is("Uploads") || is("Deletes") || is("Multipart");
    let all = [
        ("KeyIsOpen", true),
        ("CanUpload", is("Uploads")),
        ("CanDelete", is("Deletes")),
        ("CanWrite", writes),
        ("SignsIn", is("SignIn")),
        ("CanUseParts", is("Multipart")),
        ("CanReadVersions", is("Versions")),
        ("CanList", is("Listing")),
        ("HasCors", has_cors),
        ("CorsTakesCredentials", is("CorsCredentials")),
        ("CorsExposesHeaders", exposes),
        ("KeepsAccessLogs", true),
        ("DeliversAccessLogs", true),
        ("LimitsRate", true),
    ];
    (parameters.into(), all.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect())
}

/// The example's resources, with the names that the templates have.
fn as_the_templates_name_them(template: &Value) -> Value {
    let mut text = template["Resources"].to_string();
    let mut named = BTreeMap::new();
    for (id, resource) in template["Resources"].as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        let name = match kind {
            "AWS::S3::Bucket" if id.starts_with("AccessLogs") => "LogBucket",
            "AWS::S3::BucketPolicy" if id.starts_with("AccessLogs") => "LogBucketPolicy",
            "AWS::Logs::DeliverySource" => "AccessLogSource",
            "AWS::Logs::DeliveryDestination" => "AccessLogDestination",
            "AWS::Logs::Delivery" => "AccessLogDelivery",
            "AWS::WAFv2::WebACL" => "WebAcl",
            "AWS::S3::Bucket" => "Bucket",
            "AWS::S3::BucketPolicy" => "BucketPolicy",
            "AWS::KMS::Key" => "Key",
            "AWS::IAM::Role" => "Role",
            "AWS::Lambda::Function" => "Function",
            "AWS::Lambda::Version" => "Version",
            "AWS::Logs::LogGroup" => "Log",
            "AWS::CloudFront::Distribution" => "Distribution",
            "AWS::CloudFront::OriginAccessControl" => "OriginAccessControl",
            "AWS::CloudFront::OriginRequestPolicy" => "OriginRequestPolicy",
            "AWS::CloudFront::ResponseHeadersPolicy" => "ResponseHeadersPolicy",
            other => panic!("the template has no {other}"),
        };
        assert_eq!(named.insert(name, id.clone()), None, "several of {kind}");
    }
    for (name, id) in named {
        text = text.replace(&format!("\"{id}\""), &format!("\"{name}\""));
    }
    // The name of this stack, and of the templates' in the comparison.
    let name = "Files-Authorizer-Function-F732A615";
    assert!(text.contains(name), "{text}");
    serde_json::from_str(&text.replace(name, "edge-authorizer")).unwrap()
}

/// The CDK writes a list of one action as a word, and sorts nothing.
fn with_lists(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let lists = |(name, value): (String, Value)| match value {
                Value::String(word) if name == "Action" => (name, json!([word])),
                other => (name, with_lists(other)),
            };
            Value::Object(members.into_iter().map(lists).collect())
        }
        Value::Array(items) => items.into_iter().map(with_lists).collect(),
        other => other,
    }
}

#[test]
fn the_example_has_the_settings_of_the_templates() {
    let (Some(built), Some(linter)) = (built(), linter()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let only_reads = folder.path().join("reads.toml");
    fs::write(&only_reads, reading_only()).unwrap();
    let policies = [root().join("fixtures/policies/sample.toml"), only_reads, everything(folder.path())];
    let templates = [template(linter, "stack.yaml"), template(linter, "function.yaml")];
    let mut made = Vec::new();
    for (number, policy) in policies.iter().enumerate() {
        let zip = package_as(&folder.path().join(format!("{number}.zip")), policy);
        let file = built.template(&format!("out-{number}"), &zip, Some("EDFDVBD6EXAMPLE"));
        let synthesized: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let (parameters, conditions) = conditions(&zip);
        let mut theirs = resources_where(&templates[0], &conditions);
        let function = templates[1]["Resources"].as_object().unwrap().clone();
        theirs.as_object_mut().unwrap().extend(function);
        let expected = with_lists(of_template(&theirs, &parameters));
        let found = with_lists(of_template(&as_the_templates_name_them(&synthesized), &parameters));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(found[name], *value, "{name} of {}", policy.display());
        }
        // What a stack keeps, and the version, as the templates have it.
        let kept = |resources: &Value| -> Vec<Value> {
            let of = |name: &str| {
                json!([resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]])
            };
            ["Key", "Bucket", "LogBucket", "Version"].map(of).to_vec()
        };
        assert_eq!(kept(&as_the_templates_name_them(&synthesized)), kept(&theirs));
        made.push(file);
    }
    // The CDK joins texts where a person would write Fn::Sub.
    let found: BTreeSet<_> = lint(linter, &made).into_iter().map(|(_, rule)| rule).collect();
    assert_eq!(found, BTreeSet::from(["I1022".to_owned()]));
}

#[test]
fn the_example_is_deployed_by_two_commands_and_its_audit_finds_what_the_templates_has() {
    let Some(built) = built() else { return };
    let Some(aws) = Ministack::without_signatures() else { return };
    let policy = root().join("fixtures/policies/sample.toml");
    let zip = package_as(&aws.folder().join("package.zip"), &policy);
    let run = |arguments: &[&str]| -> Output {
        let mut npm = built.configured(
            aws.command(fs::canonicalize(built.tool.join("node")).unwrap().with_file_name("npm")),
        );
        npm.args(arguments)
            .current_dir(built.path())
            .env("PACKAGE", &zip)
            .env("CODE_SHA256", code_sha256(&zip))
            .env("ACCESS_LOGS", "no");
        npm.env("CDK_REQUIRE_APPROVAL", "never")
            .env("CDK_DISABLE_VERSION_CHECK", "1")
            .env("CDK_NOTICES", "false");
        npm.env("AWS_REGION", "us-east-1").output().unwrap()
    };
    said(&run(&["exec", "--", "cdk", "bootstrap", "aws://000000000000/us-east-1"]), 0);
    let text = said(&run(&["run", "deploy"]), 0);
    assert!(text.contains("lets no distribution in: deploy, and deploy again"), "{text}");
    let output = aws.outputs("Files");
    let (bucket, distribution) = (output("BucketName"), output("DistributionId"));

    // The published documents, and nothing else.
    let statements = |names: &[&str]| -> Vec<Value> {
        names.iter().flat_map(|name| published(name, &bucket, &distribution)).collect()
    };
    let held = policy_of(&aws.aws(&["s3api", "get-bucket-policy", "--bucket", &bucket]));
    let expected = statements(&["bucket-policy.json", "list-policy.json", "tls-policy.json"]);
    assert_eq!(with_lists(held)["Statement"], with_lists(json!(expected)));
    let key = output("KeyArn");
    let held = policy_of(&aws.aws(&["kms", "get-key-policy", "--key-id", &key, "--policy-name", "default"]));
    assert_eq!(held["Statement"].as_array().unwrap()[1..], statements(&["key-policy.json"]));
    let groups =
        aws.aws(&["logs", "describe-log-groups", "--log-group-name-prefix", &output("LogGroupName")]);
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 365);

    // The emulator ignores a template's encryption.
    let encryption = json!({"Rules": [{
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": true,
    }]});
    let encryption = encryption.to_string();
    let arguments = ["s3api", "put-bucket-encryption", "--bucket", &bucket];
    aws.aws(&[&arguments[..], &["--server-side-encryption-configuration", &encryption]].concat());
    let folder = aws.folder().join("export");
    said(&export(&aws, &distribution, &folder), 0);
    // CloudFront writes its own certificate into a configuration without one; the emulator does not.
    let exported = folder.join("distribution.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&exported).unwrap()).unwrap();
    config["DistributionConfig"]["ViewerCertificate"] = json!({"CloudFrontDefaultCertificate": true});
    fs::write(&exported, config.to_string()).unwrap();
    // As of the templates' stack.
    let expected = BTreeSet::from(["EA221", "EA235"].map(str::to_owned));
    assert_eq!(audited(&folder, &policy, &zip), (0, expected));
}

#[tokio::test]
async fn the_examples_distribution_alone_reaches_its_bucket() {
    let Some(built) = built() else { return };
    let Some(aws) = Ministack::start() else { return };
    let zip = package_as(&aws.folder().join("package.zip"), &root().join("fixtures/policies/sample.toml"));
    let file = built.template("out-served", &zip, None);
    // As the CDK's own command line does it, which signs with a role that the emulator does not let publish.
    let assets: Value =
        serde_json::from_slice(&fs::read(file.with_file_name("Files.assets.json")).unwrap()).unwrap();
    let files = assets["files"].as_object().unwrap().values();
    let zipped = files.filter(|one| one["source"]["path"].as_str().unwrap().ends_with(".zip"));
    let keys: Vec<_> = zipped
        .flat_map(|one| one["destinations"].as_object().unwrap().values())
        .map(|one| one["objectKey"].as_str().unwrap())
        .collect();
    let [key] = keys[..] else { panic!("{keys:?}") };
    let bucket = "cdk-hnb659fds-assets-000000000000-us-east-1";
    aws.aws(&["s3api", "create-bucket", "--bucket", bucket]);
    aws.aws(&["s3api", "put-object", "--bucket", bucket, "--key", key, "--body", zip.to_str().unwrap()]);
    let version = ["--name", "/cdk-bootstrap/hnb659fds/version", "--value", "30", "--type", "String"];
    aws.aws(&[&["ssm", "put-parameter"][..], &version].concat());
    let mut deploy = aws.command(aws.folder().join("bin/aws"));
    deploy.args(["cloudformation", "deploy", "--stack-name", "Files", "--capabilities", "CAPABILITY_IAM"]);
    said(&deploy.arg("--template-file").arg(&file).output().unwrap(), 0);

    let output = aws.outputs("Files");
    let (bucket, host) = (output("BucketName"), output("DomainName"));
    let object = aws.folder().join("object");
    fs::write(&object, "hello").unwrap();
    let body = object.to_str().unwrap();
    aws.aws(&["s3api", "put-object", "--bucket", &bucket, "--key", "public/a", "--body", body]);
    let answer = aws.ask(&host, "https", "GET", "/public/a", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    assert_eq!(aws.ask(&host, "http", "GET", "/public/a", &[], "").await.status, 403);
    let endpoint = format!("{bucket}.s3.us-east-1.amazonaws.com");
    assert_eq!(aws.ask(&endpoint, "https", "GET", "/public/a", &[], "").await.status, 403);
}

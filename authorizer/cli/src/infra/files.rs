//! The files of `infra`, as this version has them. A test compares the list with the folder.

/// A file of `infra`.
#[derive(Debug)]
pub(super) struct InfraFile {
    /// Its path in the folder.
    pub(super) name: &'static str,
    /// Its bytes.
    pub(super) bytes: &'static [u8],
    /// Whether it can be run.
    pub(super) is_program: bool,
}

macro_rules! files {
    (programs: [$($program:literal,)*] texts: [$($text:literal,)*]) => {
        [
            $(InfraFile { name: $program, bytes: bytes!($program), is_program: true },)*
            $(InfraFile { name: $text, bytes: bytes!($text), is_program: false },)*
        ]
    };
}

macro_rules! bytes {
    ($name:literal) => {
        include_bytes!(concat!("../../../../infra/", $name))
    };
}

/// All of them.
pub(super) static FILES: [InfraFile; 69] = files! {
    programs: [
        "alarms",
        "attach",
        "deploy",
        "drift",
        "export",
        "logs",
        "parameters",
        "prove",
        "rollout",
        "smoke",
    ]
    texts: [
        "README.md",
        "advice.sh",
        "cdk/.gitignore",
        "cdk/.npmrc",
        "cdk/README.md",
        "cdk/cdk.json",
        "cdk/example/app.ts",
        "cdk/example/files-stack.ts",
        "cdk/example/tsconfig.json",
        "cdk/package-lock.json",
        "cdk/package.json",
        "cdk/src/access-logs.ts",
        "cdk/src/edge-authorizer-function.ts",
        "cdk/src/edge-authorizer.ts",
        "cdk/src/facts.ts",
        "cdk/src/hosts.ts",
        "cdk/src/index.ts",
        "cdk/src/problems.ts",
        "cdk/src/rate-limit.ts",
        "cdk/src/statements.ts",
        "cdk/src/unchanged.ts",
        "cdk/src/written.ts",
        "cdk/test/wrong-use.test.js",
        "cloudformation/alarms.yaml",
        "cloudformation/backtest.yaml",
        "cloudformation/drift.yaml",
        "cloudformation/function.yaml",
        "cloudformation/stack.yaml",
        "policies/bucket-policy.json",
        "policies/key-policy.json",
        "policies/list-policy.json",
        "policies/tls-policy.json",
        "regions.txt",
        "terraform/LICENSE",
        "terraform/README.md",
        "terraform/bucket.tf",
        "terraform/distribution.tf",
        "terraform/examples/function-only/README.md",
        "terraform/examples/function-only/main.tf",
        "terraform/examples/whole/README.md",
        "terraform/examples/whole/main.tf",
        "terraform/key.tf",
        "terraform/logs.tf",
        "terraform/main.tf",
        "terraform/modules/function/README.md",
        "terraform/modules/function/main.tf",
        "terraform/modules/function/outputs.tf",
        "terraform/modules/function/variables.tf",
        "terraform/modules/function/versions.tf",
        "terraform/outputs.tf",
        "terraform/policies/bucket-policy.json",
        "terraform/policies/key-policy.json",
        "terraform/policies/list-policy.json",
        "terraform/policies/tls-policy.json",
        "terraform/rate.tf",
        "terraform/tests/function.tftest.hcl",
        "terraform/tests/whole.tftest.hcl",
        "terraform/variables.tf",
        "terraform/versions.tf",
    ]
};

//! The function's configuration, beside its code.

use crate::check::{Check, Severity};
use crate::deployment::documents::FunctionConfiguration;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static NO_START: Check = Check {
    id: "EA264",
    name: "function-does-not-start",
    severity: Severity::Low,
    title: "the function cannot start with its runtime, handler, architecture or package type",
    why: "The package holds a native program for x86_64 and glibc 2.34. Two shims, `index.mjs` and `index.py`, \
     hand the runtime's process over to it; a package made with `--hand-over library` holds a library and a \
     handler for Python. With another runtime nothing starts, and CloudFront answers 5xx.",
    remedy: "use `nodejs22.x` or newer (not for a library), or `python3.12` or newer, with `index.handler`, `x86_64` \
        and a zip",
};

static LIMITS: Check = Check {
    id: "EA265",
    name: "function-limits",
    severity: Severity::Low,
    title: "the function has more memory or time than CloudFront allows",
    why: "For viewer events CloudFront accepts at most 128 MB and 5 seconds, and refuses to associate a function \
     with more. The next change of the behavior fails.",
    remedy: "set `MemorySize` to 128 and `Timeout` to at most 5",
};

static BESIDE_THE_CODE: Check = Check {
    id: "EA266",
    name: "code-beside-the-package",
    severity: Severity::High,
    title: "something outside the package can change what the function does",
    why: "A layer, a file system or a variable such as `NODE_OPTIONS` adds code that is not in `CodeSha256` and \
     that nobody reviewed. CloudFront does not accept a function with any of these, or one in a VPC.",
    remedy: "remove the layers, the environment variables, the file systems and the VPC, and publish a version",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&NO_START, &LIMITS, &BESIDE_THE_CODE], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.functions() {
        starts(&one.configuration, &one.spot, found);
        limits(&one.configuration, &one.spot, found);
        beside(&one.configuration, &one.spot, found);
    }
}

fn starts(function: &FunctionConfiguration, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    let runtime = function.runtime.as_deref().unwrap_or_default();
    if !is_runtime(runtime) {
        found.push(
            spot.then("Runtime").found(&NO_START, format!("`Runtime` is `{}`", runtime.escape_debug())),
        );
    }
    let handler = function.handler.as_deref().unwrap_or_default();
    if handler != "index.handler" {
        found.push(
            spot.then("Handler").found(&NO_START, format!("`Handler` is `{}`", handler.escape_debug())),
        );
    }
    if function.architectures.as_ref().is_some_and(|all| all.as_slice() != ["x86_64"]) {
        found.push(spot.then("Architectures").found(&NO_START, "`Architectures` is not `x86_64`"));
    }
    if let Some(package) = function.package_type.as_deref().filter(|package| *package != "Zip") {
        let message = format!("`PackageType` is `{}`", package.escape_debug());
        found.push(spot.then("PackageType").found(&NO_START, message));
    }
}

/// A managed runtime of Amazon Linux 2023 whose language can hand its process over.
fn is_runtime(runtime: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().ok();
    let node = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")).and_then(number);
    let python = runtime.strip_prefix("python3.").and_then(number);
    node.is_some_and(|major| major >= 22) || python.is_some_and(|minor| minor >= 12)
}

fn limits(function: &FunctionConfiguration, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    for (member, value, most) in [("MemorySize", function.memory_size, 128), ("Timeout", function.timeout, 5)]
    {
        if value > most {
            found.push(
                spot.then(member).found(&LIMITS, format!("`{member}` is {value}; it must be at most {most}")),
            );
        }
    }
}

fn beside(function: &FunctionConfiguration, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    let mut tell =
        |member: &str, message: String| found.push(spot.then(member).found(&BESIDE_THE_CODE, message));
    if let Some(environment) = &function.environment
        && environment.error.is_some()
    {
        tell("Environment", "the function has environment variables that could not be read".to_owned());
    }
    if let Some(environment) = &function.environment
        && !environment.variables.is_empty()
    {
        let names: Vec<_> =
            environment.variables.keys().map(|name| format!("`{}`", name.escape_debug())).collect();
        tell(
            "Environment/Variables",
            format!("the function has the environment variables {}", names.join(", ")),
        );
    }
    if !function.layers.is_empty() {
        tell("Layers", format!("the function has {} layers", function.layers.len()));
    }
    if !function.file_system_configs.is_empty() {
        tell(
            "FileSystemConfigs",
            format!("the function has {} file systems", function.file_system_configs.len()),
        );
    }
    let vpc = function.vpc_config.as_ref().and_then(|vpc| vpc.vpc_id.as_deref()).filter(|id| !id.is_empty());
    let subnet = function.vpc_config.as_ref().and_then(|vpc| vpc.subnet_ids.first());
    if let Some(id) = vpc {
        tell("VpcConfig", format!("the function is in the VPC `{}`", id.escape_debug()));
    } else if let Some(id) = subnet {
        tell("VpcConfig", format!("the function is in the subnet `{}`", id.escape_debug()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_starts_under_the_managed_runtimes_of_amazon_linux_2023_alone() {
        for (runtime, starts) in [
            ("nodejs24.x", true),
            ("nodejs22.x", true),
            ("nodejs20.x", false),
            ("python3.13", true),
            ("python3.14", true),
            ("python3.11", false),
            ("provided.al2023", false),
            ("nodejs", false),
            ("", false),
        ] {
            assert_eq!(is_runtime(runtime), starts, "{runtime}");
        }
    }
}

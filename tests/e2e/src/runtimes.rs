//! AWS's own runtime clients, which `tests/tools/runtimes/install` installs.

use authorizer_local::{Runtime, RuntimeClients};

use crate::binaries::root;
use crate::skipped::skip;
use crate::tools::install;

/// Makes each of these functions a test under every runtime. A runtime that is not installed is skipped.
#[macro_export]
macro_rules! under {
    ($runtimes:tt $names:tt) => { $crate::under! { @each $runtimes $names } };
    (@each [$($module:ident = $runtime:ident),*] $names:tt) => {
        $(mod $module { $crate::under! { @tests $runtime $names } })*
    };
    (@tests $runtime:ident [$($name:ident),* $(,)?]) => {
        $(
            #[tokio::test]
            async fn $name() {
                let runtime = authorizer_local::Runtime::$runtime;
                if $crate::runtimes::clients(runtime).is_some() {
                    super::$name(runtime).await;
                }
            }
        )*
    };
}

/// Every runtime that can start a package.
pub const ALL: [Runtime; 3] = [Runtime::Native, Runtime::Python, Runtime::Node];

/// The clients, if the one for this runtime could be installed on this machine. Otherwise the test says so and is
/// skipped; with `CI=true` it fails.
pub fn clients(runtime: Runtime) -> Option<RuntimeClients> {
    let clients = RuntimeClients::in_project(root());
    let name = match runtime {
        Runtime::Native => return Some(clients),
        Runtime::Python => "python",
        Runtime::Node => "node",
    };
    let prefix = format!("{name}: ");
    let reasons: Vec<&str> =
        install("runtimes").skipped.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
    if reasons.is_empty() {
        return Some(clients);
    }
    skip(&format!("the runtime {name}: {}", reasons.join("; ")));
    None
}

//! The managed runtime that starts the package, and the place of its real client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::error::PackagedError;

/// The runtime that starts the package.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Runtime {
    /// `bootstrap` itself, without a managed runtime.
    Native,
    /// AWS's runtime client for Python, with `index.handler`: a shim, or the handler that calls the library.
    Python,
    /// AWS's runtime client for Node.js, with `index.handler`.
    Node,
}

/// The folder that holds the runtime clients: `python/bin/python` with `awslambdaric`, `node/bin/node`
/// and `node_modules/aws-lambda-ric/index.mjs`. `make runtimes` fills it.
#[derive(Clone, Debug)]
pub struct RuntimeClients {
    dir: PathBuf,
}

impl RuntimeClients {
    /// Uses the clients in this folder.
    pub fn in_dir(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder that `make runtimes` fills in the project: `.tools/runtimes`.
    pub fn in_project(root: &Path) -> Self {
        Self::in_dir(root.join(".tools/runtimes"))
    }

    fn find(&self, part: &str) -> Result<PathBuf, PackagedError> {
        let path = self.dir.join(part);
        // Made absolute, because the child runs in the function's folder. Not resolved, because Python finds a
        // virtual environment by the link to its interpreter.
        let path = std::path::absolute(&path).unwrap_or(path);
        if path.exists() { Ok(path) } else { Err(PackagedError::NoRuntimeClient(path)) }
    }
}

/// The program and arguments that start a package.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<PathBuf>,
}

impl Launch {
    pub(crate) fn new(
        runtime: Runtime,
        clients: &RuntimeClients,
        folder: &Path,
    ) -> Result<Self, PackagedError> {
        let needs = |name: &str| {
            let path = folder.join(name);
            if path.is_file() { Ok(path) } else { Err(PackagedError::NoHandler(name.to_owned())) }
        };
        let only_python = folder.join("libauthorizer.so").is_file();
        match runtime {
            Runtime::Native | Runtime::Node if only_python => Err(PackagedError::OnlyPython),
            Runtime::Native => Ok(Self { program: needs("bootstrap")?, arguments: Vec::new() }),
            Runtime::Python => {
                needs("index.py")?;
                let arguments = ["-m", "awslambdaric", "index.handler"].map(PathBuf::from).to_vec();
                Ok(Self { program: clients.find("python/bin/python")?, arguments })
            }
            Runtime::Node => {
                if needs("index.mjs").is_err() {
                    needs("index.js")?;
                }
                let client = clients.find("node_modules/aws-lambda-ric/index.mjs")?;
                let arguments = vec![client, PathBuf::from("index.handler")];
                Ok(Self { program: clients.find("node/bin/node")?, arguments })
            }
        }
    }

    /// The command, with only the environment that Lambda sets.
    pub(crate) fn command(&self, folder: &Path, api: SocketAddr, region: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(folder).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            .env("_HANDLER", "index.handler")
            .env("LAMBDA_TASK_ROOT", folder)
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/us-east-1.authorizer")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", region)
            .env("AWS_DEFAULT_REGION", region)
            .env("TZ", ":UTC")
            .env("LANG", "en_US.UTF-8");
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_client_names_its_path_and_the_remedy() {
        let (folder, clients) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("index.py"), "").unwrap();
        let clients = RuntimeClients::in_dir(clients.path());
        let error = Launch::new(Runtime::Python, &clients, folder.path()).unwrap_err().to_string();
        assert!(error.contains("python/bin/python") && error.contains("make runtimes"), "{error}");
        let error = Launch::new(Runtime::Native, &clients, folder.path()).unwrap_err().to_string();
        assert!(error.contains("`bootstrap`"), "{error}");
    }
}

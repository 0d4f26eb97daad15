//! The key, the policy and the packages, in a folder that is removed after the run.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use authorizer_e2e::binaries::Build;
use authorizer_e2e::binaries::{bootstrap, edge_example, library, root, run};
use authorizer_e2e::lambda::Unpacked;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::contender::{Function, Library, Program};
use crate::issuer::Issuer;

/// The files of a run.
pub struct Stage {
    folder: TempDir,
    peers: &'static Path,
    /// The issuer of the tokens.
    pub issuer: Issuer,
}

/// A zip, and its unpacked files.
#[derive(Debug)]
pub struct Package {
    /// The zip's length in bytes.
    pub length: u64,
    /// Its files, as Lambda unpacks them.
    pub unpacked: Unpacked,
}

impl Stage {
    /// Makes the key; `peers` is the folder that `tests/tools/peers/install` fills.
    pub fn new(peers: &'static Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(root().join("tests/peers/policy.toml"), folder.path().join("policy.toml")).unwrap();
        let issuer = Issuer::new(folder.path());
        Self { folder, peers, issuer }
    }

    /// Makes the zip of a function, and unpacks it.
    pub fn package(&self, function: Function) -> Package {
        let zip = self.folder.path().join("function.zip");
        match function {
            Function::Ours(build) => {
                pack_ours(&self.folder.path().join("policy.toml"), "exec", &bootstrap(build), &zip)
            }
            Function::AsLibrary(build) => {
                pack_ours(&self.folder.path().join("policy.toml"), "library", &library(build), &zip)
            }
            Function::Peer(library) => self.pack_peer(library, &zip).unwrap(),
            Function::Bare(bare) => pack_bare(bare.handler(), &zip).unwrap(),
            Function::Native(program) => pack_program(program, &zip).unwrap(),
        }
        unpack(&zip)
    }

    /// The same for our function with a policy of this many rules and five issuers, of which the first is the issuer of
    /// the tokens. Its last rule is the one that allows the requests.
    pub fn package_with_rules(&self, rules: usize) -> Package {
        let issuers: Vec<String> = (1..5).map(|number| format!("other-{number}")).collect();
        let mut text = fs::read_to_string(self.folder.path().join("policy.toml")).unwrap();
        let at = text.find("[[rules]]").unwrap();
        let last = text.split_off(at);
        for name in &issuers {
            self.issuer.add_other(name);
            let _ = write!(
                text,
                "[[issuers]]\nname = \"{name}\"\nissuer = \"https://{name}.example.com/\"\naudience = [\"files-api\"]\n\
                 algorithms = [\"ES256\"]\njwks = {{ file = \"keys/{name}.jwks.json\" }}\n\n"
            );
        }
        for number in 1..rules {
            let _ = write!(
                text,
                "[[rules]]\nid = \"team-{number}\"\neffect = \"allow\"\nissuers = [\"other-1\"]\nmethods = [\"GET\", \"PUT\"]\n\
                 keys = [\"teams/{number}/{{sub}}/**\"]\nwhen = {{ team = {{ equals = \"team-{number}\" }} }}\n\n"
            );
        }
        let policy = self.folder.path().join(format!("policy-{rules}.toml"));
        fs::write(&policy, text + &last).unwrap();
        let zip = self.folder.path().join("function.zip");
        pack_ours(&policy, "exec", &bootstrap(Build::Fast), &zip);
        unpack(&zip)
    }

    /// Packs the handler, the keys and the library as npm or pip installs it, as `zip -r` would.
    fn pack_peer(&self, library: Library, zip: &Path) -> io::Result<()> {
        let mut zip = ZipWriter::new(File::create(zip)?);
        add(&mut zip, "jwks.json", self.issuer.jwks())?;
        let name = library.name();
        match library {
            Library::AwsJwtVerify | Library::Jose => {
                add(&mut zip, "index.mjs", &handler(&format!("{name}.mjs")))?;
                let module = format!("node_modules/{name}");
                add(&mut zip, &module, &self.peers.join(&module))?;
            }
            Library::PyJwt => {
                add(&mut zip, "index.py", &handler("pyjwt.py"))?;
                let packages = self.site_packages()?;
                for entry in fs::read_dir(&packages)? {
                    let name = entry?.file_name().into_string().expect("pip's names are text");
                    if ["jwt", "cryptography", "cffi", "pycparser"].contains(&name.as_str())
                        || name.starts_with("_cffi_backend")
                    {
                        add(&mut zip, &name, &packages.join(&name))?;
                    }
                }
            }
        }
        zip.finish()?;
        Ok(())
    }

    /// The folder of the packages that pip installs, whose name has the version of Python.
    fn site_packages(&self) -> io::Result<PathBuf> {
        let lib = self.peers.join("lib");
        let python = fs::read_dir(lib)?.next().ok_or(io::ErrorKind::NotFound)??;
        Ok(python.path().join("site-packages"))
    }
}

fn unpack(zip: &Path) -> Package {
    let package = Package { length: zip.metadata().unwrap().len(), unpacked: Unpacked::new(zip) };
    fs::remove_file(zip).unwrap();
    package
}

fn pack_ours(policy: &Path, hand_over: &str, bootstrap: &Path, zip: &Path) {
    let [policy, bootstrap, zip] = [policy, bootstrap, zip].map(|path| path.to_str().unwrap());
    run(["package", "--policy", policy, "--hand-over", hand_over, "--bootstrap", bootstrap, "--out", zip]);
}

fn pack_bare(name: &str, zip: &Path) -> io::Result<()> {
    let mut zip = ZipWriter::new(File::create(zip)?);
    let (_, extension) = name.split_once('.').expect("a handler has an extension");
    add(&mut zip, &format!("index.{extension}"), &handler(name))?;
    zip.finish()?;
    Ok(())
}

fn pack_program(program: Program, zip: &Path) -> io::Result<()> {
    let mut zip = ZipWriter::new(File::create(zip)?);
    zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755))?;
    io::copy(&mut File::open(edge_example(program.example()))?, &mut zip)?;
    zip.finish()?;
    Ok(())
}

fn handler(name: &str) -> PathBuf {
    root().join("tests/peers/handlers").join(name)
}

/// Adds a file, or a folder with all of its content.
fn add(zip: &mut ZipWriter<impl Write + io::Seek>, name: &str, path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        zip.start_file(name, SimpleFileOptions::default().unix_permissions(0o644))?;
        return io::copy(&mut File::open(path)?, zip).map(|_| ());
    }
    let mut names: Vec<_> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    names.sort();
    for entry in names {
        let entry = entry.to_str().expect("npm's names are text").to_owned();
        add(zip, &format!("{name}/{entry}"), &path.join(&entry))?;
    }
    Ok(())
}

//! The key, the policy and the packages, in a folder that is removed after the run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use authorizer_e2e::binaries::{bootstrap, root, run};
use authorizer_e2e::lambda::Unpacked;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::contender::{Function, Library};
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
            Function::Ours(build) => self.pack_ours(&bootstrap(build), &zip),
            Function::Peer(library) => self.pack_peer(library, &zip).unwrap(),
            Function::Bare => pack_bare(&zip).unwrap(),
        }
        let package = Package { length: zip.metadata().unwrap().len(), unpacked: Unpacked::new(&zip) };
        fs::remove_file(zip).unwrap();
        package
    }

    fn pack_ours(&self, bootstrap: &Path, zip: &Path) {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let (policy, bootstrap) = (path(&self.folder.path().join("policy.toml")), path(bootstrap));
        run(["package", "--policy", &policy, "--bootstrap", &bootstrap, "--out", &path(zip)]);
    }

    /// Packs the handler, the keys and the library that npm installs, as `zip -r` would.
    fn pack_peer(&self, library: Library, zip: &Path) -> io::Result<()> {
        let mut zip = ZipWriter::new(File::create(zip)?);
        let handler = root().join("tests/peers/handlers").join(format!("{}.mjs", library.name()));
        add(&mut zip, "index.mjs", &handler)?;
        add(&mut zip, "jwks.json", self.issuer.jwks())?;
        let module = format!("node_modules/{}", library.name());
        add(&mut zip, &module, &self.peers.join(&module))?;
        zip.finish()?;
        Ok(())
    }
}

fn pack_bare(zip: &Path) -> io::Result<()> {
    let mut zip = ZipWriter::new(File::create(zip)?);
    add(&mut zip, "index.mjs", &root().join("tests/peers/handlers/bare.mjs"))?;
    zip.finish()?;
    Ok(())
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

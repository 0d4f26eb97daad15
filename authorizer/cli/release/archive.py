"""Puts the archive of a release together: called by `build` beside it, which says what is in it.

The bytes of the archive depend on the program, the functions and the commit alone: names in order, one time, one owner.
The tar is packed by gzip and what is behind the program is not packed at all, since zlib's bytes differ by version.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
import zipfile
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[3]
CRATES = ["authorizer-cli", "authorizer-edge", "authorizer-library"]
# The texts that crates bring.
LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|COPYRIGHT|UNLICENSE)", re.IGNORECASE)
SHELLS = {"bash": "authorizer.bash", "zsh": "_authorizer", "fish": "authorizer.fish"}


def run(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, **more).stdout


def stop(message):
    sys.exit(f"authorizer/cli/release: {message}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Release:
    """What is released: the version, the commit with its time, and the compiler."""

    def __init__(self, triple):
        self.triple = triple
        manifest = (ROOT / "Cargo.toml").read_text()
        self.version = re.search(r'^\[workspace\.package\]\nversion = "(.+)"$', manifest, re.MULTILINE)[1]
        self.name = f"authorizer-{self.version}-{triple}"
        self.rust = run("rustc", "--version").strip()
        self.commit, self.time = "unknown", 315532800
        try:
            self.commit = run("git", "rev-parse", "HEAD", stderr=subprocess.DEVNULL).strip()
            self.time = int(run("git", "log", "-1", "--format=%ct"))
            if run("git", "status", "--porcelain", "--untracked-files=no"):
                self.commit += ", changed"
                print("authorizer/cli/release: what is not committed is in the archive, and its commit says so",
                      file=sys.stderr)
        except (OSError, subprocess.CalledProcessError):
            print("authorizer/cli/release: git does not know the commit", file=sys.stderr)
        self.time = int(os.environ.get("SOURCE_DATE_EPOCH", self.time))

    def about(self):
        return {"version": self.version, "commit": self.commit, "rust": self.rust}


def linked(triple):
    """The crates that are linked for a platform: as cargo's metadata has them, by name and version."""
    selected = [word for crate in CRATES for word in ("--package", crate)]
    tree = run("cargo", "tree", "--locked", *selected, "--edges", "normal,no-proc-macro", "--target", triple,
               "--prefix", "none", "--format", "{p}")
    names = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", triple))
    packages = {package["id"]: package for package in metadata["packages"]
                if (package["name"], "v" + package["version"]) in names}
    if len(packages) != len(names):
        stop("cargo's tree and its metadata do not name the same crates")
    needs = {node["id"]: [dep["pkg"] for dep in node["deps"]
                          if dep["pkg"] in packages and any(kind["kind"] is None for kind in dep["dep_kinds"])]
             for node in metadata["resolve"]["nodes"] if node["id"] in packages}
    return packages, needs


def licences(packages, sysroot):
    """The texts of all licences, each once, with the crates that it is of."""
    of_text = {}
    for package in packages.values():
        name = f"{package['name']} {package['version']}"
        if package["source"] is None:
            continue
        folder = Path(package["manifest_path"]).parent
        texts = [path for path in sorted(folder.rglob("*")) if path.is_file() and LICENCE.match(path.name)
                 and path.suffix not in {".rs", ".c", ".h", ".py", ".toml", ".go", ".pl"}]
        by = ""
        if not texts:
            # The text of one of its licences, with the names of its authors.
            words = re.split(r"[^A-Za-z0-9.+-]+", package["license"] or "")
            texts = [ROOT / "LICENSE"] if "Apache-2.0" in words else \
                [sysroot / "share/doc/rust/licenses/MIT.txt"] if "MIT" in words else []
            by = f", by {', '.join(package['authors']) or 'its authors'}"
        if not texts:
            stop(f"the crate {name} has no text of its licence, {package['license']}: find it, and add it here")
        for text in texts:
            content = text.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip()
            of_text.setdefault(content, set()).add(f"{name} ({package['license']}{by})")
    parts = ["The licences of what is linked into `authorizer` and into the function that is inside it. "
             "Those of Rust's standard library are in rust-standard-library.html.\n"]
    for content, names in sorted(of_text.items(), key=lambda item: sorted(item[1])):
        parts.append("=" * 100 + "\n" + "\n".join(sorted(names)) + "\n" + "-" * 100 + "\n\n" + content + "\n")
    return "\n".join(parts)


def bill_of_materials(release, packages, needs, functions, program):
    """The bill of materials in CycloneDX 1.6, which is checked by CycloneDX's own schema."""
    lock = re.finditer(r'^name = "(.+)"\nversion = "(.+)"\n(?:source = .+\nchecksum = "(.+)"\n)?',
                       (ROOT / "Cargo.lock").read_text(), re.MULTILINE)
    checksums = {(package[1], package[2]): package[3] for package in lock}
    licence = LicenseFactory()

    def sum_of(digest):
        return [HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else []

    components = {}
    for key, package in packages.items():
        name, version = package["name"], package["version"]
        expression = (package["license"] or "").replace("/", " OR ")
        components[key] = Component(
            name=name, version=version, bom_ref=f"{name}@{version}", type=ComponentType.LIBRARY,
            purl=PackageURL("cargo", name=name, version=version) if package["source"] else None,
            hashes=sum_of(checksums.get((name, version))),
            licenses=[licence.make_from_string(expression)] if expression else [],
        )
    root = Component(name="authorizer", version=release.version, type=ComponentType.APPLICATION,
                     bom_ref=release.name, licenses=[licence.make_from_string("Apache-2.0")],
                     hashes=sum_of(sha256(program)),
                     properties=[Property(name="authorizer:commit", value=release.commit),
                                 Property(name="authorizer:rust", value=release.rust),
                                 Property(name="authorizer:target", value=release.triple)])
    files = {}
    for path in sorted(functions.rglob("*")):
        if path.is_file():
            name = path.relative_to(functions).as_posix()
            files[name] = Component(name=name, version=release.version, type=ComponentType.FILE, bom_ref=f"function/{name}",
                                    hashes=sum_of(sha256(path)))
    bom = Bom(components=[*components.values(), *files.values()],
              serial_number=uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([release.about(), release.triple])))
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(release.time, datetime.timezone.utc)
    bom.metadata.component = root
    own = {package["name"]: key for key, package in packages.items()}
    bom.register_dependency(root, [components[own["authorizer-cli"]], *files.values()])
    for name, file in files.items():
        crate = "authorizer-library" if name.endswith(".so") else "authorizer-edge"
        bom.register_dependency(file, [components[own[crate]]])
    for key, component in components.items():
        bom.register_dependency(component, [components[need] for need in needs[key]])
    text = JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error:
        stop(f"the bill of materials is not valid: {error}")
    return text


def append(program, functions, release):
    """Puts the functions behind the program, where `authorizer/cli/src/release.rs` reads them."""
    date = (1980, 1, 1, 0, 0, 0)
    with zipfile.ZipFile(program, "a", zipfile.ZIP_STORED) as behind:
        behind.writestr(zipfile.ZipInfo("release.json", date), json.dumps(release.about()) + "\n")
        for path in sorted(functions.rglob("*")):
            if path.is_file():
                behind.writestr(zipfile.ZipInfo(path.relative_to(functions).as_posix(), date), path.read_bytes())


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(mode)


def pack(folder, archive, release):
    """A tar of the folder with names in order, one time and no owner, packed by gzip without name and time."""
    def same(member):
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = release.time
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    plain = archive.with_suffix("")
    with tarfile.open(plain, "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(folder, release.name, recursive=False, filter=same)
        for path in sorted(folder.rglob("*")):
            tar.add(path, f"{release.name}/{path.relative_to(folder).as_posix()}", recursive=False, filter=same)
    with open(plain, "rb") as source, open(f"{archive}.new", "wb") as packed:
        subprocess.run(["gzip", "-n", "-c"], check=True, stdin=source, stdout=packed,
                       env={key: value for key, value in os.environ.items() if key != "GZIP"})
    plain.unlink()
    os.replace(f"{archive}.new", archive)


def main():
    parser = argparse.ArgumentParser()
    for name in ("program", "runs", "functions", "out"):
        parser.add_argument(f"--{name}", type=lambda path: Path(path).resolve(), required=True)
    parser.add_argument("--triple", required=True)
    arguments = parser.parse_args()
    release = Release(arguments.triple)
    archive = arguments.out / f"{release.name}.tar.gz"
    sysroot = Path(run("rustc", "--print", "sysroot").strip())
    of_rust = sysroot / "share/doc/rust/COPYRIGHT-library.html"
    if not of_rust.is_file():
        stop(f"the licences of Rust's standard library are not at {of_rust}: install Rust with rustup")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / release.name
        folder.mkdir()
        program = folder / "authorizer"
        shutil.copyfile(arguments.program, program)
        program.chmod(0o755)
        append(program, arguments.functions, release)

        for shell, name in SHELLS.items():
            write(folder / "completions" / name, run(arguments.runs, "completions", shell))
        (folder / "man").mkdir()
        run(arguments.runs, "man", folder / "man")
        packages, needs = linked(arguments.triple)
        write(folder / "licences/third-party.txt", licences(packages, sysroot))
        write(folder / "licences/rust-standard-library.html", of_rust.read_text(encoding="utf-8"))
        zig = ROOT / ".tools/zig/ziglang/LICENSE"
        write(folder / "licences/zig-start-files.txt", zig.read_text(encoding="utf-8"))
        bill = bill_of_materials(release, packages, needs, arguments.functions, program)
        write(folder / "authorizer.cdx.json", bill)
        for name, source in (("LICENSE", "LICENSE"), ("CHANGELOG.md", "CHANGELOG.md"), ("INSTALL.md", "docs/install.md")):
            write(folder / name, (ROOT / source).read_text(encoding="utf-8"))
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        write(folder / "SHA256SUMS", "".join(f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files))
        pack(folder, archive, release)

    write(arguments.out / f"{release.name}.cdx.json", bill)
    made = sorted([*arguments.out.glob(f"authorizer-{release.version}-*.tar.gz"),
                   *arguments.out.glob(f"authorizer-{release.version}-*.cdx.json")])
    write(arguments.out / "SHA256SUMS", "".join(f"{sha256(path)}  {path.name}\n" for path in made))
    print(archive)


main()

//! The deployment package in the form that Lambda@Edge accepts.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use authorizer_e2e::binaries::{Build, bootstrap, root, run_in};
use authorizer_e2e::lambda::{Process, Unpacked};
use authorizer_e2e::packages::{Package, sample, sample_as_library, small_sample};
use authorizer_local::Runtime;
use authorizer_policy::PolicyFile;
use object::LittleEndian;
use object::elf::{EM_X86_64, ET_DYN, ET_EXEC, FileHeader64, PT_GNU_EH_FRAME, SHT_DYNSYM};
use object::read::elf::{FileHeader as _, ProgramHeader as _, Sym as _};
use rustix::process::Signal;
use zip::ZipArchive;

#[test]
fn the_small_zip_is_one_that_cloudfront_was_seen_to_accept_and_the_fast_one_is_no_larger_than_its_budget() {
    for (package, most) in [
        (small_sample(), 1_048_576),
        (sample(), 2_200_000),
        (sample_as_library(Build::Small), 1_048_576),
        (sample_as_library(Build::Fast), 2_200_000),
    ] {
        let length = package.zip.metadata().unwrap().len();
        println!("{length} bytes");
        assert!(length <= most, "{length} bytes");
    }
}

#[test]
fn the_zip_holds_the_function_its_shims_and_its_bundle() {
    let zip = &sample().zip;
    let mut archive = ZipArchive::new(File::open(zip).unwrap()).unwrap();
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        // Lambda does not run the function as the files' owner.
        let mode = entry.unix_mode().unwrap() & 0o777;
        assert_eq!(mode, if name == "bootstrap" { 0o755 } else { 0o644 }, "{name}");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["bootstrap", "bundle.json", "index.mjs", "index.py"]);
    let unpacked = Unpacked::new(zip);
    for shim in ["index.mjs", "index.py"] {
        let source = std::fs::read(root().join("authorizer/edge/shims").join(shim)).unwrap();
        assert_eq!(std::fs::read(unpacked.file(shim)).unwrap(), source, "{shim}");
    }
}

/// The function in each form and build, as it is packaged.
fn binaries() -> [Vec<u8>; 4] {
    let binary = |package: &Package, name| fs::read(Unpacked::new(&package.zip).file(name)).unwrap();
    [
        binary(sample(), "bootstrap"),
        binary(small_sample(), "bootstrap"),
        binary(sample_as_library(Build::Fast), "libauthorizer.so"),
        binary(sample_as_library(Build::Small), "libauthorizer.so"),
    ]
}

#[test]
fn the_function_needs_no_newer_glibc_than_amazon_linux_2023_has() {
    for bytes in binaries() {
        needs_no_newer_glibc(&bytes);
    }
}

#[test]
fn the_library_shows_its_three_functions_and_nothing_else() {
    for bytes in &binaries()[2..] {
        let header = FileHeader64::<LittleEndian>::parse(&**bytes).unwrap();
        let endian = header.endian().unwrap();
        let sections = header.sections(endian, &**bytes).unwrap();
        let symbols = sections.symbols(endian, &**bytes, SHT_DYNSYM).unwrap();
        let defined = symbols.iter().filter(|symbol| !symbol.is_undefined(endian));
        let mut names: Vec<&[u8]> =
            defined.map(|symbol| symbol.name(endian, symbols.strings()).unwrap()).collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        assert_eq!(names, [&b"authorizer_decide"[..], b"authorizer_free", b"authorizer_start"]);
    }
}

fn needs_no_newer_glibc(bytes: &[u8]) {
    let header = FileHeader64::<LittleEndian>::parse(bytes).unwrap();
    let endian = header.endian().unwrap();
    assert_eq!(header.e_machine(endian), EM_X86_64);
    assert!([ET_DYN, ET_EXEC].contains(&header.e_type(endian)));
    let mut needed = Vec::new();
    let sections = header.sections(endian, bytes).unwrap();
    let (mut files, strings) = sections.gnu_verneed(endian, bytes).unwrap().expect("it needs some version");
    let strings = sections.strings(endian, bytes, strings).unwrap();
    while let Some((file, mut versions)) = files.next().unwrap() {
        let library = String::from_utf8(file.file(endian, strings).unwrap().to_vec()).unwrap();
        while let Some(version) = versions.next().unwrap() {
            let name = String::from_utf8(version.name(endian, strings).unwrap().to_vec()).unwrap();
            needed.push((library.clone(), name));
        }
    }
    let glibc = needed.iter().filter_map(|(_, name)| name.strip_prefix("GLIBC_"));
    let glibc: Vec<Vec<u32>> =
        glibc.map(|version| version.split('.').map(|part| part.parse().unwrap()).collect()).collect();
    let newest = glibc.iter().max().expect("it needs glibc");
    println!("needs GLIBC_{newest:?}");
    assert!(*newest <= vec![2, 34], "{needed:?}");
}

#[test]
fn the_function_holds_no_tables_for_unwinding() {
    for bytes in binaries() {
        let header = FileHeader64::<LittleEndian>::parse(&*bytes).unwrap();
        let endian = header.endian().unwrap();
        let sections = header.sections(endian, &*bytes).unwrap();
        let names: Vec<&str> = sections
            .iter()
            .map(|section| str::from_utf8(sections.section_name(endian, section).unwrap()).unwrap())
            .collect();
        assert!(names.contains(&".text"), "{names:?}");
        for name in [".eh_frame", ".eh_frame_hdr", ".gcc_except_table", ".debug_frame"] {
            assert!(!names.contains(&name), "{names:?}");
        }
        let segments = header.program_headers(endian, &*bytes).unwrap();
        assert!(segments.iter().all(|segment| segment.p_type(endian) != PT_GNU_EH_FRAME));
    }
}

#[test]
fn a_panic_ends_the_process_with_its_message_and_no_answer() {
    for package in [sample(), small_sample()] {
        let unpacked = Unpacked::new(&package.zip);
        for backtrace in ["0", "1", "full"] {
            let mut function = Command::new(unpacked.file("bootstrap"));
            function.env_clear().env("RUST_BACKTRACE", backtrace);
            function.env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9");
            function.env("AWS_LAMBDA_FUNCTION_NAME", "authorizer").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
            // `lambda_runtime` panics because of it.
            function.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much");
            let output = function.output().unwrap();
            assert_eq!(output.status.signal(), Some(Signal::ABORT.as_raw()), "{output:?}");
            let stderr = String::from_utf8(output.stderr).unwrap();
            for part in ["panicked at ", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] {
                assert!(stderr.contains(part), "{backtrace}: {stderr}");
            }
            // Nothing but the line of the start.
            let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(line["event"], "start", "{line}");
        }
    }
}

#[tokio::test]
async fn the_function_starts() {
    for package in [sample(), small_sample()] {
        starts(&package.zip).await;
    }
}

async fn starts(zip: &Path) {
    let unpacked = Unpacked::new(zip);
    let mut times = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let mut process = Process::start(Runtime::Native, unpacked.folder()).await;
        process.ready().await;
        times.push(started.elapsed());
        let (stdout, stderr) = process.stop();
        let [line] = stdout.as_slice() else { panic!("{stdout:?}") };
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["event"], stderr.len()), (&"start".into(), 0), "{line} {stderr:?}");
    }
    println!("from start to the first /next: {times:?}");
}

#[tokio::test]
async fn a_function_that_cannot_ask_for_keys_takes_no_policy_that_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let text = r#"version = 1

[[issuers]]
name       = "login"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["RS256"]
jwks       = { url = "https://login.example.com/.well-known/jwks.json" }
"#;
    fs::write(&policy, text).unwrap();
    let bootstrap = bootstrap(Build::Small);
    let package = ["package", "--policy", "policy.toml", "--bootstrap", bootstrap.to_str().unwrap()];
    let (code, out, err) = run_in(folder.path(), &package);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("was built without `remote-keys`"), "{err}");

    // However the bundle got into the package.
    let unpacked = Unpacked::new(&small_sample().zip);
    fs::write(unpacked.file("bundle.json"), PolicyFile::load(&policy).unwrap().bundle_json()).unwrap();
    let (status, stdout, _) = Process::start(Runtime::Native, unpacked.folder()).await.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(stdout[0].contains("\"reason\":\"remote_keys_not_built\""), "{stdout:?}");
}

#[tokio::test]
async fn a_function_that_cannot_exchange_codes_does_not_start_with_a_policy_that_needs_it() {
    let unpacked = Unpacked::new(&small_sample().zip);
    let policy = r#"{"version":1,"sign_in":{"issuer":"staff","client_id":"web","origin":"https://a.example","authorization_endpoint":"https://l.example/a","token_endpoint":"https://l.example/t","cookie_key":{}},"rules":[]}"#;
    let digest = authorizer_core::record::sha256_hex(policy.as_bytes());
    let bundle = format!(r#"{{"format":1,"policy_sha256":"{digest}","policy":{policy}}}"#);
    fs::write(unpacked.file("bundle.json"), bundle).unwrap();
    let (status, stdout, _) = Process::start(Runtime::Native, unpacked.folder()).await.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(stdout[0].contains("\"reason\":\"code_flow_not_built\""), "{stdout:?}");
    assert!(stdout[0].contains("was built without the code flow"), "{stdout:?}");
}

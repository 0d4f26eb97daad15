//! Checks from a binary itself whether Lambda can run it: it must be an ELF executable for x86_64, or the function as a
//! library, that needs only what Amazon Linux 2023 has. The loader would find this too, but only after the function is deployed, and then as a 502 or
//! 503 on every request.

use std::collections::BTreeSet;

use authorizer_core::BuiltWith;
use memchr::memmem;
use object::LittleEndian;
use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _, SectionTable, Sym as _};
use thiserror::Error;

type Header = elf::FileHeader64<LittleEndian>;

const ENDIAN: LittleEndian = LittleEndian;

/// The glibc of Amazon Linux 2023.
const GLIBC: (u32, u32) = (2, 34);

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// The libraries that the image of a managed runtime always has.
const LIBRARIES: [&str; 7] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// The functions of the library that its handler calls (`authorizer/library/src/border.rs`).
const CALLED: [&[u8]; 3] = [b"authorizer_start", b"authorizer_decide", b"authorizer_free"];

/// What a binary is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// An executable.
    Program,
    /// The function as a library.
    Library,
}

/// Why Lambda cannot run a binary. The message continues after its path.
#[derive(Debug, Eq, Error, PartialEq)]
pub(crate) enum BinaryError {
    #[error("is not an ELF file")]
    NotElf,
    #[error("is cut short or damaged")]
    Damaged,
    #[error("is made for {0}, but Lambda@Edge runs x86_64")]
    OtherMachine(String),
    #[error("is a library or an object file, not the function")]
    NotTheFunction,
    #[error("does not say what it needs: its section table was removed")]
    NoSections,
    #[error("needs what Lambda's glibc 2.34 does not have: {}", quoted(.0))]
    GlibcTooNew(Vec<String>),
    #[error("needs what Lambda's machine does not have: {}", quoted(.0))]
    MissingLibraries(Vec<String>),
}

impl From<object::read::Error> for BinaryError {
    /// In a file whose first bytes are right, `object` only refuses what is out of bounds.
    fn from(_: object::read::Error) -> Self {
        Self::Damaged
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What the binary was built with, from its marker. `None` if it has no marker, or several.
pub(super) fn built_with(bytes: &[u8]) -> Option<BuiltWith> {
    let says = |one: &BuiltWith| memmem::find(bytes, one.marker().as_bytes()).is_some();
    let mut said = BuiltWith::ALL.into_iter().filter(says);
    said.next().filter(|_| said.next().is_none())
}

/// Refuses what Lambda cannot run, and says what the rest is.
pub(super) fn check(bytes: &[u8]) -> Result<Kind, BinaryError> {
    check_machine(bytes)?;
    let header = Header::parse(bytes)?;
    let segments = header.program_headers(ENDIAN, bytes)?;
    let mut interpreter = None;
    let mut dynamic = false;
    for segment in segments {
        let (offset, length) = segment.file_range(ENDIAN);
        let end = offset.checked_add(length).ok_or(BinaryError::Damaged)?;
        if usize::try_from(end).map_or(true, |end| end > bytes.len()) {
            return Err(BinaryError::Damaged);
        }
        dynamic |= segment.p_type(ENDIAN) == elf::PT_DYNAMIC;
        interpreter = interpreter.or(segment.interpreter(ENDIAN, bytes)?);
    }
    let sections = header.sections(ENDIAN, bytes)?;
    let table = sections.dynamic_table(ENDIAN, bytes)?;
    if dynamic && table.is_empty() {
        return Err(BinaryError::NoSections);
    }

    let mut position_independent = false;
    let mut missing = BTreeSet::new();
    for entry in &table {
        if entry.tag == elf::DT_FLAGS_1 {
            position_independent = elf::DynamicFlags1(entry.val).contains(elf::DF_1_PIE);
        } else if entry.tag == elf::DT_NEEDED {
            let name = String::from_utf8_lossy(table.string(entry)?);
            if !LIBRARIES.contains(&name.as_ref()) {
                missing.insert(name.into_owned());
            }
        }
    }
    // A shared library does not have an interpreter. A statically linked executable does not have one either, but its
    // flags say that it is an executable.
    let kind = match header.e_type(ENDIAN) {
        elf::ET_EXEC => Kind::Program,
        elf::ET_DYN if interpreter.is_some() || position_independent => Kind::Program,
        elf::ET_DYN if is_called(&sections, bytes)? => Kind::Library,
        _ => return Err(BinaryError::NotTheFunction),
    };
    missing.extend(
        interpreter.map(|path| String::from_utf8_lossy(path).into_owned()).filter(|path| path != LOADER),
    );
    if !missing.is_empty() {
        return Err(BinaryError::MissingLibraries(missing.into_iter().collect()));
    }
    let newer = newer_glibc(&sections, bytes)?;
    if newer.is_empty() { Ok(kind) } else { Err(BinaryError::GlibcTooNew(newer.into_iter().collect())) }
}

/// Checks the first bytes alone, so that the error names another machine.
fn check_machine(bytes: &[u8]) -> Result<(), BinaryError> {
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(BinaryError::NotElf);
    }
    let (Some(&[class, order]), Some(&[low, high])) =
        (bytes.get(4..6).and_then(<[u8]>::first_chunk), bytes.get(18..20).and_then(<[u8]>::first_chunk))
    else {
        return Err(BinaryError::Damaged);
    };
    if class != elf::ELFCLASS64.0 || order != elf::ELFDATA2LSB.0 {
        return Err(BinaryError::OtherMachine("a machine that is not 64-bit little-endian".to_owned()));
    }
    match elf::Machine(u16::from_le_bytes([low, high])) {
        elf::EM_X86_64 => Ok(()),
        elf::EM_AARCH64 => Err(BinaryError::OtherMachine("aarch64".to_owned())),
        elf::Machine(number) => Err(BinaryError::OtherMachine(format!("machine {number} of ELF's list"))),
    }
}

/// Whether a library has the functions that the handler calls.
fn is_called(sections: &SectionTable<'_, Header>, bytes: &[u8]) -> Result<bool, BinaryError> {
    let symbols = sections.symbols(ENDIAN, bytes, elf::SHT_DYNSYM)?;
    let mut names = BTreeSet::new();
    for symbol in symbols.iter().filter(|symbol| !symbol.is_undefined(ENDIAN)) {
        names.insert(symbol.name(ENDIAN, symbols.strings())?);
    }
    Ok(CALLED.iter().all(|name| names.contains(name)))
}

/// The versions of the glibc interface that the loader would not find.
fn newer_glibc(sections: &SectionTable<'_, Header>, bytes: &[u8]) -> Result<BTreeSet<String>, BinaryError> {
    let mut newer = BTreeSet::new();
    let Some((mut libraries, link)) = sections.gnu_verneed(ENDIAN, bytes)? else { return Ok(newer) };
    let strings = sections.strings(ENDIAN, bytes, link)?;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            // The loader warns about a missing weak version and goes on: the binary uses its symbols only if they
            // exist.
            if version.vna_flags.get(ENDIAN).contains(elf::VER_FLG_WEAK) {
                continue;
            }
            let name = String::from_utf8_lossy(version.name(ENDIAN, strings)?);
            if name.strip_prefix("GLIBC_").is_some_and(|number| !within_glibc(number)) {
                newer.insert(name.into_owned());
            }
        }
    }
    Ok(newer)
}

/// Whether glibc 2.34 has this version. A version that is not a number, such as `GLIBC_PRIVATE` or `GLIBC_ABI_DT_RELR`
/// (glibc 2.36), belongs to one glibc only, or to newer ones.
fn within_glibc(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) <= GLIBC,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;

    /// The executable of this test, as the linker of this machine makes it.
    fn executable() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    /// Replaces bytes with others everywhere, and returns how often.
    fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
        assert_eq!(from.len(), to.len());
        let mut count = 0;
        let mut at = 0;
        while at + from.len() <= bytes.len() {
            if &bytes[at..at + from.len()] == from {
                bytes[at..at + from.len()].copy_from_slice(to);
                count += 1;
            }
            at += 1;
        }
        count
    }

    #[test]
    fn a_real_executable_is_read_and_only_its_glibc_may_be_too_new() {
        // The glibc of this machine can have any version.
        match check(&executable()) {
            Ok(kind) => assert_eq!(kind, Kind::Program),
            Err(BinaryError::GlibcTooNew(versions)) => {
                assert!(versions.iter().all(|version| version.starts_with("GLIBC_")), "{versions:?}");
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_real_executable_that_is_made_to_need_a_newer_glibc_is_refused_by_that_version() {
        let mut bytes = executable();
        // Every x86_64 program needs this version, which is the first.
        assert!(replace(&mut bytes, b"\0GLIBC_2.2.5\0", b"\0GLIBC_2.9.9\0") > 0);
        assert_eq!(check(&bytes), check(&executable()), "2.9.9 is old");
        assert!(replace(&mut bytes, b"\0GLIBC_2.9.9\0", b"\0GLIBC_2.99\0\0") > 0);
        let Err(BinaryError::GlibcTooNew(versions)) = check(&bytes) else { panic!("it was not refused") };
        assert!(versions.contains(&"GLIBC_2.99".to_owned()), "{versions:?}");
    }

    #[test]
    fn a_real_executable_is_refused_wherever_it_is_cut() {
        let bytes = executable();
        for length in [4, 16, 20, 63, 64, 100, 4096, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(check(&bytes[..length]), Err(BinaryError::Damaged), "cut at {length}");
        }
    }

    #[test]
    fn a_real_executable_that_needs_another_library_is_refused_by_its_name() {
        let mut bytes = executable();
        assert!(replace(&mut bytes, b"\0libc.so.6\0", b"\0libz.so.6\0") > 0);
        assert_eq!(check(&bytes), Err(BinaryError::MissingLibraries(vec!["libz.so.6".to_owned()])));
    }

    #[test]
    fn a_real_executable_of_another_kind_or_machine_is_refused() {
        for (at, patch, error) in [
            (4, 1, BinaryError::OtherMachine("a machine that is not 64-bit little-endian".to_owned())),
            (5, 2, BinaryError::OtherMachine("a machine that is not 64-bit little-endian".to_owned())),
            (16, 1, BinaryError::NotTheFunction),
            (16, 4, BinaryError::NotTheFunction),
            (18, 183, BinaryError::OtherMachine("aarch64".to_owned())),
            (18, 243, BinaryError::OtherMachine("machine 243 of ELF's list".to_owned())),
        ] {
            let mut bytes = executable();
            bytes[at] = patch;
            assert_eq!(check(&bytes), Err(error));
        }
    }

    #[test]
    fn what_is_no_elf_is_refused() {
        for bytes in [&b""[..], b"\x7fEL", b"#!/bin/sh\n", b"PK\x03\x04"] {
            assert_eq!(check(bytes), Err(BinaryError::NotElf));
        }
    }

    #[test]
    fn versions_of_glibc_are_numbers_and_not_text() {
        for old in ["2.2.5", "2.4", "2.9", "2.34"] {
            assert!(within_glibc(old), "{old}");
        }
        for new in ["2.35", "2.100", "3.0", "PRIVATE", "ABI_DT_RELR", "", "2", "2.x"] {
            assert!(!within_glibc(new), "{new}");
        }
    }
}

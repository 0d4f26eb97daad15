//! Small ELF executables that need what a test says, on any machine.
//! Laid out by the System V ABI (gabi, "ELF header" to "Dynamic section") and the LSB (`.gnu.version_r`).

const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SECTION: usize = 64;

/// The headers of the executable.
pub(crate) struct Elf {
    pub(crate) machine: u16,
    pub(crate) interpreter: Option<&'static str>,
    pub(crate) libraries: &'static [&'static str],
    /// Of `libc.so.6`.
    pub(crate) versions: &'static [&'static str],
    pub(crate) weak_versions: &'static [&'static str],
    /// What it offers to others.
    pub(crate) symbols: &'static [&'static str],
    pub(crate) padding: Vec<u8>,
}

impl Default for Elf {
    /// One that Lambda can run.
    fn default() -> Self {
        Self {
            machine: 62,
            interpreter: Some("/lib64/ld-linux-x86-64.so.2"),
            libraries: &["libc.so.6", "libm.so.6", "libgcc_s.so.1"],
            versions: &["GLIBC_2.2.5", "GLIBC_2.34"],
            weak_versions: &[],
            symbols: &[],
            padding: Vec::new(),
        }
    }
}

struct Part {
    kind: u32,
    link: u32,
    offset: usize,
    length: usize,
}

impl Elf {
    /// The function as a library.
    pub(crate) fn library() -> Self {
        Self {
            interpreter: None,
            symbols: &["authorizer_start", "authorizer_decide", "authorizer_free"],
            ..Self::default()
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut string = |text: &str| {
            let at = strings.len();
            strings.extend(text.bytes().chain([0]));
            at
        };
        let libc = string("libc.so.6");
        let mut dynamic = Vec::new();
        for library in self.libraries {
            // DT_NEEDED
            dynamic.extend([1, string(library) as u64].into_iter().flat_map(u64::to_le_bytes));
        }
        dynamic.extend([0; 16]);
        let versions = self.version_needs(libc, &mut string);
        // The first symbol is none; the others are in section 1, which is enough to be defined.
        let mut symbols = vec![0; 24];
        for symbol in self.symbols {
            symbols.extend((string(symbol) as u32).to_le_bytes());
            symbols.extend([0x12, 0, 1, 0]);
            symbols.extend([0; 16]);
        }

        let segments = 2 + usize::from(self.interpreter.is_some());
        let mut body = self.interpreter.map(|path| [path.as_bytes(), &[0]].concat()).unwrap_or_default();
        let interpreter = body.len();
        let start = HEADER + segments * SEGMENT;
        let mut sections = vec![Part { kind: 0, link: 0, offset: 0, length: 0 }];
        // SHT_STRTAB, SHT_DYNAMIC, SHT_GNU_verneed and SHT_DYNSYM, the latter three linked to the first.
        let tables = [(3, 0, &strings), (6, 1, &dynamic), (0x6fff_fffe, 1, &versions), (11, 1, &symbols)];
        for (kind, link, bytes) in tables {
            sections.push(Part { kind, link, offset: start + body.len(), length: bytes.len() });
            body.extend(bytes);
        }
        body.extend(&self.padding);

        let end = start + body.len();
        let mut file = self.header(segments, end, sections.len());
        // PT_LOAD, PT_DYNAMIC, PT_INTERP
        segment(&mut file, 1, 0, end);
        segment(&mut file, 2, sections[2].offset, sections[2].length);
        if self.interpreter.is_some() {
            segment(&mut file, 3, start, interpreter);
        }
        file.extend(body);
        for section in sections {
            let [kind, link] = [section.kind, section.link].map(u64::from);
            let Part { offset, length, .. } = section;
            file.extend((kind << 32).to_le_bytes());
            for word in [0, 0, offset as u64, length as u64, link, 1, 0] {
                file.extend(word.to_le_bytes());
            }
        }
        file
    }

    fn version_needs(&self, library: usize, mut string: impl FnMut(&str) -> usize) -> Vec<u8> {
        let strong = self.versions.iter().map(|name| (name, 0_u16));
        // VER_FLG_WEAK
        let all: Vec<_> = strong.chain(self.weak_versions.iter().map(|name| (name, 2))).collect();
        let mut bytes = Vec::new();
        bytes.extend(1_u16.to_le_bytes());
        bytes.extend((all.len() as u16).to_le_bytes());
        for word in [library as u32, 16, 0] {
            bytes.extend(word.to_le_bytes());
        }
        for (index, (name, flags)) in all.iter().enumerate() {
            let next = if index + 1 == all.len() { 0 } else { 16 };
            // Only the loader uses the hash.
            bytes.extend(0_u32.to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            bytes.extend((index as u16 + 2).to_le_bytes());
            bytes.extend((string(name) as u32).to_le_bytes());
            bytes.extend(u32::to_le_bytes(next));
        }
        bytes
    }

    fn header(&self, segments: usize, sections_at: usize, sections: usize) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        // ET_DYN, as position-independent executables are.
        file.extend(3_u16.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        for word in [HEADER as u64, HEADER as u64, sections_at as u64] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0_u32.to_le_bytes());
        for half in [HEADER, SEGMENT, segments, SECTION, sections, 1] {
            file.extend((half as u16).to_le_bytes());
        }
        file
    }
}

fn segment(file: &mut Vec<u8>, kind: u32, offset: usize, length: usize) {
    file.extend(kind.to_le_bytes());
    file.extend(4_u32.to_le_bytes());
    for word in [offset, offset, offset, length, length, 1] {
        file.extend((word as u64).to_le_bytes());
    }
}

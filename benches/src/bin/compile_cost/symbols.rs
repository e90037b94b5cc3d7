//! Function sizes read from a static library.

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol, SectionKind};
use std::error::Error;

/// Bytes of machine code by ISA.
#[derive(Clone, Copy, Debug, Default)]
pub struct CodeSize {
    /// Functions named for AVX-512.
    pub avx512: u64,
    /// Functions named for AVX2.
    pub avx2: u64,
    /// Functions named for the portable variant.
    pub portable: u64,
    /// Dispatch, reference and whatever else the crate contains.
    pub other: u64,
}

/// Adds up the code sections of every object in the archive. Rust puts each function in a section of its
/// own, named after the function, so the section's name says which ISA it belongs to.
pub fn code_size(archive: &[u8]) -> Result<CodeSize, Box<dyn Error>> {
    let mut sizes = CodeSize::default();
    for member in ArchiveFile::parse(archive)?.members() {
        // The archive also holds rustc's metadata, which is no object file.
        let Ok(file) = object::File::parse(member?.data(archive)?) else { continue };
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let symbol = file.symbols().find(|s| s.is_definition() && s.section_index() == Some(section.index()));
            let name = match &symbol {
                Some(symbol) => symbol.name()?,
                None => section.name()?,
            };
            let size = match name {
                name if name.contains("avx512") => &mut sizes.avx512,
                name if name.contains("avx2") => &mut sizes.avx2,
                name if name.contains("portable") => &mut sizes.portable,
                _ => &mut sizes.other,
            };
            *size += section.size();
        }
    }
    Ok(sizes)
}

//! Zip archive without compression. File names were checked by the path policy before.

use claude_code_core::answer::path;
use claude_code_core::{Error, Result};

/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// The version that knows this, 2.0.
const VERSION: u16 = 20;
/// 1980-01-01, where the format's time begins: equal files make equal archives.
const DATE: u16 = 0x21;

/// The archive of these files. Fails if their names cannot stand beside each other.
pub(crate) fn archive(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let sizes = files.iter().map(|(name, content)| (name.as_str(), content.len()));
    if let Some(why) = path::refuse_set(sizes) {
        return Err(Error::invalid(format!("the files cannot be in one archive: {why}")));
    }
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        // The policy allows 16 MB in all: every figure below fits.
        let offset = narrow(out.len());
        let about = about(name, content);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&about);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(content);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&about);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (start, length, count) = (narrow(out.len()), narrow(directory.len()), files.len() as u16);
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    Ok(out)
}

/// What stands in both headers of a file, from the version to the lengths.
fn about(name: &str, content: &[u8]) -> Vec<u8> {
    let size = narrow(content.len()).to_le_bytes();
    let mut about = Vec::with_capacity(26);
    for field in [VERSION, UTF8, 0, 0, DATE] {
        about.extend_from_slice(&field.to_le_bytes());
    }
    about.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    about.extend_from_slice(&size);
    about.extend_from_slice(&size);
    about.extend_from_slice(&(name.len() as u16).to_le_bytes());
    about.extend_from_slice(&[0; 2]);
    about
}

fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

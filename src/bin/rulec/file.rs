//! Reading and writing files.

use crate::status::Stop;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// A compiled policy of 10,000 locations is a few MiB and its rules are less: a thousand times that is another file.
const OCTETS_MAX: u64 = 4 << 30;

/// The bytes of `path`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(OCTETS_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(Stop::io(path.display()))
}

/// Puts `bytes` at `path`: whoever opens it sees the old file or the new one, whole, also after a power cut.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Some(name) = path.file_name() else {
        return Err(Stop::Usage(format!("`{}` is no file name", path.display())));
    };
    // In the same folder, because a rename is atomic within one file system only.
    let temporary = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = replace(path, &temporary, folder, bytes);
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written.map_err(Stop::io(path.display()))
}

fn replace(path: &Path, temporary: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    File::open(folder)?.sync_all()
}

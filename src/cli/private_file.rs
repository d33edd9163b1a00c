//! Files that only their owner can read, written completely or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Failure;

/// Read and write for the owner alone.
const MODE: u32 = 0o600;

/// Writes a temporary file beside the path, then renames it; an existing file is replaced.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = beside(path)?;
    let written = fill(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|cause| Failure::io("write", path, cause));
    if written.is_err() {
        // Fails if it was never created.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill(path: &Path, text: &str) -> std::io::Result<()> {
    // A killed process with the same id may have left one.
    let _ = fs::remove_file(path);
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn beside(path: &Path) -> Result<PathBuf, Failure> {
    let Some(name) = path.file_name() else {
        let act = format!("`{}` is not a path of a file", path.display());
        return Err(Failure::new(act).hint("give a path that ends with a file name"));
    };
    let name = format!(
        ".{}.armada2flux-{}",
        name.to_string_lossy(),
        std::process::id()
    );
    Ok(path.with_file_name(name))
}

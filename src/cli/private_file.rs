//! Files that nobody but their owner may read, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Failure;

/// Read and written by the owner.
const MODE: u32 = 0o600;

/// Writes a file beside its place, then moves it there; what stood there is replaced.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = beside(path)?;
    let written = fill(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|cause| Failure::io("write", path, cause));
    if written.is_err() {
        // Fails when it was never made.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill(path: &Path, text: &str) -> std::io::Result<()> {
    // One that a killed process of this number left.
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
        let act = format!("`{}` cannot be written as a file", path.display());
        return Err(Failure::new(act).hint("give a file with a name"));
    };
    let name = format!(
        ".{}.armada2flux-{}",
        name.to_string_lossy(),
        std::process::id()
    );
    Ok(path.with_file_name(name))
}

//! The folder of one running bed. It is locked while its owner lives; folders without a living owner are removed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Outcome;
use super::build::unique_name;

/// Data, keys and logs of one bed; removed with this value.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The lock is the kernel's and ends with the process.
    _alive: File,
}

impl RunFolder {
    /// Makes a new one in `cache`, after removing those of processes that are gone.
    pub(crate) fn make(cache: &Path) -> Outcome<Self> {
        let runs = cache.join("run");
        fs::create_dir_all(&runs)?;
        for entry in fs::read_dir(&runs)? {
            let path = entry?.path();
            // A folder without the file is being made by another process just now.
            if File::open(path.join("alive")).is_ok_and(|file| file.try_lock().is_ok()) {
                drop(fs::remove_dir_all(&path));
            }
        }
        let path = runs.join(unique_name());
        fs::create_dir(&path)?;
        // Locked under another name: from its first moment the file `alive` has an owner.
        let file = File::create(path.join("alive.new"))?;
        file.lock()?;
        fs::rename(path.join("alive.new"), path.join("alive"))?;
        Ok(Self { path, _alive: file })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Moves the logs of the bed in `folder` to `target`, replacing what is there.
pub(crate) fn move_logs(folder: &Path, target: &Path) -> Outcome {
    drop(fs::remove_dir_all(target));
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let (Some("log"), Some(name)) = (
            path.extension().and_then(|text| text.to_str()),
            path.file_name(),
        ) {
            fs::rename(&path, target.join(name))
                .or_else(|_| fs::copy(&path, target.join(name)).map(drop))?;
        }
    }
    Ok(())
}

//! The folder of one running bed. It is locked while its process lives; folders of ended processes are removed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Outcome;
use super::build::unique_name;

/// The folder of data, keys and logs of one bed; dropping this removes it.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The kernel drops this lock when the process ends.
    _alive: File,
}

impl RunFolder {
    /// Creates a folder in `cache`, and removes those of ended processes.
    pub(crate) fn make(cache: &Path) -> Outcome<Self> {
        let runs = cache.join("run");
        fs::create_dir_all(&runs)?;
        for entry in fs::read_dir(&runs)? {
            let path = entry?.path();
            // A folder without the file is just being created by another process.
            if File::open(path.join("alive")).is_ok_and(|file| file.try_lock().is_ok()) {
                drop(fs::remove_dir_all(&path));
            }
        }
        let path = runs.join(unique_name());
        fs::create_dir(&path)?;
        // Lock it under another name first, so that `alive` never exists unlocked.
        let file = File::create(path.join("alive.new"))?;
        file.lock()?;
        fs::rename(path.join("alive.new"), path.join("alive"))?;
        Ok(Self { path, _alive: file })
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Moves the logs of the bed in `folder` to `target`, and replaces what is there.
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

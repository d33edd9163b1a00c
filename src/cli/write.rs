//! Writes a tree of files to a folder: completely or not at all, and never over files of others.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::printable::escape;
use crate::render::{Author, File};
use crate::value::Text;

use super::{Failure, load};

/// Deepest folder in which files of an earlier run are looked for; trees have two levels.
const MAX_STALE_DEPTH: usize = 3;

/// Bytes of a file's first line that are read: the marker and the longest name of a site fit in.
const FIRST_LINE: u64 = 160;

/// File in the sibling folder that is locked while its process lives; the system drops the lock of a killed process.
const LOCK: &str = ".lock";

/// Folder in the sibling folder that holds the files.
const TREE: &str = "tree";

/// A tree that is being written: files go to a sibling folder first.
#[derive(Debug)]
pub(super) struct Staging {
    target: PathBuf,
    /// Name of the site; files of other sites are not touched.
    site: Text,
    /// Holds the lock and the tree.
    sibling: PathBuf,
    /// The files; becomes the target if there is none yet.
    tree: PathBuf,
    paths: Vec<Text>,
    /// Siblings that killed processes left; they have been deleted.
    cleared: Vec<PathBuf>,
    /// Held until the sibling is deleted; `None` where the file system has no locks.
    _lock: Option<fs::File>,
}

/// What [`Staging::commit`] did.
#[derive(Debug)]
pub(super) struct Written {
    /// Number of files.
    pub(super) files: usize,
    /// Files of an earlier run that the tree no longer has.
    pub(super) stale: Vec<PathBuf>,
    /// Folders that killed processes left beside the tree; they have been deleted.
    pub(super) cleared: Vec<PathBuf>,
}

impl Staging {
    /// Creates the sibling folder.
    pub(super) fn new(target: &Path, site: &Text) -> Result<Self, Failure> {
        // `..` and links in the path must not change what "beside" means.
        let target =
            std::path::absolute(target).map_err(|cause| Failure::io("find", target, cause))?;
        if let Ok(found) = fs::metadata(&target)
            && !found.is_dir()
        {
            let act = format!("`{}` is not a folder", target.display());
            return Err(Failure::new(act).hint("give a folder with `-o`"));
        }
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            let act = format!("`{}` is not a path of a folder to write", target.display());
            return Err(Failure::new(act).hint("give a path that ends with a folder name"));
        };
        fs::create_dir_all(parent).map_err(|cause| Failure::io("make", parent, cause))?;
        let prefix = format!(".{}.armada2flux-", name.to_string_lossy());
        let cleared = clear_left_over(parent, &prefix);
        let sibling = parent.join(format!("{prefix}{}", std::process::id()));
        if sibling.exists() {
            fs::remove_dir_all(&sibling).map_err(|cause| Failure::io("clear", &sibling, cause))?;
        }
        fs::create_dir(&sibling).map_err(|cause| Failure::io("make", &sibling, cause))?;
        let lock = fs::File::create(sibling.join(LOCK)).ok();
        let tree = sibling.join(TREE);
        fs::create_dir(&tree).map_err(|cause| Failure::io("make", &tree, cause))?;
        Ok(Self {
            target,
            site: site.clone(),
            sibling,
            tree,
            paths: Vec::new(),
            cleared,
            _lock: lock.filter(|lock| lock.try_lock().is_ok()),
        })
    }

    /// Writes a file to the sibling, from any thread; [`Self::list`] makes it a part of the tree.
    pub(super) fn write(&self, file: &File) -> Result<(), Failure> {
        let path = self.tree.join(&*file.path);
        let written = match fs::write(&path, &file.text) {
            // Most files find their folder made by another file.
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)
                        .map_err(|cause| Failure::io("make", folder, cause))?;
                }
                fs::write(&path, &file.text)
            }
            written => written,
        };
        let shown = self.target.join(&*file.path);
        written.map_err(|cause| Failure::io("write", &shown, cause))
    }

    /// Adds files that were written to the tree, in order.
    pub(super) fn list(&mut self, paths: impl IntoIterator<Item = Text>) {
        self.paths.extend(paths);
    }

    /// Moves the files to their places: all at once if the target does not exist, otherwise one by one, the list of
    /// them last.
    pub(super) fn commit(mut self, delete_stale: bool) -> Result<Written, Failure> {
        if self.becomes_target()? {
            return Ok(Written {
                files: self.paths.len(),
                stale: Vec::new(),
                cleared: std::mem::take(&mut self.cleared),
            });
        }
        self.refuse_foreign()?;
        for path in &self.paths {
            let (from, to) = (self.tree.join(&**path), self.target.join(&**path));
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(|cause| Failure::io("make", folder, cause))?;
            }
            fs::rename(&from, &to).map_err(|cause| Failure::io("write", &to, cause))?;
        }
        let kept: BTreeSet<PathBuf> = self.paths.iter().map(|p| self.target.join(&**p)).collect();
        let mut own = Vec::new();
        find_own(&self.target, &self.site, 0, &mut own)?;
        let stale: Vec<PathBuf> = own
            .into_iter()
            .filter(|path| !kept.contains(path))
            .collect();
        if delete_stale {
            for path in &stale {
                fs::remove_file(path).map_err(|cause| Failure::io("delete", path, cause))?;
                if let Some(folder) = path.parent() {
                    // Fails for a folder that is not empty, as it should.
                    let _ = fs::remove_dir(folder);
                }
            }
        }
        Ok(Written {
            files: self.paths.len(),
            stale,
            cleared: std::mem::take(&mut self.cleared),
        })
    }

    /// Renames the tree to the target if there is none; returns whether it did.
    fn becomes_target(&self) -> Result<bool, Failure> {
        let absent = fs::symlink_metadata(&self.target)
            .is_err_and(|cause| cause.kind() == ErrorKind::NotFound);
        if !absent {
            return Ok(false);
        }
        match fs::rename(&self.tree, &self.target) {
            Ok(()) => Ok(true),
            // Somebody made the target meanwhile.
            Err(_) if fs::symlink_metadata(&self.target).is_ok() => Ok(false),
            Err(cause) => Err(Failure::io("write", &self.target, cause)),
        }
    }

    /// Refuses to overwrite files that this program did not write for this site.
    fn refuse_foreign(&self) -> Result<(), Failure> {
        const SHOWN: usize = 5;
        let mut foreign = Vec::new();
        let mut other_site = None;
        for path in &self.paths {
            let path = self.target.join(&**path);
            let linked = path
                .parent()
                .filter(|folder| *folder != self.target)
                .and_then(|folder| fs::symlink_metadata(folder).ok())
                .is_some_and(|folder| !folder.is_dir());
            let there = fs::symlink_metadata(&path).is_ok();
            let line = if there {
                first_line(&path)
            } else {
                String::new()
            };
            match Author::of(&line) {
                _ if linked => foreign.push(path),
                _ if !there => {}
                author if author.is(&self.site) => {}
                Author::Ours(site) => other_site = other_site.or(site.map(str::to_owned)),
                Author::Other => foreign.push(path),
            }
        }
        if let Some(other) = other_site {
            let target = self.target.display();
            let act = format!(
                "`{target}` holds the tree of site `{other}`, not of `{}`",
                self.site
            );
            let other = escape::name(&other);
            return Err(Failure::new(act).hint(format!(
                "give each site a folder of its own; if it is the same site under another name, give `--site {other}`, or delete the folder first"
            )));
        }
        if foreign.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = foreign
            .iter()
            .take(SHOWN)
            .map(|path| format!("`{}`", path.display()))
            .collect();
        let more = match foreign.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let act = format!("refused to overwrite {}{more}", names.join(", "));
        Err(Failure::new(act)
            .hint("armada2flux did not write them; move them or choose another folder"))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // If this fails, the next run deletes the folder.
        let _ = fs::remove_dir_all(&self.sibling);
    }
}

/// Deletes folders of this prefix whose lock is free: killed processes left them. What cannot be deleted stays; it
/// does no harm.
fn clear_left_over(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut dead: Vec<PathBuf> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix(prefix));
            process.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
        })
        .map(|entry| entry.path())
        .filter(|folder| {
            let lock = fs::File::open(folder.join(LOCK));
            lock.is_ok_and(|lock| lock.try_lock().is_ok()) && fs::remove_dir_all(folder).is_ok()
        })
        .collect();
    dead.sort();
    dead
}

/// Returns the first line of a file, as far as it can be a marker; empty if it has no text.
fn first_line(path: &Path) -> String {
    let regular = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let mut start = Vec::new();
    if regular && let Ok(file) = fs::File::open(path) {
        // What cannot be read is somebody else's.
        let _ = file.take(FIRST_LINE).read_to_end(&mut start);
    }
    let start = String::from_utf8_lossy(&start);
    start.lines().next().unwrap_or_default().to_owned()
}

/// Finds the files below a folder that were written for this site.
fn find_own(
    folder: &Path,
    site: &str,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    for (path, kind) in load::entries(folder)? {
        if kind.is_dir() {
            if depth < MAX_STALE_DEPTH {
                find_own(&path, site, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|end| end == "yaml")
            && Author::of(&first_line(&path)).is(site)
        {
            found.push(path);
        }
    }
    Ok(())
}

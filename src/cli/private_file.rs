//! Files that the program writes outside of a tree: only their owner reads them, no link is followed, and a report is there
//! completely or not at all.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::printable::escape;

use super::Failure;

/// Read and write for the owner alone.
const MODE: u32 = 0o600;

/// Writes a temporary file beside the path, then renames it; an existing file is replaced. What the shell has opened is
/// written to.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if is_opened_by_the_shell(path) {
        let file = OpenOptions::new().append(true).open(path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        return written.map_err(|cause| Failure::io("write", path, cause));
    }
    refuse_special(path)?;
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

/// Writes a file that must not exist yet; its folder's rules say who reads it.
pub(super) fn create_new(path: &Path, text: &str) -> Result<(), Failure> {
    // Refuses a link, too.
    let mut file = File::create_new(path).map_err(|cause| Failure::io("write", path, cause))?;
    file.write_all(text.as_bytes()).map_err(|cause| {
        let _ = fs::remove_file(path);
        Failure::io("write", path, cause)
    })
}

/// Opens a file for lines that are added one by one; it is created if it does not exist. An existing file keeps its mode.
pub(super) fn append(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.append(true);
    if !is_opened_by_the_shell(path) {
        refuse_special(path)?;
        // Whatever is put there in between: no link is followed, and no pipe waits for its reader.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options
            .create(true)
            .mode(MODE)
            .custom_flags(flags.bits().cast_signed());
    }
    let file = options
        .open(path)
        .map_err(|cause| Failure::io("write", path, cause))?;
    if !is_opened_by_the_shell(path) {
        let kind = file.metadata().map(|data| data.file_type());
        let kind = kind.map_err(|cause| Failure::io("write", path, cause))?;
        refuse_kind(path, kind)?;
    }
    Ok(file)
}

/// Refuses a path that [`write()`] or [`append`] would refuse, without touching it.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    if is_opened_by_the_shell(path) {
        return Ok(());
    }
    refuse_special(path)?;
    let folder = beside(path)?;
    let folder = folder.parent().filter(|folder| *folder != Path::new(""));
    let data = fs::metadata(folder.unwrap_or(Path::new(".")));
    let is_folder = data.and_then(|data| match data.is_dir() {
        true => Ok(()),
        false => Err(ErrorKind::NotADirectory.into()),
    });
    is_folder.map_err(|cause| Failure::io("write", path, cause))
}

/// Refuses a path at which something other than a file is.
pub(super) fn refuse_special(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(data) => refuse_kind(path, data.file_type()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Failure::io("write", path, cause)),
    }
}

/// Returns what is at a path instead of a file; `None` for a file.
pub(super) fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

fn refuse_kind(path: &Path, kind: FileType) -> Result<(), Failure> {
    let Some(what) = special(kind) else {
        return Ok(());
    };
    let shown = path.to_string_lossy();
    let failure = Failure::new(format!(
        "refused to write to `{}`: it is {what}",
        escape::name(&shown)
    ));
    Err(failure.hint("give the path of a file, or `/dev/fd/3` and open it in the shell: `3> PATH`"))
}

/// Returns whether a path names what the shell has opened for this process, or the device that keeps nothing.
fn is_opened_by_the_shell(path: &Path) -> bool {
    let Some(path) = path.to_str() else {
        return false;
    };
    let descriptor = ["/dev/fd/", "/proc/self/fd/"]
        .iter()
        .find_map(|folder| path.strip_prefix(folder));
    match descriptor {
        Some(number) => !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()),
        None => ["/dev/stdout", "/dev/stderr", "/dev/null"].contains(&path),
    }
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
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
        let shown = path.to_string_lossy();
        let act = format!("`{}` is not a path of a file", escape::name(&shown));
        return Err(Failure::new(act).hint("give a path that ends with a file name"));
    };
    let name = format!(
        ".{}.armada2flux-{}",
        name.to_string_lossy(),
        std::process::id()
    );
    Ok(path.with_file_name(name))
}

//! Opens the file of a journal, and only such a file: nothing else is read, changed or removed.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use crate::report::quoted_path;

use super::super::{Failure, private_file};

/// For its owner only: it holds addresses and names of a site.
pub(super) const MODE: u32 = 0o600;

/// The permissions of a file, without its kind.
const PERMISSIONS: u32 = 0o7777;

/// The largest journal that is read, in bytes.
pub(super) const MAX_BYTES: u64 = 256 << 20;

/// The largest journal to which another run is added: it must stay readable.
pub(super) const MAX_BYTES_BEFORE_A_RUN: u64 = 64 << 20;

/// What is done with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It is only looked at.
    Read,
    /// Lines are added.
    Append,
}

/// What to do about a file that is not used.
const ANOTHER: &str = "give another file with `--journal FILE`";

/// Opens an existing file; `None` when there is none.
pub(super) fn open(path: &Path, access: Access) -> Result<Option<File>, Failure> {
    let failed = |cause| Failure::io("open", path, cause);
    // Before it is opened: to open a device or a FIFO has effects.
    match fs::symlink_metadata(path) {
        Ok(found) => check(path, &found, access)?,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    }
    let file = options(access).open(path);
    let file = match file {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    // Another file may have taken its place.
    check(path, &file.metadata().map_err(failed)?, access)?;
    Ok(Some(file))
}

/// Opens a file, or makes an empty one; whether it is new.
pub(super) fn open_or_make(path: &Path) -> Result<(File, bool), Failure> {
    if let Some(file) = open(path, Access::Append)? {
        return Ok((file, false));
    }
    let mut options = options(Access::Append);
    let file = options.mode(MODE).create_new(true).open(path);
    let file = file.map_err(|cause| Failure::io("make", path, cause))?;
    // The name must outlive a crash, too. Where folders cannot be synced, it does by itself.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or_else(|| Path::new(".")));
    let _ = folder.and_then(|folder| folder.sync_all());
    Ok((file, true))
}

/// Locks a file for this process; whether another has it.
pub(super) fn is_locked_by_another(file: &File) -> bool {
    match file.try_lock() {
        // Some file systems know no locks; the Lease in the cluster keeps out a second process, too.
        Ok(()) | Err(TryLockError::Error(_)) => false,
        Err(TryLockError::WouldBlock) => true,
    }
}

/// Gives the lock back. To close the file is not enough: a process that this one is about to start has it open, too, until
/// it runs its program.
pub(super) fn unlock(file: &File) {
    // Where there are no locks, there is none to give back.
    let _ = file.unlock();
}

/// Reads a file to its end.
pub(super) fn read(file: &File, path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |cause| Failure::io("read", path, cause);
    let mut bytes = Vec::new();
    let mut file = file;
    let mut limited = (&mut file).take(MAX_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        let act = format!(
            "the journal `{}` is larger than {} MiB",
            path.display(),
            MAX_BYTES >> 20
        );
        return Err(Failure::new(act).hint(ANOTHER));
    }
    Ok(bytes)
}

/// Makes a file readable for its owner only.
pub(super) fn make_private(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & PERMISSIONS != MODE {
        permissions.set_mode(MODE);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// What happened to a file while it was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Moved {
    #[error("it was deleted or moved during the run")]
    Gone,
    #[error("another file has taken its place during the run")]
    Replaced,
    #[error("another program has changed it during the run")]
    Changed,
}

/// Checks that a path still leads to an open file, and that the file has as many bytes as this process left in it.
pub(super) fn verify(file: &File, path: &Path, bytes: u64) -> io::Result<Result<(), Moved>> {
    let held = file.metadata()?;
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Err(Moved::Gone)),
        Err(cause) => return Err(cause),
    };
    Ok(if held.nlink() == 0 {
        Err(Moved::Gone)
    } else if (held.dev(), held.ino()) != (found.dev(), found.ino()) {
        Err(Moved::Replaced)
    } else if held.len() != bytes {
        Err(Moved::Changed)
    } else {
        Ok(())
    })
}

fn options(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    // Neither a link that is made in between is followed, nor is a FIFO waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options
        .read(true)
        .write(access == Access::Append)
        .custom_flags(flags.bits().cast_signed());
    options
}

/// Refuses everything that is not a regular file, and for writing a file that is not this user's alone.
fn check(path: &Path, found: &Metadata, access: Access) -> Result<(), Failure> {
    let shown = path.display();
    if let Some(kind) = private_file::special(found.file_type()) {
        let act = format!("`{shown}` cannot be a journal: it is {kind}");
        return Err(Failure::new(act).hint(ANOTHER));
    }
    let user = geteuid().as_raw();
    if access == Access::Append && found.uid() != user {
        let owner = found.uid();
        let act = format!(
            "the journal `{shown}` belongs to the user with id {owner}, and this process runs as {user}"
        );
        return Err(
            Failure::new(act).hint("run as its owner, or give another file with `--journal FILE`")
        );
    }
    if access == Access::Append && found.nlink() > 1 {
        let names = found.nlink();
        let act = format!(
            "the journal `{shown}` has {names} names (hard links), so a change would change the others, too"
        );
        let path = quoted_path(path);
        let hint =
            format!("give it a file of its own: cp {path} {path}.copy && mv {path}.copy {path}");
        return Err(Failure::new(act).hint(hint));
    }
    Ok(())
}

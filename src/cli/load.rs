//! Reads input files, folders and stdin into [`Sources`].

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Sources};

use super::Failure;

/// Largest input, all files together, in bytes.
pub(super) const MAX_INPUT_BYTES: u64 = 256 * 1024 * 1024;
/// Deepest folder that is searched for YAML files.
const MAX_FOLDER_DEPTH: usize = 64;

/// The name of standard input in messages.
const STDIN: &str = "<stdin>";

/// Reads files into `sources`; `-` is stdin, a folder stands for the YAML files below it. Returns those that
/// could be read as text; the others are reported.
pub(super) fn load(
    sources: &mut Sources,
    inputs: &[PathBuf],
    diagnostics: &mut Diagnostics,
) -> Result<Vec<FileId>, Failure> {
    let mut loaded = Vec::new();
    let held = sources.iter().map(|(_, file)| file.text().len() as u64);
    let mut left = MAX_INPUT_BYTES.saturating_sub(held.sum());
    let mut stdin_read = sources.iter().any(|(_, file)| file.name() == STDIN);
    for input in inputs {
        if input.as_os_str() == "-" {
            if stdin_read {
                return Err(
                    Failure::new("standard input (`-`) is given twice").hint("give `-` once")
                );
            }
            stdin_read = true;
            let name = STDIN;
            let bytes = read_limited(io::stdin().lock(), &mut left)
                .map_err(|cause| Failure::io("read", Path::new(name), cause))?;
            loaded.extend(add(sources, name.to_owned(), bytes, diagnostics)?);
            continue;
        }
        let is_folder = fs::metadata(input)
            .map_err(|cause| Failure::io("read", input, cause))?
            .is_dir();
        if is_folder {
            let mut files = Vec::new();
            find(input, 0, &mut files)?;
            if files.is_empty() {
                let message = format!("the folder `{}` has no YAML files", input.display());
                diagnostics.push(
                    Diagnostic::new(Code::InputEmpty, message)
                        .help("names of YAML files end with .yaml or .yml"),
                );
            }
            for file in files {
                loaded.extend(add_file(sources, &file, &mut left, diagnostics)?);
            }
        } else {
            loaded.extend(add_file(sources, input, &mut left, diagnostics)?);
        }
    }
    Ok(loaded)
}

fn add_file(
    sources: &mut Sources,
    path: &Path,
    left: &mut u64,
    diagnostics: &mut Diagnostics,
) -> Result<Option<FileId>, Failure> {
    let fail = |cause| Failure::io("read", path, cause);
    let file = fs::File::open(path).map_err(fail)?;
    // The size is known before the file is read.
    let length = file.metadata().map_err(fail)?.len();
    let bytes = if length > *left {
        None
    } else {
        read_limited(file, left).map_err(fail)?
    };
    add(sources, path.display().to_string(), bytes, diagnostics)
}

/// Reads all bytes; `None` if there are more than `left`.
fn read_limited(reader: impl Read, left: &mut u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(*left + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > *left {
        return Ok(None);
    }
    *left -= length;
    Ok(Some(bytes))
}

fn add(
    sources: &mut Sources,
    name: String,
    bytes: Option<Vec<u8>>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<FileId>, Failure> {
    let Some(bytes) = bytes else {
        let limit = MAX_INPUT_BYTES / (1024 * 1024);
        let message = format!("with `{name}` the input exceeds the limit of {limit} MiB");
        diagnostics.push(
            Diagnostic::new(Code::InputLimit, message).help("split the site into smaller inputs"),
        );
        return Ok(None);
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text: Arc<str> = text.into();
            let file = sources.add(name, text).ok_or_else(|| {
                Failure::new(format!("more than {} input files", Sources::MAX_FILES))
                    .hint("put several documents into one file")
            })?;
            Ok(Some(file))
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..at];
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let start = before
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(0, |p| p + 1);
            let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
            let message = format!("{name}:{line}:{column}: the file is not UTF-8");
            diagnostics.push(
                Diagnostic::new(Code::InputEncoding, message)
                    .help("save it as UTF-8, or leave it out"),
            );
            Ok(None)
        }
    }
}

/// Finds the YAML files below a folder, by name; hidden files are left out, links to folders are not followed.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_FOLDER_DEPTH {
        let act = format!(
            "the folder `{}` is nested deeper than {MAX_FOLDER_DEPTH} levels",
            folder.display()
        );
        return Err(Failure::new(act).hint("give the files themselves"));
    }
    for (path, kind) in entries(folder)? {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if kind.is_dir() {
            find(&path, depth + 1, files)?;
        } else if path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns the entries of a folder, in the order of their names.
pub(super) fn entries(folder: &Path) -> Result<BTreeMap<PathBuf, fs::FileType>, Failure> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?))
    };
    fs::read_dir(folder)
        .and_then(|entries| entries.map(entry).collect())
        .map_err(|cause| Failure::io("read", folder, cause))
}

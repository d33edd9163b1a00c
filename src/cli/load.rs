//! Input files, folders and stdin to [`Sources`].

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Sources;

use super::Failure;

/// Most bytes that all input files may hold together.
pub(super) const MAX_INPUT_BYTES: u64 = 256 * 1024 * 1024;
/// Deepest folder that is searched for YAML files.
const MAX_FOLDER_DEPTH: usize = 64;

/// The name of standard input in messages.
const STDIN: &str = "<stdin>";

/// Reads files into `sources`; `-` is stdin, a folder stands for the YAML files below it.
pub(super) fn load(
    sources: &mut Sources,
    inputs: &[PathBuf],
    diagnostics: &mut Diagnostics,
) -> Result<(), Failure> {
    let held = sources.iter().map(|(_, file)| file.text().len() as u64);
    let mut left = MAX_INPUT_BYTES.saturating_sub(held.sum());
    let mut stdin_read = sources.iter().any(|(_, file)| file.name() == STDIN);
    for input in inputs {
        if input.as_os_str() == "-" {
            if stdin_read {
                return Err(Failure::new("standard input is named twice").hint("give `-` once"));
            }
            stdin_read = true;
            let name = STDIN;
            let bytes = read_limited(io::stdin().lock(), &mut left)
                .map_err(|cause| Failure::io("read", Path::new(name), cause))?;
            add(sources, name.to_owned(), bytes, diagnostics)?;
            continue;
        }
        let is_folder = fs::metadata(input)
            .map_err(|cause| Failure::io("read", input, cause))?
            .is_dir();
        if is_folder {
            let mut files = Vec::new();
            find(input, 0, &mut files)?;
            if files.is_empty() {
                let message = format!("folder `{}` holds no YAML file", input.display());
                diagnostics.push(
                    Diagnostic::new(Code::InputEmpty, message)
                        .help("files must end in .yaml or .yml"),
                );
            }
            for file in files {
                add_file(sources, &file, &mut left, diagnostics)?;
            }
        } else {
            add_file(sources, input, &mut left, diagnostics)?;
        }
    }
    Ok(())
}

fn add_file(
    sources: &mut Sources,
    path: &Path,
    left: &mut u64,
    diagnostics: &mut Diagnostics,
) -> Result<(), Failure> {
    let fail = |cause| Failure::io("read", path, cause);
    let file = fs::File::open(path).map_err(fail)?;
    // A file that is too large is not read to find that out.
    let length = file.metadata().map_err(fail)?.len();
    let bytes = if length > *left {
        None
    } else {
        read_limited(file, left).map_err(fail)?
    };
    add(sources, path.display().to_string(), bytes, diagnostics)
}

/// All bytes, or `None` when there are more than are `left`.
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
) -> Result<(), Failure> {
    let Some(bytes) = bytes else {
        let limit = MAX_INPUT_BYTES / (1024 * 1024);
        let message = format!("`{name}` goes beyond the limit of {limit} MiB for all input");
        diagnostics.push(
            Diagnostic::new(Code::InputLimit, message).help("convert the site in smaller parts"),
        );
        return Ok(());
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text: Arc<str> = text.into();
            sources.add(name, text).map(|_| ()).ok_or_else(|| {
                Failure::new(format!("more than {} input files", Sources::MAX_FILES))
                    .hint("put several documents into one file")
            })
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
                    .help("save it as UTF-8; binary files do not belong to the input"),
            );
            Ok(())
        }
    }
}

/// The YAML files below a folder, by name; hidden ones are left out, links to folders not followed.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_FOLDER_DEPTH {
        let act = format!(
            "folder `{}` is nested deeper than {MAX_FOLDER_DEPTH}",
            folder.display()
        );
        return Err(Failure::new(act).hint("name the files themselves"));
    }
    let fail = |cause| Failure::io("read", folder, cause);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        entries.push(entry.map_err(fail)?);
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let kind = entry.file_type().map_err(fail)?;
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

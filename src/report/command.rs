//! Command lines that a user can copy into a shell.

use std::path::Path;

use shlex::Quoter;

/// Returns a command line for a POSIX shell: words are quoted where they need it.
pub(crate) fn command_line<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    // NUL alone cannot be quoted, and no argument of a process holds one.
    let quoter = Quoter::new().allow_nul(true);
    quoter.join(words).unwrap_or_default()
}

/// Returns a path as a word of a command line.
pub(crate) fn quoted_path(path: &Path) -> String {
    command_line([&*path.to_string_lossy()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_in_a_shell() {
        let words = [
            "armada2flux",
            "apply",
            "site of Anna's/flux",
            "--journal",
            "a \"b\" $HOME.journal",
            "",
            "plain-1.0_a/b",
        ];
        let line = command_line(words);
        assert_eq!(
            shlex::split(&line).as_deref(),
            Some(&words.map(str::to_owned)[..])
        );
        assert!(line.starts_with("armada2flux apply "), "{line}");
        assert!(line.ends_with(" '' plain-1.0_a/b"), "{line}");
        assert_eq!(quoted_path(Path::new("my site")), "'my site'");
    }
}

//! Layouts: objects to files, and files back to objects. This room makes only names and texts; `cli` writes and
//! reads them.

pub(crate) mod plain;
pub(crate) mod read;

use crate::value::Text;

/// Start of every written file, by which it is recognised.
const MARKER: &str = "# written by armada2flux";
/// What stands between the marker and the name of the site.
const FOR_SITE: &str = " for site ";

/// Returns the start of every file of a site. The name is a label's value, so it fits into a comment.
fn marker(site: &str) -> String {
    format!("{MARKER}{FOR_SITE}{site}")
}

/// Who wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author<'f> {
    /// This program, for a site; `None` for a file of an earlier version, which did not write it down.
    Ours(Option<&'f str>),
    /// Somebody else.
    Other,
}

impl<'f> Author<'f> {
    /// Reads the author from the first line of a file.
    pub(crate) fn of(first_line: &'f str) -> Self {
        let Some(rest) = first_line.strip_prefix(MARKER) else {
            return Author::Other;
        };
        let site = rest.strip_prefix(FOR_SITE).map(|rest| {
            let end = rest.find([' ', ',', ';', ':']).unwrap_or(rest.len());
            &rest[..end]
        });
        Author::Ours(site.filter(|site| !site.is_empty()))
    }

    /// Whether a run for `site` may replace and delete the file.
    pub(crate) fn is(self, site: &str) -> bool {
        match self {
            Author::Ours(Some(own)) => own == site,
            Author::Ours(None) => true,
            Author::Other => false,
        }
    }
}

/// A file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Path below the output folder, with `/`.
    pub(crate) path: Text,
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_site_that_it_names() {
        for site in ["one", "full-site", "Site_1.lab", "a"] {
            for rest in [
                "",
                ", from chart x, y.yaml:1",
                ": the namespaces",
                "; apply with `x`",
            ] {
                let line = format!("{}{rest}", marker(site));
                assert_eq!(Author::of(&line), Author::Ours(Some(site)), "{line}");
                assert!(Author::of(&line).is(site));
                for other in ["two", "", &site[1..], &format!("{site}x")] {
                    assert!(!Author::of(&line).is(other), "{line} for {other}");
                }
            }
        }
        // Trees of earlier versions, and files of others.
        assert!(Author::of("# written by armada2flux from one.yaml:18").is("one"));
        for line in [
            "",
            "apiVersion: v1",
            "# written by helm",
            " # written by armada2flux",
        ] {
            assert_eq!(Author::of(line), Author::Other, "{line}");
        }
    }
}

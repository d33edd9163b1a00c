//! `docs/dangers.md`: a section for each danger of `diff`.

use std::fmt::Write as _;

use crate::compare::danger::Code;

const INTRODUCTION: &str = "\
Changes that can cost a release, as `diff` reports them: first in the text and in Markdown, and in JSON at the change or
at the object, with the code and the effect. Some only show when all objects are looked at together: a release that goes
and one that comes, a release and the source of its chart, an order through several releases.
";

/// Returns the page, without a title.
#[must_use]
pub fn page() -> String {
    let mut out = String::from(INTRODUCTION);
    for code in Code::ALL {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "\n## {code}\n\nEffect: {}.\n\nWhen: {}\n\nWhat to do: {}\n",
            code.effect(),
            code.when(),
            code.fix()
        );
    }
    out
}

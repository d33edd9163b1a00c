//! `docs/diagnostics.md`: a page for each code.

use std::fmt::Write as _;

use crate::diagnostic::{Code, Severity};

const INTRODUCTION: &str = "\
What the program may say about documents. Everything is collected and said at once, with the file, line and column.

| severity | means |
|---|---|
| error | nothing is written; exit code 1 |
| warning | something differs from what Armada did, or somebody has to decide |
| note | worth knowing, nothing is lost; shown with `-v` |

Some warnings tell of a **loss**: something that Armada did and the output does not do, or input that does not arrive.
`--strict` makes errors of these. `--deny CODE` makes an error of one warning or note, `--allow CODE` leaves it out, under
`--strict`, too. Errors cannot be left out. `armada2flux explain CODE` shows a page of this file.

What only the charts can tell is not looked at, since documents name charts without their templates: whether hooks wait
for Pods or Jobs that start only after them. Armada waits for Jobs after hooks, Flux's own default before them, and such
charts never become ready there. So that it cannot happen, HelmReleases are written with Armada's own order:
`waitStrategy: legacy` without waiting for Jobs where Helm waited, no waiting where it did not.
";

/// The page, without a title.
#[must_use]
pub fn page() -> String {
    let mut out = String::from(INTRODUCTION);
    // Writing to a String cannot fail.
    let _ = index(&mut out);
    for code in Code::ALL {
        let _ = section(&mut out, *code);
    }
    out
}

fn index(out: &mut String) -> std::fmt::Result {
    let link = |code: &Code| format!("[`{code}`](#{code})");
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let of = Code::ALL.iter().filter(|code| code.severity() == severity);
        let of: Vec<String> = of.map(link).collect();
        write!(out, "\n**{severity}s**: {}\n", of.join(", "))?;
    }
    let lossy = Code::ALL.iter().filter(|code| code.is_lossy());
    let lossy: Vec<String> = lossy.map(link).collect();
    write!(out, "\n**losses**: {}\n", lossy.join(", "))
}

fn section(out: &mut String, code: Code) -> std::fmt::Result {
    let page = code.page();
    let loss = if code.is_lossy() {
        ", a loss (`--strict` fails on it)"
    } else {
        ""
    };
    write!(
        out,
        "\n## {code}\n\n{}{loss}: {}\n\n{}\n\nWhat to do: {}\n",
        code.severity(),
        code.title(),
        page.why,
        page.fix
    )?;
    if let Some(example) = code.example() {
        write!(out, "\n```\n{example}\n```\n")?;
    }
    Ok(())
}

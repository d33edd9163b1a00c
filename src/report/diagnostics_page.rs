//! `docs/diagnostics.md`: a section for each code.

use std::fmt::Write as _;

use crate::armada::proof;
use crate::diagnostic::{Code, Severity};

const INTRODUCTION: &str = "\
All diagnostics about documents. The program collects them and prints them together, each with file, line and column.

| severity | means |
|---|---|
| error | nothing is written; exit code 1 |
| warning | something differs from what Armada did, or you have to decide |
| note | worth knowing, nothing is lost; shown with `-v` |

Some warnings report a **loss**: something that Armada did and the output does not do, or input that does not arrive.
`--strict` turns these into errors. `--deny CODE` turns one warning or note into an error, `--allow CODE` leaves it out,
even with `--strict`. Errors cannot be left out. `armada2flux explain CODE` prints one section of this page.

What a section says of Armada is proved by recorded runs of Armada's own code, by its schemas or by PyYAML, and the section
names the proof.

Documents name charts but do not hold their templates. So the program cannot see whether a hook waits for Pods or Jobs
that start only after it. Armada waits for Jobs after hooks. Flux waits for them before hooks by default, and such charts
would never become ready. Therefore HelmReleases are written with Armada's order: `waitStrategy: legacy` without waiting
for Jobs where Helm waited, no waiting where it did not.
";

/// Returns the page, without a title.
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
    let proofs = proof::of_code(code);
    if !proofs.is_empty() {
        write!(out, "\nProof: {}.\n", proof::describe(proofs))?;
    }
    if let Some(example) = code.example() {
        write!(out, "\n```\n{example}\n```\n")?;
    }
    Ok(())
}

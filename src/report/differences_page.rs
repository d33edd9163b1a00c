//! `docs/differences.md`: where this program differs from Armada on purpose, generated from the one list of it.

use std::fmt::Write as _;

use crate::armada::difference::{self, Case, Difference};

const INTRODUCTION: &str = "\
What this program does otherwise than Armada, on purpose. Each row is proved by recorded answers of Armada's own code or of
PyYAML, which the tests compare with the answers of this program: where they are equal, the row is an error, and where
they differ without a row as well. `armada2flux explain NAME` prints one row. Differences between Helm under Armada
and Helm under Flux are in [field-mapping.md](field-mapping.md), losses in [diagnostics.md](diagnostics.md).
";

/// Returns the page, without a title.
#[must_use]
pub fn page() -> String {
    let mut out = String::from(INTRODUCTION);
    // Writing to a String cannot fail.
    for difference in difference::ALL {
        let _ = section(&mut out, difference);
    }
    out
}

fn section(out: &mut String, difference: &Difference) -> std::fmt::Result {
    let Difference {
        name,
        armada,
        here,
        why,
        case,
        codes,
    } = difference;
    write!(
        out,
        "\n## {name}\n\n- Armada: {armada}\n- This program: {here}\n- Why: {why}\n- Proof: {}\n",
        proof(*case)
    )?;
    if !codes.is_empty() {
        let links: Vec<String> = codes
            .iter()
            .map(|code| format!("[`{code}`](diagnostics.md#{code})"))
            .collect();
        writeln!(out, "- Diagnostics: {}", links.join(", "))?;
    }
    Ok(())
}

fn proof(case: Case) -> String {
    let named = |names: &[&str]| names.join("`, `");
    match case {
        Case::Handlers(cases) => {
            let names: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
            format!("Armada's handlers, case `{}`", named(&names))
        }
        Case::PythonErrors(names) => format!("Armada's handlers, case `{}`", named(names)),
        Case::Waits(names) | Case::Watches(names) => {
            format!("Armada's wait code, case `{}`", named(names))
        }
        Case::PyYaml(text) => format!("PyYAML on `{text}`"),
    }
}

//! `docs/field-mapping.md`: every field of Armada documents, generated from the rows that `convert` uses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::armada::disposition::Fate;
use crate::armada::proof;

use super::field::{self, Field};

const INTRODUCTION: &str = "\
Armada reads three kinds of document: a **Manifest** lists ChartGroups, a **ChartGroup** lists Charts, a **Chart** is a
Helm release. This page lists what Armada did with every field and what becomes of it in Flux. It is generated from the
rows by which `convert` decides each node of its input. So a field that is not here is refused by Armada's schema and by
this program. `armada2flux explain FIELD` shows one field, `convert --report text` the fields that a site uses.

Fields are named by their path below `data`; `[]` stands for each item of a list, `*` for any name.
";

const LEGEND: &[(Fate, &str)] = &[
    (Fate::Mapped, "means the same in Flux"),
    (
        Fate::Approximated,
        "means nearly the same; the reason names the difference",
    ),
    (
        Fate::NotYet,
        "not carried over by this version; a warning reports each use",
    ),
    (
        Fate::DroppedLossy,
        "left out, and something is lost; a warning reports each use",
    ),
    (
        Fate::DroppedHarmless,
        "left out: Armada did nothing with it, or nothing that Flux needs",
    ),
    (Fate::Refused, "an error, nothing is written"),
];

/// Kinds of document: name in rows, heading, introduction.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "Manifest",
        "Manifest",
        "What is deployed, and in which order. The chosen Manifest becomes the tree.",
    ),
    (
        "ChartGroup",
        "ChartGroup",
        "Charts that belong together. A group becomes a stage.",
    ),
    (
        "Chart",
        "Chart",
        "One Helm release and how it is deployed. A Chart becomes a HelmRelease, with a source object and, where Armada would have created it, a Namespace.",
    ),
    (
        "every document",
        "Around the data",
        "What all documents have, and what is not a field of one.",
    ),
];

/// Returns the page, without a title.
#[must_use]
pub fn page() -> String {
    let mut out = String::from(INTRODUCTION);
    // Writing to a String cannot fail.
    let _ = legend(&mut out);
    let _ = open_ends(&mut out);
    for (kind, title, about) in KINDS {
        let fields: Vec<Field> = field::all()
            .filter(|field| field.row.documents == *kind)
            .collect();
        let _ = write!(out, "\n## {title}\n\n{about}\n");
        for (block, fields) in blocks(&fields) {
            let _ = self::block(&mut out, kind, block, &fields);
        }
    }
    out
}

fn legend(out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "\n## Fates\n\n| fate | meaning | fields |\n|---|---|---|\n"
    )?;
    for (fate, meaning) in LEGEND {
        let of = field::all().filter(|field| field.row.fate == *fate);
        writeln!(out, "| {} | {meaning} | {} |", fate.name(), of.count())?;
    }
    out.push_str(
        "\nA field is kept by **the tree** (the files that `convert` writes, so plain Flux keeps it) or by **`apply`** \
         (`armada2flux apply`, since no field of a Flux object can hold it).\n",
    );
    Ok(())
}

/// Lists the fields that are not fully kept.
fn open_ends(out: &mut String) -> std::fmt::Result {
    let mut by_fate: BTreeMap<Fate, Vec<String>> = BTreeMap::new();
    for field in field::all() {
        if matches!(
            field.row.fate,
            Fate::NotYet | Fate::DroppedLossy | Fate::Approximated
        ) {
            let link = format!("[`{}`](#{})", field.name(), anchor(field));
            by_fate.entry(field.row.fate).or_default().push(link);
        }
    }
    out.push_str("\n## What is not the same\n");
    for (fate, fields) in by_fate {
        write!(out, "\n- **{}**: {}\n", fate.name(), fields.join(", "))?;
    }
    Ok(())
}

/// Groups fields by the first part of their path, in order.
fn blocks(fields: &[Field]) -> Vec<(&'static str, Vec<Field>)> {
    let mut blocks: Vec<(&'static str, Vec<Field>)> = Vec::new();
    for field in fields {
        let name = field.name();
        let first = name.split(['.', '[']).next().unwrap_or(name);
        match blocks.iter_mut().find(|(block, _)| *block == first) {
            Some((_, fields)) => fields.push(*field),
            None => blocks.push((first, vec![*field])),
        }
    }
    blocks
}

fn block(out: &mut String, kind: &str, name: &str, fields: &[Field]) -> std::fmt::Result {
    let described = |field: &&Field| field.behaviour.is_some();
    if fields.len() > 1 {
        write!(out, "\n### {kind}: {name}\n")?;
    }
    for field in fields.iter().filter(described) {
        one(out, *field)?;
    }
    let idle: Vec<&Field> = fields.iter().filter(|field| !described(field)).collect();
    if !idle.is_empty() {
        write!(
            out,
            "\n| field | schema | fate | why |\n|---|---|---|---|\n"
        )?;
        for field in idle {
            writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                field.name(),
                field.versions(),
                cell(&becomes(*field)),
                cell(field.row.reason)
            )?;
        }
    }
    Ok(())
}

fn one(out: &mut String, field: Field) -> std::fmt::Result {
    let Some(behaviour) = field.behaviour else {
        return Ok(());
    };
    write!(
        out,
        "\n<a id=\"{}\"></a>\n**`{}`** ({})\n\n",
        anchor(field),
        field.name(),
        field.versions()
    )?;
    writeln!(out, "- Armada: {}", behaviour.does)?;
    for (version, text) in [("v1", behaviour.v1), ("v2", behaviour.v2)] {
        if !text.is_empty() {
            writeln!(out, "- {version}: {text}")?;
        }
    }
    if !behaviour.default.is_empty() {
        writeln!(out, "- when absent: {}", behaviour.default)?;
    }
    writeln!(
        out,
        "- Flux: {}. {}",
        becomes(field),
        sentence(field.row.reason)
    )?;
    let proofs = proof::of_field(behaviour);
    writeln!(
        out,
        "- proof of what Armada did: {}",
        proof::describe(proofs)
    )?;
    if !behaviour.codes.is_empty() {
        let codes = behaviour.codes.iter();
        let codes: Vec<String> = codes
            .map(|code| format!("[`{code}`](diagnostics.md#{code})"))
            .collect();
        writeln!(out, "- diagnostics: {}", codes.join(", "))?;
    }
    Ok(())
}

/// Returns the fate, the target as code, and what keeps it.
fn becomes(field: Field) -> String {
    let mut text = format!("**{}**", field.row.fate.name());
    if !field.row.target.is_empty() {
        let parts = field.row.target.split(", ").map(|part| {
            if part.contains(' ') || !part.contains('.') {
                part.to_owned()
            } else {
                format!("`{part}`")
            }
        });
        let _ = write!(text, " to {}", parts.collect::<Vec<_>>().join(", "));
    }
    if let Some(since) = field.row.since {
        let _ = write!(text, ", in full since Flux {since}");
    }
    let kept = !matches!(
        field.row.fate,
        Fate::DroppedHarmless | Fate::DroppedLossy | Fate::Refused
    );
    if kept {
        let verb = if field.row.fate == Fate::NotYet {
            "to be kept"
        } else {
            "kept"
        };
        let _ = write!(text, ", {verb} by {}", field.carrier());
    }
    text
}

fn anchor(field: Field) -> String {
    let text = format!("{}-{}", field.row.documents, field.name());
    let text = text.replace("[]", "-item").to_lowercase();
    let letters = text.chars().filter_map(|letter| match letter {
        'a'..='z' | '0'..='9' | '_' | '-' => Some(letter),
        '.' | ' ' => Some('-'),
        _ => None,
    });
    letters.collect()
}

/// Returns a reason as a sentence of its own.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", letters.as_str())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_on_the_page_once() {
        let page = page();
        for field in field::all() {
            let name = field.name();
            let told = format!("<a id=\"{}\"></a>", anchor(field));
            let idle = format!("| `{name}` | {} |", field.versions());
            let times = page.matches(&told).count() + page.matches(&idle).count();
            assert!(times >= 1, "{name}");
            assert!(page.matches(&told).count() <= 1, "{name}");
        }
        assert!(!page.contains("] to"), "an unfilled part");
    }
}

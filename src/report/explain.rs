//! One field of Armada's documents or one diagnostic code, on one screen.

use crate::armada::difference::{self, Difference};
use crate::armada::disposition::Fate;
use crate::diagnostic::{Code, Severity};

use crate::printable::Printable;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Style;

use super::field::{self, Field};
use super::mark::{self, Mark};

/// Topics that are offered for an unknown one.
const OFFERED: usize = 5;

/// The answer to a topic.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The page of the one field or code that it means.
    Page(Printable),
    /// Several topics that it may mean: name and disposition of each.
    Several(Vec<(String, String)>),
    /// An unknown topic, with known ones that are similar.
    Unknown(Vec<String>),
}

/// Finds a topic: a code, or a field with or without its kind of document and `data` before it.
#[must_use]
pub fn explain(topic: &str, style: Style) -> Answer {
    if let Ok(code) = topic.parse::<Code>() {
        return Answer::Page(code_page(code, style));
    }
    if let Some(mark) = mark::find(topic) {
        return Answer::Page(mark_page(mark, style));
    }
    if let Some(difference) = difference::find(topic) {
        return Answer::Page(difference_page(difference, style));
    }
    let wanted = Wanted::new(topic);
    let candidates: Vec<Field> = field::all().filter(|field| wanted.admits(*field)).collect();
    let bare = |name: &str| name.replace("[]", "");
    let path = bare(&wanted.path);
    let end = format!(".{path}");
    let ways: [&dyn Fn(&str) -> bool; 3] = [
        &|name| name == wanted.path,
        &|name| bare(name) == path,
        &|name| bare(name).ends_with(&end),
    ];
    let found = ways.iter().map(|way| {
        let fields = candidates.iter().filter(|field| way(field.name()));
        fields.copied().collect::<Vec<_>>()
    });
    let found = found.into_iter().find(|found| !found.is_empty());
    let found = found.unwrap_or_default();
    match found.as_slice() {
        [] => Answer::Unknown(near(&path)),
        [field] => Answer::Page(field_page(*field, style)),
        several => Answer::Several(several.iter().map(|field| listed(*field)).collect()),
    }
}

/// A field as the user wrote it.
struct Wanted {
    /// Kind of document in lower-case letters; empty for any.
    kind: String,
    /// Path without `data`, with `[]` for every item of a list.
    path: String,
}

impl Wanted {
    fn new(topic: &str) -> Self {
        let mut path = String::new();
        let mut inside = false;
        for letter in topic.trim().chars() {
            if letter == ']' {
                inside = false;
            }
            if !inside {
                path.push(letter);
            }
            if letter == '[' {
                inside = true;
            }
        }
        let mut kind = String::new();
        if let Some((first, rest)) = path.split_once(['.', ':']) {
            let first = first.to_lowercase().replace('_', "");
            if ["chart", "chartgroup", "manifest"].contains(&first.as_str()) {
                (kind, path) = (first, rest.to_owned());
            }
        }
        if let Some(rest) = path.strip_prefix("data.") {
            path = rest.to_owned();
        }
        Self { kind, path }
    }

    fn admits(&self, field: Field) -> bool {
        self.kind.is_empty() || field.row.documents.to_lowercase() == self.kind
    }
}

/// Returns the topic of a field, and what becomes of it.
fn listed(field: Field) -> (String, String) {
    let name = field.name();
    let kind = match field.row.documents {
        "Chart" => "chart.",
        "ChartGroup" => "chart_group.",
        "Manifest" => "manifest.",
        _ => "",
    };
    (format!("{kind}{name}"), field.fate())
}

/// Returns similar topics.
fn near(path: &str) -> Vec<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let wanted = path.to_lowercase().replace('-', "_");
    let fields = field::all().map(|field| field.name().to_owned());
    let codes = Code::ALL.iter().map(|code| code.name().to_owned());
    let marks = mark::ALL.iter().map(|mark| mark.short().to_owned());
    let differences = difference::ALL.iter().map(|one| one.name.to_owned());
    let mut ranked: Vec<(usize, String)> = fields
        .chain(codes)
        .chain(marks)
        .chain(differences)
        .map(|name| {
            let plain = name.replace("[]", "").replace('-', "_");
            let whole = strsim::osa_distance(&wanted, &plain);
            let end = strsim::osa_distance(&last(&wanted), &last(&plain));
            (whole.min(end), name)
        })
        // One typing error in three letters is accepted.
        .filter(|(distance, _)| distance * 3 <= last(&wanted).chars().count())
        .collect();
    ranked.sort();
    ranked.dedup();
    ranked
        .into_iter()
        .take(OFFERED)
        .map(|(_, name)| name)
        .collect()
}

/// Returns a list of all topics.
#[must_use]
pub fn topics(style: Style) -> Printable {
    let mut out = Printable::default();
    out.line("Fields of Armada documents (those that Armada read):");
    for (kind, prefix) in [
        ("Manifest", "manifest"),
        ("ChartGroup", "chart_group"),
        ("Chart", "chart"),
    ] {
        let fields = field::all()
            .filter(|field| field.row.documents == kind && field.row.path != "data")
            .filter(|field| field.row.fate != Fate::DroppedHarmless);
        let names: Vec<&str> = fields.map(Field::name).collect();
        push(&mut out, style, &format!("{prefix}:"), &names.join(", "));
    }
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let codes = Code::ALL.iter().filter(|code| code.severity() == severity);
        let names: Vec<&str> = codes.map(|code| code.name()).collect();
        titled(&mut out, &format!("Codes of {severity}s:"));
        push(&mut out, style, "", &names.join(", "));
    }
    titled(&mut out, "Annotations and labels of a tree:");
    let names: Vec<&str> = mark::ALL.iter().map(Mark::short).collect();
    push(&mut out, style, "", &names.join(", "));
    titled(&mut out, "Deliberate differences from Armada:");
    let names: Vec<&str> = difference::ALL.iter().map(|one| one.name).collect();
    push(&mut out, style, "", &names.join(", "));
    out
}

fn mark_page(mark: &Mark, style: Style) -> Printable {
    let Mark {
        name,
        form,
        on,
        means,
        used,
    } = mark;
    let mut out = Printable::default();
    out.line(&format!("{name}: {form}"));
    for (title, text) in [
        ("Where it stands", on),
        ("What it says", means),
        ("Who uses it", used),
    ] {
        titled(&mut out, title);
        push(&mut out, style, "", text);
    }
    out
}

fn difference_page(difference: &Difference, style: Style) -> Printable {
    let Difference {
        name,
        armada,
        here,
        why,
        case: _,
        codes,
    } = difference;
    let mut out = Printable::default();
    out.line(&format!("{name}: a deliberate difference from Armada"));
    for (title, text) in [("Armada", armada), ("This program", here), ("Why", why)] {
        titled(&mut out, title);
        push(&mut out, style, "", text);
    }
    if !codes.is_empty() {
        let codes: Vec<&str> = codes.iter().map(|code| code.name()).collect();
        titled(&mut out, "Diagnostics");
        push(&mut out, style, "", &codes.join(", "));
    }
    out
}

fn field_page(field: Field, style: Style) -> Printable {
    let mut out = Printable::default();
    let row = field.row;
    let of = match row.documents {
        "every document" => "of every document".to_owned(),
        kind => format!("of a {kind}"),
    };
    out.line(&format!(
        "{}: field {of} ({})",
        field.name(),
        field.versions()
    ));
    if let Some(behaviour) = field.behaviour {
        titled(&mut out, "Armada");
        push(&mut out, style, "", behaviour.does);
        for (name, text) in [
            ("v1:", behaviour.v1),
            ("v2:", behaviour.v2),
            ("when absent:", behaviour.default),
        ] {
            if !text.is_empty() {
                push(&mut out, style, name, text);
            }
        }
    }
    titled(&mut out, "Flux");
    push(&mut out, style, "", &field.fate());
    push(&mut out, style, "", row.reason);
    let below = format!("{}.", row.path);
    let items = format!("{}[", row.path);
    let parts = field::all().filter(|other| {
        other.row.documents == row.documents
            && (other.row.path.starts_with(&below) || other.row.path.starts_with(&items))
            && other.row.fate != Fate::DroppedHarmless
    });
    let parts: Vec<&str> = parts.map(Field::name).collect();
    if !parts.is_empty() && row.path != "data" {
        titled(&mut out, "Fields in it");
        push(&mut out, style, "", &parts.join(", "));
    }
    let codes = field.behaviour.map_or(&[][..], |behaviour| behaviour.codes);
    if !codes.is_empty() {
        let codes: Vec<&str> = codes.iter().map(|code| code.name()).collect();
        titled(&mut out, "Diagnostics");
        push(&mut out, style, "", &codes.join(", "));
    }
    out
}

fn code_page(code: Code, style: Style) -> Printable {
    let mut out = Printable::default();
    let loss = if code.is_lossy() {
        ", a loss: --strict fails on it"
    } else {
        ""
    };
    out.line(&format!("{code}: {}{loss}", code.severity()));
    push(&mut out, style, "", code.title());
    let page = code.page();
    for (title, text) in [("Why it matters", page.why), ("What to do", page.fix)] {
        titled(&mut out, title);
        push(&mut out, style, "", text);
    }
    if let Some(example) = code.example() {
        titled(&mut out, "Example");
        for line in example.lines() {
            out.line(&format!("  {line}"));
        }
    }
    out
}

/// Begins a part.
fn titled(out: &mut Printable, title: &str) {
    out.blank();
    out.line(title);
}

/// Appends text, wrapped and indented, with `name` before it.
fn push(out: &mut Printable, style: Style, name: &str, text: &str) {
    let words: Vec<&str> = [name].into_iter().chain(text.split_whitespace()).collect();
    let words = words.join(" ");
    let indent = if name.is_empty() { 2 } else { 4 };
    let line = Paragraph::default().plain("  ").plain(words.trim_start());
    line.wrap(out, indent, style);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(topic: &str) -> String {
        match explain(topic, Style::default()) {
            Answer::Page(page) => page.to_string(),
            other => panic!("{topic}: {other:?}"),
        }
    }

    #[test]
    fn a_field_is_found_under_all_its_names() {
        let whole = page("wait.resources");
        for topic in [
            "data.wait.resources",
            "chart.wait.resources",
            "Chart.data.wait.resources",
        ] {
            assert_eq!(page(topic), whole, "{topic}");
        }
        for topic in [
            "chart.wait.resources[].min_ready",
            "wait.resources[0].min_ready",
            "min_ready",
        ] {
            assert!(
                page(topic).starts_with("wait.resources[].min_ready:"),
                "{topic}"
            );
        }
    }

    #[test]
    fn what_may_mean_several_is_listed_and_strangers_are_refused() {
        match explain("timeout", Style::default()) {
            Answer::Page(page) => assert!(page.as_str().starts_with("timeout:"), "{page}"),
            other => panic!("{other:?}"),
        }
        match explain("labels", Style::default()) {
            Answer::Several(found) => {
                let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
                assert!(names.contains(&"chart.wait.labels"), "{names:?}");
                assert!(
                    names.contains(&"chart.upgrade.pre.delete[].labels"),
                    "{names:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            explain("wait.resorces", Style::default()),
            Answer::Unknown(vec!["wait.resources".into(), "wait.resources[]".into()])
        );
        assert_eq!(
            explain("quantum", Style::default()),
            Answer::Unknown(Vec::new())
        );
    }

    #[test]
    fn every_topic_has_a_page_of_one_screen_in_eighty_columns() {
        const SCREEN: usize = 40;
        let fields = field::all().filter(|field| field.row.path != "data");
        let topics = fields
            .map(|field| listed(field).0)
            .chain(Code::ALL.iter().map(|code| code.name().to_owned()))
            .chain(mark::ALL.iter().map(|mark| mark.name.to_owned()))
            .chain(difference::ALL.iter().map(|one| one.name.to_owned()));
        for topic in topics {
            let page = page(&topic);
            let lines = page.lines().count();
            assert!(lines <= SCREEN, "{topic}: {lines} lines");
            let own = page.split("\nExample\n").next().unwrap_or("");
            for line in own.lines() {
                assert!(line.chars().count() <= 80, "{topic}: {line}");
            }
        }
    }

    #[test]
    fn both_versions_are_told_apart() {
        let page = page("wait.resources").replace('\n', " ");
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "v1: A list. Absent: `job` (optional), then `pod` (required).",
            "Absent: `job`, `daemonset`, `statefulset`, `deployment`, `pod`, in this order, all optional.",
            "`[]` means no wait",
        ] {
            assert!(words.contains(part), "{part} not in {words}");
        }
    }
}

//! Which module may use which: the drawing in `src/lib.rs` is the rule.
//!
//! A room uses only rooms that the drawing names before it; no room of one wing names a room of the other; no files
//! name each other in a circle; every file is declared by its parent; only `cli` and `cluster` do input and output.

mod circles;
mod paths;

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::Trial;
use proc_macro2::{TokenStream, TokenTree};

use super::support::{Result, ensure, read_tree, root};
use paths::{Path, Paths};

/// Rooms that may do input and output.
const OUTSIDE: &[&str] = &["cli", "cluster"];
/// Files that write to the standard streams.
const SPEAKING: &[&str] = &["cli/show.rs", "cli/stdout.rs"];
/// Files that print a format as it is: their formats escape what acts on a terminal.
const EXACT: &[&str] = &[
    "cli/convert.rs",
    "printable/json.rs",
    "report/source_map.rs",
];
/// Modules of the standard library that reach outside.
const REACHING: &[&str] = &["env", "fs", "net", "os", "process"];
/// The wings, as the drawing calls them; neither names a room of the other.
const WINGS: [&str; 2] = ["compile wing", "operating wing"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("layers::rooms_use_only_those_before_them", order),
        Trial::test("layers::no_wing_names_a_room_of_the_other", wings),
        Trial::test("layers::no_files_name_each_other_in_a_circle", no_circles),
        Trial::test("layers::only_cli_and_cluster_reach_outside", reach),
        Trial::test("layers::text_is_printed_by_one_door", one_door),
        Trial::test("layers::every_file_is_a_module_of_its_parent", declared),
        Trial::test("layers::both_pages_draw_the_same_rooms", same_drawing),
        Trial::test("layers::each_rule_finds_a_violation", breaches),
        Trial::test("layers::the_reader_finds_every_spelling", spellings),
    ]
}

/// A row of the drawing: its title and its rooms, each using only those before it.
struct Row {
    title: String,
    rooms: Vec<String>,
}

/// The rooms, from the lowest up.
struct Drawing(Vec<Row>);

impl Drawing {
    /// Parses the rows `title: room · room`, which are listed from the top down.
    fn read(text: &str) -> Self {
        let rows = text.lines().filter_map(|line| {
            let line = line.trim().trim_start_matches("//!").trim();
            let (title, rooms) = line.split_once(": ")?;
            let titles = ["ground", "above both"];
            (WINGS.contains(&title) || titles.contains(&title)).then(|| Row {
                title: title.to_owned(),
                rooms: rooms
                    .split('·')
                    .map(|room| room.trim().to_owned())
                    .collect(),
            })
        });
        let mut rows: Vec<Row> = rows.collect();
        rows.reverse();
        Self(rows)
    }

    fn rooms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|row| &row.rooms).map(String::as_str)
    }

    fn place(&self, room: &str) -> Option<usize> {
        self.rooms().position(|other| other == room)
    }

    /// Returns the wing of a room; `None` below and above the wings.
    fn wing(&self, room: &str) -> Option<&str> {
        let row = self
            .0
            .iter()
            .find(|row| row.rooms.iter().any(|r| r == room))?;
        WINGS.contains(&row.title.as_str()).then_some(&row.title)
    }
}

/// Returns the drawing of `src/lib.rs`; every module of the crate must be in it.
fn drawing() -> Result<Drawing> {
    let text = fs::read_to_string(root().join("src/lib.rs"))?;
    let drawing = Drawing::read(&text);
    let declared: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| {
            let private = line
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ");
            private.strip_prefix("mod ")?.strip_suffix(';')
        })
        .collect();
    let drawn: BTreeSet<&str> = drawing.rooms().collect();
    ensure(
        declared == drawn,
        format!("rooms declared {declared:?}, drawn {drawn:?}"),
    )?;
    Ok(drawing)
}

/// A file of `src` and the paths it names.
struct File {
    /// Path below `src`.
    name: String,
    /// Its module, from the crate's root on.
    module: Path,
    paths: Paths,
    /// The modules that the file declares.
    declares: BTreeSet<String>,
    /// Whether it names a standard stream, outside of tests.
    speaks: bool,
    /// Whether it prints text as it is, outside of tests.
    exact: bool,
}

impl File {
    fn read(name: &str, text: &str) -> Result<Self> {
        let Some(stem) = name.strip_suffix(".rs") else {
            return Err(format!("src/{name} is not a source file").into());
        };
        let module: Path = match stem {
            "lib" | "main" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        let test = module
            .iter()
            .any(|part| part == "tests" || part == "testing");
        let tokens: TokenStream = text.parse().map_err(|e| format!("src/{name}: {e}"))?;
        Ok(Self {
            name: name.to_owned(),
            declares: paths::declared(tokens.clone()),
            speaks: !test && follow(&tokens, "io", &["stdout", "stderr"]),
            exact: !test && follow(&tokens, "Printable", &["exact"]),
            paths: Paths::read(tokens, &module, test),
            module,
        })
    }

    fn room(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    /// Returns the rooms that the file names.
    fn rooms(&self) -> BTreeSet<&str> {
        self.paths.own.iter().map(|path| path[0].as_str()).collect()
    }
}

fn files() -> Result<Vec<File>> {
    read_tree(&root().join("src"))?
        .into_iter()
        // Generated from the example folders by a test, and read by the program as text.
        .filter(|(name, _)| name != "diagnostic/examples.txt")
        .map(|(name, bytes)| File::read(&name, &String::from_utf8(bytes)?))
        .collect()
}

fn order() -> Result {
    ensure_none(out_of_order(&drawing()?, &files()?))
}

fn wings() -> Result {
    ensure_none(across_wings(&drawing()?, &files()?))
}

fn no_circles() -> Result {
    let circles = circles::find(&files()?);
    ensure_none(circles.iter().map(|files| files.join(" ↔ ")).collect())
}

fn reach() -> Result {
    ensure_none(reaching(&files()?))
}

fn one_door() -> Result {
    ensure_none(beside_the_door(&files()?))
}

fn declared() -> Result {
    ensure_none(undeclared(&files()?))
}

/// `docs/architecture.md` draws the rooms of `src/lib.rs`.
fn same_drawing() -> Result {
    let page = fs::read_to_string(root().join("docs/architecture.md"))?;
    let (page, code) = (Drawing::read(&page), drawing()?);
    let rows = |drawing: &Drawing| {
        let rows = drawing.0.iter();
        rows.map(|row| format!("{}: {}\n", row.title, row.rooms.join(" · ")))
            .collect::<String>()
    };
    ensure(
        rows(&page) == rows(&code),
        format!(
            "docs/architecture.md draws\n{}src/lib.rs draws\n{}",
            rows(&page),
            rows(&code)
        ),
    )
}

fn ensure_none(wrong: Vec<String>) -> Result {
    ensure(wrong.is_empty(), wrong.join("\n"))
}

fn out_of_order(drawing: &Drawing, files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let (name, Some(room)) = (&file.name, file.room()) else {
            continue;
        };
        let Some(own) = drawing.place(room) else {
            wrong.push(format!("src/{name}: `{room}` is not a room of src/lib.rs"));
            continue;
        };
        for used in file.rooms() {
            if drawing.place(used).is_some_and(|used| used > own) {
                wrong.push(format!(
                    "src/{name}: `{room}` uses `{used}`, which comes after it"
                ));
            }
        }
    }
    wrong
}

fn across_wings(drawing: &Drawing, files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let (name, Some(room)) = (&file.name, file.room()) else {
            continue;
        };
        let Some(own) = drawing.wing(room) else {
            continue;
        };
        for used in file.rooms() {
            if drawing.wing(used).is_some_and(|wing| wing != own) {
                wrong.push(format!(
                    "src/{name}: `{room}` names `{used}` of the other wing"
                ));
            }
        }
    }
    wrong
}

/// Files that no compiler reads, since their parent does not declare them.
fn undeclared(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter_map(|file| {
            let (own, parent) = file.module.split_last()?;
            let is_parent = |other: &&File| match parent {
                [] => other.name == "lib.rs",
                parent => other.module == parent,
            };
            let declares = |parent: &File| parent.declares.contains(own);
            (!files.iter().find(is_parent).is_some_and(declares))
                .then(|| format!("src/{} is not declared by its parent", file.name))
        })
        .collect()
}

fn reaching(files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let name = &file.name;
        if file.room().is_some_and(|room| OUTSIDE.contains(&room)) || name == "main.rs" {
            continue;
        }
        for path in &file.paths.standard {
            let Some(module) = path.first() else { continue };
            // An exit code is a value.
            let exit_code = path.get(1).is_some_and(|item| item == "ExitCode");
            if REACHING.contains(&module.as_str()) && !exit_code {
                wrong.push(format!("src/{name} uses std::{module}"));
            }
        }
    }
    wrong
}

/// Files that write to a standard stream or print text as it is, and must not; and those that may and do not.
fn beside_the_door(files: &[File]) -> Vec<String> {
    type Rule<'r> = (&'r [&'r str], fn(&File) -> bool, &'r str);
    let rules: [Rule<'_>; 2] = [
        (SPEAKING, |file| file.speaks, "names a standard stream"),
        (EXACT, |file| file.exact, "prints text as it is"),
    ];
    let mut wrong = Vec::new();
    for (allowed, does, what) in rules {
        for file in files {
            if does(file) != allowed.contains(&file.name.as_str()) {
                let not = if does(file) { "" } else { "no longer " };
                wrong.push(format!("src/{} {not}{what}", file.name));
            }
        }
    }
    wrong
}

/// Returns whether one of some names follows another in a path, in a list of a `use` or alone.
fn follow(tokens: &TokenStream, first: &str, names: &[&str]) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| {
        match token {
        TokenTree::Group(group) => follow(&group.stream(), first, names),
        TokenTree::Ident(ident) if *ident == first => match tokens.get(at + 3) {
            Some(TokenTree::Ident(next)) => names.iter().any(|name| *next == name),
            Some(TokenTree::Group(list)) => list.stream().into_iter().any(|token| {
                matches!(token, TokenTree::Ident(next) if names.iter().any(|name| next == name))
            }),
            _ => false,
        },
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
    })
}

/// Each rule finds a violation in an example of four rooms.
fn breaches() -> Result {
    let drawing = Drawing::read(
        "//! above both: cli
         //! operating wing: cluster · apply
         //! compile wing: yaml · lower
         //! ground: value",
    );
    let house = |name: &str, text: &str| -> Result<Vec<File>> { Ok(vec![File::read(name, text)?]) };
    let is_one = |wrong: Vec<String>, part: &str| {
        let found = wrong.len() == 1 && wrong[0].contains(part);
        ensure(found, format!("{part}: found {wrong:?}"))
    };
    let good = house(
        "apply/walk.rs",
        "use crate::cluster::Cluster; use crate::value::Value;",
    )?;
    ensure_none(out_of_order(&drawing, &good))?;
    ensure_none(across_wings(&drawing, &good))?;

    let up = house("yaml/read.rs", "use crate::lower::Lowered;")?;
    is_one(out_of_order(&drawing, &up), "`yaml` uses `lower`")?;
    let unknown = house("attic.rs", "")?;
    is_one(out_of_order(&drawing, &unknown), "`attic`")?;
    let across = house("apply/write.rs", "fn f() { crate::yaml::read() }")?;
    ensure_none(out_of_order(&drawing, &across))?;
    is_one(across_wings(&drawing, &across), "`apply` names `yaml`")?;
    let back = house("lower.rs", "use crate::{value::Value, cluster};")?;
    is_one(across_wings(&drawing, &back), "`lower` names `cluster`")?;
    let outside = house("value.rs", "use std::{fmt, fs};")?;
    is_one(reaching(&outside), "std::fs")?;

    for text in [
        "fn f() { writeln!(std::io::stderr(), \"\") }",
        "use std::io::{self, Write as _, stdout};",
        "use std::io; fn f() { io::stdout().flush() }",
    ] {
        let loud = house("cli/diff.rs", text)?;
        is_one(beside_the_door(&loud), "names a standard stream")?;
    }
    let loud = house("report/text.rs", "fn f() { Printable::exact(text) }")?;
    is_one(beside_the_door(&loud), "prints text as it is")?;
    let quiet = house(
        "cli/diff.rs",
        "fn f() { command.stderr(pipe); Failure::stdout(e) }",
    )?;
    ensure_none(beside_the_door(&quiet))?;

    let orphan = [
        File::read("lib.rs", "pub mod apply;")?,
        File::read("apply.rs", "mod write;")?,
        File::read("apply/write.rs", "")?,
        File::read("apply/walk.rs", "")?,
    ];
    is_one(undeclared(&orphan), "apply/walk.rs")?;

    let mut circle = vec![
        File::read("apply.rs", "mod write; mod wait; pub use wait::Until;")?,
        File::read("apply/write.rs", "use super::Until;")?,
        File::read("apply/wait.rs", "use crate::apply::write;")?,
    ];
    let found = circles::find(&circle);
    ensure(
        found == [["apply/wait", "apply/write"]],
        format!("circles {found:?}"),
    )?;
    circle.pop();
    ensure(circles::find(&circle).is_empty(), "no circle is left")
}

/// The reader finds every path, and nothing in comments, strings and tests.
fn spellings() -> Result {
    let text = r#"
        //! crate::cli and std::fs in a comment
        use crate::{alpha::{One, Two as Other}, beta};
        use super::super::gamma::Three;
        pub(in crate::delta) fn x() { let _ = "crate::text std::env"; crate::epsilon::y(); super::own(); }
        fn z() { std::fs::read("x"); let _: std::process::ExitCode; use std::{env, fmt}; }
        mod inner { use super::super::super::zeta; use super::super::own_too; }
        #[cfg(test)] mod tests { use std::net; use crate::theta; }
        #[test] fn t() { std::os::x() }
        fn after() { std::process::abort() }
        pub use self::eta::{Eta, iota::{self}};
    "#;
    let tokens = text.parse().map_err(|e| format!("{e}"))?;
    let module = ["room".to_owned(), "part".to_owned()];
    let paths = Paths::read(tokens, &module, false);
    let shown = |paths: &[Path]| {
        let mut shown: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
        shown.sort();
        shown.join(" ")
    };
    let own = shown(&paths.own);
    ensure(
        own == "alpha::One alpha::Two beta delta epsilon::y gamma::Three room::own room::own_too \
                room::part::eta::Eta room::part::eta::iota zeta",
        own,
    )?;
    let standard = shown(&paths.standard);
    ensure(
        standard == "env fmt fs::read process::ExitCode process::abort",
        standard,
    )?;
    let exports: Vec<&str> = paths.exports.keys().map(String::as_str).collect();
    ensure(exports == ["Eta", "iota"], format!("exports {exports:?}"))
}

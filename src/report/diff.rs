//! The report of `diff`: what applying the input would change.

mod alike;
mod assemble;
mod dangers;
mod lines;
pub mod page;
pub mod text;

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare;
use crate::flux::managed_fields;
use crate::flux::object::title;

use super::Rendered;
use super::page::Page;
use super::words::words;
use crate::printable::Printable;
use crate::printable::style::Style;
use alike::NAME;
pub use assemble::{Unseen, report};
use dangers::dangers;

/// Version of the report's shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 2;

/// The report of `armada2flux diff`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux diff report")]
pub struct Report {
    /// Version of this shape.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// What the input was compared with.
    pub against: Against,
    /// Numbers of objects, fields and differences.
    pub summary: Summary,
    /// Namespaces in which takeovers are not seen, since Helm's records there may not be listed.
    pub takeovers_unseen: Vec<String>,
    /// Webhooks and policies that could refuse objects and were not asked about those that applying does not change;
    /// `--ask-all` asks.
    pub validators_not_asked: Vec<String>,
    /// Objects that differ, in the order in which they would be applied, then those that are left over or
    /// otherwise noteworthy. Unchanged objects are counted only.
    pub objects: Vec<Object>,
    /// Changes that several objects have in common. The objects have them, too.
    pub alike: Vec<Alike>,
}

/// Changes that several objects have in common.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Alike {
    /// The objects, as `Kind namespace/name`.
    pub objects: Vec<String>,
    /// The changes.
    pub changes: Vec<Change>,
}

impl Report {
    /// Returns a sentence about the namespaces in which takeovers are not seen.
    fn unseen(&self) -> Option<String> {
        let namespaces = self.takeovers_unseen.join(", ");
        (!namespaces.is_empty()).then(|| {
            format!(
                "takeovers are not seen, since Helm's records may not be listed, in: {namespaces}"
            )
        })
    }
}

/// Numbers of objects, fields and differences.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// Objects of the input.
    pub objects: usize,
    /// Objects that do not exist yet.
    pub created: usize,
    /// Objects with changes of their own.
    pub changed: usize,
    /// Objects that Flux reconciles again because a step before them changes, without a Helm action.
    pub follows: usize,
    /// Objects without differences, except for noise.
    pub unchanged: usize,
    /// Objects with a field that another field manager owns, so that applying it fails.
    pub conflicting: usize,
    /// Objects that the API server refuses.
    pub refused: usize,
    /// Objects that exist and are not in the input; nothing deletes them.
    pub left_over: usize,
    /// Dangerous changes.
    pub dangers: usize,
    /// Releases that Helm installed and that Flux would take over.
    pub takeovers: usize,
    /// Differences that are left out as noise.
    pub noise: usize,
    /// Objects that are compared without the API server's defaults.
    pub client_side: usize,
    /// Fields that were removed from the input and stay, because other field managers own them, too.
    pub staying: usize,
    /// Fields of the input that other field managers own, too.
    pub shared: usize,
    /// Fields outside of the input that other field managers own and that change what a run checks or does.
    pub foreign: usize,
}

impl Summary {
    /// Returns the numbers of objects by outcome, worst first.
    fn outcomes(&self) -> [(usize, &'static str); 7] {
        let Self {
            objects: _,
            created,
            changed,
            follows,
            unchanged,
            conflicting,
            refused,
            left_over,
            dangers: _,
            takeovers: _,
            noise: _,
            client_side: _,
            staying: _,
            shared: _,
            foreign: _,
        } = self;
        [
            (*refused, "refused"),
            (*conflicting, "conflicting"),
            (*created, "created"),
            (*changed, "changed"),
            (*follows, "reconciled again"),
            (*unchanged, "unchanged"),
            (*left_over, "left over"),
        ]
    }

    /// Returns whether applying would change anything or fail.
    #[must_use]
    pub fn is_different(&self) -> bool {
        let changing = self.created + self.changed + self.follows;
        changing + self.conflicting + self.refused + self.staying > 0
    }
}

/// An object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Object {
    /// `group/version`, or `v1`.
    pub api_version: String,
    /// Kind, as `HelmRelease`.
    pub kind: String,
    /// Namespace; null for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: String,
    /// What applying would do to it.
    pub outcome: Outcome,
    /// Whether it is a release that Helm installed and Flux does not manage yet.
    pub takeover: bool,
    /// Why the API server refuses it; null when it does not.
    pub message: Option<String>,
    /// Fields that other field managers own, for the outcome `conflicting`.
    pub conflicts: Vec<Held>,
    /// Fields that an earlier apply set and that were removed from the input. They stay, because other field
    /// managers own them, too; the API server reports nothing.
    pub staying: Vec<Shared>,
    /// Fields of the input that other field managers own, too: they would stay if the input removed them.
    pub shared: Vec<Shared>,
    /// Further facts about the object, a sentence each.
    pub notes: Vec<String>,
    /// Dangers that no single change of the object shows.
    pub dangers: Vec<Danger>,
    /// The differences.
    pub changes: Vec<Change>,
}

/// A field and its owner.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Held {
    /// The field, as the API server names it.
    pub field: String,
    /// Field manager that owns it.
    pub manager: String,
}

/// A field with several owners.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shared {
    /// The field, as the API server names it.
    pub field: String,
    /// The other field managers.
    pub managers: Vec<String>,
}

/// A difference inside an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Path of the field.
    pub path: String,
    /// What the field says, for fields that are written for programs; null for all others.
    pub title: Option<String>,
    /// What happens to the value.
    pub what: Edit,
    /// Value before, as JSON; secrets are `***`.
    pub before: Option<String>,
    /// Value after, as JSON; secrets are `***`, or `*** (changed)`.
    pub after: Option<String>,
    /// The change line by line, for texts of several lines and for fields with a title; empty for all others.
    pub lines: Vec<Line>,
    /// Whether a part of the value is hidden as secret.
    pub secret: bool,
    /// Danger of the change; null for most changes.
    pub danger: Option<Danger>,
    /// Rule by which it is noise; null for all other differences. Noise is listed only with `--show-noise`.
    #[schemars(extend("enum" = noise_rules()))]
    pub noise: Option<String>,
    /// Whether it is only a lockstep digest that changes with a step before.
    pub lockstep: bool,
    /// Position in the report's list `alike`, from 0, of a change that several objects have in common.
    pub alike: Option<usize>,
}

/// A line of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// What happens to it.
    pub what: LineEdit,
    /// The line.
    pub text: String,
}

/// A change that can restart, delete or block something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Danger {
    /// Its code; `docs/dangers.md` has a section for each.
    #[schemars(extend("enum" = danger_rules()))]
    pub name: String,
    /// What the change causes.
    pub effect: String,
}

words! {
    /// What a comparison was made with.
    pub enum Against {
        /// A cluster.
        Cluster = "cluster",
        /// Another tree.
        Tree = "tree",
    }
}

words! {
    /// What applying would do to an object.
    pub enum Outcome {
        /// It does not exist yet.
        Created = "created",
        /// It has changes of its own.
        Changed = "changed",
        /// Flux reconciles it again because a step before it changes, without a Helm action.
        Follows = "follows",
        /// It stays as it is, except for noise.
        Unchanged = "unchanged",
        /// Other field managers own fields of it.
        Conflicting = "conflicting",
        /// The API server refuses it.
        Refused = "refused",
        /// It exists and is not in the input; nothing deletes it.
        LeftOver = "left-over",
    }
}

words! {
    /// What happens to a value.
    pub enum Edit {
        /// It did not exist before.
        Added = "added",
        /// It does not exist any more.
        Removed = "removed",
        /// It has another value.
        Changed = "changed",
        /// The same items are in another order.
        Reordered = "reordered",
        /// The same item is at another place of its list.
        Moved = "moved",
    }
}

words! {
    /// What happens to a line.
    pub enum LineEdit {
        /// It is there before and after.
        Kept = "kept",
        /// It is there before only.
        Removed = "removed",
        /// It is there after only.
        Added = "added",
        /// Lines that stay are left out here.
        Skipped = "skipped",
    }
}

/// Returns the codes of all dangers.
fn danger_rules() -> Vec<&'static str> {
    let codes = compare::danger::Code::ALL.iter();
    codes.map(|code| code.name()).collect()
}

/// Returns the names of all noise rules, and `None` for no rule.
fn noise_rules() -> Vec<Option<&'static str>> {
    let rules = compare::noise::RULES.iter().map(|rule| Some(rule.name));
    rules.chain([None]).collect()
}

/// What becomes of a field that was removed from the input, before its owners.
const STAYS: &str = "removed from the input but stays, also owned by";

impl Shared {
    pub(super) fn new(shared: &managed_fields::Shared) -> Self {
        let managed_fields::Shared { field, managers } = shared;
        Self {
            field: field.to_string(),
            managers: managers.iter().map(ToString::to_string).collect(),
        }
    }

    /// Returns the field as a sentence, for one that was removed from the input.
    pub(super) fn stays(&self) -> String {
        format!("{}: {STAYS} {}", self.field, self.owners())
    }

    /// Lists the field managers.
    fn owners(&self) -> String {
        let names = self.managers.iter().map(|name| format!("`{name}`"));
        names.collect::<Vec<String>>().join(", ")
    }
}

impl Rendered for Report {
    fn text(&self, style: Style) -> Printable {
        text::text(self, style)
    }

    fn page(&self) -> Page {
        page::page(self)
    }
}

impl Alike {
    /// Returns what stands for the names of the objects, if anything does.
    fn names(&self) -> &'static str {
        let named = |change: &Change| change.lines.iter().any(|line| line.text.contains(NAME));
        if self.changes.iter().any(named) {
            "; NAME is the name of each"
        } else {
            ""
        }
    }
}

impl Object {
    /// Returns whether it is shown even if it does not change. Fields with other owners are not enough.
    fn is_noteworthy(&self) -> bool {
        !(self.changes.is_empty() && self.has_no_remarks())
    }

    /// Returns whether nothing is said of it but its changes.
    fn has_no_remarks(&self) -> bool {
        self.notes.is_empty() && self.staying.is_empty() && self.dangers.is_empty()
    }

    /// Returns whether everything about it is said where several objects are: it changes as they do.
    fn is_said_with_others(&self) -> bool {
        let mut own = self.changes.iter().filter(|change| !change.lockstep);
        let shared = own.clone().next().is_some() && own.all(|change| change.alike.is_some());
        shared
            && self.outcome == Outcome::Changed
            && self.has_no_remarks()
            && self.message.is_none()
            && self.conflicts.is_empty()
    }

    /// `Kind namespace/name`
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }
}

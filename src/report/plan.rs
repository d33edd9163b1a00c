//! The report of `plan`: what a run would do, stage by stage, and what it would refuse.

pub mod page;
pub mod text;

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::{Mark, ObjectChange, Outcome};
use crate::flux::Conflict;
use crate::flux::object::title;
use crate::rollout::change::{self, Change};
use crate::rollout::{Action, DoneWhen, Item, OnFailure, Rollout};
use crate::survey::{Assessed, Assessment, Guard};

use super::Rendered;
use super::diff::Shared;
use super::page::Page;
use crate::printable::Printable;
use crate::printable::style::Style;

/// The version of the report's format. It grows with every change that a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux plan`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux plan report")]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The version of armada2flux.
    pub program: String,
    /// The name of the site.
    pub site: String,
    /// The address of the API server.
    pub server: String,
    /// Totals.
    pub summary: Summary,
    /// The stages, in order; the preparation has number 0.
    pub stages: Vec<Stage>,
    /// Objects of the site that the input lacks, as `Kind namespace/name`; nothing deletes them.
    pub left_over: Vec<String>,
}

/// Numbers of objects.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// All of them.
    pub objects: usize,
    /// Objects that do not exist yet.
    pub created: usize,
    /// Releases that are upgraded.
    pub upgraded: usize,
    /// Objects with changes that upgrade nothing.
    pub changed: usize,
    /// Releases that are reconciled again because something before them changes, without a Helm action.
    pub reconciled: usize,
    /// Unchanged objects, apart from bookkeeping fields.
    pub unchanged: usize,
    /// Objects that refuse the run.
    pub refused: usize,
}

impl Summary {
    /// Returns the numbers with their words, the worst first.
    fn outcomes(&self) -> [(usize, Action); 6] {
        let Self {
            objects: _,
            created,
            upgraded,
            changed,
            reconciled,
            unchanged,
            refused,
        } = self;
        [
            (*refused, Action::Refuse),
            (*created, Action::Create),
            (*upgraded, Action::Upgrade),
            (*changed, Action::Change),
            (*reconciled, Action::Reconcile),
            (*unchanged, Action::Unchanged),
        ]
    }

    /// Returns whether a run would write or refuse anything.
    #[must_use]
    pub fn is_different(&self) -> bool {
        self.unchanged < self.objects
    }
}

/// A chart group, or the preparation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// Its number.
    pub number: usize,
    /// The name.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// The objects of a stage that may move at the same time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// Its number in the stage.
    pub number: usize,
    /// Its objects.
    pub objects: Vec<Object>,
}

/// An object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Object {
    /// `group/version`, or `v1`.
    pub api_version: String,
    /// The kind of the object.
    pub kind: String,
    /// The namespace of the object; null for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// What a run does with it.
    pub what: Action,
    /// The reasons to refuse a run.
    pub refusals: Vec<Refusal>,
    /// Notes, one sentence each.
    pub notes: Vec<String>,
    /// What is deleted before an upgrade.
    pub deletions: Vec<String>,
    /// What is awaited after Helm and its hooks, in order.
    pub gates: Vec<String>,
    /// Whether Helm's tests run, and are awaited.
    pub tests: bool,
    /// The time limit in seconds.
    pub timeout: i64,
}

/// A reason to refuse a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// The reason.
    pub why: String,
    /// A hint on what to do.
    pub hint: String,
}

/// Returns why a run must not touch an item: its guards, and a refusal of the API server.
pub(crate) fn refusals(assessed: &Assessed) -> Vec<Refusal> {
    let guards = assessed.guards.iter().map(Refusal::from);
    guards.chain(not_taken(&assessed.change)).collect()
}

impl From<&Guard> for Refusal {
    fn from(guard: &Guard) -> Self {
        Self {
            why: guard.to_string(),
            hint: guard.hint(),
        }
    }
}

/// Builds the report from the assessment of a rollout.
pub(crate) fn report(rollout: &Rollout, assessment: &Assessment, server: &str) -> Report {
    let mut summary = Summary::default();
    let Assessment {
        items,
        left_over,
        admission: _,
    } = assessment;
    let mut assessed = items.iter();
    let stages = rollout.stages.iter().map(|stage| {
        let steps = stage.steps.iter().map(|step| Step {
            number: step.number,
            objects: step
                .items
                .iter()
                .zip(assessed.by_ref())
                .map(|(item, assessed)| object(item, assessed, &mut summary))
                .collect(),
        });
        Stage {
            number: stage.number,
            name: stage.name.to_string(),
            steps: steps.collect(),
        }
    });
    let stages = stages.collect();
    let left_over = left_over.iter().map(|change| {
        let namespace = change.namespace.as_deref();
        title(&change.kind, namespace, &change.name)
    });
    Report {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        site: rollout.site.to_string(),
        server: server.to_owned(),
        summary,
        stages,
        left_over: left_over.collect(),
    }
}

fn object(item: &Item, assessed: &Assessed, summary: &mut Summary) -> Object {
    let refusals = refusals(assessed);
    let change = &assessed.change;
    let what = if refusals.is_empty() {
        what(change)
    } else {
        Action::Refuse
    };
    summary.objects += 1;
    *match what {
        Action::Create => &mut summary.created,
        Action::Upgrade => &mut summary.upgraded,
        Action::Change => &mut summary.changed,
        Action::Reconcile => &mut summary.reconciled,
        Action::Unchanged => &mut summary.unchanged,
        Action::Refuse => &mut summary.refused,
    } += 1;
    let Item {
        object,
        done_when,
        timeout,
        on_failure,
    } = item;
    let mut notes = Vec::new();
    if !matches!(what, Action::Create) {
        notes.extend(change.marks.iter().filter_map(note));
        notes.extend(
            change
                .staying
                .iter()
                .map(|field| Shared::new(field).stays()),
        );
    }
    let (mut deletions, mut gates, mut tests) = (Vec::new(), Vec::new(), false);
    match done_when {
        DoneWhen::Applied | DoneWhen::ArtifactReady { .. } => {}
        DoneWhen::KeysFilled(keys) => notes.push(format!(
            "waits until these keys are filled in: {}",
            keys.join(", ")
        )),
        DoneWhen::ReleaseReady(release) => {
            deletions.extend(release.pre_deletes.iter().map(ToString::to_string));
            gates.extend(release.gates.iter().map(ToString::to_string));
            tests = release.tested;
        }
    }
    match on_failure {
        OnFailure::Stop => {}
        OnFailure::Refuse => {
            notes.push("protected: the run stops if the release had failed before".to_owned())
        }
        OnFailure::Skip => {
            notes.push("protected: skipped if the release had failed before".to_owned());
        }
    }
    Object {
        api_version: object.api_version.to_string(),
        kind: object.kind.to_string(),
        namespace: object.namespace.as_ref().map(ToString::to_string),
        name: object.name.to_string(),
        what,
        refusals,
        notes,
        deletions,
        gates,
        tests,
        timeout: *timeout,
    }
}

fn what(change: &ObjectChange) -> Action {
    if matches!(change.outcome, Outcome::Follows) {
        return Action::Reconcile;
    }
    match change::from_comparison(change) {
        Change::Created => Action::Create,
        Change::Changed { upgrades: true } => Action::Upgrade,
        Change::Changed { upgrades: false } => Action::Change,
        Change::Unchanged => Action::Unchanged,
    }
}

/// Returns why the API server would not accept an object.
fn not_taken(change: &ObjectChange) -> Option<Refusal> {
    let named = title(&change.kind, change.namespace.as_deref(), &change.name);
    match &change.outcome {
        Outcome::Conflicting(held) => {
            let held = held
                .iter()
                .map(|Conflict { manager, field }| format!("`{field}` by `{manager}`"));
            let held: Vec<String> = held.collect();
            Some(Refusal {
                why: format!(
                    "{named}: other managers own fields of it: {}",
                    held.join(", ")
                ),
                hint: "write its value into the input, or take the ownership from that manager"
                    .to_owned(),
            })
        }
        Outcome::Refused(message) => Some(Refusal {
            why: format!("{named}: the API server refuses it: {message}"),
            hint: "correct the input, or ask the owner of the admission webhook or policy"
                .to_owned(),
        }),
        Outcome::Created
        | Outcome::Changed
        | Outcome::Follows
        | Outcome::Unchanged
        | Outcome::LeftOver => None,
    }
}

/// Returns the note of a mark that is not a refusal.
fn note(mark: &Mark) -> Option<String> {
    match mark {
        Mark::ClientSide(why) => Some(format!("compared without the API server's defaults: {why}")),
        Mark::Foreign {
            field,
            manager,
            effect,
            refused: false,
        } => Some(format!(
            "{field} is held by `{manager}` and not in the input: it {effect}"
        )),
        Mark::OfSite(_)
        | Mark::OfKustomization(_)
        | Mark::Foreign { refused: true, .. }
        | Mark::Values { .. }
        | Mark::Takeover { .. } => None,
    }
}

impl Report {
    /// Returns what is done to each item, in the order of the rollout.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        let steps = self.stages.iter().flat_map(|stage| &stage.steps);
        let objects = steps.flat_map(|step| &step.objects);
        objects.map(|object| object.what).collect()
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

impl Object {
    /// `Kind namespace/name`
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }

    /// Returns whether the object gets a row; unchanged objects are only counted.
    fn is_noteworthy(&self) -> bool {
        self.what != Action::Unchanged
    }
}

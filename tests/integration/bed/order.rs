//! The proof of the order, from the audit log alone: no write to anything of a step before the last thing that the steps
//! in front of it wait for was there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use armada2flux::gate::{Gate, Verdict};
use armada2flux::value::{Data, Number, Value};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};

use super::armada::Site;
use super::audit::Entry;
use super::history::{Change, Key, Objects, changes};
use super::{Bed, Outcome, build, until};

/// For the audit log to show what was done.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// A release and what is awaited of it.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) gates: Vec<Gate>,
}

/// The releases of every step, from the documents.
pub(crate) fn awaited(site: &Site) -> Outcome<Vec<Vec<Awaited>>> {
    site.with_plan(|plan| {
        let steps = plan.steps().map(|(_, step)| {
            let releases = step.releases.iter();
            let awaited = releases.map(|release| Awaited {
                namespace: release.namespace.to_string(),
                name: release.name.to_string(),
                gates: release.gates(),
            });
            awaited.collect()
        });
        Ok(steps.collect())
    })
}

/// What an audit log holds between two marks.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Nothing that was received before this belongs to it.
    pub(crate) from: String,
    /// Nothing that was received later.
    pub(crate) to: String,
}

impl Bed {
    /// Makes a mark in the audit log, and says when.
    pub(crate) fn mark(&self) -> Outcome<String> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), "default");
        let name = format!("mark-{}", build::unique_name());
        let mut map = ConfigMap::default();
        map.metadata.name = Some(name.clone());
        self.block_on(maps.create(&PostParams::default(), &map))?;
        let is_it = |entry: &Entry| {
            let place = &entry.object_ref;
            entry.verb == "create" && place.resource == "configmaps" && place.name == name
        };
        until(SHOWN_WITHIN, || {
            let entries = self.audit()?;
            let mark = entries.iter().rev().find(|entry| is_it(entry));
            Ok(mark.map(|entry| entry.request_received_timestamp.clone()))
        })
    }
}

impl Window {
    fn contains(&self, entry: &Entry) -> bool {
        self.from < entry.request_received_timestamp && entry.request_received_timestamp < self.to
    }

    /// The requests of a user in it.
    pub(crate) fn requests_of<'e>(
        &'e self,
        entries: &'e [Entry],
        user: &'e str,
    ) -> impl Iterator<Item = &'e Entry> {
        let ours = entries.iter().filter(|entry| self.contains(entry));
        ours.filter(move |entry| entry.user.username == user)
    }

    /// Its writes, but for the run's own state.
    pub(crate) fn writes<'e>(
        &'e self,
        entries: &'e [Entry],
        user: &'e str,
    ) -> impl Iterator<Item = &'e Entry> {
        self.requests_of(entries, user)
            .filter(|entry| changes_the_site(entry))
    }
}

/// Whether it changes something of a site: where a run stands, and what it may do, is asked and told beside that.
fn changes_the_site(entry: &Entry) -> bool {
    let place = &entry.object_ref;
    let state = place.resource == "configmaps" && place.name.starts_with("armada2flux-");
    entry.is_write() && !state && place.resource != "selfsubjectaccessreviews"
}

/// When everything was there that a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Opened {
    /// Before the run, so nothing of it can come too early.
    Before,
    /// With the write at this place of the history.
    At(usize),
    Never,
}

/// Where a release stands while the history goes on.
struct Release<'s> {
    awaited: &'s Awaited,
    key: Key,
    /// Generation that the run wrote last.
    written: Option<i64>,
    /// What of it has been seen: Flux, then gate by gate.
    passed: usize,
    opened: Opened,
}

impl<'s> Release<'s> {
    fn new(awaited: &'s Awaited) -> Self {
        Self {
            awaited,
            key: (
                "helmreleases".to_owned(),
                awaited.namespace.clone(),
                awaited.name.clone(),
            ),
            written: None,
            passed: 0,
            opened: Opened::Never,
        }
    }

    /// The run wrote it: what was seen before counts no more.
    fn write(&mut self, generation: Option<i64>) {
        self.written = generation;
        self.passed = 0;
        self.opened = Opened::Never;
    }

    /// Goes on as far as the objects allow.
    fn advance(&mut self, objects: &Objects, now: Opened) {
        let gates = &self.awaited.gates;
        while self.passed <= gates.len() {
            let open = match self.passed {
                0 => objects
                    .get(&self.key)
                    .is_some_and(|live| is_released(live, self.written)),
                at => is_open(&gates[at - 1], objects),
            };
            if !open {
                return;
            }
            self.passed += 1;
            if self.passed > gates.len() {
                self.opened = now;
            }
        }
    }
}

fn int(value: &Value, path: &[&str]) -> Option<i64> {
    match value.at(path)?.data {
        Data::Number(Number::Int(number)) => Some(number),
        _ => None,
    }
}

/// Whether Flux says that a release is ready as it was written, and was not just told so.
fn is_released(live: &Value, written: Option<i64>) -> bool {
    let generation = int(live, &["metadata", "generation"]);
    let seen = |field| int(live, &["status", field]) == generation && generation.is_some();
    generation >= written
        && seen("observedGeneration")
        && seen("lastAttemptedGeneration")
        && is_ready(live)
}

fn is_ready(live: &Value) -> bool {
    let conditions = live
        .at(&["status", "conditions"])
        .and_then(Value::as_sequence);
    let text = |condition: &Value, key: &str| {
        let value = condition.at(&[key]);
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    conditions
        .unwrap_or_default()
        .iter()
        .any(|found| text(found, "type") == "Ready" && text(found, "status") == "True")
}

fn is_open(gate: &Gate, objects: &Objects) -> bool {
    let resource = format!("{}s", gate.spec.kind.kind_name().to_lowercase());
    let all = objects.in_namespace(&resource, &gate.namespace);
    matches!(gate.evaluate(all), Verdict::Ready)
}

/// Time between the last thing that was awaited and the first write after it, in microseconds, for each step that
/// something was written for.
pub(crate) type Gaps = Vec<i64>;

/// Proves the order of a run. `user` is who ran it.
pub(crate) fn prove_order(
    entries: &[Entry],
    window: &Window,
    user: &str,
    steps: &[Vec<Awaited>],
) -> Outcome<Gaps> {
    let releases = steps.iter().flatten();
    let namespaces: BTreeSet<&str> = releases.map(|release| &*release.namespace).collect();
    // Sources may stand with Flux, in a namespace that no release has.
    let all = changes(entries, |namespace| {
        namespaces.contains(namespace) || namespace == "flux-system"
    })?;
    let openings = openings(&all, window, user, steps);
    let writes: Vec<&Entry> = window.writes(entries, user).collect();
    let step_of = |write: &Entry| {
        let mut steps = steps.iter();
        steps.position(|step| step.iter().any(|release| belongs_to(write, release)))
    };
    let begun = writes.iter().position(|write| step_of(write).is_some());
    if let Some(late) = writes.iter().rposition(|write| step_of(write).is_none()) {
        ensure(begun.is_none_or(|begun| late < begun), || {
            format!("{} comes too late", writes[late].request_uri)
        })?;
    }
    let mut gaps = Gaps::new();
    for at in 0..steps.len() {
        let mut ours = writes.iter().filter(|write| step_of(write) == Some(at));
        let Some(first) = ours.clone().next() else {
            continue;
        };
        // Place 0 is that of the sources.
        let opened = match openings[..=at].iter().max() {
            Some(Opened::At(place)) => &all[*place],
            Some(Opened::Before) | None => continue,
            Some(Opened::Never) => {
                return Err(format!(
                    "{} is written, but something before it was never there: {openings:?}",
                    first.request_uri
                )
                .into());
            }
        };
        ours.try_for_each(|write| expect_after(write, opened))?;
        let [before, after]: [Timestamp; 2] = [
            opened.entry.stage_timestamp.parse()?,
            first.request_received_timestamp.parse()?,
        ];
        gaps.push(after.as_microsecond() - before.as_microsecond());
    }
    Ok(gaps)
}

/// When the sources were there, then when each step was done.
fn openings(
    all: &[Change<'_>],
    window: &Window,
    user: &str,
    steps: &[Vec<Awaited>],
) -> Vec<Opened> {
    let mut objects = Objects::default();
    let mut releases: Vec<Vec<Release<'_>>> = steps
        .iter()
        .map(|step| step.iter().map(Release::new).collect())
        .collect();
    let mut sources: BTreeMap<Key, (Option<i64>, Opened)> = BTreeMap::new();
    let mut begun = false;
    for (at, change) in all.iter().enumerate() {
        if window.to < change.entry.request_received_timestamp {
            break;
        }
        if window.from < change.entry.request_received_timestamp {
            if !begun {
                begun = true;
                for release in releases.iter_mut().flatten() {
                    release.advance(&objects, Opened::Before);
                }
            }
            objects.apply(change);
            let ours = change.entry.user.username == user;
            let generation = change.object.as_ref();
            let generation = generation.and_then(|object| int(object, &["metadata", "generation"]));
            for release in releases.iter_mut().flatten() {
                if ours && release.key == change.key {
                    release.write(generation);
                }
                if release.key.1 == change.key.1 {
                    release.advance(&objects, Opened::At(at));
                }
            }
            if ours && change.key.0.ends_with("repositories") {
                sources.insert(change.key.clone(), (generation, Opened::Never));
            }
            if let Some((written, opened)) = sources.get_mut(&change.key)
                && *opened == Opened::Never
                && change
                    .object
                    .as_ref()
                    .is_some_and(|live| is_fetched(live, *written))
            {
                *opened = Opened::At(at);
            }
        } else {
            objects.apply(change);
        }
    }
    let sources = sources.values().map(|(_, opened)| *opened).max();
    let mut openings = vec![sources.unwrap_or(Opened::Before)];
    openings.extend(releases.iter().map(|step| {
        let opened = step.iter().map(|release| release.opened).max();
        opened.unwrap_or(Opened::Before)
    }));
    openings
}

/// Whether a source's artifact is there, as the source was written.
fn is_fetched(live: &Value, written: Option<i64>) -> bool {
    let observed = int(live, &["status", "observedGeneration"]);
    observed.is_some() && observed >= written && is_ready(live)
}

/// Whether a write is to a release, or to something that is deleted before its upgrade.
fn belongs_to(write: &Entry, release: &Awaited) -> bool {
    let place = &write.object_ref;
    let same = place.namespace == release.namespace;
    match place.resource.as_str() {
        "helmreleases" => same && place.name == release.name,
        "jobs" | "cronjobs" | "pods" => same && place.name.starts_with(&release.name),
        _ => false,
    }
}

/// Fails unless a write was sent and made after a change.
fn expect_after(write: &Entry, opened: &Change<'_>) -> Outcome {
    let version = write.response_object.as_ref();
    let version = version.and_then(|object| object["metadata"]["resourceVersion"].as_str());
    let version: Option<u64> = version.and_then(|text| text.parse().ok());
    let (sent, made) = (
        &write.request_received_timestamp,
        &opened.entry.request_received_timestamp,
    );
    ensure(
        sent > made && version.is_none_or(|version| version > opened.version),
        || {
            format!(
                "{} {} at {sent} (version {version:?}) comes before {} {} at {made} (version {})",
                write.verb,
                write.request_uri,
                opened.entry.verb,
                opened.entry.request_uri,
                opened.version
            )
        },
    )
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(message().into()) }
}

/// Fails if something was asked for twice after the first write of a run: what is waited for is followed.
pub(crate) fn expect_no_repeated_reads(entries: &[Entry], window: &Window, user: &str) -> Outcome {
    let first = window.writes(entries, user).next();
    let first = first.map(|write| write.request_received_timestamp.as_str());
    let mut asked: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for entry in window.requests_of(entries, user) {
        if entry.is_read() && Some(entry.request_received_timestamp.as_str()) > first {
            *asked.entry((&entry.verb, &entry.request_uri)).or_default() += 1;
        }
    }
    let twice: Vec<_> = asked.iter().filter(|(_, times)| **times > 1).collect();
    ensure(twice.is_empty(), || format!("asked again: {twice:?}"))
}

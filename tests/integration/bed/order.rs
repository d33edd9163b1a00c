//! Proves Armada's order from the audit log alone: no write to an object of a step before everything that the earlier
//! steps wait for was ready.

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
use super::{Bed, Outcome, build, ensure, until};

/// Time limit for a request to appear in the audit log.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// A release and the gates that wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) gates: Vec<Gate>,
}

/// Returns the releases of every step of the documents.
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

/// The part of an audit log between two marks.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Requests received until then are outside.
    pub(crate) from: String,
    /// Requests received from then on are outside.
    pub(crate) to: String,
}

impl Bed {
    /// Makes a mark in the audit log and returns its time.
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

    /// Returns the requests of a user.
    pub(crate) fn requests_of<'e>(
        &'e self,
        entries: &'e [Entry],
        user: &'e str,
    ) -> impl Iterator<Item = &'e Entry> {
        let ours = entries.iter().filter(|entry| self.contains(entry));
        ours.filter(move |entry| entry.user.username == user)
    }

    /// Returns the writes of a user, without the state of the run itself.
    pub(crate) fn writes<'e>(
        &'e self,
        entries: &'e [Entry],
        user: &'e str,
    ) -> impl Iterator<Item = &'e Entry> {
        self.requests_of(entries, user)
            .filter(|entry| changes_the_site(entry))
    }
}

/// Whether it changes an object of a site. The state of a run and access reviews do not count.
fn changes_the_site(entry: &Entry) -> bool {
    let place = &entry.object_ref;
    let state = place.resource == "configmaps" && place.name.starts_with("armada2flux-");
    entry.is_write() && !state && place.resource != "selfsubjectaccessreviews"
}

/// When everything was ready that a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Opened {
    /// Before the run, so no write of the run is too early.
    Before,
    /// With the write at this index of the history.
    At(usize),
    Never,
}

/// The progress of a release along the history.
struct Release<'s> {
    awaited: &'s Awaited,
    key: Key,
    /// The generation that the run wrote last.
    written: Option<i64>,
    /// How many conditions were met: Flux's, then gate by gate.
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

    /// The run wrote it: conditions met before no longer count.
    fn write(&mut self, generation: Option<i64>) {
        self.written = generation;
        self.passed = 0;
        self.opened = Opened::Never;
    }

    /// Advances as far as the objects allow.
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

/// Whether Flux reports a release Ready at the generation that was written, or a later one.
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

/// For each step with a write: microseconds between the change that made it ready to start and its first write.
pub(crate) type Gaps = Vec<i64>;

/// Proves the order of a run that `user` made.
pub(crate) fn prove_order(
    entries: &[Entry],
    window: &Window,
    user: &str,
    steps: &[Vec<Awaited>],
) -> Outcome<Gaps> {
    let releases = steps.iter().flatten();
    let namespaces: BTreeSet<&str> = releases.map(|release| &*release.namespace).collect();
    // Sources may be in Flux's namespace, which has no release.
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
            format!("{} was written too late", writes[late].request_uri)
        })?;
    }
    let mut gaps = Gaps::new();
    for at in 0..steps.len() {
        let mut ours = writes.iter().filter(|write| step_of(write) == Some(at));
        let Some(first) = ours.clone().next() else {
            continue;
        };
        // Index 0 is that of the sources.
        let opened = match openings[..=at].iter().max() {
            Some(Opened::At(place)) => &all[*place],
            Some(Opened::Before) | None => continue,
            Some(Opened::Never) => {
                return Err(format!(
                    "{} is written, but an earlier step was never ready: {openings:?}",
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

/// Returns when the sources were ready, then when each step was.
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

/// Whether a source has an artifact for the generation that was written, or a later one.
fn is_fetched(live: &Value, written: Option<i64>) -> bool {
    let observed = int(live, &["status", "observedGeneration"]);
    observed.is_some() && observed >= written && is_ready(live)
}

/// Whether a write is to a release, or to an object that is deleted before its upgrade.
fn belongs_to(write: &Entry, release: &Awaited) -> bool {
    let place = &write.object_ref;
    let same = place.namespace == release.namespace;
    match place.resource.as_str() {
        "helmreleases" => same && place.name == release.name,
        "jobs" | "cronjobs" | "pods" => same && place.name.starts_with(&release.name),
        _ => false,
    }
}

/// Fails unless a write was sent, and made, after a change.
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

/// The times that one release, or Helm's records of it, may be read apart from watches: at its turn, after its write and at
/// its end, and again for each time that its controller reconciles it once more before that.
const JUDGEMENTS: usize = 6;

/// Fails if the same read was made more often than it is needed after the first write of a run: runs watch what they wait
/// for.
pub(crate) fn expect_no_repeated_reads(entries: &[Entry], window: &Window, user: &str) -> Outcome {
    let first = window.writes(entries, user).next();
    let first = first.map(|write| write.request_received_timestamp.as_str());
    let mut asked: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for entry in window.requests_of(entries, user) {
        if entry.is_read() && Some(entry.request_received_timestamp.as_str()) > first {
            *asked.entry((&entry.verb, &entry.request_uri)).or_default() += 1;
        }
    }
    let limit = |uri: &str| {
        let of_one = [
            "fieldSelector=metadata.name",
            "labelSelector=owner%3Dhelm%2Cname%3D",
        ];
        let judges = of_one.iter().any(|part| uri.contains(part));
        if judges { JUDGEMENTS } else { 1 }
    };
    let twice = asked
        .iter()
        .filter(|((_, uri), times)| **times > limit(uri));
    let twice: Vec<_> = twice.collect();
    ensure(twice.is_empty(), || format!("read again: {twice:?}"))
}

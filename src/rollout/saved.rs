//! A plan in a file, so that `apply` does what was reviewed and nothing else.
//!
//! The file holds digests, never objects. They are keyed with random bytes that differ in every file, so two files do not
//! show whether two objects are the same. A reader of one file can still guess words, as with any digest, so only its
//! owner may read it. `apply` assembles the rollout again from the same input and compares.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Pieces;
use super::{Action, DoneWhen, Item, Release, Rollout, Stage, Step};
use crate::flux::object::title;
use crate::names::hex;

/// The version of the format. A reader refuses any other.
pub const VERSION: u32 = 2;

/// Length of the key, in bytes.
pub const KEY_BYTES: usize = 32;

/// How far the clock of the machine that made the plan may be ahead.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// The largest number of objects that a mismatch names.
const SHOWN: usize = 5;

/// A saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "armada2flux saved plan")]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The version of this format.
    pub version: u32,
    /// The version of armada2flux; another one may create other objects from the same input.
    pub program: String,
    /// When the plan was made, RFC 3339 in UTC.
    pub created: String,
    /// For how many seconds the plan is valid.
    pub valid_for: u64,
    /// The name of the site.
    pub site: String,
    /// The cluster of the plan.
    pub cluster: ClusterId,
    /// The key of the digests: 64 hexadecimal digits.
    pub key: String,
    /// Digest of everything that is sent and awaited, in order.
    pub rollout: String,
    /// The stages, in order.
    pub stages: Vec<SavedStage>,
    /// The digest of the rest of this file: an edited plan is refused.
    pub digest: String,
}

/// The identity of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterId {
    /// UID of its namespace `kube-system`.
    pub uid: String,
    /// Address of its API server, for people.
    pub server: String,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedStage {
    /// Its number; the preparation has 0.
    pub number: usize,
    /// The name of the chart group.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<SavedStep>,
}

/// The objects of a stage that may move at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedStep {
    /// Its number in the stage.
    pub number: usize,
    /// Its objects.
    pub objects: Vec<SavedObject>,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedObject {
    /// `group/version`, or `v1`.
    pub api_version: String,
    /// The kind of the object.
    pub kind: String,
    /// The namespace of the object; null for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// What the run would do to it; `apply` does no more.
    pub action: Action,
    /// Digest of the object and of what is awaited of it, keyed.
    pub digest: String,
    /// The time limit in seconds.
    pub timeout: i64,
    /// What is deleted before an upgrade, as text.
    pub deletions: Vec<String>,
    /// The gates after Helm and its hooks, as text.
    pub gates: Vec<String>,
}

/// Why a saved plan cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not the JSON that this format asks for.
    #[error("the plan cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version of the program wrote it.
    #[error("the plan has version {0}, this program reads version {VERSION}")]
    Version(u32),
}

/// Why a saved plan may not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Its digest is not that of its content.
    #[error("the plan was edited after it was written")]
    Edited,
    /// Its times are no times.
    #[error("the time of the plan is not valid")]
    Undated,
    /// It is too old.
    #[error("the plan has expired: it is of {created} and was valid for {valid_for} s")]
    Expired {
        /// When it was made.
        created: String,
        /// For how many seconds it held.
        valid_for: u64,
    },
    /// It was made later than now.
    #[error("the plan is dated in the future ({created})")]
    Future {
        /// When it was made.
        created: String,
    },
    /// It was made by another version of the program.
    #[error("the plan was written by version {made_by}, this is {}", env!("CARGO_PKG_VERSION"))]
    OtherProgram {
        /// The version.
        made_by: String,
    },
    /// It was made for another cluster.
    #[error("the plan is for another cluster, at {server}")]
    OtherCluster {
        /// Address of its API server.
        server: String,
    },
    /// It was made for another site.
    #[error("the plan is for site `{site}`")]
    OtherSite {
        /// The name of the site.
        site: String,
    },
    /// The input is not what it was.
    #[error("the input is not what was planned: {}", listed(.objects))]
    Different {
        /// The objects that were changed, added, taken out or moved, as `Kind namespace/name`, with which of these.
        objects: Vec<String>,
    },
    /// The run would do more than was planned, since the cluster is not what it was.
    #[error("the cluster is not what it was, so the run would do more than was planned: {}", listed(.objects))]
    More {
        /// The objects, as `Kind namespace/name`, each with what was planned and what would be done.
        objects: Vec<String>,
    },
}

impl Mismatch {
    /// A hint on what to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Mismatch::Edited
            | Mismatch::Undated
            | Mismatch::Expired { .. }
            | Mismatch::OtherProgram { .. }
            | Mismatch::More { .. } => "plan again, and check the new plan",
            Mismatch::Future { .. } => "correct the clocks of both machines",
            Mismatch::OtherCluster { .. } => {
                "choose the cluster with --context, or plan again for this one"
            }
            Mismatch::OtherSite { .. } => "give the input and the options of the plan",
            Mismatch::Different { .. } => {
                "give the input and the options of the plan, or plan again"
            }
        }
    }
}

fn listed(objects: &[String]) -> String {
    let mut shown = objects.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    if let Some(more) = objects.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    if shown.is_empty() {
        return "its order".to_owned();
    }
    shown.join(", ")
}

/// Returns the plan of a rollout for a cluster, valid for `valid_for` seconds. `actions` are those of its items, in order.
/// `key` must be random.
#[must_use]
pub fn save(
    rollout: &Rollout,
    actions: &[Action],
    cluster: ClusterId,
    created: Timestamp,
    valid_for: u64,
    key: [u8; KEY_BYTES],
) -> Saved {
    let mut saved = Saved {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created: created
            .round(jiff::Unit::Second)
            .unwrap_or(created)
            .to_string(),
        valid_for,
        site: rollout.site.to_string(),
        cluster,
        key: hex(&key),
        rollout: String::new(),
        stages: Vec::new(),
        digest: String::new(),
    };
    saved.rollout = whole(&saved.key, rollout);
    saved.stages = stages(&saved.key, rollout, actions);
    saved.digest = own_digest(&saved);
    saved
}

/// Returns the text of a saved plan.
#[must_use]
pub fn write(saved: &Saved) -> String {
    // Strings, numbers and lists always have a JSON form.
    let mut text = serde_json::to_string_pretty(saved).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a saved plan. [`verify`] checks whether it may be applied.
///
/// # Errors
///
/// When the text is not what [`write()`] makes.
pub fn read(text: &str) -> Result<Saved, ReadError> {
    #[derive(Deserialize)]
    struct Format {
        version: u32,
    }
    let Format { version } = serde_json::from_str(text)?;
    if version != VERSION {
        return Err(ReadError::Version(version));
    }
    Ok(serde_json::from_str(text)?)
}

/// Checks that a saved plan may be applied to this rollout, in this cluster, now.
///
/// # Errors
///
/// The first reason why not.
pub fn verify(
    saved: &Saved,
    rollout: &Rollout,
    cluster_uid: &str,
    now: Timestamp,
) -> Result<(), Mismatch> {
    let Saved {
        version: _,
        program,
        created,
        valid_for,
        site,
        cluster,
        key,
        rollout: whole_digest,
        stages: planned,
        digest,
    } = saved;
    if *digest != own_digest(saved) {
        return Err(Mismatch::Edited);
    }
    if program != env!("CARGO_PKG_VERSION") {
        return Err(Mismatch::OtherProgram {
            made_by: program.clone(),
        });
    }
    if cluster.uid != cluster_uid {
        return Err(Mismatch::OtherCluster {
            server: cluster.server.clone(),
        });
    }
    let made: Timestamp = created.parse().map_err(|_| Mismatch::Undated)?;
    let age = now.duration_since(made);
    if age < -CLOCK_SLACK {
        return Err(Mismatch::Future {
            created: created.clone(),
        });
    }
    if age > SignedDuration::from_secs(i64::try_from(*valid_for).unwrap_or(i64::MAX)) {
        return Err(Mismatch::Expired {
            created: created.clone(),
            valid_for: *valid_for,
        });
    }
    if *site != rollout.site {
        return Err(Mismatch::OtherSite { site: site.clone() });
    }
    if *whole_digest != whole(key, rollout) {
        let objects = differing(planned, &stages(key, rollout, &[]));
        return Err(Mismatch::Different { objects });
    }
    Ok(())
}

/// Checks that a run does no more than a plan of the same rollout says. `actions` are what it would do to the items now, in
/// order; `None` for what it does not touch.
///
/// # Errors
///
/// When it would do more to an object.
pub fn verify_actions(
    saved: &Saved,
    actions: impl IntoIterator<Item = Option<Action>>,
) -> Result<(), Mismatch> {
    let stages = saved.stages.iter();
    let planned = stages.flat_map(|stage| stage.steps.iter().flat_map(|step| &step.objects));
    let more = planned.zip(actions).filter_map(|(object, now)| {
        let now = now.filter(|now| !object.action.covers(*now))?;
        let title = title(&object.kind, object.namespace.as_deref(), &object.name);
        let (planned, now) = (object.action.word(), now.word());
        Some(format!("{title} (planned: {planned}, now: {now})"))
    });
    let objects: Vec<String> = more.collect();
    if objects.is_empty() {
        return Ok(());
    }
    Err(Mismatch::More { objects })
}

/// Returns the objects that differ, each with its title and how.
fn differing(planned: &[SavedStage], now: &[SavedStage]) -> Vec<String> {
    type Placed<'s> = BTreeMap<(&'s str, String), ((usize, usize), &'s str)>;
    fn placed(stages: &[SavedStage]) -> Placed<'_> {
        let mut placed = Placed::new();
        for stage in stages {
            for step in &stage.steps {
                for item in &step.objects {
                    let title = title(&item.kind, item.namespace.as_deref(), &item.name);
                    let place = (stage.number, step.number);
                    placed.insert((&item.api_version, title), (place, &item.digest));
                }
            }
        }
        placed
    }
    let (planned, now) = (placed(planned), placed(now));
    let mut differing = Vec::new();
    for (key, (place, digest)) in &now {
        let what = match planned.get(key) {
            None => "is new",
            Some((_, before)) if before != digest => "is changed",
            Some((before, _)) if before != place => "is moved",
            Some(_) => continue,
        };
        differing.push(format!("{} {what}", key.1));
    }
    let gone = planned.keys().filter(|key| !now.contains_key(*key));
    differing.extend(gone.map(|(_, title)| format!("{title} is gone")));
    differing
}

fn whole(key: &str, rollout: &Rollout) -> String {
    let mut pieces = Pieces::default();
    pieces.text(key);
    pieces.text(&super::digest(rollout));
    pieces.finish().to_string()
}

/// `actions` are those of the items; without one, an item counts as refused, which covers nothing.
fn stages(key: &str, rollout: &Rollout, actions: &[Action]) -> Vec<SavedStage> {
    let mut actions = actions.iter().copied();
    let stages = rollout.stages.iter().map(|stage| {
        let Stage {
            number,
            name,
            steps,
        } = stage;
        let steps = steps.iter().map(|Step { number, items }| SavedStep {
            number: *number,
            objects: items
                .iter()
                .map(|item| saved_object(key, item, actions.next().unwrap_or(Action::Refuse)))
                .collect(),
        });
        SavedStage {
            number: *number,
            name: name.to_string(),
            steps: steps.collect(),
        }
    });
    stages.collect()
}

fn saved_object(key: &str, item: &Item, action: Action) -> SavedObject {
    let mut pieces = Pieces::default();
    pieces.text(key);
    pieces.item(item);
    let Item {
        object,
        done_when,
        timeout,
        on_failure: _,
    } = item;
    let (deletions, gates) = match done_when {
        DoneWhen::ReleaseReady(release) => {
            let Release {
                pre_deletes, gates, ..
            } = &**release;
            (
                pre_deletes.iter().map(ToString::to_string).collect(),
                gates.iter().map(ToString::to_string).collect(),
            )
        }
        DoneWhen::Applied | DoneWhen::KeysFilled(_) | DoneWhen::ArtifactReady { .. } => {
            (Vec::new(), Vec::new())
        }
    };
    SavedObject {
        api_version: object.api_version.to_string(),
        kind: object.kind.to_string(),
        namespace: object.namespace.as_ref().map(ToString::to_string),
        name: object.name.to_string(),
        action,
        digest: pieces.finish().to_string(),
        timeout: *timeout,
        deletions,
        gates,
    }
}

/// Digest of all of a plan but its digest.
fn own_digest(saved: &Saved) -> String {
    let without = Saved {
        digest: String::new(),
        ..saved.clone()
    };
    let mut pieces = Pieces::default();
    pieces.text(&write(&without));
    pieces.finish().to_string()
}

#[cfg(test)]
mod tests;

//! Rules about one field of one object.

use crate::flux::object::SUSPEND;
use crate::flux::{
    KUSTOMIZATION_NAME_LABEL, KUSTOMIZATION_NAMESPACE_LABEL, Object, PROTECTED_ANNOTATION,
    PROTECTED_CONTINUE, PRUNE_ANNOTATION, ReleaseView, TOOLKIT_DOMAIN, duration,
};
use crate::value::{Data, Mapping, Number, Value};

use super::super::meaning::DEPENDS_ON;
use super::super::path::{Path, Segment};
use super::super::tree::Edit;
use super::{Code, Danger};

/// A rule about the value of a field.
struct Rule {
    code: Code,
    paths: &'static [&'static [&'static str]],
    /// What an absent field means, if that is more than nothing.
    default: Option<&'static str>,
    when: When,
}

/// Which changes of a field are meant.
enum When {
    /// Every one.
    Always,
    /// A switch is on afterwards.
    On,
    /// A switch was on before.
    Off,
}

const RELEASES: &[Rule] = &[
    Rule {
        code: Code::Chart,
        paths: &[
            &["spec", "chart", "spec", "chart"],
            &["spec", "chartRef", "kind"],
            &["spec", "chartRef", "name"],
        ],
        default: None,
        when: When::Always,
    },
    Rule {
        code: Code::Suspend,
        paths: &[SUSPEND],
        default: None,
        when: When::On,
    },
    Rule {
        code: Code::Remediation,
        paths: &[
            &["spec", "install", "remediation"],
            &["spec", "install", "strategy"],
            &["spec", "upgrade", "remediation"],
            &["spec", "upgrade", "strategy"],
            &["spec", "rollback"],
        ],
        default: None,
        when: When::Always,
    },
    Rule {
        code: Code::Waiting,
        paths: &[
            &["spec", "waitStrategy"],
            &["spec", "healthCheckExprs"],
            &["spec", "install", "disableWait"],
            &["spec", "install", "disableWaitForJobs"],
            &["spec", "upgrade", "disableWait"],
            &["spec", "upgrade", "disableWaitForJobs"],
        ],
        default: None,
        when: When::Always,
    },
    Rule {
        code: Code::Crds,
        paths: &[&["spec", "install", "crds"]],
        default: Some("Create"),
        when: When::Always,
    },
    Rule {
        code: Code::Crds,
        paths: &[&["spec", "upgrade", "crds"]],
        default: Some("Skip"),
        when: When::Always,
    },
    Rule {
        code: Code::Crds,
        paths: &[&["spec", "install", "skipCRDs"]],
        default: None,
        when: When::Always,
    },
    Rule {
        code: Code::Tests,
        paths: &[
            &["spec", "test", "enable"],
            &["spec", "test", "ignoreFailures"],
            &["spec", "test", "filters"],
        ],
        default: None,
        when: When::Always,
    },
    Rule {
        code: Code::Hooks,
        paths: &[
            &["spec", "install", "disableHooks"],
            &["spec", "upgrade", "disableHooks"],
            &["spec", "uninstall", "disableHooks"],
            &["spec", "postRenderers"],
        ],
        default: None,
        when: When::Always,
    },
    Rule {
        code: Code::Force,
        paths: &[&["spec", "upgrade", "force"]],
        default: None,
        when: When::On,
    },
];

/// Rules for all objects of Flux.
const OF_FLUX: &[Rule] = &[Rule {
    code: Code::Resume,
    paths: &[SUSPEND],
    default: None,
    when: When::Off,
}];

const KUSTOMIZATIONS: &[Rule] = &[Rule {
    code: Code::Prune,
    paths: &[&["spec", "prune"]],
    default: None,
    when: When::On,
}];

/// Timeouts that an action takes from the release when it has none of its own.
const ACTIONS: &[&str] = &["install", "upgrade", "rollback", "uninstall", "test"];

/// Time of an action if the release names none (API reference of helm-controller: `spec.timeout`).
const DEFAULT_TIMEOUT: u64 = 5 * 60 * 1000;

/// Returns the danger of a difference.
pub(super) fn of(before: &Object, after: &Object, path: &Path, edit: &Edit) -> Option<Danger> {
    let by = |rules: &[Rule]| {
        let rule = rules.iter().find(|rule| rule.holds(before, after, path))?;
        Some(Danger::new(rule.code))
    };
    if after.kind == "CustomResourceDefinition"
        && let Some(danger) = toolkit_crd(before, after, path)
    {
        return Some(danger);
    }
    let found = prune(before, after, path).or_else(|| owner(before, after, path));
    let found = found.or_else(|| by(OF_FLUX).filter(|_| after.is_of_flux()));
    let kustomization = after.is_of_flux() && after.kind == "Kustomization";
    let found = found.or_else(|| by(KUSTOMIZATIONS).filter(|_| kustomization));
    if found.is_some() || !after.is_helm_release() {
        return found;
    }
    name(before, after, path)
        .or_else(|| by(RELEASES))
        .or_else(|| timeout(before, after, path))
        .or_else(|| protected(before, after, path))
        .or_else(|| expression(path, edit))
}

impl Rule {
    fn holds(&self, before: &Object, after: &Object, path: &Path) -> bool {
        self.paths.iter().any(|keys| {
            if !path.touches(keys) {
                return false;
            }
            let value = |object: &Object| {
                let value = object.value.at(keys).cloned().and_then(effective);
                value.or_else(|| self.default.map(Value::from))
            };
            let (old, new) = (value(before), value(after));
            let on = |value: &Option<Value>| *value == Some(Value::from(true));
            old != new
                && match self.when {
                    When::Always => true,
                    When::On => on(&new),
                    When::Off => on(&old),
                }
        })
    }
}

/// Returns a value without what means the same as an absent field: `false`, `null`, 0 and empty collections.
fn effective(value: Value) -> Option<Value> {
    match value.data {
        Data::Null | Data::Bool(false) | Data::Number(Number::Int(0)) => None,
        Data::String(ref text) if text.is_empty() => None,
        Data::Sequence(ref items) if items.is_empty() => None,
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().filter_map(|entry| {
                // Its default depends on the number of retries.
                let value = match entry.key.as_str() {
                    "remediateLastFailure" => Some(entry.value.clone()),
                    _ => effective(entry.value.clone()),
                };
                Some((entry.key.clone(), value?))
            });
            let kept: Mapping = entries.collect();
            (!kept.is_empty()).then(|| kept.into())
        }
        Data::Bool(true) | Data::Number(_) | Data::String(_) | Data::Sequence(_) => Some(value),
    }
}

fn name(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    let fields = ["releaseName", "targetNamespace", "storageNamespace"];
    let touched = fields.iter().any(|field| path.touches(&["spec", field]));
    let (old, new) = (ReleaseView::of(before)?, ReleaseView::of(after)?);
    if !touched {
        return None;
    }
    let places = |release: ReleaseView<'_>| {
        (
            release.storage_namespace().to_owned(),
            release.target_namespace().to_owned(),
        )
    };
    if places(old) != places(new) && !path.touches(&["spec", "releaseName"]) {
        return Some(Danger::new(Code::ReleaseNamespace));
    }
    (old.helm_name() != new.helm_name()).then(|| Danger::new(Code::ReleaseName))
}

fn prune(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    let disabled = |object: &Object| object.annotation(PRUNE_ANNOTATION) == Some("disabled");
    (path.touches(&["metadata", "annotations", PRUNE_ANNOTATION])
        && disabled(before)
        && !disabled(after))
    .then(|| Danger::new(Code::Prune))
}

/// Only where both sides name an owner: one of them may come from files.
fn owner(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    let touched = [KUSTOMIZATION_NAME_LABEL, KUSTOMIZATION_NAMESPACE_LABEL]
        .iter()
        .any(|label| path.touches(&["metadata", "labels", label]));
    let (old, new) = (before.kustomization()?, after.kustomization()?);
    (touched && old != new).then(|| {
        Danger::with(
            Code::Owner,
            format!(
                "the Kustomization `{new}` applies it in the place of `{old}`, which prunes it: a HelmRelease uninstalls its release"
            ),
        )
    })
}

fn timeout(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    let spec = |object: &Object, keys: &[&str]| {
        let text = object.value.text_at(keys)?;
        duration::milliseconds(text)
    };
    let of_release =
        |object: &Object| spec(object, &["spec", "timeout"]).unwrap_or(DEFAULT_TIMEOUT);
    let cut = |what: &str, old: u64, new: u64| {
        let shown = |time: u64| duration::show(i64::try_from(time / 1000).unwrap_or(i64::MAX));
        (new < old).then(|| {
            Danger::with(
                Code::Timeout,
                format!(
                    "{what} has {} instead of {}: an action that needs longer fails",
                    shown(new),
                    shown(old)
                ),
            )
        })
    };
    if path.touches(&["spec", "timeout"]) {
        let found = cut("each action", of_release(before), of_release(after));
        if found.is_some() {
            return found;
        }
    }
    ACTIONS.iter().find_map(|action| {
        let keys = ["spec", action, "timeout"];
        if !path.touches(&keys) {
            return None;
        }
        let own = |object: &Object| spec(object, &keys).unwrap_or_else(|| of_release(object));
        cut(action, own(before), own(after))
    })
}

fn protected(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    if !path.touches(&["metadata", "annotations", PROTECTED_ANNOTATION]) {
        return None;
    }
    before.annotation(PROTECTED_ANNOTATION)?;
    match after.annotation(PROTECTED_ANNOTATION) {
        Some(PROTECTED_CONTINUE) => Some(Danger::with(
            Code::Protected,
            "a run skips the release when it had failed before, and continues",
        )),
        Some(_) => None,
        None => Some(Danger::with(
            Code::Protected,
            "a run upgrades the release even when it had failed before",
        )),
    }
}

/// An expression of `dependsOn` that comes, goes or changes; dependencies themselves are judged together.
fn expression(path: &Path, edit: &Edit) -> Option<Danger> {
    let inside = path.starts_with(DEPENDS_ON) && path.0.len() > DEPENDS_ON.len() + 1;
    let is_expression = path.0.last() == Some(&Segment::Key("readyExpr".into()));
    let lost = match edit {
        Edit::Changed { .. } | Edit::Removed(_) => true,
        Edit::Added(_) | Edit::Reordered { .. } | Edit::Moved { .. } => false,
    };
    (inside && is_expression && lost).then(|| Danger::new(Code::Order))
}

fn toolkit_crd(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    if !after.name.ends_with(TOOLKIT_DOMAIN) {
        return None;
    }
    let fixed = ["group", "scope", "names"];
    let identity = fixed.iter().any(|field| {
        let keys = ["spec", field];
        path.touches(&keys) && before.value.at(&keys) != after.value.at(&keys)
    });
    let served = |object: &Object| -> Vec<String> {
        let versions = object.value.items_at(&["spec", "versions"]).iter();
        let served = versions.filter(|version| version.is_true_at(&["served"]));
        served
            .filter_map(|version| version.text_at(&["name"]))
            .map(str::to_owned)
            .collect()
    };
    let new = served(after);
    let lost = path.touches(&["spec", "versions"])
        && served(before).iter().any(|version| !new.contains(version));
    let force = "kustomize.toolkit.fluxcd.io/force";
    let forced = path.touches(&["metadata", "annotations", force])
        && after
            .annotation(force)
            .is_some_and(|word| word.eq_ignore_ascii_case("enabled"));
    (identity || lost || forced).then(|| Danger::new(Code::ToolkitCrd))
}

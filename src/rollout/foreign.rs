//! Fields of a live HelmRelease that others hold and that weaken what a run checks, or move the release elsewhere.
//!
//! A server-side apply leaves fields of other managers alone when the input does not set them, so neither the server nor
//! a comparison says that they are there.

use crate::flux::Object;
use crate::flux::managed_fields;
use crate::value::{Data, Text, Value};

/// A rule about fields that only others set.
#[derive(Debug)]
struct Rule {
    /// The field, or a mapping that has it somewhere below.
    path: &'static str,
    /// What it does.
    effect: &'static str,
    weight: Weight,
}

/// What a run does about such a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A run is refused: a check would pass that should fail.
    Refused,
    /// `diff` shows it.
    Shown,
}

/// A field that others hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The field, as the API server writes paths.
    pub(crate) field: Text,
    /// Its manager.
    pub(crate) manager: Text,
    /// What it does.
    pub(crate) effect: &'static str,
    /// What a run does about it.
    pub(crate) weight: Weight,
}

const fn refused(path: &'static str, effect: &'static str) -> Rule {
    Rule {
        path,
        effect,
        weight: Weight::Refused,
    }
}

const fn shown(path: &'static str, effect: &'static str) -> Rule {
    Rule {
        path,
        effect,
        weight: Weight::Shown,
    }
}

/// The first rule that fits decides.
static RULES: &[Rule] = &[
    refused(
        ".spec.test.filters",
        "leaves out tests, which then count as passed",
    ),
    refused(
        ".spec.test.ignoreFailures",
        "lets the release be ready though its tests failed",
    ),
    refused(".spec.test.enable", "sets whether Helm's tests run"),
    refused(
        ".spec.install.disableWait",
        "lets the release be ready before its objects are",
    ),
    refused(
        ".spec.upgrade.disableWait",
        "lets the release be ready before its objects are",
    ),
    refused(
        ".spec.install.disableWaitForJobs",
        "lets the release be ready before its Jobs are done",
    ),
    refused(
        ".spec.upgrade.disableWaitForJobs",
        "lets the release be ready before its Jobs are done",
    ),
    refused(".spec.install.disableHooks", "leaves out the chart's hooks"),
    refused(".spec.upgrade.disableHooks", "leaves out the chart's hooks"),
    refused(
        ".spec.install.disableSchemaValidation",
        "leaves out the check of the values",
    ),
    refused(
        ".spec.upgrade.disableSchemaValidation",
        "leaves out the check of the values",
    ),
    refused(
        ".spec.install.disableOpenAPIValidation",
        "leaves out the check of the objects",
    ),
    refused(
        ".spec.upgrade.disableOpenAPIValidation",
        "leaves out the check of the objects",
    ),
    refused(
        ".spec.install.remediation.ignoreTestFailures",
        "lets the release be ready though its tests failed",
    ),
    refused(
        ".spec.upgrade.remediation.ignoreTestFailures",
        "lets the release be ready though its tests failed",
    ),
    refused(
        ".spec.upgrade.preserveValues",
        "merges values of earlier upgrades into those of the input",
    ),
    refused(".spec.valuesFrom", "adds values to those of the input"),
    refused(
        ".spec.healthCheckExprs",
        "changes when objects count as ready",
    ),
    refused(".spec.waitStrategy", "changes how Helm waits"),
    refused(".spec.postRenderers", "changes the objects of the chart"),
    refused(
        ".spec.kubeConfig",
        "installs the release in another cluster",
    ),
    refused(
        ".spec.targetNamespace",
        "installs the release in another namespace",
    ),
    refused(
        ".spec.storageNamespace",
        "keeps Helm's records in another namespace",
    ),
    shown(".spec.install", "changes how Flux installs the release"),
    shown(".spec.upgrade", "changes how Flux upgrades the release"),
    shown(".spec.test", "changes how Flux runs the release's tests"),
    shown(".spec.rollback", "changes how Flux rolls the release back"),
    shown(".spec.uninstall", "changes how Flux uninstalls the release"),
    shown(
        ".spec.driftDetection",
        "changes what Flux does about changed objects",
    ),
    shown(
        ".spec.serviceAccountName",
        "changes the account that Flux acts as",
    ),
];

/// Returns the fields of a live HelmRelease that other managers than `manager` hold, that the input does not set, and
/// that a rule is about; each once.
pub(crate) fn find(live: &Object, input: &Object, manager: &str) -> Vec<Foreign> {
    let mut found: Vec<Foreign> = Vec::new();
    if !input.is_helm_release() {
        return found;
    }
    for owner in managed_fields::owners(live) {
        if owner.manager == manager || owner.subresource.is_some() {
            continue;
        }
        for path in owner.paths() {
            let Some(rule) = RULES.iter().find(|rule| rule.fits(&path)) else {
                continue;
            };
            // What is below a list or mapping weakens the check as a whole.
            let field = match rule.weight {
                Weight::Refused => rule.path,
                Weight::Shown => path.as_str(),
            };
            if is_without_effect(&live.value, field) || at(&input.value, field).is_some() {
                continue;
            }
            if found.iter().any(|known| known.field == field) {
                continue;
            }
            found.push(Foreign {
                field: field.into(),
                manager: owner.manager.clone(),
                effect: rule.effect,
                weight: rule.weight,
            });
        }
    }
    found
}

impl Rule {
    fn fits(&self, path: &str) -> bool {
        path.strip_prefix(self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let keys: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
    value.at(&keys)
}

/// Whether a field is switched off or empty, so that it does what its absence does.
fn is_without_effect(live: &Value, path: &str) -> bool {
    match at(live, path).map(|value| &value.data) {
        None | Some(Data::Null | Data::Bool(false)) => true,
        Some(Data::Sequence(items)) => items.is_empty(),
        Some(Data::Mapping(fields)) => fields.is_empty(),
        Some(Data::String(text)) => text.is_empty(),
        Some(Data::Bool(true) | Data::Number(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Object {
        Object::from_value(Value::from_json(json.as_bytes()).expect("JSON")).expect("object")
    }

    fn release(managers: &str, spec: &str) -> Object {
        object(&format!(
            r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
                "metadata":{{"name":"a","namespace":"town","managedFields":[{managers}]}},"spec":{{{spec}}}}}"#
        ))
    }

    fn held(manager: &str, fields: &str) -> String {
        format!(
            r#"{{"manager":"{manager}","operation":"Apply","fieldsV1":{{"f:spec":{{{fields}}}}}}}"#
        )
    }

    fn said(live: &Object, input: &str) -> Vec<String> {
        let found = find(live, &release("", input), "us");
        let lines = found
            .iter()
            .map(|one| format!("{} {} {:?}", one.field, one.manager, one.weight));
        lines.collect()
    }

    #[test]
    fn fields_of_others_are_found_where_the_input_has_none() {
        let fields = r#""f:test":{"f:filters":{}},"f:install":{"f:disableWait":{},"f:timeout":{}},
            "f:uninstall":{"f:keepHistory":{}}"#;
        let live = r#""test":{"enable":true,"filters":[{"name":"x","exclude":true}]},
            "install":{"disableWait":true,"timeout":"5m"},"uninstall":{"keepHistory":true}"#;
        let both = release(&held("oncall", fields), live);
        let wanted = [
            ".spec.install.disableWait oncall Refused",
            ".spec.install.timeout oncall Shown",
            ".spec.test.filters oncall Refused",
            ".spec.uninstall.keepHistory oncall Shown",
        ];
        assert_eq!(said(&both, r#""test":{"enable":true}"#), wanted);
        let set = r#""test":{"enable":true},"install":{"disableWait":true,"timeout":"1m"}"#;
        assert_eq!(said(&both, set), [wanted[2], wanted[3]]);
        // Our own fields are the input's business.
        assert_eq!(said(&release(&held("us", fields), live), ""), [""; 0]);
    }

    #[test]
    fn what_is_switched_off_has_no_effect() {
        let fields =
            r#""f:test":{"f:ignoreFailures":{},"f:filters":{}},"f:suspend":{},"f:interval":{}"#;
        let live = r#""test":{"ignoreFailures":false,"filters":[]},"suspend":true,"interval":"1h""#;
        assert_eq!(said(&release(&held("oncall", fields), live), ""), [""; 0]);
    }

    #[test]
    fn every_rule_can_be_reached() {
        for (at, rule) in RULES.iter().enumerate() {
            let first = RULES.iter().position(|other| other.fits(rule.path));
            assert_eq!(first, Some(at), "{}", rule.path);
        }
    }
}

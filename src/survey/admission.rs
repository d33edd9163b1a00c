//! What an API server does with an object beyond the merge of an apply: webhooks and policies that change or refuse it.

use std::collections::BTreeSet;

use crate::cluster::{Cluster, Error, KindRef, Permission, Requirements, Verb};
use crate::flux::Object;
use crate::value::{Text, Value};

/// Group of all kinds that admit objects.
const GROUP: &str = "admissionregistration.k8s.io/";

/// The version whose kinds are always served.
const V1: &str = "admissionregistration.k8s.io/v1";

/// Kinds whose objects may change what is applied, and where their rules are.
const CHANGING: [(&str, Rules); 2] = [
    ("MutatingWebhookConfiguration", Rules::OfWebhooks),
    ("MutatingAdmissionPolicy", Rules::OfPolicy),
];

/// Kinds whose objects may refuse it.
const REFUSING: [(&str, Rules); 2] = [
    ("ValidatingWebhookConfiguration", Rules::OfWebhooks),
    ("ValidatingAdmissionPolicy", Rules::OfPolicy),
];

#[derive(Clone, Copy, Debug)]
enum Rules {
    OfWebhooks,
    OfPolicy,
}

/// The webhooks and policies of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    changing: Vec<Rule>,
    refusing: Vec<Rule>,
}

/// What a webhook or a policy looks at, its selectors aside: they could match.
#[derive(Debug)]
struct Rule {
    /// `Kind/name`, with the name of the webhook.
    name: Text,
    /// `*` for all.
    groups: Vec<Text>,
    /// `*` for all.
    resources: Vec<Text>,
}

impl Rule {
    fn matches(&self, kind: &KindRef) -> bool {
        let any = |found: &[Text], wanted: &[&str]| {
            found.iter().any(|text| wanted.contains(&text.as_str()))
        };
        any(&self.groups, &["*", kind.group()]) && any(&self.resources, &["*", "*/*", &kind.plural])
    }
}

impl Admission {
    /// Whether nothing but the merge decides what an apply makes of an object of this kind that exists.
    pub(crate) fn changes_nothing(&self, kind: &KindRef) -> bool {
        !self.changing.iter().any(|rule| rule.matches(kind))
    }

    /// Returns the names of what could refuse an object of this kind.
    pub(super) fn could_refuse<'a>(
        &'a self,
        kind: &'a KindRef,
    ) -> impl Iterator<Item = &'a Text> + 'a {
        let rules = self.refusing.iter();
        rules
            .filter(|rule| rule.matches(kind))
            .map(|rule| &rule.name)
    }

    /// Reads the webhooks and policies; `None` when they may not be listed.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub(super) async fn read(cluster: &Cluster) -> Result<Option<Self>, Error> {
        let mut kinds = Vec::new();
        for version in ["v1", "v1beta1", "v1alpha1"] {
            for kind in cluster.kinds(&format!("{GROUP}{version}")).await? {
                let known = kinds
                    .iter()
                    .any(|(known, _, _): &(KindRef, _, _)| known.kind == kind.kind);
                let is = |kinds: &[(&str, Rules)]| {
                    let mut kinds = kinds.iter();
                    kinds
                        .find(|(name, _)| *name == kind.kind)
                        .map(|(_, rules)| *rules)
                };
                match (is(&CHANGING), is(&REFUSING)) {
                    _ if known => {}
                    (Some(rules), _) => kinds.push((kind, true, rules)),
                    (None, Some(rules)) => kinds.push((kind, false, rules)),
                    (None, None) => {}
                }
            }
        }
        let needs = Requirements {
            permissions: kinds
                .iter()
                .map(|(kind, _, _)| permission(&kind.api_version, &kind.kind))
                .collect(),
            ..Requirements::default()
        };
        if cluster.preflight(&needs).await?.complete().is_err() {
            return Ok(None);
        }
        let mut admission = Self::default();
        for (kind, changing, rules) in &kinds {
            let found = match changing {
                true => &mut admission.changing,
                false => &mut admission.refusing,
            };
            for object in cluster.list(kind, None, None).await? {
                read_rules(&object, *rules, found);
            }
        }
        Ok(Some(admission))
    }
}

/// Permissions without which every object is put to the server.
pub(super) fn permissions() -> BTreeSet<Permission> {
    let kinds = CHANGING.iter().chain(&REFUSING);
    kinds.map(|(kind, _)| permission(V1, kind)).collect()
}

fn permission(api_version: &str, kind: &str) -> Permission {
    Permission {
        verb: Verb::List,
        api_version: api_version.into(),
        kind: kind.into(),
        subresource: None,
        namespace: None,
    }
}

/// Adds the rules of an object that concern updates.
fn read_rules(object: &Object, rules: Rules, found: &mut Vec<Rule>) {
    let mut add = |name: String, lists: &[Value]| {
        for rule in lists {
            let texts = |key: &str| -> Vec<Text> {
                let items = rule.items_at(&[key]).iter();
                items.filter_map(Value::as_str).map(Text::from).collect()
            };
            if texts("operations")
                .iter()
                .any(|operation| operation == "*" || operation == "UPDATE")
            {
                found.push(Rule {
                    name: name.as_str().into(),
                    groups: texts("apiGroups"),
                    resources: texts("resources"),
                });
            }
        }
    };
    let Object { kind, name, .. } = object;
    match rules {
        Rules::OfPolicy => add(
            format!("{kind} {name}"),
            object
                .value
                .items_at(&["spec", "matchConstraints", "resourceRules"]),
        ),
        Rules::OfWebhooks => {
            for webhook in object.value.items_at(&["webhooks"]) {
                let webhook_name = webhook.text_at(&["name"]).unwrap_or_default();
                add(
                    format!("{kind} {name} ({webhook_name})"),
                    webhook.items_at(&["rules"]),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, rest: &str) -> Object {
        let text =
            format!(r#"{{"apiVersion":"{V1}","kind":"{kind}","metadata":{{"name":"a"}},{rest}}}"#);
        Object::from_value(Value::from_json(text.as_bytes()).expect("JSON")).expect("object")
    }

    fn kind(api_version: &str, plural: &str) -> KindRef {
        KindRef {
            api_version: api_version.into(),
            kind: "X".into(),
            plural: plural.into(),
            namespaced: true,
        }
    }

    #[test]
    fn rules_match_by_group_resource_and_update() {
        let releases = kind("helm.toolkit.fluxcd.io/v2", "helmreleases");
        let secrets = kind("v1", "secrets");
        let matched = |rule: &str, kind: &KindRef| {
            let of = |object: Object, rules| {
                let mut changing = Vec::new();
                read_rules(&object, rules, &mut changing);
                let admission = Admission {
                    changing,
                    refusing: Vec::new(),
                };
                !admission.changes_nothing(kind)
            };
            let webhook = of(
                object(
                    "MutatingWebhookConfiguration",
                    &format!(r#""webhooks":[{{"name":"w","rules":[{rule}]}}]"#),
                ),
                Rules::OfWebhooks,
            );
            let policy = of(
                object(
                    "MutatingAdmissionPolicy",
                    &format!(r#""spec":{{"matchConstraints":{{"resourceRules":[{rule}]}}}}"#),
                ),
                Rules::OfPolicy,
            );
            assert_eq!(webhook, policy, "{rule}");
            webhook
        };
        let rule = |operations: &str, groups: &str, resources: &str| {
            format!(
                r#"{{"operations":[{operations}],"apiGroups":[{groups}],"apiVersions":["v0"],"resources":[{resources}]}}"#
            )
        };
        for (rule, of_releases, of_secrets) in [
            (rule(r#""*""#, r#""*""#, r#""*""#), true, true),
            (rule(r#""UPDATE""#, r#""*""#, r#""*/*""#), true, true),
            (
                rule(
                    r#""CREATE","UPDATE""#,
                    r#""helm.toolkit.fluxcd.io""#,
                    r#""helmreleases""#,
                ),
                true,
                false,
            ),
            (
                rule(r#""UPDATE""#, r#""""#, r#""pods","secrets""#),
                false,
                true,
            ),
            (rule(r#""CREATE""#, r#""*""#, r#""*""#), false, false),
            (
                rule(r#""UPDATE""#, r#""*""#, r#""helmreleases/status""#),
                false,
                false,
            ),
            (rule(r#""UPDATE""#, r#""apps""#, r#""*""#), false, false),
        ] {
            assert_eq!(matched(&rule, &releases), of_releases, "{rule}");
            assert_eq!(matched(&rule, &secrets), of_secrets, "{rule}");
        }
    }

    #[test]
    fn what_refuses_is_named() {
        let hook = object(
            "ValidatingWebhookConfiguration",
            r#""webhooks":[{"name":"w.example","rules":[{"operations":["*"],"apiGroups":["*"],"resources":["*"]}]},{"name":"none"}]"#,
        );
        let mut refusing = Vec::new();
        read_rules(&hook, Rules::OfWebhooks, &mut refusing);
        let admission = Admission {
            changing: Vec::new(),
            refusing,
        };
        let kind = kind("v1", "secrets");
        let names: Vec<&Text> = admission.could_refuse(&kind).collect();
        assert_eq!(names, ["ValidatingWebhookConfiguration a (w.example)"]);
    }
}

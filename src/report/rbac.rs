//! Permissions as the objects of Kubernetes that grant them: an account, its roles, and an admission policy.

mod objects;
mod worst;

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Permission, Rights, Verb};
use crate::emit::{self, View};
use crate::flux::object::group;
use crate::printable::{Printable, escape};
use crate::value::Text;

/// The account that gets the permissions. Its names are valid names of Kubernetes.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// The sites of the input: one, as a rule.
    pub(crate) sites: BTreeSet<Text>,
    /// What it is for.
    pub(crate) rights: Rights,
}

/// A rule of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    group: Text,
    verbs: Vec<Verb>,
    /// Resources with these verbs, with their subresources.
    resources: BTreeSet<String>,
}

impl Rule {
    fn is_written(&self) -> bool {
        self.verbs.contains(&Verb::Create) || self.verbs.contains(&Verb::Patch)
    }
}

/// Rules by namespace; those of `None` are of the whole cluster.
type Roles = BTreeMap<Option<Text>, Vec<Rule>>;

/// Returns the objects as YAML, with comments on what the account could do at worst.
#[must_use]
pub(crate) fn yaml(account: &Account, permissions: &BTreeSet<Permission>) -> Printable {
    let roles = roles(permissions);
    let mut text = String::new();
    for line in worst::lines(account, &roles) {
        let line = escape::fold(&line);
        text.push_str(if line.is_empty() { "#" } else { "# " });
        text.push_str(&line);
        text.push('\n');
    }
    let mut objects = vec![account.object()];
    for (namespace, rules) in &roles {
        objects.extend(account.granted(namespace.as_ref(), rules));
    }
    objects.extend(account.policy(&roles));
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            text.push_str("---\n");
        }
        emit::write_yaml(object, View::Clear, &mut text);
    }
    Printable::lines_of(&text)
}

/// Groups permissions to rules: resources of one API group with the same verbs share one.
fn roles(permissions: &BTreeSet<Permission>) -> Roles {
    let mut verbs: BTreeMap<(Option<Text>, Text, String), BTreeSet<Verb>> = BTreeMap::new();
    for permission in permissions {
        let Permission {
            verb,
            api_version,
            kind,
            subresource,
            namespace,
        } = permission;
        let mut resource = resource(kind);
        if let Some(part) = subresource {
            resource.push('/');
            resource.push_str(part);
        }
        let key = (namespace.clone(), group(api_version).into(), resource);
        verbs.entry(key).or_default().insert(*verb);
    }
    // What is granted everywhere is not granted again in a namespace.
    let everywhere = verbs.clone();
    for ((namespace, group, resource), verbs) in &mut verbs {
        let wide = everywhere.get(&(None, group.clone(), resource.clone()));
        if let (Some(_), Some(wide)) = (namespace, wide) {
            verbs.retain(|verb| !wide.contains(verb));
        }
    }
    let mut grouped: BTreeMap<(Option<Text>, Text, Vec<Verb>), BTreeSet<String>> = BTreeMap::new();
    for ((namespace, group, resource), verbs) in verbs {
        if !verbs.is_empty() {
            let key = (namespace, group, verbs.into_iter().collect());
            grouped.entry(key).or_default().insert(resource);
        }
    }
    let mut roles = Roles::new();
    for ((namespace, group, verbs), resources) in grouped {
        let rule = Rule {
            group,
            verbs,
            resources,
        };
        roles.entry(namespace).or_default().push(rule);
    }
    roles
}

/// Returns the resource of a kind, by the rule that Kubernetes itself uses where it has to guess
/// (apimachinery: `meta.UnsafeGuessKindToResource`). All kinds of a tree follow it.
fn resource(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(verb: Verb, kind: &str, namespace: Option<&str>) -> Permission {
        Permission {
            verb,
            api_version: "v1".into(),
            kind: kind.into(),
            subresource: None,
            namespace: namespace.map(Text::from),
        }
    }

    #[test]
    fn resources_with_the_same_verbs_share_a_rule_and_none_is_granted_twice() {
        let permissions = [
            permission(Verb::List, "Secret", Some("a")),
            permission(Verb::List, "ConfigMap", Some("a")),
            permission(Verb::List, "Pod", Some("a")),
            permission(Verb::List, "Pod", None),
            permission(Verb::Get, "Pod", Some("b")),
        ];
        let rule = |verb, resources: &[&str]| Rule {
            group: Text::new(),
            verbs: vec![verb],
            resources: resources.iter().map(|&name| name.to_owned()).collect(),
        };
        let expected = [
            (None, vec![rule(Verb::List, &["pods"])]),
            (
                Some("a".into()),
                vec![rule(Verb::List, &["configmaps", "secrets"])],
            ),
            (Some("b".into()), vec![rule(Verb::Get, &["pods"])]),
        ];
        assert_eq!(roles(&permissions.into()), expected.into());
    }

    #[test]
    fn kinds_have_their_resources() {
        for (kind, expected) in [
            ("HelmRelease", "helmreleases"),
            ("OCIRepository", "ocirepositories"),
            ("Ingress", "ingresses"),
            ("Lock", "locks"),
        ] {
            assert_eq!(resource(kind), expected);
        }
    }
}

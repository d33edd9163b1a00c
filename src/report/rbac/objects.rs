//! The objects that grant permissions.

use std::collections::BTreeSet;

use super::{Account, Roles, Rule};
use crate::cluster::Rights;
use crate::names;
use crate::value::{Mapping, Text, Value};

const RBAC: &str = "rbac.authorization.k8s.io";
const RBAC_VERSION: &str = "rbac.authorization.k8s.io/v1";
const ADMISSION: &str = "admissionregistration.k8s.io/v1";

/// Longest part of a name that stands for the site: account (63), namespace (63), site and the purpose of a policy are
/// within the 253 characters of a name.
const SITE_PART: usize = 63;

/// Characters of a digest with its hyphen.
const SUFFIX: usize = 9;

/// The type of a Secret that Kubernetes fills with a token of any service account that it names.
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";

impl Account {
    /// Returns the name of its roles and its policy, which no account of another namespace has, and no other site.
    fn full_name(&self) -> String {
        let sites: Vec<&str> = self.sites.iter().map(|site| &**site).collect();
        let name = format!("{}.{}", self.name, self.namespace);
        match &*sites.join(" ") {
            "" => name,
            sites => format!("{name}.{}", distinct_slug(sites)),
        }
    }

    /// Returns the ServiceAccount.
    pub(super) fn object(&self) -> Value {
        object(
            "v1",
            "ServiceAccount",
            &self.name,
            Some(&self.namespace),
            [],
        )
    }

    /// Returns a role with these rules and its binding, for a namespace or for the whole cluster.
    pub(super) fn granted(&self, namespace: Option<&Text>, rules: &[Rule]) -> [Value; 2] {
        let (role, binding) = match namespace {
            Some(_) => ("Role", "RoleBinding"),
            None => ("ClusterRole", "ClusterRoleBinding"),
        };
        let name = self.full_name();
        let namespace = namespace.map(|name| &**name);
        let rules: Vec<Value> = rules.iter().map(rule).collect();
        let reference = mapping([
            ("apiGroup", RBAC.into()),
            ("kind", role.into()),
            ("name", name.as_str().into()),
        ]);
        let subject = mapping([
            ("kind", "ServiceAccount".into()),
            ("name", self.name.as_str().into()),
            ("namespace", self.namespace.as_str().into()),
        ]);
        [
            object(
                RBAC_VERSION,
                role,
                &name,
                namespace,
                [("rules", rules.into())],
            ),
            object(
                RBAC_VERSION,
                binding,
                &name,
                namespace,
                [("roleRef", reference), ("subjects", vec![subject].into())],
            ),
        ]
    }

    /// Returns the admission policy of the account and its binding.
    pub(super) fn policy(&self, roles: &Roles) -> [Value; 2] {
        let (purpose, rules, expression, message) = match self.rights {
            Rights::Diff => (
                "only-dry-runs",
                written(roles),
                "has(request.dryRun) && request.dryRun".to_owned(),
                "this account may only ask what a write would do",
            ),
            Rights::Apply => (
                "no-account-tokens",
                vec![resource_rule("", texts(["secrets"]))],
                format!("object.type != \"{TOKEN_TYPE}\""),
                "this account may not create tokens of service accounts",
            ),
        };
        let name = format!("{}-{purpose}", self.full_name());
        let user = format!(
            "request.userInfo.username == \"system:serviceaccount:{}:{}\"",
            self.namespace, self.name
        );
        let condition = mapping([
            ("name", "is-the-account".into()),
            ("expression", user.into()),
        ]);
        let validation = mapping([
            ("expression", expression.into()),
            ("message", message.into()),
        ]);
        let policy = mapping([
            ("failurePolicy", "Fail".into()),
            (
                "matchConstraints",
                mapping([("resourceRules", rules.into())]),
            ),
            ("matchConditions", vec![condition].into()),
            ("validations", vec![validation].into()),
        ]);
        let binding = mapping([
            ("policyName", name.as_str().into()),
            ("validationActions", texts(["Deny"])),
        ]);
        [
            object(
                ADMISSION,
                "ValidatingAdmissionPolicy",
                &name,
                None,
                [("spec", policy)],
            ),
            object(
                ADMISSION,
                "ValidatingAdmissionPolicyBinding",
                &name,
                None,
                [("spec", binding)],
            ),
        ]
    }
}

/// Returns a DNS label for a text, which no other text has.
fn distinct_slug(text: &str) -> Text {
    let name = names::slug(text, SITE_PART);
    match &*name == text {
        true => name,
        // Site names may have upper case, `_` and `.`, which a slug has not.
        false => format!(
            "{}-{}",
            names::slug(text, SITE_PART - SUFFIX),
            names::short_digest(text)
        )
        .into(),
    }
}

/// Returns what the roles let write, for a policy.
fn written(roles: &Roles) -> Vec<Value> {
    let rules = roles.values().flatten().filter(|rule| rule.is_written());
    let rules: BTreeSet<(&Text, &BTreeSet<String>)> =
        rules.map(|rule| (&rule.group, &rule.resources)).collect();
    rules
        .into_iter()
        .map(|(group, resources)| resource_rule(group, texts(resources)))
        .collect()
}

fn resource_rule(group: &str, resources: Value) -> Value {
    mapping([
        ("apiGroups", texts([group])),
        ("apiVersions", texts(["*"])),
        ("operations", texts(["CREATE", "UPDATE"])),
        ("resources", resources),
    ])
}

fn rule(rule: &Rule) -> Value {
    let Rule {
        group,
        verbs,
        resources,
    } = rule;
    mapping([
        ("apiGroups", texts([&**group])),
        ("resources", texts(resources)),
        ("verbs", texts(verbs.iter().map(|verb| verb.as_str()))),
    ])
}

fn object<const N: usize>(
    api_version: &str,
    kind: &str,
    name: &str,
    namespace: Option<&str>,
    rest: [(&str, Value); N],
) -> Value {
    let mut metadata = Mapping::new();
    metadata.insert("name", name);
    if let Some(namespace) = namespace {
        metadata.insert("namespace", namespace);
    }
    let mut object = Mapping::new();
    object.insert("apiVersion", api_version);
    object.insert("kind", kind);
    object.insert("metadata", metadata);
    for (key, value) in rest {
        object.insert(key, value);
    }
    object.into()
}

fn mapping<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Mapping>().into()
}

fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Value {
    let texts = texts.into_iter().map(|text| Value::from(text.as_ref()));
    texts.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_site_and_are_bounded() {
        let name = |site: &str, size: usize| {
            let account = Account {
                name: "a".repeat(size),
                namespace: "n".repeat(size),
                sites: [Text::from(site)].into(),
                rights: Rights::Apply,
            };
            account.full_name()
        };
        assert_eq!(name("town", 1), "a.n.town");
        let long = "x".repeat(63);
        let sites = [
            "town",
            "Town",
            "t_own",
            "t.own",
            "t-own",
            &long,
            &long.to_uppercase(),
        ];
        let distinct: BTreeSet<String> = sites.iter().map(|site| name(site, 63)).collect();
        assert_eq!(distinct.len(), sites.len());
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        for name in distinct {
            assert!(
                name.len() + "-no-account-tokens".len() <= 253 && name.chars().all(valid),
                "{name}"
            );
        }
    }
}

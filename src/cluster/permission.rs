//! Asks the server for the permissions of the user.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::call::Call;
use super::need::{Missing, Permission, Verb};
use super::{Cluster, Error, KindRef};
use crate::emit::{View, to_json};
use crate::value::{Mapping, Text, Value};

impl Cluster {
    /// Returns the permissions that are missing. Permissions that exist in all namespaces are not asked for
    /// in each.
    pub(super) async fn denied(
        &self,
        permissions: &BTreeSet<Permission>,
        served: &BTreeMap<(&Text, &Text), KindRef>,
    ) -> Result<Vec<Missing>, Error> {
        let mut by_question: BTreeMap<Question<'_>, Vec<&Permission>> = BTreeMap::new();
        for permission in permissions {
            if let Some(kind) = served.get(&(&permission.api_version, &permission.kind)) {
                let question = Question {
                    verb: permission.verb,
                    kind,
                    subresource: permission.subresource.as_deref(),
                };
                by_question.entry(question).or_default().push(permission);
            }
        }
        let everywhere = by_question
            .keys()
            .map(|question| self.is_allowed(*question, None));
        let everywhere = try_join_all(everywhere).await?;
        let mut denied = Vec::new();
        let mut rest = Vec::new();
        for ((question, permissions), allowed) in by_question.into_iter().zip(everywhere) {
            if allowed {
                continue;
            }
            for permission in permissions {
                match &permission.namespace {
                    None => denied.push(permission),
                    Some(namespace) => rest.push((question, namespace, permission)),
                }
            }
        }
        let answers = rest
            .iter()
            .map(|(question, namespace, _)| self.is_allowed(*question, Some(namespace)));
        let answers = try_join_all(answers).await?;
        let missing = rest.iter().zip(answers).filter(|(_, allowed)| !allowed);
        denied.extend(missing.map(|((_, _, permission), _)| *permission));
        denied.sort();
        Ok(denied
            .into_iter()
            .cloned()
            .map(Missing::Permission)
            .collect())
    }

    async fn is_allowed(
        &self,
        question: Question<'_>,
        namespace: Option<&str>,
    ) -> Result<bool, Error> {
        let Question {
            verb,
            kind,
            subresource,
        } = question;
        let act = format!("ask whether {} may be {}", kind.plural, past(verb));
        let attributes: Mapping = [
            ("namespace", Value::from(namespace.unwrap_or_default())),
            ("verb", verb.as_str().into()),
            ("group", kind.group().into()),
            ("resource", kind.plural.clone().into()),
            ("subresource", subresource.unwrap_or_default().into()),
        ]
        .into_iter()
        .collect();
        let spec: Mapping = [("resourceAttributes", attributes)].into_iter().collect();
        let review: Mapping = [
            ("apiVersion", Value::from("authorization.k8s.io/v1")),
            ("kind", "SelfSubjectAccessReview".into()),
            ("spec", spec.into()),
        ]
        .into_iter()
        .collect();
        let body = to_json(&review.into(), View::Clear);
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let answer = self.send(&act, &Call::post(path, body)).await?;
        if !answer.is_success() {
            return Err(self.refused(&act, &answer));
        }
        Ok(answer.value.at(&["status", "allowed"]) == Some(&Value::from(true)))
    }
}

/// A question that is asked once for all namespaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question<'p> {
    verb: Verb,
    kind: &'p KindRef,
    subresource: Option<&'p str>,
}

fn past(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "read",
        Verb::List => "listed",
        Verb::Watch => "watched",
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Patch => "patched",
        Verb::Delete => "deleted",
    }
}

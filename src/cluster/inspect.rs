//! Reads what explains a failure: Events and the end of a log. Also identifies the cluster.

use std::cmp::Reverse;

use futures::future::try_join_all;
use jiff::Timestamp;

use super::call::Call;
use super::kind::{escape, is_path_segment};
use super::list::{Listed, Selection};
use super::{Cause, Cluster, Error, KindRef};
use crate::flux::Object;
use crate::secret::Scrubber;
use crate::value::Text;

/// The largest number of Events that are returned: the newest.
const EVENTS: usize = 20;

/// The namespace whose UID identifies the cluster: it is created first and never deleted.
const FIRST_NAMESPACE: &str = "kube-system";

/// An Event of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeEvent {
    /// The kind of the object that it is about.
    pub kind: Text,
    /// The name of that object.
    pub name: Text,
    /// Whether it is a warning.
    pub warning: bool,
    /// The reason, as `FailedScheduling`.
    pub reason: Text,
    /// The message, without secrets.
    pub message: String,
    /// How often it occurred.
    pub count: i64,
    /// When it occurred last, as RFC 3339 text.
    pub last: Option<Text>,
}

impl Cluster {
    /// Returns the Events about objects of these names in a namespace, of any kind: the newest 20, the newest
    /// last. Returns none when they may not be listed or the server is too busy, since they only explain.
    /// `secrets` are removed from the messages.
    ///
    /// # Errors
    ///
    /// When the credentials are refused or the server cannot be reached.
    pub async fn events_of(
        &self,
        namespace: &str,
        names: &[&str],
        secrets: &Scrubber,
    ) -> Result<Vec<KubeEvent>, Error> {
        let kind = core("Event", "events");
        let lists = names.iter().map(|name| {
            let all = Selection::new(&kind, Some(namespace));
            let selection = all.fields(&format!("involvedObject.name={name}"));
            async move { self.list_all(Call::get_once, &selection).await }
        });
        let found = match try_join_all(lists).await {
            Ok(found) => found,
            Err(Error::Request {
                cause:
                    Cause::Forbidden(_) | Cause::Busy { .. } | Cause::Timeout(_) | Cause::Refused { .. },
                ..
            }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut events: Vec<(Option<Timestamp>, KubeEvent)> = found
            .iter()
            .flat_map(|Listed { kept, .. }| kept)
            .map(|event| kube_event(event, secrets))
            .collect();
        events.sort_by_key(|(last, _)| Reverse(*last));
        events.truncate(EVENTS);
        Ok(events.into_iter().rev().map(|(_, event)| event).collect())
    }

    /// Returns the last lines of a container's log, of which at most a number of bytes is read (from the
    /// first of those lines). Returns `None` when there is no log or it may not be read, since it only
    /// explains. `secrets` are removed.
    ///
    /// # Errors
    ///
    /// When the credentials are refused or the server cannot be reached.
    pub async fn log_tail(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        lines: u32,
        bytes: u32,
        secrets: &Scrubber,
    ) -> Result<Option<String>, Error> {
        if !is_path_segment(namespace) || !is_path_segment(pod) {
            return Ok(None);
        }
        let act = format!("read the log of Pod {namespace}/{pod}");
        let pods = core("Pod", "pods");
        let path = format!(
            "{}/log?container={}&tailLines={lines}&limitBytes={bytes}",
            pods.path_of(Some(namespace), pod),
            escape(container)
        );
        match self.send(&act, &Call::get_text(path)).await {
            Ok(answer) if answer.is_success() => {
                let text = answer.value.as_str().filter(|text| !text.is_empty());
                Ok(text.map(|text| secrets.scrub(text)))
            }
            // The connection from the server to a node fails; the rest of the cluster works.
            Ok(_)
            | Err(Error::Request {
                cause: Cause::Busy { .. } | Cause::Timeout(_) | Cause::Refused { .. },
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the identity of the cluster: the UID of the namespace `kube-system`.
    ///
    /// # Errors
    ///
    /// When namespaces may not be listed or the server does not answer.
    pub async fn identity(&self) -> Result<Text, Error> {
        let namespaces = KindRef {
            namespaced: false,
            ..core("Namespace", "namespaces")
        };
        let first = self.find(&namespaces, None, FIRST_NAMESPACE).await?;
        let uid = first.and_then(|first| first.uid().map(Text::from));
        uid.ok_or_else(|| {
            let cause = Cause::Refused {
                code: 404,
                message: format!("namespace {FIRST_NAMESPACE} does not exist"),
            };
            self.failed("identify the cluster", cause)
        })
    }
}

fn core(kind: &str, plural: &str) -> KindRef {
    KindRef {
        api_version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
    }
}

fn kube_event(event: &Object, secrets: &Scrubber) -> (Option<Timestamp>, KubeEvent) {
    let text = |path: &[&str]| event.value.text_at(path).map(Text::from);
    let field = |path: &[&str]| text(path).unwrap_or_default();
    // Old and new clients set different fields.
    let last = text(&["series", "lastObservedTime"])
        .or_else(|| text(&["lastTimestamp"]))
        .or_else(|| text(&["eventTime"]))
        .or_else(|| event.meta().creation_timestamp().map(Text::from));
    let number = |path: &[&str]| event.value.int_at(path);
    let count = number(&["series", "count"]).or_else(|| number(&["count"]));
    let kube_event = KubeEvent {
        kind: field(&["involvedObject", "kind"]),
        name: field(&["involvedObject", "name"]),
        warning: field(&["type"]) == "Warning",
        reason: field(&["reason"]),
        message: secrets.scrub(&field(&["message"])),
        count: count.unwrap_or(1),
        last: last.clone(),
    };
    (last.and_then(|last| last.parse().ok()), kube_event)
}

//! Workloads of three pods, one on each node, of which some are dead.

use serde_json::{Value as Json, json};

/// The number of pods of each workload.
const PODS: usize = 3;

/// A workload's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// Three pods, one on each node.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) kind: Kind,
    /// Its `tier` label, and its name behind the release's.
    pub(super) tier: &'static str,
    /// How many of its pods never become ready.
    pub(super) dead: usize,
    /// `maxUnavailable` of its rolling update; `None` for Kubernetes' default.
    pub(super) unavailable: Option<u8>,
}

impl Workload {
    pub(super) fn new(kind: Kind, tier: &'static str, dead: usize) -> Self {
        Self {
            kind,
            tier,
            dead,
            unavailable: None,
        }
    }

    /// Returns the object for the chart of that release.
    pub(super) fn object(&self, release: &str) -> Json {
        let Workload {
            kind,
            tier,
            dead,
            unavailable,
        } = self;
        let name = format!("{release}-{tier}");
        let labels = json!({"release_group": release, "tier": tier});
        let mut template = json!({
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "example.org/main:1"}]},
        });
        let dead_on = match dead {
            0 => None,
            1 => Some("node-3"),
            _ => Some("node-2_node-3"),
        };
        if let Some(nodes) = dead_on {
            template["metadata"]["labels"]["armada2flux.example/never-ready-on"] = nodes.into();
        }
        if *kind != Kind::DaemonSet {
            template["spec"]["affinity"] = json!({"podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}},
                ],
            }});
        }
        let mut spec = json!({"selector": {"matchLabels": labels}, "template": template});
        match kind {
            Kind::Deployment => spec["replicas"] = PODS.into(),
            Kind::StatefulSet => {
                spec["replicas"] = PODS.into();
                spec["serviceName"] = json!(name);
                spec["podManagementPolicy"] = "Parallel".into();
            }
            Kind::DaemonSet => {}
        }
        if let Some(unavailable) = unavailable {
            let strategy = match kind {
                Kind::Deployment => "strategy",
                Kind::StatefulSet | Kind::DaemonSet => "updateStrategy",
            };
            spec[strategy] = json!({
                "type": "RollingUpdate",
                // One of them must not be 0.
                "rollingUpdate": {
                    "maxUnavailable": unavailable,
                    "maxSurge": u8::from(*unavailable == 0),
                },
            });
        }
        json!({
            "apiVersion": "apps/v1",
            "kind": format!("{kind:?}"),
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
        })
    }

    /// Returns its API path.
    pub(super) fn path(&self, namespace: &str, release: &str) -> String {
        let plural = format!("{:?}s", self.kind).to_lowercase();
        let tier = self.tier;
        format!("/apis/apps/v1/namespaces/{namespace}/{plural}/{release}-{tier}")
    }

    /// Whether its controller has counted three pods, and the living ones as ready.
    pub(super) fn is_settled(&self, object: &Json) -> bool {
        let (all, ready, available) = match self.kind {
            Kind::Deployment | Kind::StatefulSet => {
                ("replicas", "readyReplicas", "availableReplicas")
            }
            Kind::DaemonSet => ("desiredNumberScheduled", "numberReady", "numberAvailable"),
        };
        let alive = PODS - self.dead;
        let status = &object["status"];
        status[all] == PODS && status[ready] == alive && status[available] == alive
    }
}

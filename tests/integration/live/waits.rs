//! Gates and health checks on live objects and in the real helm-controller.

mod api_server;
mod site;
mod workload;

use std::time::Duration;

use armada2flux::gate::Verdict;
use serde_json::{Value as Json, json};

use super::{Scope, Test, ensure};
use crate::bed::{Outcome, has_condition};
use site::{End, Release, Site};
use workload::{Kind, Workload};

/// `wait.timeout` of releases that are expected to become ready.
const AMPLE: u32 = 120;

/// `wait.timeout` of releases that are not; pods that can become ready do so within a few seconds.
const SHORT: u32 = 16;

/// Time limit for pods whose last condition is met.
const COMES_UP_WITHIN: Duration = Duration::from_secs(60);

/// `wait.timeout` of releases that fail in Helm because of a dead pod.
const DEAD: u32 = 10;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("waits::two_of_three_pods_open_a_gate_of_66_percent", gates),
        Test::shared("waits::flux_agrees_by_health_checks", health_checks),
        Test::shared("waits::a_dead_pod_fails_what_helm_waits_for", helm_waits),
        Test::shared(
            "waits::health_checks_keep_what_helm_waits_for",
            helm_waits_by_checks,
        ),
        Test::shared("waits::the_cel_of_kubernetes_agrees", api_server::agrees),
        Test::shared("waits::pods_that_need_a_hook_come_up", hook),
    ]
}

/// Two of three pods, one of three, and two Deployments that differ by label.
fn two_thirds() -> Site {
    let by_kind = json!([
        {"type": "deployment", "labels": {"tier": "main"}, "min_ready": "66%"},
        {"type": "statefulset", "min_ready": "66%"},
        {"type": "daemonset", "min_ready": "66%"},
        {"type": "deployment", "labels": {"tier": "spare"}, "min_ready": "33%"},
    ]);
    let all_kinds = |dead: usize| {
        vec![
            Workload::new(Kind::Deployment, "main", dead),
            Workload::new(Kind::StatefulSet, "store", dead),
            Workload::new(Kind::DaemonSet, "agent", dead),
            // Distinguishes a controller that counted pods from one that never saw a pod.
            Workload::new(Kind::Deployment, "spare", 2),
        ]
    };
    let by_label = |front: &str, back: &str| {
        json!([
            {"type": "deployment", "labels": {"tier": "front"}, "min_ready": front},
            {"type": "deployment", "labels": {"tier": "back"}, "min_ready": back},
        ])
    };
    let two = || {
        vec![
            Workload::new(Kind::Deployment, "front", 1),
            Workload::new(Kind::Deployment, "back", 2),
        ]
    };
    let release = |name, timeout, resources, workloads| Release {
        name,
        timeout,
        native: false,
        resources,
        workloads,
    };
    Site {
        prefix: "w",
        releases: vec![
            release("most", AMPLE, by_kind.clone(), all_kinds(1)),
            release("few", SHORT, by_kind, all_kinds(2)),
            release("labels", AMPLE, by_label("66%", "33%"), two()),
            release("swapped", SHORT, by_label("33%", "66%"), two()),
        ],
    }
}

/// Returns the workloads whose gates of [`two_thirds`] stay closed, by release.
fn closed(release: &str) -> &'static [&'static str] {
    match release {
        "w-few" => &["main", "store", "agent"],
        "w-swapped" => &["back"],
        _ => &[],
    }
}

/// Checks that every gate is open except those of the workloads in [`closed`], which must report a reason.
fn agrees(scope: &Scope<'_>, release: &Json) -> Outcome {
    let name = site::text(release, "/metadata/name");
    let verdicts = site::verdicts(scope, release)?;
    let mut waiting = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Ready => None,
        Verdict::Waiting(reason) | Verdict::Failed(reason) => Some(reason.as_str()),
    });
    let wanted = closed(name).iter().map(|tier| {
        let kind = match *tier {
            "store" => "statefulset",
            "agent" => "daemonset",
            _ => "deployment",
        };
        format!("{kind} `{name}-{tier}`: 1 of 3 pods ready, min_ready is 66%")
    });
    ensure(verdicts.len() >= 2 && wanted.eq(waiting.by_ref()), || {
        format!("{name}: {verdicts:?}")
    })
}

fn gates(scope: &Scope<'_>) -> Outcome {
    let site = two_thirds();
    let releases = site.install(scope, &[])?;
    for release in &releases {
        // Plain Flux does not wait for them: gates do.
        let end = site::end(scope, release)?;
        ensure(matches!(end, End::Ready), || format!("{end:?}"))?;
    }
    site.settled(scope)?;
    releases
        .iter()
        .try_for_each(|release| agrees(scope, release))
}

/// Whether the controller timed out during a request, and so names no object.
fn is_deadline(message: &str) -> bool {
    message.contains("would exceed context deadline")
}

fn health_checks(scope: &Scope<'_>) -> Outcome {
    let site = two_thirds();
    let options = [
        "--waits=cel",
        "--cel-before-hooks=w-most",
        "--cel-before-hooks=w-few",
        "--cel-before-hooks=w-labels",
        "--cel-before-hooks=w-swapped",
    ];
    for release in &site.install(scope, &options)? {
        let name = site::text(release, "/metadata/name");
        let end = site::end(scope, release)?;
        let as_wanted = match &end {
            End::Ready => closed(name).is_empty(),
            End::Stalled(message) if is_deadline(message) => !closed(name).is_empty(),
            End::Stalled(message) => {
                let workloads = ["main", "store", "agent", "spare", "front", "back"];
                let is_named = |tier: &&str| message.contains(&format!("/{name}-{tier} status:"));
                let named: Vec<&str> = workloads.into_iter().filter(is_named).collect();
                !named.is_empty() && named == closed(name)
            }
        };
        ensure(as_wanted, || format!("{name}: {end:?}"))?;
        agrees(scope, release)?;
    }
    Ok(())
}

/// One dead pod of three, with Helm's waiting and with gates that allow it.
fn one_dead(prefix: &'static str) -> Site {
    let release = |name, kind: Kind, unavailable: Option<u8>| {
        let word = format!("{kind:?}").to_lowercase();
        Release {
            name,
            timeout: if is_lax(name) { AMPLE } else { DEAD },
            native: true,
            resources: json!([{"type": word, "min_ready": "66%"}]),
            workloads: vec![Workload {
                unavailable,
                ..Workload::new(kind, "main", 1)
            }],
        }
    };
    Site {
        prefix,
        releases: vec![
            release("deployment", Kind::Deployment, None),
            release("statefulset", Kind::StatefulSet, None),
            release("daemonset", Kind::DaemonSet, Some(0)),
            // Helm allows as many missing pods as a rolling update; a DaemonSet's default is one.
            release("lax-deployment", Kind::Deployment, Some(1)),
            release("lax-daemonset", Kind::DaemonSet, None),
        ],
    }
}

/// Whether Helm's waiting allows the dead pod because of the rolling update.
fn is_lax(release: &str) -> bool {
    release.contains("lax-")
}

/// Fails unless the release is ready exactly if Helm allows the dead pod, with open gates in any case.
fn expect_lax_alone_is_ready(scope: &Scope<'_>, release: &Json) -> Outcome {
    let name = site::text(release, "/metadata/name");
    let end = site::end(scope, release)?;
    ensure(matches!(end, End::Ready) == is_lax(name), || {
        format!("{name}: {end:?}")
    })?;
    let verdicts = site::verdicts(scope, release)?;
    ensure(verdicts == [Verdict::Ready], || {
        format!("{name}: {verdicts:?}")
    })
}

fn helm_waits(scope: &Scope<'_>) -> Outcome {
    let legacy = one_dead("l");
    let armada = one_dead("a");
    std::thread::scope(|threads| {
        let armada = &armada;
        let started = armada.releases.iter().map(|release| {
            let helm = threads.spawn(|| armada.install_by_helm(scope, release));
            (release.name, helm)
        });
        let started: Vec<_> = started.collect();
        for release in &legacy.install(scope, &[])? {
            ensure(release["spec"]["waitStrategy"]["name"] == "legacy", || {
                release["spec"].to_string()
            })?;
            expect_lax_alone_is_ready(scope, release)?;
        }
        for (name, helm) in started {
            let said = helm.join().map_err(|_| "a thread panicked")??;
            let as_wanted = match &said {
                None => is_lax(name),
                Some(error) => !is_lax(name) && error.contains("context deadline exceeded"),
            };
            ensure(as_wanted, || format!("{name}: {said:?}"))?;
        }
        Ok(())
    })
}

fn helm_waits_by_checks(scope: &Scope<'_>) -> Outcome {
    for release in &one_dead("c").install(scope, &["--waits=cel"])? {
        expect_lax_alone_is_ready(scope, release)?;
    }
    Ok(())
}

/// The worked site's release whose pods need a hook after the install.
fn hook(scope: &Scope<'_>) -> Outcome {
    let worked = crate::bed::armada::Site::worked(scope.bed, "hook")?;
    let mine = format!("namespace: {}", scope.namespace);
    let text = worked.text.replace("namespace: identity", &mine);
    ensure(text.contains(&mine), || {
        "the worked site has no namespace `identity`".to_owned()
    })?;
    let map = scope
        .bed
        .path()
        .join(format!("{}-sources.yaml", scope.namespace));
    std::fs::write(&map, &worked.source_map)?;
    let map = format!("--source-map={}", map.display());
    let options = ["--target-manifest=alone", &map];
    let text = format!(
        "{text}\n---\n{}\n---\n{}",
        json!({
            "schema": "armada/Manifest/v1",
            "metadata": {"schema": "metadata/Document/v1", "name": "alone"},
            "data": {"release_prefix": "breakwater", "chart_groups": ["alone"]},
        }),
        json!({
            "schema": "armada/ChartGroup/v1",
            "metadata": {"schema": "metadata/Document/v1", "name": "alone"},
            "data": {"description": "alone", "chart_group": ["identity"]},
        }),
    );
    let objects = site::convert(scope, &scope.namespace, &text, &options)?;
    let mut ours = None;
    for object in objects {
        scope.bed.apply(&object)?;
        if object["kind"] == "HelmRelease" {
            ours = Some(object);
        }
    }
    let ours = ours.ok_or("no release was written")?;
    let spec = &ours["spec"];
    ensure(spec["install"]["disableWait"] == true, || spec.to_string())?;

    let theirs = with_defaults(scope, &ours)?;
    let end = site::end(scope, &ours)?;
    ensure(matches!(end, End::Ready), || format!("{end:?}"))?;
    let deployment = format!(
        "/apis/apps/v1/namespaces/{}/deployments/breakwater-identity-api",
        scope.namespace
    );
    scope.bed.wait(&deployment, COMES_UP_WITHIN, |object| {
        object["status"]["readyReplicas"] == 2
    })?;
    let verdicts = site::verdicts(scope, &ours)?;
    ensure(verdicts == [Verdict::Ready, Verdict::Ready], || {
        format!("{verdicts:?}")
    })?;

    let end = site::end(scope, &theirs)?;
    let pods = "/breakwater-identity-api status: 'InProgress'";
    let is_deadlock = match &end {
        End::Ready => false,
        End::Stalled(message) => message.contains(pods) || is_deadline(message),
    };
    ensure(is_deadlock, || format!("{end:?}"))?;
    let namespace = site::text(&theirs, "/metadata/namespace");
    let job = |name: &str| {
        let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs/breakwater-identity-{name}");
        scope.bed.get(&path)
    };
    // Everything but the pods was done; the hook that they need was never started.
    let (done, hook) = (job("db-sync")?, job("bootstrap")?);
    let is_done = done
        .as_ref()
        .is_some_and(|job| has_condition(job, "Complete"));
    ensure(is_done && hook.is_none(), || format!("{done:?} {hook:?}"))?;
    let verdicts = site::verdicts(scope, &theirs)?;
    ensure(
        matches!(&verdicts[..], [Verdict::Ready, Verdict::Waiting(_)]),
        || format!("{verdicts:?}"),
    )
}

/// The same release with Flux's default waiting: for pods and Jobs, before hooks. In another namespace.
fn with_defaults(scope: &Scope<'_>, ours: &Json) -> Outcome<Json> {
    let mut release = ours.clone();
    let namespace = format!("{}-defaults", scope.namespace);
    scope.bed.apply(&json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
    }))?;
    release["metadata"]["namespace"] = json!(namespace);
    release["spec"]["chart"]["spec"]["sourceRef"]["namespace"] = json!(scope.namespace);
    release["spec"]["timeout"] = json!(format!("{SHORT}s"));
    for phase in ["install", "upgrade"] {
        let phase = release["spec"][phase].as_object_mut().ok_or("no phase")?;
        phase.remove("disableWait");
        phase.remove("disableWaitForJobs");
    }
    release["spec"]
        .as_object_mut()
        .ok_or("no spec")?
        .remove("waitStrategy");
    scope.bed.apply(&release)?;
    Ok(release)
}

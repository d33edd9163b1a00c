use serde_json::{Value as Json, json};

use super::*;
use crate::rollout::testing::{namespace, release, repository, set};

fn built(objects: Vec<Json>) -> Rollout {
    assemble(&set(objects)).expect("a rollout")
}

/// The messages of the faults, without those that are not about what a test is about.
fn faults(objects: Vec<Json>) -> Vec<String> {
    let faults = assemble(&set(objects)).expect_err("faults");
    for fault in &faults {
        assert!(!fault.hint().is_empty());
    }
    faults.iter().map(ToString::to_string).collect()
}

/// Stage, step, and the objects' titles.
fn shape(rollout: &Rollout) -> Vec<String> {
    let items = rollout.items();
    let shown = items.map(|(stage, step, item)| {
        format!("{}.{} {}", stage.number, step.number, item.object.title())
    });
    shown.collect()
}

#[test]
fn what_others_need_comes_first() {
    let mut second = release(2, 1, "b");
    second["spec"]["dependsOn"] = json!([{"name": "a"}]);
    let rollout = built(vec![
        second,
        release(1, 1, "a"),
        repository("main", &["toolkit"]),
        repository("toolkit", &[]),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "town"}}),
        namespace("town"),
    ]);
    assert_eq!(
        shape(&rollout),
        [
            "0.1 Namespace town",
            "0.2 ConfigMap town/c",
            "0.3 GitRepository flux-system/toolkit",
            "0.4 GitRepository flux-system/main",
            "1.1 HelmRelease town/a",
            "2.1 HelmRelease town/b",
        ]
    );
    let names: Vec<&str> = rollout.stages.iter().map(|stage| &*stage.name).collect();
    assert_eq!(names, ["preparation", "group-1", "group-2"]);
    assert_eq!(rollout.site, "harbour");
}

#[test]
fn a_release_says_what_is_awaited_of_it() {
    let mut json = release(1, 2, "a");
    let annotations = &mut json["metadata"]["annotations"];
    annotations["armada2flux.dev/gates"] =
        r#"{"version":1,"chart":"v1","waits":[{"type":"job","labels":"app=a","required":false}]}"#
            .into();
    annotations["armada2flux.dev/pre-delete"] =
        r#"{"version":1,"deletions":[{"type":"cronjob","labels":"app=a"}]}"#.into();
    annotations["armada2flux.dev/protected"] = "continue".into();
    annotations["armada2flux.dev/unresolved-source"] = "local: /charts/a".into();
    json["spec"]["targetNamespace"] = "harbour-town".into();
    json["spec"]["test"] = json!({"enable": true, "timeout": "90s"});
    json["spec"]["upgrade"] = json!({"timeout": "1h30m"});
    json["spec"]
        .as_object_mut()
        .expect("spec")
        .remove("releaseName");
    let rollout = built(vec![json]);
    let (item, release) = rollout.releases().next().expect("a release");
    assert_eq!(item.object.value.at(&["spec", "suspend"]), None);
    assert_eq!(item.on_failure, OnFailure::Skip);
    // An upgrade, the tests, the controllers.
    assert_eq!(item.timeout, 5400 + 90 + 120);
    assert_eq!(release.name, "harbour-town-a");
    assert_eq!(release.storage, "town");
    assert_eq!(release.namespace, "harbour-town");
    assert_eq!(release.gates[0].namespace, "harbour-town");
    assert_eq!(release.pre_deletes[0].selector, "app=a");
    assert!(release.tested);
    assert_eq!(release.unresolved.as_deref(), Some("local: /charts/a"));
}

#[test]
fn preparations_wait_for_what_they_make() {
    let mut slow = repository("slow", &[]);
    slow["spec"]["timeout"] = "10m".into();
    let rollout = built(vec![
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "town",
            "annotations": {"armada2flux.dev/keys-to-fill": "username, password"}}}),
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": "h", "namespace": "town"}, "spec": {"type": "oci"}}),
        slow,
        release(1, 1, "a"),
    ]);
    let items: Vec<&Item> = rollout.items().map(|(_, _, item)| item).collect();
    assert!(
        matches!(&items[0].done_when, DoneWhen::KeysFilled(keys) if *keys == ["username", "password"])
    );
    assert!(matches!(items[1].done_when, DoneWhen::Applied));
    assert!(
        matches!(&items[2].done_when, DoneWhen::ArtifactReady { commit: Some(commit) } if commit.starts_with("0123"))
    );
    assert_eq!(items[2].timeout, 1200);
}

#[test]
fn all_faults_are_told() {
    assert_eq!(faults(vec![]), ["the input has no HelmRelease"]);
    let mut bare = release(1, 1, "a");
    bare["metadata"]["annotations"] =
        json!({"armada2flux.dev/stage": "1", "armada2flux.dev/step": "1"});
    bare["metadata"]["labels"] = json!({});
    let mut foreign = namespace("town");
    foreign["metadata"]["labels"]["armada2flux.dev/site"] = "other".into();
    let mut again = release(2, 1, "b");
    again["metadata"]["namespace"] = "town".into();
    assert_eq!(
        faults(vec![bare, foreign, release(1, 1, "b"), again]),
        [
            "HelmRelease town/a has no label `armada2flux.dev/site`",
            "Namespace town belongs to site `other`, the first release to `harbour`",
            "HelmRelease town/b appears twice in the input",
            "HelmRelease town/a lacks the annotations `armada2flux.dev/chart-group`, `armada2flux.dev/gates`",
            "HelmRelease town/b and HelmRelease town/b are the same release of Helm: `b` in namespace `town`",
        ]
    );
}

#[test]
fn annotations_that_cannot_be_read_are_named() {
    for (annotation, text, message) in [
        ("stage", "0", "it is not a number from 1"),
        ("step", "first", "it is not a number from 1"),
        (
            "gates",
            "{}",
            "the gates of the release cannot be read: missing field `version` at line 1 column 2",
        ),
        (
            "gates",
            r#"{"version":9}"#,
            "the gates of the release have format 9, this program reads 1; convert again",
        ),
        (
            "pre-delete",
            r#"{"version":1,"deletions":[{"type":"castle","labels":""}]}"#,
            "the deletions of the release cannot be read: `castle` is not a known type",
        ),
        ("protected", "yes", "it is neither `continue` nor `stop`"),
    ] {
        let annotation = format!("armada2flux.dev/{annotation}");
        let mut json = release(1, 1, "a");
        json["metadata"]["annotations"][&annotation] = text.into();
        assert_eq!(
            faults(vec![json]),
            [format!(
                "HelmRelease town/a: annotation `{annotation}`: {message}"
            )]
        );
    }
}

#[test]
fn contradictions_are_named() {
    let changed = |path: &[&str], value: Json| {
        let mut json = release(1, 1, "b");
        let mut place = &mut json;
        for key in path {
            place = &mut place[*key];
        }
        *place = value;
        vec![release(1, 1, "a"), json]
    };
    for (objects, message) in [
        (
            changed(
                &["metadata", "annotations", "armada2flux.dev/chart-group"],
                "x".into(),
            ),
            "stage 1 has two names: HelmRelease town/b says `x`, others say `group-1`",
        ),
        (
            changed(&["spec", "releaseName"], "a".into()),
            "HelmRelease town/b and HelmRelease town/a are the same release of Helm: `a` in namespace `town`",
        ),
        (
            changed(&["spec", "dependsOn"], json!([{"name": "a"}])),
            "HelmRelease town/b depends on HelmRelease town/a, which is not in an earlier step",
        ),
        (
            changed(&["spec", "kubeConfig"], json!({"secretRef": {"name": "x"}})),
            "HelmRelease town/b is for another cluster (`spec.kubeConfig`)",
        ),
        (
            changed(&["spec", "timeout"], "soon".into()),
            "HelmRelease town/b: `spec.timeout` is not a valid duration",
        ),
    ] {
        assert_eq!(faults(objects), [message]);
    }
    let mut homeless = release(1, 1, "a");
    homeless["metadata"]
        .as_object_mut()
        .expect("metadata")
        .remove("namespace");
    assert_eq!(faults(vec![homeless]), ["HelmRelease a has no namespace"]);
    let mut long = release(1, 1, &"a".repeat(60));
    long["spec"]
        .as_object_mut()
        .expect("spec")
        .remove("releaseName");
    assert!(faults(vec![long])[0].ends_with("its own name is too long for Helm"));
    let mut stopped = repository("main", &[]);
    stopped["spec"]["suspend"] = true.into();
    assert_eq!(
        faults(vec![stopped, release(1, 1, "a")]),
        ["GitRepository flux-system/main is suspended, so it never gets an artifact"]
    );
    let circle = vec![
        repository("x", &["y"]),
        repository("y", &["x"]),
        release(1, 1, "a"),
    ];
    assert_eq!(
        faults(circle),
        [
            "GitRepository flux-system/x includes itself through other sources",
            "GitRepository flux-system/y includes itself through other sources"
        ]
    );
}

#[test]
fn values_that_would_be_lost_are_refused_without_a_word_of_them() {
    let long = "k".repeat(1100);
    for (values, reason) in [
        (json!({"a": ["x\u{80}"]}), "the character U+0080 in a text"),
        (
            json!({"a": {"b\u{85}": 1}}),
            "the character U+0085 in a key",
        ),
        (json!({"a": "\u{ffff}"}), "the character U+FFFF in a text"),
        (json!({"a": "\u{7f}"}), "the character U+007F in a text"),
        (
            json!({long.as_str(): 1}),
            "more than 1,024 characters in a key",
        ),
    ] {
        let mut json = release(1, 1, "a");
        json["spec"]["values"] = values;
        assert_eq!(
            faults(vec![json]),
            [format!(
                "HelmRelease town/a: helm-controller would silently discard all values: {reason}"
            )]
        );
    }
    let mut json = release(1, 1, "a");
    json["spec"]["values"] = json!({"a": "ü€\u{2028}\t", "k".repeat(1000).as_str(): null});
    built(vec![json]);
}

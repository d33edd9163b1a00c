use proptest::prelude::*;

use super::*;
use crate::rollout::assemble;
use crate::rollout::testing::{namespace, object, release, set, site};

const UID: &str = "0d9e1e2a-1f8d-4d8e-9b0a-5d5a4f3c2b1a";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn cluster() -> ClusterId {
    ClusterId {
        uid: UID.to_owned(),
        server: "https://api.example.org:6443".to_owned(),
    }
}

fn rollout() -> Rollout {
    let mut secret = release(1, 1, "a");
    secret["spec"]["values"]["password"] = "sesame".into();
    assemble(&set([namespace("town"), secret, release(2, 1, "b")])).expect("a rollout")
}

fn saved() -> Saved {
    save(
        &rollout(),
        &[Action::Create, Action::Unchanged, Action::Upgrade],
        cluster(),
        at("2026-03-01T10:00:00Z"),
        7200,
        [7; KEY_BYTES],
    )
}

fn verdict(saved: &Saved, rollout: &Rollout, now: &str) -> String {
    match verify(saved, rollout, UID, at(now)) {
        Ok(()) => "yes".to_owned(),
        Err(mismatch) => {
            assert!(!mismatch.hint().is_empty());
            mismatch.to_string()
        }
    }
}

#[test]
fn a_plan_holds_for_its_time_in_its_cluster() {
    let (saved, rollout) = (saved(), rollout());
    assert_eq!(verdict(&saved, &rollout, "2026-03-01T10:00:00Z"), "yes");
    assert_eq!(verdict(&saved, &rollout, "2026-03-01T12:00:00Z"), "yes");
    assert_eq!(
        verdict(&saved, &rollout, "2026-03-01T12:00:01Z"),
        "the plan has expired: it is of 2026-03-01T10:00:00Z and was valid for 7200 s"
    );
    assert_eq!(verdict(&saved, &rollout, "2026-03-01T09:56:00Z"), "yes");
    assert_eq!(
        verdict(&saved, &rollout, "2026-03-01T09:50:00Z"),
        "the plan is dated in the future (2026-03-01T10:00:00Z)"
    );
    let elsewhere = verify(&saved, &rollout, "other", at("2026-03-01T10:00:00Z"));
    assert_eq!(
        elsewhere.expect_err("another").to_string(),
        "the plan is for another cluster, at https://api.example.org:6443"
    );
}

#[test]
fn what_is_not_planned_is_named() {
    let saved = saved();
    let now = "2026-03-01T10:00:00Z";
    let said = |objects: Vec<serde_json::Value>| {
        let rollout = assemble(&set(objects)).expect("a rollout");
        verdict(&saved, &rollout, now)
    };
    assert_eq!(
        said(vec![
            namespace("town"),
            release(1, 1, "a"),
            release(1, 1, "b"),
            release(2, 1, "c")
        ]),
        "the input is not what was planned: HelmRelease town/a is changed, HelmRelease town/b is changed, HelmRelease town/c is new"
    );
    assert_eq!(
        said(vec![release(2, 1, "b")]),
        "the input is not what was planned: HelmRelease town/a is gone, Namespace town is gone"
    );
    let mut other = rollout();
    other.stages[1].name = "other".into();
    assert_eq!(
        verdict(&saved, &other, now),
        "the input is not what was planned: its order"
    );
    other.site = "other".into();
    assert_eq!(
        verdict(&saved, &other, now),
        "the plan is for site `harbour`"
    );
}

#[test]
fn an_object_is_in_no_plan_and_no_digest_is_in_two() {
    let (one, rollout) = (saved(), rollout());
    assert!(!write(&one).contains("sesame"));
    let other = save(
        &rollout,
        &[],
        cluster(),
        at("2026-03-01T10:00:00Z"),
        7200,
        [8; KEY_BYTES],
    );
    let digests = |saved: &Saved| {
        let steps = saved.stages.iter().flat_map(|stage| &stage.steps);
        let items = steps.flat_map(|step| &step.objects);
        items.map(|item| item.digest.clone()).collect::<Vec<_>>()
    };
    for digest in digests(&one) {
        assert!(!digests(&other).contains(&digest));
        assert!(!write(&other).contains(&digest));
    }
    let plain = object(&namespace("town"));
    let mut json = String::new();
    crate::emit::write_canonical_json(&plain.value, crate::emit::View::Clear, &mut json);
    let mut pieces = Pieces::default();
    pieces.text(&json);
    assert!(!write(&one).contains(&*pieces.finish()));
}

#[test]
fn other_texts_are_no_plans() {
    let text = write(&saved());
    assert_eq!(read(&text).expect("a plan"), saved());
    for (text, message) in [
        (
            text.replacen("\"version\": 2", "\"version\": 3", 1),
            "the plan has version 3, this program reads version 2",
        ),
        (
            text.replacen("\"site\"", "\"town\"", 1),
            "the plan cannot be read: unknown field `town`",
        ),
        (
            "{}".to_owned(),
            "the plan cannot be read: missing field `version`",
        ),
    ] {
        let error = read(&text).expect_err(&text).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

proptest! {
    #[test]
    fn every_edit_is_seen(set in site(), at_byte in any::<prop::sample::Index>(), byte in b' '..b'~') {
        let rollout = assemble(&set).expect("a rollout");
        let saved = save(&rollout, &[], cluster(), at("2026-03-01T10:00:00Z"), 7200, [7; KEY_BYTES]);
        let now = at("2026-03-01T10:30:00Z");
        prop_assert_eq!(verify(&saved, &rollout, UID, now), Ok(()));
        let mut bytes = write(&saved).into_bytes();
        let place = at_byte.index(bytes.len());
        bytes[place] = byte;
        let text = String::from_utf8(bytes).expect("ASCII");
        if let Ok(edited) = read(&text) && edited != saved {
            prop_assert_eq!(verify(&edited, &rollout, UID, now), Err(Mismatch::Edited));
        }
    }
}

#[test]
fn what_is_more_than_planned_is_named() {
    use Action::{Create, Reconcile, Refuse, Unchanged, Upgrade};
    let saved = saved();
    let verdict = |actions: [Option<Action>; 3]| match verify_actions(&saved, actions) {
        Ok(()) => "yes".to_owned(),
        Err(mismatch) => mismatch.to_string(),
    };
    // Planned were: create, unchanged, upgrade.
    let [namespace, first, second] = saved
        .stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .flat_map(|step| &step.objects)
        .map(|object| title(&object.kind, object.namespace.as_deref(), &object.name))
        .collect::<Vec<_>>()
        .try_into()
        .expect("three objects");
    for less in [
        [Some(Create), Some(Unchanged), Some(Upgrade)],
        [Some(Unchanged), Some(Unchanged), Some(Reconcile)],
        [None, None, None],
        [None, Some(Refuse), Some(Unchanged)],
    ] {
        assert_eq!(verdict(less), "yes", "{less:?}");
    }
    let more = "the cluster is not what it was, so the run would do more than was planned";
    assert_eq!(
        verdict([Some(Create), Some(Create), Some(Create)]),
        format!(
            "{more}: {first} (planned: unchanged, now: create), {second} (planned: upgrade, now: create)"
        )
    );
    assert_eq!(
        verdict([Some(Upgrade), None, Some(Upgrade)]),
        format!("{more}: {namespace} (planned: create, now: upgrade)")
    );
}

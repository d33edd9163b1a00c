//! What was decided for a release, as short texts.

use super::convert::{Release, Wait};

/// Returns what Helm does: `900 s, waits, no hooks on upgrades`.
pub(super) fn helm(release: &Release) -> String {
    let waits = if release.helm_wait {
        "waits"
    } else {
        "does not wait"
    };
    let mut text = format!("{} s, {waits}", release.timeout);
    if release.upgrade_no_hooks {
        text.push_str(", no hooks on upgrades");
    }
    if release.upgrade_force {
        text.push_str(", upgrades forced");
    }
    text
}

/// Returns Armada's own waits: `job (optional), pod where release_group=x`.
pub(super) fn waits(release: &Release) -> String {
    if release.waits.is_empty() {
        return "none".to_owned();
    }
    let mut text = String::new();
    for (at, wait) in release.waits.iter().enumerate() {
        let Wait {
            kind,
            selector,
            required,
            min_ready,
            allow_async_updates: _,
        } = wait;
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(kind);
        if let Some(min_ready) = min_ready.as_deref().filter(|text| *text != "100%") {
            text.push_str(&format!(" {min_ready} ready"));
        }
        if !required {
            text.push_str(" (optional)");
        }
        let next = release.waits.get(at + 1);
        // A selector that several waits share is written once, behind the last of them.
        if next.is_none_or(|next| next.selector != *selector) {
            text.push_str(&selected(selector));
        }
    }
    text
}

/// Returns the time limit of tests: `300 s`, `off`.
pub(super) fn tests(release: &Release) -> String {
    match release.test_timeout {
        Some(seconds) => format!("{seconds} s"),
        None => "off".to_owned(),
    }
}

/// Returns what Armada deleted before an upgrade.
pub(super) fn deletes(release: &Release) -> String {
    let deletes = release.pre_deletes.iter();
    let deletes = deletes.map(|delete| format!("{}{}", delete.asked, selected(&delete.selector)));
    deletes.collect::<Vec<_>>().join(", ")
}

/// Returns where the chart comes from.
pub(super) fn source(release: &Release) -> String {
    /// Digits of a commit that are shown.
    const COMMIT: usize = 12;
    let Some(written) = &release.written else {
        return "nothing was written".to_owned();
    };
    if let Some(location) = &written.unresolved_source {
        return format!("unresolved: {location}");
    }
    let commit = written.commit.as_deref().map(|commit| {
        let short: String = commit.chars().take(COMMIT).collect();
        format!(" at {short}")
    });
    let rule = written.source_rule;
    let rule = rule.map(|rule| format!(", by rule {rule} of the source map"));
    let kind = written.source_kind.as_str();
    format!(
        "{kind} {}{}{}",
        written.source,
        commit.unwrap_or_default(),
        rule.unwrap_or_default()
    )
}

fn selected(selector: &str) -> String {
    if selector.is_empty() {
        " in the whole namespace".to_owned()
    } else {
        format!(" where {selector}")
    }
}

//! What Armada refuses, what it deploys and where it fails, kind by kind: each table has a document and the answer
//! that Armada's handlers or PyYAML give to it.

mod recorded;

use libtest_mimic::Trial;

use super::support::{Result, contains, ensure, lacks, program, run_with_input};

pub(crate) fn trials() -> Vec<Trial> {
    type Test = fn() -> Result;
    let tests: [(&str, Test); 13] = [
        ("what_pyyaml_refuses_anywhere", pyyaml_refuses),
        ("a_plain_equals_sign_is_kept_as_a_key", equals_sign),
        ("manifests_of_one_name", manifests),
        ("types_follow_tags", tags),
        ("limits_that_are_not_positive", limits),
        ("keys_of_labels", label_keys),
        ("faults_of_charts_and_dependencies", faults),
        ("archives_that_are_no_packaged_chart", archives),
        ("proxies", proxies),
        ("exports_that_deckhand_redacted", redacted),
        ("deletions_are_named_once_with_their_labels", deletions),
        ("recorded_answers_of_functions", recorded::recorded),
        ("proofs_name_what_exists", recorded::proofs),
    ];
    let trial = |(name, test): (&str, Test)| Trial::test(format!("faithful::{name}"), test);
    tests.into_iter().map(trial).collect()
}

const SOURCE: &str = "{type: git, location: 'https://git.example.org/c.git', subpath: c, \
                      reference: 0123456789abcdef0123456789abcdef01234567}";

/// A site of one release. The chart has no source of its own when `body` has one.
fn site(body: &str) -> String {
    let source = match body.contains("source:") {
        true => String::new(),
        false => format!("  source: {SOURCE}\n"),
    };
    format!(
        "---\nschema: armada/Chart/v1\nmetadata: {{name: web}}\ndata:\n  chart_name: web\n  release: web\n  \
         namespace: town\n{source}{body}---\nschema: armada/ChartGroup/v1\nmetadata: {{name: all}}\n\
         data: {{chart_group: [web]}}\n---\nschema: armada/Manifest/v1\nmetadata: {{name: site}}\n\
         data: {{release_prefix: town, chart_groups: [all]}}\n"
    )
}

fn chart(name: &str, body: &str) -> String {
    format!(
        "---\nschema: armada/Chart/v1\nmetadata: {{name: {name}}}\ndata:\n  chart_name: {name}\n  release: {name}\n  \
         namespace: town\n{body}"
    )
}

/// Runs a command on a document and returns what it says; fails on another exit code.
fn says(arguments: &[&str], text: &str, code: i32) -> Result<String> {
    let mut command = program();
    command.args(arguments).args(["-", "--color", "never"]);
    let output = run_with_input(&mut command, text.as_bytes())?;
    if output.code != Some(code) {
        let (said, found) = (output.stderr, output.code);
        return Err(format!("exit {found:?} instead of {code} for\n{text}\n{said}").into());
    }
    Ok(output.stderr + &output.stdout)
}

fn pyyaml_refuses() -> Result {
    let nodes = [
        ("=", "value-rejected"),
        ("<<", "value-rejected"),
        ("!include a.yaml", "tag-unknown"),
        ("!x {a: b}", "tag-unknown"),
        ("2020-13-45", "value-rejected"),
        ("!!int abc", "value-rejected"),
        ("!!omap [a]", "value-rejected"),
        ("{{ x }}", "key-type"),
        ("{[a]: b}", "key-type"),
        ("{<<: 1}", "value-rejected"),
    ];
    for (node, code) in nodes {
        let good = site("  values: {a: 1}\n");
        let places = [
            format!(
                "{good}---\nschema: pegleg/Other/v1\nmetadata: {{name: x}}\ndata: {{a: {node}}}\n"
            ),
            format!("{good}--- {node}\n"),
            good.replace(
                "metadata: {name: web}",
                &format!("metadata: {{name: web, extra: {node}}}"),
            ),
            good.replace(
                "metadata: {name: all}",
                &format!("metadata: {{name: all, extra: {node}}}"),
            ),
            format!(
                "{good}{}",
                chart(
                    "unused",
                    &format!("  source: {SOURCE}\n  values: {{a: {node}}}\n")
                )
            ),
            site(&format!("  values: {{a: {node}}}\n")),
            site(&format!("  values: {{a: &a {node}}}\n")),
        ];
        for text in &places {
            for command in [&["validate"][..], &["convert"], &["graph"]] {
                let said = says(command, text, 1)?;
                contains(&said, &format!("error[{code}]"))?;
                let count = said.matches("error[").count();
                ensure(
                    count == 1,
                    format!("{count} errors for one node in\n{text}\n{said}"),
                )?;
            }
        }
        // go-yaml reads most of it.
        let values = tempfile::tempdir()?;
        let file = values.path().join("values.yaml");
        let over = format!(
            "schema: armada/Chart/v1\nmetadata: {{name: web}}\ndata: {{values: {{b: {node}}}}}\n"
        );
        std::fs::write(&file, over)?;
        let path = file.to_string_lossy();
        let said = says(&["validate", "--values", &path], &good, 1)?;
        contains(&said, &format!("error[{code}]"))?;
        // Kubernetes objects are no input of Armada.
        let object = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: b}}\ndata: {{a: {node}}}\n"
        );
        let said = says(&["validate"], &object, 1)?;
        lacks(&said, &format!("error[{code}]"))?;
    }
    Ok(())
}

fn equals_sign() -> Result {
    let said = says(
        &["convert"],
        &site("  values: {=: 1, ! =: 2, c: {=: 3}}\n"),
        0,
    )?;
    contains(&said, "\"=\": 2")?;
    contains(&said, "\"=\": 3")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("values.yaml");
    std::fs::write(
        &file,
        "schema: armada/Chart/v1\nmetadata: {name: web}\ndata: {values: {=: 7, d: {=: 8}}}\n",
    )?;
    let path = file.to_string_lossy();
    for body in [
        "  values: {a: 1}\n",
        "  values: {=: 1}\n",
        "  values: {=: 1, d: {=: 2}}\n",
    ] {
        let said = says(&["convert", "--values", &path], &site(body), 0)?;
        contains(&said, "\"=\": 7")?;
        contains(&said, "\"=\": 8")?;
        lacks(&said, "\"=\": 1")?;
        lacks(&said, "\"=\": 2")?;
    }
    Ok(())
}

fn manifests() -> Result {
    let one = site("");
    let manifest = |name: &str| {
        format!(
            "---\nschema: armada/Manifest/v1\nmetadata: {{name: {name}}}\n\
             data: {{release_prefix: other, chart_groups: [all]}}\n"
        )
    };
    let twice = format!("{one}{}", manifest("site"));
    for command in [
        &["validate"][..],
        &["validate", "--target-manifest", "site"],
        &["convert"],
        &["convert", "--target-manifest", "site"],
    ] {
        let said = says(command, &twice, 1)?;
        contains(
            &said,
            "error[manifest-ambiguous]: 2 Manifests are named `site`",
        )?;
        contains(&said, "<stdin>:15:18")?;
        contains(&said, "<stdin>:19:18")?;
    }
    // Armada validates all Manifests, so two others of one name stop a third.
    let third = format!("{one}{}{}", manifest("other"), manifest("other"));
    let said = says(&["convert", "--target-manifest", "site"], &third, 1)?;
    contains(&said, "2 Manifests are named `other`")?;
    let different = format!("{one}{}", manifest("other"));
    says(&["validate"], &different, 0)?;
    Ok(())
}

fn tags() -> Result {
    for (body, wanted) in [
        (
            "  values: !!set {a}\n",
            Some("must be a mapping, found a set"),
        ),
        (
            "  values: !!omap [a: b]\n",
            Some("must be a mapping, found a list"),
        ),
        ("  values: !!map {a: b}\n", None),
        (
            "  dependencies: !!set {a}\n",
            Some("must be a list, found a set"),
        ),
        ("  dependencies: !!omap []\n", None),
        ("  wait: !!set {}\n", Some("must be a mapping, found a set")),
        (
            "  wait: {labels: !!set {a}}\n",
            Some("must be a mapping of strings, found a set"),
        ),
        ("  wait: {resources: !!seq []}\n", None),
        (
            "  test: !!set {}\n",
            Some("must be true, false or a mapping, found a set"),
        ),
        ("  test: !!bool 'false'\n", None),
        ("  wait: {timeout: !!int '60'}\n", None),
        (
            "  wait: {timeout: !!str 60}\n",
            Some("must be an integer, found a string"),
        ),
        ("  values: {a: !!set {b}}\n", None),
    ] {
        let said = says(&["validate"], &site(body), i32::from(wanted.is_some()))?;
        contains(&said, wanted.unwrap_or(""))?;
    }
    Ok(())
}

fn limits() -> Result {
    // Armada's own waits look at the limit before they look at anything; Helm gets 300 s; the limits of a test and
    // of an uninstall are those of a process, which ends at once.
    for (body, fails, wanted) in [
        (
            "  wait: {timeout: 0}\n",
            true,
            "Armada's own waits after Helm fail at once",
        ),
        (
            "  wait: {timeout: -5}\n",
            true,
            "a time limit of -5 s is not valid",
        ),
        ("  timeout: 0\n", true, "error[deploy-fault]"),
        (
            "  wait: {timeout: 0, resources: []}\n",
            false,
            "its time limit of 0 s is 300 s for Helm",
        ),
        (
            "  wait: {timeout: 0, native: {enabled: false}, resources: []}\n  test: false\n",
            false,
            "300 s",
        ),
        (
            "  wait: {timeout: 7, resources: []}\n  timeout: 0\n",
            false,
            "",
        ),
        (
            "  test: {timeout: 0}\n",
            true,
            "Armada ends `helm test` at once",
        ),
        ("  test: {enabled: false, timeout: 0}\n", false, ""),
        (
            "  delete: {timeout: 0}\n",
            false,
            "only when the last deployment of the release failed",
        ),
        (
            "  delete: {timeout: -1}\n  protected: {continue_processing: false}\n",
            false,
            "",
        ),
        (
            "  wait: {timeout: 3153600001}\n",
            true,
            "longer than 100 years",
        ),
    ] {
        for command in [&["validate"][..], &["convert"]] {
            let said = says(command, &site(body), i32::from(fails))?;
            contains(&said, wanted)?;
        }
    }
    let written = says(
        &["convert"],
        &site("  wait: {timeout: 0, resources: []}\n"),
        0,
    )?;
    contains(&written, "timeout: \"5m\"\n  suspend")?;
    let written = says(&["convert"], &site("  delete: {timeout: 0}\n"), 0)?;
    contains(&written, "uninstall:\n    timeout: \"5m\"")?;
    let protected = "  delete: {timeout: 0}\n  protected: {continue_processing: false}\n";
    let said = says(&["validate"], &site(protected), 0)?;
    lacks(&said, "deploy-fault")?;
    // A limit on the command line takes the place of the chart's.
    says(
        &["convert", "--timeout", "60"],
        &site("  wait: {timeout: 0}\n"),
        0,
    )?;
    Ok(())
}

fn label_keys() -> Result {
    for (key, selector) in [
        ("a", "a=x"),
        ("1", "1=x"),
        ("true", "True=x"),
        ("~", "None=x"),
        ("1.5", "1.5=x"),
        ("2020-01-02", "2020-01-02=x"),
    ] {
        let body = format!("  wait: {{labels: {{{key}: x}}, resources: [{{type: job}}]}}\n");
        let said = says(&["convert"], &site(&body), 0)?;
        contains(&said, &format!("\"labels\":\"{selector}\""))?;
    }
    Ok(())
}

fn faults() -> Result {
    let dependency = |body: &str| {
        let library = chart("lib", body);
        format!("{}{library}", site("  dependencies: [lib]\n"))
    };
    let git = format!("  source: {SOURCE}\n");
    let strange = "  source: {type: http, location: 'https://c.example.org/c.tgz', subpath: c}\n";
    let twice = format!("{git}  dependencies: [kit, kit]\n");
    let kit = chart("kit", &git);
    for (text, severity, wanted) in [
        (site(strange), "error", "Armada has no source type `http`"),
        (
            format!("{}{}", site(""), chart("unused", strange)),
            "warning",
            "Armada has no source type `http`",
        ),
        (
            dependency(strange),
            "error",
            "chart `lib`: Armada has no source type `http`",
        ),
        (
            format!("{}{kit}", site("  dependencies: [kit, kit]\n")),
            "error",
            "names chart `kit` twice",
        ),
        (
            format!("{}{kit}", dependency(&twice)),
            "error",
            "chart `lib`: `dependencies` names chart `kit` twice",
        ),
        (
            format!("{}{kit}{}", site(""), chart("unused", &twice)),
            "warning",
            "names chart `kit` twice",
        ),
        // What a dependency says about its own deployment is not looked at.
        (
            dependency(&format!(
                "{git}  wait: {{resources: [{{type: cronjob}}]}}\n"
            )),
            "warning",
            "names a type that Armada cannot wait for",
        ),
    ] {
        let code = i32::from(severity == "error");
        for command in [&["validate"][..], &["convert"]] {
            let said = says(command, &text, code)?;
            contains(&said, &format!("{severity}[deploy-fault]"))?;
            contains(&said, wanted)?;
            ensure(
                said.matches("deploy-fault]").count() == 1,
                format!("one place, once:\n{said}"),
            )?;
        }
    }
    says(
        &["validate"],
        &format!(
            "{}{kit}{}",
            site("  dependencies: [kit, lib]\n"),
            chart("lib", &git)
        ),
        0,
    )?;
    Ok(())
}

fn archives() -> Result {
    let source = |location: &str, subpath: &str| {
        format!("  source: {{type: tar, location: '{location}', subpath: '{subpath}'}}\n")
    };
    for (location, subpath, wanted) in [
        ("https://c.example.org/s/app-1.0.0.tgz", "app", None),
        ("https://c.example.org/s/app-1.0.0.tgz", "./app/", None),
        ("https://c.example.org/s/app-1.0.0.tar.gz", "app", None),
        (
            "https://c.example.org/s/app-1.0.0.tgz",
            "other",
            Some("the folder `other`"),
        ),
        (
            "https://c.example.org/s/app-1.0.0.tgz",
            "charts/app",
            Some("the folder `charts/app`"),
        ),
        (
            "https://c.example.org/s/app-1.0.0.tgz",
            "app/charts/sub",
            Some("the folder `app/charts/sub`"),
        ),
        (
            "https://c.example.org/s/app-1.0.0.tgz",
            ".",
            Some("its top"),
        ),
        (
            "https://c.example.org/s/app-20230101.tgz",
            "app",
            Some("not in the archive's name"),
        ),
        (
            "ftp://c.example.org/z-1.2.3.tgz",
            "z",
            Some("only over HTTP and HTTPS"),
        ),
        (
            "https://github.com/o/r/releases/download/v1/app-1.0.0.tgz",
            "app",
            Some("no index of charts beside them"),
        ),
    ] {
        let said = says(&["convert"], &site(&source(location, subpath)), 0)?;
        match wanted {
            None => lacks(&said, "source-unresolved")?,
            Some(wanted) => {
                contains(&said, "warning[source-unresolved]")?;
                contains(&said, wanted)?;
                lacks(&said, "kind: HelmRepository\nmetadata")?;
            }
        }
    }
    // Two charts in one archive: none of them is alone in it, not even the one with its name.
    let location = "https://c.example.org/s/bundle-1.0.0.tgz";
    let other = chart("other", &source(location, "other"));
    let text = site(&source(location, "bundle"))
        .replace("chart_group: [web]", "chart_group: [web, other]");
    let said = says(&["convert"], &format!("{text}{other}"), 0)?;
    ensure(
        said.matches("[source-unresolved]").count() == 2,
        said.clone(),
    )?;
    contains(&said, "in several folders of the archive")?;
    Ok(())
}

fn proxies() -> Result {
    let proxy = "proxy_server: 'http://proxy.example.org:3128'";
    for (source, wanted) in [
        (
            format!("type: git, location: 'https://g.example.org/c.git', subpath: c, {proxy}"),
            "source-secret",
        ),
        (
            format!(
                "type: tar, location: 'https://c.example.org/c-1.0.0.tgz', subpath: c, {proxy}"
            ),
            "field-not-carried",
        ),
        (
            format!(
                "type: tar, location: 'https://github.com/o/c/archive/v1.0.0.tar.gz', subpath: c-1.0.0/c, {proxy}"
            ),
            "source-secret",
        ),
        (
            format!("type: git, location: 'ssh://git@g.example.org/c.git', subpath: c, {proxy}"),
            "field-ignored",
        ),
        (
            format!("type: local, location: /c, subpath: c, {proxy}"),
            "",
        ),
    ] {
        let text = site(&format!("  source: {{{source}}}\n"));
        let said = says(&["convert"], &text, 0)?;
        contains(&said, wanted)?;
        let lost = wanted == "field-not-carried";
        let strict = says(
            &["convert", "--deny", "field-not-carried"],
            &text,
            i32::from(lost),
        )?;
        ensure(
            strict.contains("error[field-not-carried]") == lost,
            strict.clone(),
        )?;
    }
    let explained =
        super::support::run(super::support::root(), &["explain", "source.proxy_server"])?;
    contains(&explained.stdout, "downloads archives")
}

fn redacted() -> Result {
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let document = |schema: &str, data: &str| {
        format!("---\nschema: armada/{schema}/v1\nmetadata: {{name: secret}}\ndata: {data}\n")
    };
    for (schema, kind) in [
        ("Chart", "chart"),
        ("ChartGroup", "chart group"),
        ("Manifest", "manifest"),
    ] {
        for written in [digest.to_owned(), format!("'{digest}'")] {
            let text = format!("{}{}", site(""), document(schema, &written));
            let said = says(&["convert"], &text, 1)?;
            contains(&said, "error[chart-not-rendered]: 1 ")?;
            contains(&said, &format!("the `data` of {kind} `secret` is a digest"))?;
            contains(&said, "--cleartext-secrets")?;
            lacks(&said, "field-type")?;
        }
        // Other texts are no digests.
        for other in ["x", &digest[1..], &digest.to_uppercase(), "[]"] {
            let said = says(
                &["convert"],
                &format!("{}{}", site(""), document(schema, other)),
                1,
            )?;
            lacks(&said, "chart-not-rendered")?;
        }
    }
    // What is not rendered and what is redacted is told apart.
    let raw = "---\nschema: armada/Chart/v1\nmetadata: {name: raw, layeringDefinition: {}}\ndata: {release: x}\n";
    let text = format!("{}{raw}{}", site(""), document("Chart", digest));
    let said = says(&["convert"], &text, 1)?;
    contains(&said, "1 chart is not rendered")?;
    contains(&said, "1 chart is redacted")
}

fn deletions() -> Result {
    for (list, wanted) in [
        (
            "{type: job, labels: {a: b}}",
            "every `job`, `cronjob` with `a=b`",
        ),
        (
            "{type: job, labels: {a: b}}, {type: job, labels: {a: b}}, {type: cronjob, labels: {a: b}}",
            "every `job`, `cronjob` with `a=b`\n",
        ),
        (
            "{type: pod, labels: {a: b}}, {type: job, labels: {a: b}}, {type: pod, labels: {a: b}}",
            "every `pod`, `job`, `cronjob` with `a=b`\n",
        ),
        ("{type: pod}", "every `pod` of the namespace"),
        (
            "{type: pod, labels: {a: b}}, {type: pod, labels: {a: c}}",
            "every `pod` with `a=b`, and every `pod` with `a=c`",
        ),
    ] {
        let body = format!("  upgrade: {{no_hooks: false, pre: {{delete: [{list}]}}}}\n");
        let said = says(&["convert"], &site(&body), 0)?;
        contains(
            &said,
            &format!("before each upgrade Armada deleted {wanted}"),
        )?;
    }
    Ok(())
}

//! Plants secrets everywhere and searches every output of every command for them. They may be in the tree
//! (its files, or stdout of `convert` without `-o`) and nowhere else.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::support::{ProgramOutput, Result, ensure, read_tree, run};

/// Secrets of each kind.
const EACH: usize = 5;

/// Where secrets are planted.
const KINDS: &[&str] = &[
    "password key",
    "below a secret",
    "credentials in an address",
    "PEM",
    "random text",
    "comment",
    "neighbour of a finding",
    "override",
    "chart source",
    "broken document",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("canary::the_secrets_are_planted", planted),
        Trial::test("canary::convert", convert),
        Trial::test("canary::convert_overridden", overridden),
        Trial::test("canary::split_secrets", split),
        Trial::test("canary::validate", validate),
        Trial::test("canary::invalid_documents", invalid),
        Trial::test("canary::broken_documents", broken),
        Trial::test("canary::diff", diff),
        Trial::test("canary::plan", plan),
        Trial::test("canary::files_that_are_not_journals", journals),
        Trial::test("canary::other_commands", others),
    ]
}

/// Returns a secret of a kind that no text of the program resembles.
///
/// A secret that only its key reveals is a plain word; one that its form must reveal has that form.
fn secret(kind: usize, at: usize) -> String {
    const RANDOM: [&str; EACH] = [
        "wJ4lrXUtnF3MIK7MDh9bPxRfi7Y1qT5vZ8",
        "AQBh1fZnTnF40xAAbx6qLwZ2k7g0sK9vQw",
        "gAAAAABh7Xz3q9LkP0vR5sT2uW8yZ1bC4d",
        "m5Qz8Xv2Rk7Lp4Tn9Wj3Hf6Yd1Bs0Gc5Ea",
        "Zx9Cv8Bn7Ma6Sd5Fg4Hj3Kl2Qw1Er0Ty9U",
    ];
    match KINDS[kind] {
        "random text" => RANDOM[at].to_owned(),
        // Helm reads both as another number: the message about that must not show them.
        "neighbour of a finding" if at > 2 => format!("09{}8877{}", at + 3, kind + 10),
        _ => format!("canary{kind}sings{at}"),
    }
}

fn all() -> impl Iterator<Item = (usize, String)> {
    (0..KINDS.len()).flat_map(|kind| (0..EACH).map(move |at| (kind, secret(kind, at))))
}

/// Replaces each `<kind.at>` by a secret.
fn fill(template: &str) -> String {
    let mut text = template.to_owned();
    for kind in 0..KINDS.len() {
        for at in 0..EACH {
            text = text.replace(&format!("<{kind}.{at}>"), &secret(kind, at));
        }
    }
    text
}

/// A site in which every part causes a message.
const SITE: &str = r#"---
schema: armada/Chart/v1
metadata:
  schema: metadata/Document/v1
  name: web
  # the old login was admin / <5.0>
data:
  chart_name: web
  release: web
  namespace: town
  source:
    type: git
    location: https://robot:<8.0>@git.example.org/charts.git
    subpath: web
    reference: main
    proxy_server: http://proxy:<8.1>@proxy.example.org:3128
  dependencies: [toolkit]
  wait:
    timeout: 600
    labels: {release_group: village-web, password: <0.0>}
    resources:
      - type: job
        labels: {token: <0.1>}
  upgrade:
    no_hooks: false
    pre:
      delete:
        - {type: job, labels: {admin_password: <0.2>}}
        - type: castle
          labels: {secret: <1.0>}
      update:
        - {type: daemonset, name: web, labels: {api_key: <0.3>}}
  values: # password: <5.1>
    y: {password: <0.4>, "n": "08"}
    retyped: {version: "0899", db_password: <6.0>, other: "y"}
    list: ["1_0", {token: <6.1>}, "0o7"]
    admin_password: "<6.3>"
    secret:
      anything: <1.1>
      deeper: {and: {deeper: [<1.2>, "0899", <1.3>]}}
    credentials:
      - name: root
        value: <1.4>
    database: postgresql://keystone:<2.0>@db.example.org/keystone?ssl=on
    queue: "rabbit://user:<2.1>@mq.example.org:5672/nova" # was amqp://user:<5.2>@mq
    hosts: ["https://a:<2.2>@x.example.org", "0899", "https://b:<2.3>@y.example.org"]
    script: |
      #!/bin/sh
      curl http://root:<2.4>@api.example.org/v3
    ca: |
      -----BEGIN PRIVATE KEY-----
      <3.0>
      -----END PRIVATE KEY-----
    bundle: "-----BEGIN CERTIFICATE-----\n<3.1>\n-----END CERTIFICATE-----\n"
    files:
      host.pem: |
        -----BEGIN RSA PRIVATE KEY-----
        <3.2>
        -----END RSA PRIVATE KEY-----
    flow: {a: "0899", b: "-----BEGIN EC PRIVATE KEY----- <3.3> -----END EC PRIVATE KEY-----"}
    again: &pem |
      -----BEGIN OPENSSH PRIVATE KEY-----
      <3.4>
      -----END OPENSSH PRIVATE KEY-----
    copy: *pem
    id: <4.0>
    seed: "<4.1>"
    items: [<4.2>, "0899"]
    <<: {fernet: <6.2>, x: "0899"}
    2020-01-01: {client_secret: "<6.4>"}
    keys:
      first: <4.3>
      first: "<4.4>"
    # api_token=<5.3>
    last: "1e3" # passphrase <5.4>
---
schema: armada/Chart/v1
metadata: {schema: metadata/Document/v1, name: toolkit}
data:
  chart_name: toolkit
  release: toolkit
  namespace: town
  source: {type: local, location: "/charts/robot:<8.2>", subpath: "."}
---
schema: armada/Chart/v1
metadata: {schema: metadata/Document/v1, name: store}
data:
  chart_name: store
  release: store
  namespace: town
  source: {type: tar, location: "https://robot:<8.3>@charts.example.org/store", subpath: store}
  test: {enabled: false}
---
schema: armada/Chart/v1
metadata: {schema: metadata/Document/v1, name: shop}
data:
  chart_name: shop
  release: shop
  namespace: town
  source: {type: git, location: "ssh://git:<8.4>@git.example.org/charts.git", subpath: shop, reference: v1, auth_method: SSH}
---
schema: armada/ChartGroup/v1
metadata: {schema: metadata/Document/v1, name: all}
data:
  chart_group: [web, store, shop, web]
---
schema: armada/ChartGroup/v1
metadata: {schema: metadata/Document/v1, name: unlisted}
data:
  chart_group: [web]
---
schema: armada/Manifest/v1
metadata: {schema: metadata/Document/v1, name: site}
data:
  release_prefix: town
  chart_groups: [all]
---
schema: deckhand/Passphrase/v1
metadata: {schema: metadata/Document/v1, name: other}
data: not for armada
"#;

/// Overrides; the last document matches nothing.
const VALUES: &str = r#"---
schema: armada/Chart/v1
metadata: {schema: metadata/Document/v1, name: web}
data:
  values: {password: <7.0>, version: "0899", url: "https://a:<7.1>@b.example.org"}
---
schema: armada/Chart/v1
metadata: {schema: metadata/Document/v1, name: nobody}
data: {values: {token: <7.2>}}
"#;

const SETS: &[&str] = &[
    "chart:web:values.admin.password=<7.3>",
    "chart:nobody:values.token=<7.4>",
];

/// Overrides that fail in every way in which Armada fails.
const BAD_SETS: &[&str] = &[
    "chart:web:release.password=<7.3>",
    "castle:web:values.password=<7.3>",
    "chart:web:values.password:<7.3>",
    "password=<7.3>",
    "chart:web:values.password=\"<7.3>",
    "chart:web:timeout=https://a:<7.4>@b.example.org",
    "chart:web:source={password: <7.4>}",
];

/// Documents that Armada refuses, at and beside secrets; each is put before the site.
const INVALID: &[&str] = &[
    "schema: armada/Chart/v1\nmetadata: {name: a}\ndata: {password: <9.0>, release: {token: <9.1>}}\n",
    "schema: armada/Chart/v1\nmetadata: {name: a}\ndata:\n  release: [<4.0>]\n  secret: <9.0>\n  wait: {timeout: \"<4.1>\", native: {secret: <9.1>}}\n",
    "schema: armada/Chart/v1\nmetadata: {name: a}\ndata:\n  source: {type: git, location: 3, password: <9.0>, reference: [\"https://a:<9.1>@b\"]}\n",
    "schema: armada/Manifest/v1\nmetadata: {name: b}\ndata: {release_prefix: {password: <9.0>}, chart_groups: https://a:<9.1>@b.example.org}\n",
    "schema: armada/ChartGroup/v1\nmetadata: {name: {password: <9.0>}}\ndata: {chart_group: [{token: <9.1>}]}\n",
    "schema: armada/ChartGroup/v9\nmetadata: {name: <4.2>}\ndata: {password: <9.0>}\n",
    "schema: armada/Chart/v1\nmetadata: {name: a}\ndata:\n  values: {? {password: <9.0>} : 1, ? [<4.3>] : 2, limit: .inf, token: <9.1>}\n",
    "schema: armada/Chart/v1\nmetadata: {name: a}\ndata: {values: {password: !vault <9.0>, token: !!int <9.1>}}\n",
];

/// Texts that no YAML reader accepts, and one that is not UTF-8; the fault is at or beside a secret.
const BROKEN: &[&str] = &[
    "password: <9.0>: x\n",
    "db_password: '<9.0>\nnext: 1\n",
    "a: {token: <9.1>, b: [c}\n",
    "a:\n  password: \"<9.2>\" and more\n",
    "ca: |\n  -----BEGIN PRIVATE KEY-----\n  <9.3>\n -----END PRIVATE KEY-----\n: [\n",
    "password:\n    <9.0>\n  <9.1>: : {\n",
    "secret:\n  - <9.0>\n  - <9.1>: [\n  : }\n",
    "password: |\n    <9.2>\n  <9.4>\n",
    "secret: >\n    <9.2>\n    <9.3>\n   <9.4>: @\n",
    "url: https://root:<9.4>@example.org: x\n",
    "# password: <9.0>\nx: @ <4.4>\n",
    "\tpassword: <9.1>\n",
    "password: &a <9.2> *b\n",
    "x: *nowhere # token: <9.3>\npassword: <9.4>\n",
    "password: !<9.0 x\ntoken: \"\\q<9.1>\"\n",
    "schema: armada/Chart/v1\ndata: {password: %<9.2>, x: `<9.3>}\n",
];

struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("site.yaml"), fill(SITE))?;
        fs::write(folder.path().join("values.yaml"), fill(VALUES))?;
        Ok(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command at every verbosity and searches its output, including the files in `reports`.
    fn search(&self, arguments: &[String], tree_on_stdout: bool) -> Result {
        for loud in ["-q", "-v", "-vvv", "--color=always"] {
            let arguments = [arguments, &[loud.to_owned()]].concat();
            let ProgramOutput {
                stdout,
                stderr,
                code,
            } = run(self.path(), &arguments)?;
            ensure(
                code == Some(0) || code == Some(1),
                format!("{arguments:?}: {code:?}"),
            )?;
            let mut outputs = vec![("stderr".to_owned(), stderr)];
            if !tree_on_stdout {
                outputs.push(("stdout".to_owned(), stdout));
            }
            for (name, bytes) in read_tree(&self.path().join("reports"))? {
                outputs.push((name, String::from_utf8(bytes)?));
            }
            for (name, text) in outputs {
                clean(&name, &text).map_err(|error| {
                    format!("{arguments:?}: {}", error.message().unwrap_or("found"))
                })?;
            }
        }
        Ok(())
    }
}

/// A site with a secret in every place that can have one.
pub(crate) fn site() -> String {
    fill(SITE)
}

/// Fails if the text contains a secret, whole or without its first digits, which numbers can lose.
pub(crate) fn clean(name: &str, text: &str) -> Result {
    for (kind, secret) in all() {
        if let Some(at) = text.find(secret.trim_start_matches('0')) {
            let start = at.saturating_sub(300);
            let around = text.as_bytes()[start..].chunks(500).next().unwrap_or(&[]);
            let around = String::from_utf8_lossy(around);
            return Err(format!("a secret ({}) is in {name}:\n{around}", KINDS[kind]).into());
        }
    }
    Ok(())
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| fill(argument)).collect()
}

/// All reports of `convert`.
const CONVERT: &[&str] = &[
    "--report=json=reports/a.json",
    "--report=text=reports/a.txt",
    "--report=markdown=reports/a.md",
];
/// All reports of `validate`.
const VALIDATE: &[&str] = &[
    "--report=json=reports/v.json",
    "--report=junit=reports/v.xml",
    "--report=sarif=reports/v.sarif",
    "--report=github=reports/v.txt",
];

/// Fifty different secrets are in the input, and in the tree if they belong there.
fn planted() -> Result {
    let texts = [SITE, VALUES]
        .into_iter()
        .chain(SETS.iter().copied())
        .chain(BROKEN.iter().copied());
    let input: String = texts.map(fill).collect();
    let mut secrets: Vec<String> = all().map(|(_, secret)| secret).collect();
    for secret in &secrets {
        ensure(
            input.contains(secret.as_str()),
            format!("{secret} is not planted"),
        )?;
    }
    secrets.sort();
    secrets.dedup();
    ensure(secrets.len() == 50, format!("{} secrets", secrets.len()))?;
    let site = Site::new()?;
    let ran = run(site.path(), &["convert", "site.yaml", "-q"])?.expect_code(0)?;
    for (kind, what) in KINDS.iter().enumerate().take(5).skip(1) {
        for at in 0..EACH {
            let secret = secret(kind, at);
            // Selectors and a repeated key are not in the tree.
            let lost = [(1, 0), (4, 3)].contains(&(kind, at));
            ensure(
                lost || ran.stdout.contains(&secret),
                format!("{what} {at} does not reach the tree"),
            )?;
        }
    }
    Ok(())
}

fn convert() -> Result {
    let site = Site::new()?;
    fs::create_dir(site.path().join("reports"))?;
    for more in [
        &[][..],
        &["--strict"],
        &["--split-secrets"],
        &["--values-in=configmap", "--split-secrets"],
        &["--values-as=written"],
        &["--armada=go"],
        &["--deny=value-retyped"],
    ] {
        let base = [&["convert", "site.yaml"][..], CONVERT, more].concat();
        site.search(&words(&base), true)?;
        site.search(&words(&[&base[..], &["-o", "out"]].concat()), false)?;
    }
    for report in ["json", "text", "markdown"] {
        let arguments = ["convert", "site.yaml", "-o", "out", "--report", report];
        site.search(&words(&arguments), false)?;
    }
    Ok(())
}

/// Secrets of values are only in the files of Secrets.
fn split() -> Result {
    // Those in `values`; others are in labels, sources and comments.
    let outside = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (5, 0)];
    for place in ["inline", "configmap", "secret"] {
        let site = Site::new()?;
        let place = format!("--values-in={place}");
        let arguments = [
            "convert",
            "site.yaml",
            "-o",
            "out",
            "--split-secrets",
            &place,
        ];
        run(site.path(), &arguments)?.expect_code(0)?;
        let tree = read_tree(&site.path().join("out"))?;
        let (secrets, rest): (Vec<_>, Vec<_>) = tree
            .into_iter()
            .partition(|(name, _)| name.ends_with(".secrets.yaml"));
        ensure(!secrets.is_empty(), "no Secrets")?;
        for (kind, secret) in all().filter(|(kind, _)| *kind < 7) {
            let at = secret_number(kind, &secret);
            if outside.contains(&(kind, at)) {
                continue;
            }
            for (name, bytes) in &rest {
                let text = String::from_utf8_lossy(bytes);
                ensure(
                    !text.contains(&secret),
                    format!("{place}: {} {at} in {name}", KINDS[kind]),
                )?;
            }
        }
    }
    Ok(())
}

fn secret_number(kind: usize, text: &str) -> usize {
    (0..EACH)
        .find(|at| secret(kind, *at) == text)
        .unwrap_or(EACH)
}

fn overridden() -> Result {
    let site = Site::new()?;
    fs::create_dir(site.path().join("reports"))?;
    let mut good = vec!["site.yaml", "--values", "values.yaml"];
    good.extend(SETS.iter().flat_map(|set| ["--set", set]));
    let convert = [&["convert", "-o", "out"][..], &good, CONVERT].concat();
    site.search(&words(&convert), false)?;
    let validate = [&["validate"][..], &good, VALIDATE].concat();
    site.search(&words(&validate), false)?;
    for set in BAD_SETS {
        let arguments = ["convert", "site.yaml", "-o", "out", "--set", set];
        site.search(&words(&arguments), false)?;
    }
    for (at, text) in BROKEN.iter().chain(INVALID).enumerate() {
        let name = format!("values-{at}.yaml");
        fs::write(site.path().join(&name), fill(text))?;
        let arguments = ["convert", "site.yaml", "-o", "out", "--values", &name];
        site.search(&words(&arguments), false)?;
    }
    Ok(())
}

fn validate() -> Result {
    let site = Site::new()?;
    fs::create_dir(site.path().join("reports"))?;
    site.search(
        &words(&[&["validate", "site.yaml"][..], VALIDATE].concat()),
        false,
    )?;
    for report in ["json", "junit", "sarif", "github"] {
        site.search(
            &words(&["validate", "site.yaml", "--report", report]),
            false,
        )?;
    }
    Ok(())
}

fn invalid() -> Result {
    refused(INVALID, |text| format!("---\n{text}{SITE}"))
}

fn broken() -> Result {
    refused(BROKEN, ToString::to_string)?;
    refused(BROKEN, |text| format!("{SITE}---\n{text}"))?;
    // Bytes that are not UTF-8 beside a secret.
    let site = Site::new()?;
    let mut bytes = fill("password: <9.0>\ntoken: <9.1>").into_bytes();
    bytes.extend([0xff, 0xfe]);
    fs::write(site.path().join("bytes.yaml"), bytes)?;
    site.search(&words(&["validate", "bytes.yaml"]), false)
}

fn refused(texts: &[&str], input: impl Fn(&str) -> String) -> Result {
    let site = Site::new()?;
    fs::create_dir(site.path().join("reports"))?;
    for text in texts {
        fs::write(site.path().join("bad.yaml"), fill(&input(text)))?;
        let convert = [&["convert", "bad.yaml", "-o", "out"][..], CONVERT].concat();
        site.search(&words(&convert), false)?;
        let validate = [&["validate", "bad.yaml"][..], VALIDATE].concat();
        site.search(&words(&validate), false)?;
    }
    Ok(())
}

/// Changes, adds and removes every secret of the site.
fn diff() -> Result {
    let site = Site::new()?;
    fs::create_dir(site.path().join("reports"))?;
    let changed = fill(SITE).replace("canary", "bird").replace("Z8", "Z9");
    fs::write(site.path().join("changed.yaml"), changed)?;
    fs::write(site.path().join("empty.yaml"), "")?;
    for (name, options) in [("one", &[][..]), ("split", &["--split-secrets"])] {
        let convert = [&["convert", "site.yaml", "-q", "-o", name][..], options].concat();
        run(site.path(), &convert)?.expect_code(0)?;
        for input in ["changed.yaml", "site.yaml", "one", "split"] {
            for more in [
                &[][..],
                &["-vvv", "--show-noise"],
                &["--new-cluster", "--values-in=secret"],
            ] {
                let reports = [
                    "json=reports/d.json",
                    "text=reports/d.txt",
                    "markdown=reports/d.md",
                ];
                let reports = reports.map(|report| format!("--report={report}"));
                let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
                let base = ["diff", input, "--against", name];
                site.search(&words(&[&base[..], more, &reports].concat()), false)?;
            }
        }
        site.search(
            &words(&["diff", name, "--against", "empty.yaml", "-v"]),
            false,
        )?;
        site.search(
            &words(&["diff", "empty.yaml", "--against", name, "-v"]),
            false,
        )?;
    }
    Ok(())
}

/// The page of a rollout, and the message if there is none.
fn plan() -> Result {
    let site = Site::new()?;
    for (name, options) in [("one", &[][..]), ("split", &["--split-secrets"])] {
        let convert = [&["convert", "site.yaml", "-q", "-o", name][..], options].concat();
        run(site.path(), &convert)?.expect_code(0)?;
        // Unreadable annotations beside secrets.
        let tree = read_tree(&site.path().join(name))?;
        for (file, bytes) in tree {
            let text = String::from_utf8(bytes)?;
            let broken = site.path().join(format!("{name}-broken")).join(file);
            fs::create_dir_all(broken.parent().ok_or("no folder")?)?;
            let text = text.replace("\"labels\":", "\"label\":");
            let text = text.replace("timeout: 10m", "timeout: hunter2");
            fs::write(broken, text)?;
        }
    }
    for input in ["site.yaml", "one", "split", "one-broken", "split-broken"] {
        for format in ["text", "dot", "mermaid"] {
            site.search(&words(&["plan", input, "--graph", format]), false)?;
        }
        site.search(&words(&["plan", input, "--kubeconfig=nowhere"]), false)?;
    }
    site.search(&words(&["graph", "site.yaml"]), false)
}

/// Files full of secrets where a journal is expected.
fn journals() -> Result {
    let site = Site::new()?;
    for (at, line) in BROKEN.iter().chain(INVALID).enumerate() {
        let line = fill(line).replace('\n', " ");
        let json = format!("{{\"version\":1,\"is\":{line:?}}}");
        for (name, text) in [("plain", &line), ("json", &json)] {
            let name = format!("{name}-{at}.journal");
            // Twice, since the last line may be incomplete.
            fs::write(site.path().join(&name), format!("{text}\n{text}\n"))?;
            site.search(&words(&["status", "--journal", &name]), false)?;
        }
    }
    Ok(())
}

/// Commands that read no documents, with a secret in their arguments or environment.
fn others() -> Result {
    let site = Site::new()?;
    for arguments in [
        &["schema", "report"][..],
        &["schema", "diff"],
        &["schema", "validation"],
        &["schema", "plan"],
        &["schema", "plan-report"],
        &["explain"],
        &["explain", "values"],
        &["explain", "value-retyped"],
        &["--help"],
        &["convert", "--help"],
        &["status", "--help"],
    ] {
        site.search(&words(arguments), false)?;
    }
    Ok(())
}

//! Shapes of secrets and texts that only look like them. No output shows the first, and `--split-secrets` leaves
//! none in the open; the others are shown everywhere and stay where they are.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::support::{ProgramOutput, Result, ensure, read_tree, run};

/// Values with a secret: `@` stands for a word, `@64` for a login with it in base64, `@09` for a number.
const SECRETS: &[&str] = &[
    // Keys by their words.
    "clientSecret: @",
    "deployKey: @",
    "signing-key: @",
    "REDIS_PASSWORD: @",
    "dbPasswd: @",
    "ldapBindPw: @",
    "preshared_key: @",
    "wifi_psk: @",
    "door_pin: @09",
    "snmp.community: @",
    "s3SecretAccessKey2: @",
    "tls.key: @",
    // Below such keys.
    "tokens: [@, b]",
    "credentials: {anything: @}",
    "secrets: {deep: {list: [{x: @}]}}",
    "passwords: &a [{x: {y: @}}]",
    "auths: {r.example.org: {auth: '@64'}}",
    "extra: [{apiVersion: v1, kind: Secret, stringData: {anything: @}}]",
    // Pairs.
    "env: [{key: API_TOKEN, value: @}]",
    "env: [{value: @, name: sessionCookie}]",
    "env: [{variable: KEYSTONE_FERNET_KEY, default: @}]",
    "set: [{parameter: smtp.rootPassword, value: @}]",
    "headers: [{header: X-Auth-Token, value: @}]",
    // Neighbours in lists.
    "args: [--db-passphrase, @]",
    "args: [--bootstrap-token, @, --port, '80']",
    "args: [login, -p, @]",
    "args: [-u, 'robot:@']",
    "args: [--proxy-user, 'robot:@']",
    "args: [requirepass, @]",
    "args: ['--from-literal=password=@']",
    "args: ['X-Vault-Token: @']",
    // Words inside of texts.
    "text: |\n  export TOKEN=\"@\"\n  echo two",
    "text: |\n  spring.datasource.user=a\n  spring.datasource.password=@",
    "text: |\n  db:\n    password: @\n    port: 1",
    "text: |\n  db:\n    password: |\n      @\n    port: 1",
    "text: |\n  credentials:\n    - @\n  port: 1",
    "text: |\n  - name: PG_PASSWORD\n    value: @",
    "text: |\n  {\"name\": \"PG_PASSWORD\", \"value\": \"@\"}",
    "text: '{\"client_secret\": \"@\", \"a\": 1}'",
    "text: '{\\\"client_secret\\\": \\\"@\\\", \\\"a\\\": 1}'",
    "text: host=db user=a password=@ sslmode=off",
    "text: 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=@;EndpointSuffix=x'",
    "text: |\n  machine h login u password @",
    "text: |\n  <database><user>a</user><password>@</password></database>",
    "text: |\n  <property><name>fs.s3a.secret.key</name><value>@</value></property>",
    "text: |\n  masterauth @\n  port 1",
    "text: |\n  rocommunity @\n  port 1",
    "text: |\n  network={\n    ssid=\"a\"\n    psk=\"@\"\n  }",
    "text: |\n  [Interface]\n  PrivateKey = @\n  Address = 10.0.0.1/24",
    "text: |\n  return [\n    'password' => '@',\n  ];",
    "text: 'echo ${ADMIN_PASSWORD:-@}'",
    "text: '$env:DB_PASSWORD = \"@\"'",
    "text: //registry.example.org/:_authToken=@",
    "text: 'CREATE USER a IDENTIFIED BY ''@'';'",
    "text: 'ALTER ROLE a WITH PASSWORD ''@'' LOGIN;'",
    // Command lines.
    "text: run --a 1 --admin-password @ --b 2",
    "text: sshpass -p @ ssh a@b",
    "text: mysql -uroot -p@ shop",
    "text: redis-cli -a @ ping",
    "text: ldapsearch -x -w @ -b dc=x",
    "text: docker login -u robot -p @ r.example.org",
    "text: rabbitmqctl change_password nova @",
    "text: openssl rsa -passin pass:@ -in x",
    "text: wget --user=a --password=@ http://x.example.org",
    // Addresses.
    "text: 'amqp://nova:@@mq.example.org:5672/'",
    "text: 'mongodb://a:@@h1.example.org,b:@@h2.example.org/x'",
    "text: 'http://a:x/@@h.example.org/y'",
    "text: 'nova:@@tcp(db:3306)/nova'",
    "text: 'https://x.example.org/y?sv=1&sig=@&se=2'",
    "text: 'https://x.example.org/y?X-Amz-Signature=@&a=b'",
    "text: 'jdbc:mysql://db/x?user=a&password=@&ssl=1'",
    "slack_webhook_url: https://hooks.example.org/services/T0/@",
    // Known forms.
    "text: 'curl -H \"Authorization: Bearer @\" http://x.example.org'",
    "text: 'Authorization: Basic @64'",
    "proxy_auth: 'robot:@'",
    "text: 'Cookie: sid=@'",
    "text: 'robot:$2y$05$@@'",
    "text: 'root:$6$salt$@@:19000:0'",
    "text: 'robot:{SSHA}@'",
    "text: 'db.example.org:5432:shop:robot:@'",
    "text: |\n  -----BEGIN EC PRIVATE KEY-----\n  @\n  -----END EC PRIVATE KEY-----",
    "text: use ghp_@0123456789abcd now",
    "text: use glpat-@0123456789 now",
    "text: 'x, hvs.@0123456789, y'",
    "text: xoxb-1234-@0123",
    "text: eyJhbGciOiJI@.eyJzdWIi0.x1",
];

/// Values without a secret: `%` stands for a word. One without it is looked for as a whole.
const HARMLESS: &[&str] = &[
    "api_key_proxy_image: registry.example.org/%:2.0",
    "tags: {secret_sync: 'quay.example.org/x/%:1.0'}",
    "tags: {token_proxy: 'openstackhelm/%:newton'}",
    "passwordPolicy: %",
    "secretName: %",
    "existingSecret: %",
    "imagePullSecrets: [{name: %}]",
    "pullSecrets: [%]",
    "env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: %, key: password}}}]",
    "env: [{name: TOKEN_TTL, value: %}]",
    "env: [{name: LOG_LEVEL, value: %}]",
    "volume: {secret: {secretName: %, items: [{key: %, path: %}]}}",
    "token_ttl: 12h-%",
    "cookie_domain: '%.example.org'",
    "tokenizer: %",
    "compass: %",
    "bypass: %",
    "monkey: %",
    "public_key: %",
    "topologyKey: kubernetes.io/%",
    "sort_key: %",
    "auth_type: %",
    "auth: %",
    "authorization: {mode: %}",
    "password_file: /etc/%",
    "password: /run/secrets/%/x",
    "token: ${%}",
    "session_affinity: %",
    "certificate_authority: %",
    "salt_master: '%.example.org'",
    "keystone_authtoken: {auth_type: password, interface: %}",
    "credentials: {username: %, provider: %}",
    "methods: password,token,%",
    "args: [--token-ttl, %]",
    "args: [mkdir, -p, %/x]",
    "args: [-p, '8080:80', %]",
    "args: [--user, '1000:1000', %]",
    "text: https://%.example.org:8443/path@x",
    "text: git@git.example.org:org/%.git",
    "text: mailto:a@%.example.org",
    "text: 'quay.example.org/x/%@sha256:4b1d9f4cf1b6b8a4f5e7f1f9fd0d6f4d6a1c9f8f9b7b9a5b8a6b7c8d9e0f1a2b'",
    "text: 'echo \"$PASSWORD\" > /dev/%'",
    "text: PASSWORD=$(cat /run/%)",
    "text: 'password: {{ .Values.% }}'",
    "text: Reset your password at the %-desk.",
    "text: '12:30:%'",
    "text: '^(pass|fail):%$'",
    "text: |\n  # reads the token: from %\n  set -e",
    "text: |\n  def token(x):\n      return %",
    "text: 'https://x.example.org/?page=2&sort=%'",
    "commit: 03580ec90afa162c166661acf27f351b83565375",
    "rbd_secret_uuid: 11111111-2222-3333-4444-555555555555",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("shapes::each_is_another", many),
        Trial::test("shapes::no_output_shows_a_secret", outputs),
        Trial::test("shapes::differences_show_what_is_no_secret", differences),
        Trial::test("shapes::splitting_moves_secrets_and_nothing_else", split),
        Trial::test("shapes::broken_text_shows_no_secret", broken),
        Trial::test("shapes::logins_leave_addresses", logins),
    ]
}

/// The words of one state of a site.
#[derive(Clone, Copy)]
struct State {
    secret: &'static str,
    harmless: &'static str,
}

const BEFORE: State = State {
    secret: "heron",
    harmless: "plover",
};

const AFTER: State = State {
    secret: "egret",
    harmless: "dunlin",
};

impl State {
    fn secret(self, at: usize) -> String {
        format!("{}{at}x7", self.secret)
    }

    fn number(self, at: usize) -> String {
        format!(
            "88{}7{at:03}",
            self.secret.len() + usize::from(self.secret == AFTER.secret)
        )
    }

    fn login(self, at: usize) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("robot:{}", self.secret(at)))
    }

    fn harmless(self, at: usize) -> String {
        format!("{}{at}x", self.harmless)
    }

    fn fill_secret(self, at: usize, shape: &str) -> String {
        let secret = self.secret(at);
        // An `@` of its own follows the word in an address.
        shape
            .replace("@64", &self.login(at))
            .replace("@09", &self.number(at))
            .replace("a@b", "a(at)b")
            .replace("@@", &format!("{secret}@"))
            .replace('@', &secret)
            .replace(&format!("{secret}{secret}"), &format!("{secret}@"))
            .replace("(at)", "@")
    }

    fn values(self) -> Vec<String> {
        let secrets = SECRETS
            .iter()
            .enumerate()
            .map(|(at, shape)| self.fill_secret(at, shape));
        let harmless = HARMLESS
            .iter()
            .enumerate()
            .map(|(at, shape)| shape.replace('%', &self.harmless(at)));
        secrets.chain(harmless).collect()
    }

    fn site(self) -> String {
        let mut text = HEAD.to_owned();
        for (at, value) in self.values().iter().enumerate() {
            text.push_str(&format!("    case{at}:\n"));
            for line in value.lines() {
                text.push_str(&format!("      {line}\n"));
            }
            // A finding beside each.
            text.push_str("      beside: \"0899\"\n");
        }
        text
    }

    /// Returns the texts that no output may hold.
    fn hidden(self) -> Vec<String> {
        let each = |at: usize| [self.secret(at), self.login(at), self.number(at)];
        (0..SECRETS.len()).flat_map(each).collect()
    }
}

const HEAD: &str = "---
schema: armada/Manifest/v1
metadata: {schema: metadata/Document/v1, name: quay}
data: {release_prefix: quay, chart_groups: [shop]}
---
schema: armada/ChartGroup/v1
metadata: {schema: metadata/Document/v1, name: shop}
data: {description: the shop, sequenced: false, chart_group: [till]}
---
schema: armada/Chart/v1
metadata: {schema: metadata/Document/v1, name: till}
data:
  chart_name: till
  release: till
  namespace: shop
  source: {type: git, location: \"https://git.example.org/shop.git\", subpath: till, reference: a123456789012345678901234567890123456789}
  values:
";

/// A folder with both states of the site.
fn sites() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("before.yaml"), BEFORE.site())?;
    fs::write(folder.path().join("after.yaml"), AFTER.site())?;
    fs::create_dir(folder.path().join("reports"))?;
    Ok(folder)
}

fn many() -> Result {
    ensure(
        SECRETS.len() >= 60 && HARMLESS.len() >= 40,
        "too few shapes",
    )?;
    for shapes in [SECRETS, HARMLESS] {
        let mut sorted = shapes.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        ensure(sorted.len() == shapes.len(), "a shape is there twice")?;
    }
    let marked = |text: &str| BEFORE.hidden().iter().any(|secret| text.contains(secret));
    let filled = SECRETS
        .iter()
        .enumerate()
        .map(|(at, shape)| BEFORE.fill_secret(at, shape));
    for text in filled {
        ensure(marked(&text), format!("no secret is in {text}"))?;
    }
    Ok(())
}

/// Fails if a text holds a secret, and names all of them.
fn clean(what: &str, text: &str) -> Result {
    let secrets = [BEFORE, AFTER].into_iter().flat_map(State::hidden);
    let found: Vec<String> = secrets
        .filter_map(|secret| {
            let at = text.find(&secret)?;
            let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
            let end = text[at..]
                .find('\n')
                .map_or(text.len(), |length| at + length);
            let start = line.max(at.saturating_sub(100));
            let start = (start..=at)
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(at);
            Some(text[start..end.min(at + 60)].to_owned())
        })
        .collect();
    ensure(
        found.is_empty(),
        format!(
            "{} secrets are in {what}:\n{}",
            found.len(),
            found.join("\n")
        ),
    )
}

fn search(folder: &Path, arguments: &[&str], tree_on_stdout: bool) -> Result {
    for loud in ["-q", "-v", "-vvv", "--color=always"] {
        let arguments = [arguments, &[loud]].concat();
        let ProgramOutput {
            stdout,
            stderr,
            code,
        } = run(folder, &arguments)?;
        ensure(
            code == Some(0) || code == Some(1),
            format!("{arguments:?}: {code:?}\n{stderr}"),
        )?;
        clean(&format!("stderr of {arguments:?}"), &stderr)?;
        if !tree_on_stdout {
            clean(&format!("stdout of {arguments:?}"), &stdout)?;
        }
        for (name, bytes) in read_tree(&folder.join("reports"))? {
            clean(
                &format!("{name} of {arguments:?}"),
                &String::from_utf8(bytes)?,
            )?;
        }
    }
    Ok(())
}

fn outputs() -> Result {
    let folder = sites()?;
    let convert = [
        "convert",
        "before.yaml",
        "--report=json=reports/a.json",
        "--report=text=reports/a.txt",
        "--report=markdown=reports/a.md",
    ];
    search(folder.path(), &convert, true)?;
    for more in [&["-o", "inline"][..], &["-o", "split", "--split-secrets"]] {
        search(folder.path(), &[&convert[..], more].concat(), false)?;
    }
    let validate = [
        "validate",
        "before.yaml",
        "--report=json=reports/v.json",
        "--report=junit=reports/v.xml",
        "--report=sarif=reports/v.sarif",
        "--report=github=reports/v.txt",
    ];
    search(folder.path(), &validate, false)?;
    for input in ["before.yaml", "inline", "split"] {
        for format in ["text", "dot", "mermaid"] {
            search(folder.path(), &["plan", input, "--graph", format], false)?;
        }
        search(
            folder.path(),
            &["plan", input, "--kubeconfig=nowhere"],
            false,
        )?;
    }
    search(folder.path(), &["graph", "before.yaml"], false)?;
    search(folder.path(), &["explain", "value-retyped"], false)
}

/// Every change of what is no secret can be read.
fn differences() -> Result {
    let folder = sites()?;
    for (name, options) in [("inline", &[][..]), ("split", &["--split-secrets"])] {
        let convert = [&["convert", "before.yaml", "-q", "-o", name][..], options].concat();
        run(folder.path(), &convert)?.expect_code(0)?;
        let diff = [
            "diff",
            "after.yaml",
            "--against",
            name,
            "--report=json=reports/d.json",
            "--report=text=reports/d.txt",
            "--report=markdown=reports/d.md",
        ];
        search(folder.path(), &[&diff[..], options].concat(), false)?;
        search(
            folder.path(),
            &[&diff[..], options, &["--show-noise"]].concat(),
            false,
        )?;
        let report = fs::read_to_string(folder.path().join("reports/d.json"))?;
        let mut hidden = Vec::new();
        for (at, shape) in HARMLESS
            .iter()
            .enumerate()
            .filter(|(_, shape)| shape.contains('%'))
        {
            for state in [BEFORE, AFTER] {
                if !report.contains(&state.harmless(at)) {
                    hidden.push(*shape);
                }
            }
        }
        ensure(hidden.is_empty(), format!("{name} hides {hidden:#?}"))?;
    }
    Ok(())
}

fn split() -> Result {
    for place in ["inline", "configmap"] {
        let folder = sites()?;
        let place = format!("--values-in={place}");
        let convert = [
            "convert",
            "before.yaml",
            "-q",
            "-o",
            "out",
            "--split-secrets",
            &place,
        ];
        run(folder.path(), &convert)?.expect_code(0)?;
        let tree = read_tree(&folder.path().join("out"))?;
        let (secrets, rest): (Vec<_>, Vec<_>) = tree
            .into_iter()
            .partition(|(name, _)| name.ends_with(".secrets.yaml"));
        let text = |files: Vec<(String, Vec<u8>)>| -> String {
            files
                .iter()
                .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
                .collect()
        };
        let (secrets, rest) = (text(secrets), text(rest));
        clean("files that are no Secrets", &rest)?;
        let mut moved = Vec::new();
        for (at, shape) in HARMLESS.iter().enumerate() {
            let word = match shape.contains('%') {
                true => BEFORE.harmless(at),
                false => shape.rsplit(' ').next().unwrap_or(shape).to_owned(),
            };
            if !rest.contains(&word) || secrets.contains(&word) {
                moved.push(*shape);
            }
        }
        ensure(moved.is_empty(), format!("{place} moves {moved:#?}"))?;
    }
    Ok(())
}

/// Text that no reader accepts has no leaves; its lines are shown.
fn broken() -> Result {
    let folder = tempfile::tempdir()?;
    let mut shown = Vec::new();
    for (at, shape) in SECRETS.iter().enumerate() {
        let value = BEFORE.fill_secret(at, shape);
        for text in [
            format!("a: 1\n{value}: }}: [\n"),
            format!("a: [\n{value}\n"),
            format!("{value}\n\t- }}: x: y\n"),
        ] {
            fs::write(folder.path().join("bad.yaml"), &text)?;
            let ProgramOutput {
                stdout,
                stderr,
                code: _,
            } = run(folder.path(), &["validate", "bad.yaml", "-v"])?;
            if clean("", &(stdout + &stderr)).is_err() {
                shown.push(text);
            }
        }
    }
    ensure(shown.is_empty(), format!("secrets are shown of {shown:#?}"))
}

/// The address is written without its login, which a Secret without content stands for.
fn logins() -> Result {
    for (source, url) in [
        (
            "{type: git, location: 'https://robot:heron0x7@git.example.org/shop.git', subpath: till, reference: a123456789012345678901234567890123456789}",
            "url: https://git.example.org/shop.git",
        ),
        (
            "{type: tar, location: 'https://robot:heron0x7@git.example.org/till-1.2.3.tgz', subpath: till}",
            "url: https://git.example.org",
        ),
    ] {
        let folder = tempfile::tempdir()?;
        let start = HEAD.find("{type: git").ok_or("no source")?;
        let end = HEAD.rfind("  values:").ok_or("no values")?;
        let text = format!("{}{source}\n", &HEAD[..start]);
        fs::write(
            folder.path().join("site.yaml"),
            text + &HEAD[end..] + "    a: 1\n",
        )?;
        fs::create_dir(folder.path().join("reports"))?;
        let convert = [
            "convert",
            "site.yaml",
            "-o",
            "out",
            "--report=json=reports/a.json",
        ];
        search(folder.path(), &convert, false)?;
        let tree = read_tree(&folder.path().join("out"))?;
        let tree: String = tree
            .into_values()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect();
        clean("the tree", &tree)?;
        for wanted in [
            url,
            "name: quay.login-robot-git-example-org",
            "armada2flux.dev/keys-to-fill: username,password",
        ] {
            ensure(tree.contains(wanted), format!("no {wanted} in\n{tree}"))?;
        }
        let report = fs::read_to_string(folder.path().join("reports/a.json"))?;
        let report: serde_json::Value = serde_json::from_str(&report)?;
        ensure(
            report.to_string().contains("\"empty_secrets\":1"),
            format!("not counted: {report}"),
        )?;
    }
    Ok(())
}

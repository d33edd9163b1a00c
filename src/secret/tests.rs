//! The shapes, each with what is shown of it.

use super::*;

#[test]
fn texts_look_secret() {
    for text in [
        "-----BEGIN RSA PRIVATE KEY-----\nAAA",
        "https://user:hunter2@example.org/x.git",
        "AQBhlfZnTnF4OxAAbx6qLwZ2k7g0sK9vQw3dBg==",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY9",
        "mysql+pymysql://nova:pw@mariadb.openstack.svc/nova",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE somebody@example",
        "[DEFAULT]\nuser = nova\nadmin_password = hunter2\n",
        "mysql --password=hunter2",
    ] {
        assert!(text_looks_secret(text), "{text}");
    }
    for text in [
        "https://opendev.org/openstack/openstack-helm-infra",
        "03580ec90afa162c166661acf27f351b83565375",
        "sha256:4b1d9f4cf1b6b8a4f5e7f1f9fd0d6f4d6a1c9f8f9b7b9a5b8a6b7c8d9e0f1a2b",
        "quay.io/airshipit/kubernetes-entrypoint:v1.0.0",
        "airship-ucp-prometheus-openstack-exporter",
        "a sentence with Several Words and 123 numbers in it",
        "export OS_PASSWORD=${PASSWORD}",
        "bind_password = {{ .Values.password }}\n",
        "Authorization: see the token\n",
    ] {
        assert!(!text_looks_secret(text), "{text}: {}", redact(text));
    }
}

#[test]
fn unparsed_lines_are_masked_after_the_key() {
    assert_eq!(mask_line("  password: hunter2"), "  password: ***");
    assert_eq!(mask_line("a: 1, \"token\": x}"), "a: 1, \"token\": ***");
    assert_eq!(mask_line("  password:"), "  password:");
    assert_eq!(mask_line("name: keystone"), "name: keystone");
}

#[test]
fn only_the_secret_part_of_a_text_is_hidden() {
    for (text, shown) in [
        ("password = x", "password = ***"),
        (
            "export DB_PASSWORD='a b'\necho two",
            "export DB_PASSWORD='***'\necho two",
        ),
        (
            "[database]\nuser = till\npassword = gurnard-55\n",
            "[database]\nuser = till\npassword = ***\n",
        ),
        ("Server=db;Uid=u;Pwd=plaice-34;", "Server=db;Uid=u;Pwd=***;"),
        (
            "https://x/y?a=1&sig=Ab12&b=2",
            "https://x/y?a=1&sig=***&b=2",
        ),
        ("auth_pass plaice-34", "auth_pass ***"),
        ("pass: plaice-34", "pass: ***"),
        (
            "curl -u admin:plaice-34 http://x",
            "curl -u admin:*** http://x",
        ),
        (
            "run --requirepass plaice-34 --port 1",
            "run --requirepass *** --port 1",
        ),
        ("sshpass -p plaice-34 ssh a@b", "sshpass -p *** ssh a@b"),
        ("mysql -uroot -pplaice-34 db", "mysql -uroot -p*** db"),
        (
            r#"{"auths":{"r.example.org":{"auth":"cGxhaWNlLTM0"}}}"#,
            r#"{"auths":{"r.example.org":{"auth":"***"}}}"#,
        ),
        (
            r#"{"a": 1, "password": "x y", "b": 2}"#,
            r#"{"a": 1, "password": "***", "b": 2}"#,
        ),
        (
            r#"{\"password\": \"x y\", \"b\": 2}"#,
            r#"{\"password\": \"***\", \"b\": 2}"#,
        ),
        ("admin:$apr1$plaice-34$xyz", "admin:***"),
        ("root:$6$salt$plaice:19000:0", "root:***:19000:0"),
        (
            "Authorization: Basic cGxhaWNlLTMz",
            "Authorization: Basic ***",
        ),
        (
            "proxy_set_header Authorization \"Bearer anchovy-11\";",
            "proxy_set_header Authorization \"Bearer ***\";",
        ),
        (
            "a: |\n  b\npassword: |\n  c\n  d\ne: f\n",
            "a: |\n  b\npassword: |\n  ***\n  ***\ne: f\n",
        ),
        (
            "secret:\n  type: x\n  code: abc\nnext: y\n",
            "secret:\n  type: x\n  code: ***\nnext: y\n",
        ),
        (
            "- name: DB_PASSWORD\n  value: x-1\n- name: A\n  value: y\n",
            "- name: DB_PASSWORD\n  value: ***\n- name: A\n  value: y\n",
        ),
        (
            "<password>x</password><a>b</a>",
            "<password>***</password><a>b</a>",
        ),
        (
            "<property><name>fs.secret.key</name><value>x</value></property>",
            "<property><name>fs.secret.key</name><value>***</value></property>",
        ),
        (
            "CREATE USER a IDENTIFIED BY 'x';",
            "CREATE USER a IDENTIFIED BY '***';",
        ),
        (
            "ALTER ROLE a WITH PASSWORD 'x' LOGIN;",
            "ALTER ROLE a WITH PASSWORD '***' LOGIN;",
        ),
        (
            "machine h login u password p4",
            "machine h login u password ***",
        ),
        ("db:5432:till:till:mullet-66", "db:5432:till:till:***"),
        ("nova:pw@tcp(db:3306)/nova", "nova:***@tcp(db:3306)/nova"),
        ("use ghp_0123456789abcdef now", "use *** now"),
        (
            "rabbitmqctl add_user nova plaice-34",
            "rabbitmqctl add_user nova ***",
        ),
        (
            "DB_PASSWORD=abc mysql --port=1",
            "DB_PASSWORD=*** mysql --port=1",
        ),
        ("${DB_PASSWORD:-plaice}", "${DB_PASSWORD:***}"),
        (
            "x -----BEGIN A-----\nb\n-----END A----- y",
            "x -----BEGIN A-----***-----END A----- y",
        ),
        (
            "#!/bin/sh\n# reads the token: from a file\ntoken: abc\nset -e\necho one\n",
            "#!/bin/sh\n# reads the token: from a file\ntoken: ***\nset -e\necho one\n",
        ),
    ] {
        assert_eq!(redact(text), shown);
    }
}

#[test]
fn the_work_on_a_text_grows_with_its_length() {
    for part in [
        "password=",
        "-p ",
        "password ",
        "a:",
        "\"",
        "<password>",
        "@",
        "$6$",
        "{SHA",
        "-----BEGIN ",
        "password=x&",
        "password: {{",
        "x=y;",
        "mysql -p ",
        "name: password ",
        "password=\"",
        "=",
        " ",
        "é",
        "key=ü,",
        "Basic ",
        "https://a:",
    ] {
        let text = part.repeat(20_000 / part.len());
        let lines = text.replace(' ', "\n");
        for text in [text, lines] {
            let shown = redact(&text);
            assert!(shown.len() <= text.len() * 4, "{part}");
        }
    }
}

mod random {
    use proptest::prelude::*;

    use super::*;
    use crate::value::{Data, Mapping};

    /// A key that names a secret, in snake, kebab or camel case, with other words before it.
    fn keys() -> impl Strategy<Value = String> {
        let before = prop::collection::vec("[a-z]{3,8}", 0..3);
        let pairs = key::PAIRS.iter().map(|(a, b)| vec![*a, *b]);
        let named = key::KEYS.iter().map(|word| vec![*word, "key"]);
        let words = [key::WORDS, key::WHOLE_WORDS, key::LAST_WORDS].concat();
        let words = words.into_iter().map(|word| vec![word]);
        let secrets: Vec<Vec<&str>> = pairs.chain(named).chain(words).collect();
        let made =
            (before, prop::sample::select(secrets), 0..5_u8).prop_map(|(before, secret, style)| {
                let words: Vec<&str> = before.iter().map(String::as_str).chain(secret).collect();
                let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
                match style {
                    0 => words.join("_"),
                    1 => words.join("-"),
                    2 => words.join(".").to_uppercase(),
                    3 => words.iter().map(|word| capital(word)).collect(),
                    _ => {
                        words[0].to_owned()
                            + &words[1..]
                                .iter()
                                .map(|word| capital(word))
                                .collect::<String>()
                    }
                }
            });
        // Words that say that the key is no secret.
        made.prop_filter("about", |key| {
            !["existing", "max", "min", "num", "pull", "from"]
                .iter()
                .any(|word| key.to_lowercase().contains(word))
        })
    }

    /// A secret that nothing but its place tells.
    fn canaries() -> impl Strategy<Value = String> {
        "[a-z]{3,9}[0-9]{1,3}[a-z]{3}"
    }

    fn shape(key: &str, canary: &str, shape: usize) -> String {
        match shape {
            0 => format!("{key}={canary}"),
            1 => format!("{key} = {canary}"),
            2 => format!("{key}: {canary}"),
            3 => format!("export {key}='{canary} x'"),
            4 => format!("{{\"a\": 1, \"{key}\": \"{canary}\", \"b\": 2}}"),
            5 => format!("{{a: 1, {key}: {canary}, b: 2}}"),
            6 => format!("run --a 1 --{key} {canary} --b 2"),
            7 => format!("run --a 1 --{key}={canary} --b 2"),
            8 => format!("a=1;{key}={canary};b=2"),
            9 => format!("https://x.example.org/?a=1&{key}={canary}&b=2"),
            10 => format!("<{key}>{canary}</{key}>"),
            11 => format!("- name: {key}\n  value: {canary}"),
            12 => format!("{key}: |\n  {canary}\n  x"),
            13 => format!("'{key}' => '{canary}',"),
            14 => format!("[\"--{key}\", \"{canary}\"]"),
            15 => format!("https://{key}:{canary}@h.example.org/x"),
            16 => format!("{key} \"{canary}\";"),
            _ => format!("# {key}: {canary}"),
        }
    }

    proptest! {
        #[test]
        fn no_shape_shows_its_secret(
            key in keys(),
            canary in canaries(),
            shape in (0..18_usize),
            before in "((one|two|three)( (four|five)){0,2}\n){0,3}",
            after in "(\n(one|two|three)( (four|five)){0,2}){0,3}",
        ) {
            let text = format!("{before}{}{after}", self::shape(&key, &canary, shape));
            let shown = redact(&text);
            prop_assert!(!shown.contains(&canary), "{}", text);
            // What stands around it can be read.
            prop_assert!(shown.starts_with(&before) && shown.ends_with(&after), "{}", shown);
            prop_assert!(!mask_line(&text.replace('\n', " ")).contains(&canary), "{}", text);
        }

        #[test]
        fn no_tree_shows_its_secret(key in keys(), canary in canaries(), place in 0..6_usize) {
            let text = Value::from(canary.as_str());
            let map = |entries: Vec<(&str, Value)>| Value::from(entries.into_iter().collect::<Mapping>());
            let mut tree = match place {
                0 => map(vec![(&*key, text)]),
                1 => map(vec![(&*key, vec![text].into())]),
                2 => map(vec![(&*key, map(vec![("anything", text)]))]),
                3 => vec![map(vec![("name", key.as_str().into()), ("value", text)])].into(),
                4 => vec![map(vec![("default", text), ("parameter", key.as_str().into())])].into(),
                _ => vec![Value::from(format!("--{key}")), text].into(),
            };
            mark(&mut tree);
            let shown = crate::emit::to_json(&tree, crate::emit::View::Redacted);
            prop_assert!(!shown.contains(&canary), "{}", shown);
            prop_assert_eq!(tree.sensitive_leaves(), 1);
        }

        #[test]
        fn words_without_a_secret_are_shown(text in "[a-z]{1,9}([ :=,;./\n-][a-z]{1,9}){0,12}") {
            let words = text.split(|c: char| !c.is_ascii_lowercase());
            let named = words.into_iter().any(|word| {
                key::meaning(word) != key::Meaning::Plain || form::is_scheme(word)
            });
            prop_assume!(!named && key::meaning(&text) == key::Meaning::Plain);
            prop_assert_eq!(&*redact(&text), &*text);
        }

        #[test]
        fn any_text_has_parts_inside_of_it(text in "(\\PC|[-:=@$\\{<\"' \n]|password|token|-----BEGIN |https://|\\$6\\$){0,60}") {
            let mut end = 0;
            for part in text::parts(&text) {
                prop_assert!(part.start >= end && part.end > part.start, "{:?}", part);
                prop_assert!(text.get(part.clone()).is_some());
                end = part.end;
            }
            let mut value = Value::from(Data::String(text.as_str().into()));
            mark(&mut value);
            prop_assert_eq!(value.is_sensitive(), end > 0);
        }
    }
}

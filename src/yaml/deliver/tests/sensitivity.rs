//! What must not be seen.

use super::{Code, Delivery, delivered};

#[test]
fn sensitivity_is_inherited() {
    let text = "secrets:\n  create: true\n  port: 8\n  list: [a, {b: c}]\nname: x\n\
                url: https://u:p4ss@h/\nnone: {password: }\n";
    let outcome = delivered(text, Delivery::Python);
    let hidden = |path: &[&str]| outcome.at(path).is_sensitive();
    assert!(!hidden(&["secrets", "create"]));
    // The number below a key that is no password.
    assert!(!hidden(&["secrets", "port"]));
    let list = outcome.at(&["secrets", "list"]).as_sequence().unwrap();
    assert!(list[0].is_sensitive() && list[1].at(&["b"]).unwrap().is_sensitive());
    assert!(!hidden(&["name"]));
    assert!(hidden(&["url"]));
    assert!(!hidden(&["none", "password"]));
    let shown = format!("{outcome:?}");
    assert!(
        !shown.contains("p4ss") || shown.contains("text:"),
        "{shown}"
    );
    assert!(!format!("{:?}", outcome.value).contains("p4ss"));
}

#[test]
fn messages_keep_secrets() {
    for text in [
        "password: \"08147\"",
        "password: 2024-01-01T00:08:14Z",
        "password: 90071992547408147",
        "password: !08147 x",
        "password: !08147",
        "password: !!binary gIGC08147aaa",
        "token: {\"n\": [\"08147\"]}",
    ] {
        let outcome = delivered(text, Delivery::Python);
        assert_ne!(outcome.codes(), [], "{text}");
        assert!(
            !outcome.messages().contains("8147"),
            "{}",
            outcome.messages()
        );
        for diagnostic in outcome.diagnostics.list() {
            assert!(
                !format!("{diagnostic:?}").contains("8147"),
                "{diagnostic:?}"
            );
        }
    }
    let outcome = delivered("password: \"08147\"", Delivery::Python);
    assert_eq!(outcome.codes(), [Code::ValueRetyped]);
    assert_eq!(outcome.messages(), "a string reached Helm as a number");
}

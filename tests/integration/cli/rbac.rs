//! `rbac`: what it prints for a site agrees with the published files, and with nothing else.

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::Trial;
use serde_json::Value;

use super::named;
use crate::support::{Result, contains, ensure, root, run};

const SITE: &str = "charts-examples/breakwater/armada.yaml";

pub(super) fn trials() -> Vec<Trial> {
    named(
        "rbac",
        &[
            ("published_files_grant_what_it_prints", published),
            ("secrets_can_be_left_out", without_secrets),
            ("names_are_checked", names),
        ],
    )
}

/// A verb on a resource of an API group.
type Grant = (String, String, String);

fn printed(options: &[&str]) -> Result<String> {
    Ok(run(root(), &[&["rbac", SITE], options].concat())?
        .expect_code(0)?
        .stdout)
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// Returns everything that the roles of a YAML stream grant.
fn grants(yaml: &str) -> Result<BTreeSet<Grant>> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(yaml)?;
    let mut grants = BTreeSet::new();
    for rule in objects
        .iter()
        .flat_map(|object| object["rules"].as_array().into_iter().flatten())
    {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    grants.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    Ok(grants)
}

/// The site has neither sources of this kind nor waits for pods' owners of this one.
const NOT_IN_THE_SITE: [&str; 2] = ["ocirepositories", "statefulsets"];

fn published() -> Result {
    for purpose in ["diff", "apply"] {
        let purpose_option = format!("--for={purpose}");
        let mut generated = BTreeSet::new();
        for values in ["inline", "secret", "configmap"] {
            let values = format!("--values-in={values}");
            generated.extend(grants(&printed(&[&purpose_option, &values])?)?);
        }
        let file = format!("docs/deploy/rbac-{purpose}.yaml");
        let published = grants(&fs::read_to_string(root().join(&file))?)?;
        ensure(generated.len() > 8, format!("{generated:?}"))?;
        let missing: Vec<&Grant> = generated.difference(&published).collect();
        ensure(missing.is_empty(), format!("{file} lacks {missing:?}"))?;
        let unneeded: Vec<&Grant> = published
            .difference(&generated)
            .filter(|(_, resource, _)| !NOT_IN_THE_SITE.contains(&&**resource))
            .collect();
        ensure(
            unneeded.is_empty(),
            format!("{file} need not have {unneeded:?}"),
        )?;
    }
    Ok(())
}

fn without_secrets() -> Result {
    let secrets = |options: &[&str]| -> Result<bool> {
        let grants = grants(&printed(options)?)?;
        Ok(grants.iter().any(|(_, resource, _)| resource == "secrets"))
    };
    ensure(secrets(&["--for=diff"])?, "Helm's records are not listed")?;
    ensure(
        !secrets(&["--for=diff", "--without-secrets"])?,
        "Secrets are",
    )?;
    // Those of the tree are still compared.
    ensure(
        secrets(&["--for=diff", "--without-secrets", "--values-in=secret"])?,
        "Secrets of the tree are not",
    )?;
    let options = ["rbac", SITE, "--for=apply", "--without-secrets"];
    let refused = run(root(), &options)?.expect_code(1)?;
    contains(&refused.stderr, "`apply` does not run without")
}

fn names() -> Result {
    for wrong in ["", "A", "-a", "a-", "a.b", "a\"b", &"a".repeat(64)] {
        let option = format!("--account={wrong}");
        let refused = run(root(), &["rbac", SITE, "--for=diff", &option])?.expect_code(1)?;
        contains(&refused.stderr, "not a valid name")?;
    }
    let text = printed(&["--for=diff", "--account=ci", "--account-namespace=ops"])?;
    contains(&text, "system:serviceaccount:ops:ci")
}

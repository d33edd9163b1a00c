//! JUnit reports of `validate`, against the schema that Jenkins reads them by.

use std::fs;
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};

use super::Workspace;
use crate::bed::python;
use crate::support::{ensure, root, run};

/// Reads the schema and each report that is named; fails with the first that does not follow it.
const VALIDATE: &str = "
import sys, xmlschema
schema = xmlschema.XMLSchema(sys.argv[1])
for report in sys.argv[2:]:
    schema.validate(report)
";

pub(super) fn trials() -> Vec<Trial> {
    vec![Trial::ignorable_test(
        "cli::junit::reports_follow_the_schema_of_jenkins",
        follows,
    )]
}

fn follows() -> Result<Completion, Failed> {
    let workspace = Workspace::small()?;
    fs::write(
        workspace.dir().join("bad.yaml"),
        "schema: armada/Chart/v1\n",
    )?;
    fs::write(
        workspace.dir().join("odd & <name>.yaml"),
        "schema: armada/Chart/v1\ndata: \"\u{7}\n",
    )?;
    let inputs: [(&str, &[&str], i32); 3] = [
        ("good.xml", &["armada.yaml"], 0),
        ("bad.xml", &["armada.yaml", "bad.yaml"], 1),
        ("odd.xml", &["odd & <name>.yaml"], 1),
    ];
    for (report, files, code) in inputs {
        let target = format!("--report=junit={report}");
        let arguments = [&["validate"], files, &[target.as_str()]].concat();
        run(workspace.dir(), &arguments)?.expect_code(code)?;
    }
    let python = match python::xml_validator() {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::ignored_with(reason.to_owned())),
    };
    let validate = |reports: &[&str]| {
        Command::new(python)
            .current_dir(workspace.dir())
            .args(["-c", VALIDATE])
            .arg(root().join("testdata/schemas/junit-10.xsd"))
            .args(reports)
            .output()
    };
    let answer = validate(&["good.xml", "bad.xml", "odd.xml"])?;
    ensure(
        answer.status.success(),
        String::from_utf8_lossy(&answer.stderr),
    )?;
    // The schema asks for something: without the number of errors the report is refused.
    let broken = workspace.text("bad.xml")?.replace(" errors=\"0\"", "");
    fs::write(workspace.dir().join("broken.xml"), broken)?;
    let answer = validate(&["broken.xml"])?;
    ensure(!answer.status.success(), "a report without `errors` passes")?;
    Ok(Completion::Completed)
}

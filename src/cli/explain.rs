//! `armada2flux explain`

use clap::Args;

use crate::printable::Printable;
use crate::report::explain::{self, Answer};

use super::{Failure, Output, stdout};

/// Explain an Armada field, a diagnostic code, an annotation or a difference from Armada
///
/// Prints what Armada did with the field and what becomes of it in Flux, why a diagnostic matters and what to
/// do, who acts on an annotation or label of the tree, or where this program differs from Armada on purpose.
/// Without TOPIC, lists all topics.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux explain wait.resources
  armada2flux explain value-retyped
  armada2flux explain armada2flux.dev/gates

Exit codes: 0 done, 1 unknown topic")]
pub(super) struct Arguments {
    /// A field, such as wait.timeout or manifest.release_prefix, the code of a diagnostic, an annotation
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let style = stdout::style(output);
    let text = match &arguments.topic {
        None => explain::topics(style),
        Some(topic) => match explain::explain(topic, style) {
            Answer::Page(page) => page,
            Answer::Several(found) => {
                let width = found.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
                let mut lines = Printable::default();
                lines.line(&format!("`{topic}` may mean:"));
                for (name, what) in found {
                    lines.line(&format!("  {name:<width$}  {what}"));
                }
                lines
            }
            Answer::Unknown(near) => return Err(unknown(topic, &near)),
        },
    };
    stdout::write(&text)
}

fn unknown(topic: &str, near: &[String]) -> Failure {
    let failure = Failure::new(format!(
        "`{topic}` is not a field of Armada, a code of a diagnostic or an annotation of a tree"
    ));
    if near.is_empty() {
        failure.hint("`armada2flux explain` lists all of them")
    } else {
        failure.hint(format!("did you mean `{}`?", near.join("`, `")))
    }
}

//! The objects of the input: Armada documents, compiled in memory, or a Flux tree.

use crate::compile::Content;
use crate::diagnostic::Diagnostics;
use crate::flux::ObjectSet;

use super::choices::Choices;
use super::input::InputArguments;
use super::{Failure, Output, show};

/// Reads the objects of the input; its errors have been printed when this fails.
pub(super) fn read(
    arguments: &InputArguments,
    choices: &Choices,
    output: &Output,
    diagnostics: &mut Diagnostics,
) -> Result<ObjectSet, Failure> {
    let inputs = arguments.read_trees(choices.source_map.as_deref(), diagnostics)?;
    let options = choices.options(arguments)?;
    let content = inputs.content();
    let set = inputs.objects(&options, diagnostics)?;
    // `convert` reports what is lost; here only errors matter.
    let shown = if output.verbose > 0 {
        output.clone()
    } else {
        output.errors_only()
    };
    show::diagnostics(
        diagnostics.list(),
        inputs.sources(),
        &inputs.all_trees(),
        &shown,
    );
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    if let Content::Armada {
        objects: objects @ 1..,
    } = content
        && !output.quiet
    {
        let objects = show::count(objects, "Kubernetes object");
        show::say(&format!(
            "skipped: {objects} beside the Armada documents, as `convert` does"
        ));
    }
    Ok(set)
}

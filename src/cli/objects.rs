//! The input of commands that speak of objects: Armada documents, compiled in memory, or a Flux tree made before.

use crate::diagnostic::Diagnostics;
use crate::flux::ObjectSet;
use crate::lower;

use super::choices::Choices;
use super::input::{Content, Input, InputArguments};
use super::{Failure, Output, flux_tree, show};

/// The objects of the input, whatever it is; what is wrong with it has been shown when this fails.
pub(super) fn read(
    arguments: &InputArguments,
    choices: &Choices,
    output: &Output,
    diagnostics: &mut Diagnostics,
) -> Result<ObjectSet, Failure> {
    let mut input = Input::read_trees(arguments, diagnostics)?;
    let source_map = choices.source_map.as_deref();
    let source_map = input.source_map(source_map, diagnostics)?;
    let mut set = ObjectSet::default();
    match input.content() {
        Content::Flux => set = flux_tree::objects(input.trees(), diagnostics)?,
        Content::Armada => {
            let (documents, _) = input.decode(diagnostics);
            let plan = choices.plan(arguments, &documents, diagnostics);
            choices.check(plan.as_ref())?;
            if let (Some(plan), Some(source_map)) = (&plan, source_map) {
                let options = choices.options(arguments, source_map);
                lower::lower(plan, &options, diagnostics, |_, object| {
                    set.extend([object])
                });
            }
        }
    }
    // What is lost on the way is convert's to say.
    let shown = if output.verbose > 0 {
        output.clone()
    } else {
        Output {
            quiet: true,
            ..output.clone()
        }
    };
    show::diagnostics(
        diagnostics.list(),
        &input.sources,
        &input.all_trees(),
        &shown,
    );
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    Ok(set)
}

//! `armada2flux graph`

use clap::{Args, ValueEnum};

use crate::printable::Printable;
use crate::report::graph::Picture;
use crate::{plan, report};

use super::choices::Order;
use super::input::InputArguments;
use super::show;
use super::{Failure, Levels, Output, stdout};

/// Show the order of a site: stages, steps, gates and dependencies
///
/// A stage is a chart group. A step is the releases of a stage that may move at the same time. A gate is a
/// wait of Armada's own, after Helm.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux graph site.yaml
  armada2flux graph site.yaml --target-manifest full-site --format dot | dot -Tsvg -o site.svg

Exit codes: 0 done, 1 failed (usage, documents, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Format of the drawing
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// Which releases depend on which
    #[arg(long, value_enum, default_value_t = Order::Exact, value_name = "FORM")]
    order: Order,
    #[command(flatten)]
    levels: Levels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// An indented list
    Text,
    /// Graphviz
    Dot,
    /// Mermaid, for Markdown
    Mermaid,
}

impl Format {
    /// Draws the picture in this format.
    pub(super) fn draw(self, picture: &Picture) -> Printable {
        match self {
            Format::Text => report::graph::text(picture),
            Format::Dot => report::graph::dot(picture),
            Format::Mermaid => report::graph::mermaid(picture),
        }
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut diagnostics = arguments.levels.sink();
    let inputs = arguments.input.read(None, &mut diagnostics)?;
    let decoded = inputs.decode(&mut diagnostics);
    let options = plan::Options {
        order: arguments.order.into(),
        ..plan::Options::default()
    };
    let target = arguments.input.target_manifest.as_deref();
    let plan = decoded.plan(target, options, &mut diagnostics);
    show::diagnostics(
        diagnostics.list(),
        inputs.sources(),
        &inputs.all_trees(),
        output,
    );
    let Some(plan) = plan.filter(|_| diagnostics.errors() == 0) else {
        return Err(Failure::documents());
    };
    let drawing = arguments.format.draw(&Picture::of_plan(&plan));
    stdout::write(&drawing)
}

//! The one way through the compile wing: texts of Armada documents to Flux objects.
//!
//! ```text
//! Texts ─Inputs::read→ Inputs ─decode→ Decoded ─plan→ Plan
//!                                         └─compile→ Compilation, objects into a Sink
//! ```
//!
//! [`Inputs`] owns the texts and their trees, [`Decoded`] the documents, which point into the trees, and
//! [`Compilation`] the plan, which borrows from the documents. Commands stop at the stage that they need.
//! Objects are not stored: a [`Sink`] receives each as it is built.

mod content;
mod inputs;
mod objects;

use crate::armada::{Documents, Ledger, decode_documents, leftover};
use crate::diagnostic::Diagnostics;
use crate::flux::Object;
use crate::lower::{self, Role, Totals, Waits};
use crate::plan::{self, Plan};
use crate::resolve;
use crate::value::Text;

pub use content::Content;
pub use inputs::{Inputs, SourceMapText, Texts};

/// Choices that change the objects.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The chosen Manifest, when there are several.
    pub target: Option<String>,
    /// Choices about the plan.
    pub plan: plan::Options,
    /// Choices about the objects.
    pub lower: lower::Options,
}

/// Receives the objects of a compilation as they are built.
pub trait Sink {
    /// Called once before the first object, when the name of the site and the number of stages are known.
    /// Returns whether objects are wanted.
    fn begin(&mut self, _site: &Text, _stages: usize) -> bool {
        true
    }

    /// Takes the next objects.
    fn take(&mut self, objects: Vec<(Role<'_>, Object)>);
}

impl<F: FnMut(Vec<(Role<'_>, Object)>)> Sink for F {
    fn take(&mut self, objects: Vec<(Role<'_>, Object)>) {
        self(objects);
    }
}

/// An option names a release that the site does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input has no release `{0}`")]
pub struct NoSuchRelease(pub Text);

/// The documents of an input.
#[derive(Debug)]
pub struct Decoded<'i> {
    inputs: &'i Inputs,
    /// The documents of all files.
    pub documents: Documents<'i>,
    /// The disposition of every node, file by file.
    pub ledgers: Vec<Ledger>,
}

/// A site, planned; its objects went to the sink.
#[derive(Debug)]
pub struct Compilation<'d, 'i> {
    /// The plan; `None` after an error.
    pub plan: Option<Plan<'d, 'i>>,
    /// The totals; `None` after an error.
    pub totals: Totals,
}

impl Inputs {
    /// Decodes the documents, and reports what is wrong with the input as a whole.
    pub fn decode(&self, diagnostics: &mut Diagnostics) -> Decoded<'_> {
        let mut documents = Documents::default();
        let ledgers = self
            .trees()
            .iter()
            .map(|tree| decode_documents(tree, self.dialect(), &mut documents, diagnostics))
            .collect();
        leftover::report(&documents, diagnostics);
        Decoded {
            inputs: self,
            documents,
            ledgers,
        }
    }
}

impl<'i> Decoded<'i> {
    /// Returns whether the site can be planned: it has documents, and Deckhand has rendered all of them.
    fn is_rendered(&self) -> bool {
        self.documents.not_rendered.is_empty() && !self.documents.is_empty()
    }

    /// Checks the references between documents and the plan of every Manifest, or of `target` alone.
    pub fn check(&self, target: Option<&str>, diagnostics: &mut Diagnostics) {
        if self.is_rendered() {
            plan::check(&self.documents, target, diagnostics);
        }
    }

    /// Plans the Manifest. `None` after an error.
    pub fn plan(
        &self,
        target: Option<&str>,
        options: plan::Options,
        diagnostics: &mut Diagnostics,
    ) -> Option<Plan<'_, 'i>> {
        if !self.is_rendered() {
            return None;
        }
        let site = resolve::resolve(&self.documents, target, diagnostics)?;
        plan::plan(site, options, diagnostics)
    }

    /// Plans the Manifest and lowers the plan. Objects go to `sink`, even when errors are found on the way.
    ///
    /// # Errors
    ///
    /// An option names a release that the plan does not have.
    pub fn compile(
        &self,
        options: &Options,
        diagnostics: &mut Diagnostics,
        sink: &mut impl Sink,
    ) -> Result<Compilation<'_, 'i>, NoSuchRelease> {
        let plan = self.plan(options.target.as_deref(), options.plan, diagnostics);
        let mut totals = Totals::default();
        if let Some(plan) = &plan {
            check_releases(&options.lower.waits, plan)?;
            let site = lower::site(plan, &options.lower, diagnostics);
            if let Some(source_map) = self.inputs.source_map()
                && sink.begin(&site, plan.stages.len())
            {
                totals = lower::lower(
                    plan,
                    site,
                    source_map,
                    &options.lower,
                    self.inputs.workers(),
                    diagnostics,
                    |objects| sink.take(objects),
                );
            }
        }
        Ok(Compilation { plan, totals })
    }
}

/// Checks that every named release exists: another name would be an option without effect.
fn check_releases(waits: &Waits, plan: &Plan<'_, '_>) -> Result<(), NoSuchRelease> {
    let Waits::Cel { before_hooks } = waits else {
        return Ok(());
    };
    let unknown = before_hooks
        .iter()
        .find(|name| !plan.releases().any(|release| release.name == ***name));
    match unknown {
        Some(name) => Err(NoSuchRelease(name.clone())),
        None => Ok(()),
    }
}

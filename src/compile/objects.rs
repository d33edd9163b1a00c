//! The objects of an input: Armada documents, which are compiled, or a Flux tree, which is read.

use crate::diagnostic::Diagnostics;
use crate::flux::{Object, ObjectSet};
use crate::lower::Role;
use crate::render::read;

use super::{Content, Inputs, NoSuchRelease, Options};

/// Why an input has no objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It holds two kinds of documents.
    #[error("the input has Armada documents ({document}) and Kubernetes objects ({object})")]
    Both {
        /// Place of the first document, as `file:line:column`.
        document: String,
        /// Place of the first object.
        object: String,
    },
    /// A document of a Flux tree is not an object, or appears twice.
    #[error(transparent)]
    Tree(#[from] read::Fault),
    /// An option does not fit.
    #[error(transparent)]
    Release(#[from] NoSuchRelease),
}

impl Inputs {
    /// Returns what the input is. No other function decides it.
    #[must_use]
    pub fn content(&self) -> Content {
        Content::detect(self.trees())
    }

    /// Returns all objects of the input: for Armada documents those of `options`, else those of the Flux tree.
    ///
    /// # Errors
    ///
    /// The input has no objects at all; faults of its documents are diagnostics.
    pub fn objects(
        &self,
        options: &Options,
        diagnostics: &mut Diagnostics,
    ) -> Result<ObjectSet, Refused> {
        match self.content() {
            Content::Flux => Ok(read::objects(self.trees(), diagnostics)?),
            Content::Armada => {
                let mut set = ObjectSet::default();
                let mut sink = |objects: Vec<(Role<'_>, Object)>| {
                    set.extend(objects.into_iter().map(|(_, object)| object));
                };
                self.decode(diagnostics)
                    .compile(options, diagnostics, &mut sink)?;
                Ok(set)
            }
            Content::Both { document, object } => {
                let place = |span| self.sources().locate(span).to_string();
                Err(Refused::Both {
                    document: place(document),
                    object: place(object),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Texts;
    use crate::parallel::Workers;
    use crate::yaml::Dialect;

    const DOCUMENT: &str = "---\nschema: armada/Manifest/v1\n";
    const OBJECT: &str = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";

    fn inputs(files: &[&str]) -> Inputs {
        let mut texts = Texts::default();
        for (at, text) in files.iter().enumerate() {
            let file = texts.sources.add(format!("{at}.yaml"), *text);
            texts.documents.extend(file);
        }
        let mut diagnostics = Diagnostics::default();
        Inputs::read(texts, Dialect::PyYaml, Workers::ONE, &mut diagnostics)
    }

    #[test]
    fn keys_decide_what_an_input_is() {
        assert_eq!(inputs(&[]).content(), Content::Armada);
        assert_eq!(inputs(&["a: b\n", "[]\n"]).content(), Content::Armada);
        assert_eq!(inputs(&["a: b\n", DOCUMENT]).content(), Content::Armada);
        assert_eq!(inputs(&["a: b\n", OBJECT]).content(), Content::Flux);
        // An object may have a field of that name.
        let object = format!("{OBJECT}schema: x\n");
        assert_eq!(inputs(&[OBJECT, &object]).content(), Content::Flux);
    }

    #[test]
    fn documents_and_objects_together_are_refused() {
        let inputs = inputs(&[OBJECT, &format!("{OBJECT}{DOCUMENT}")]);
        let mut diagnostics = Diagnostics::default();
        let refused = inputs.objects(&Options::default(), &mut diagnostics);
        assert_eq!(
            refused.map(|set| set.len()),
            Err(Refused::Both {
                document: "1.yaml:6:1".to_owned(),
                object: "0.yaml:2:1".to_owned(),
            })
        );
    }
}

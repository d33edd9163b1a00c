//! The objects of an input: Armada documents, which are compiled, or a Flux tree, which is read.

use crate::diagnostic::Diagnostics;
use crate::flux::{Object, ObjectSet};
use crate::lower::Role;
use crate::render::read;

use super::{Content, Inputs, NoSuchRelease, Options};

impl Inputs {
    /// Returns what the input is. No other function decides it.
    #[must_use]
    pub fn content(&self) -> Content {
        Content::detect(self.trees())
    }

    /// Returns all objects of the input: for Armada documents those of `options`, else those of the Flux tree. Faults
    /// of the documents are diagnostics.
    ///
    /// # Errors
    ///
    /// An option names a release that the input does not have.
    pub fn objects(
        &self,
        options: &Options,
        diagnostics: &mut Diagnostics,
    ) -> Result<ObjectSet, NoSuchRelease> {
        match self.content() {
            Content::Flux => Ok(read::objects(self.trees(), diagnostics)),
            Content::Armada { objects: _ } | Content::Nothing => {
                let mut set = ObjectSet::default();
                let mut sink = |objects: Vec<(Role<'_>, Object)>| {
                    set.extend(objects.into_iter().map(|(_, object)| object));
                };
                self.decode(diagnostics)
                    .compile(options, diagnostics, &mut sink)?;
                Ok(set)
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
        assert_eq!(inputs(&[]).content(), Content::Nothing);
        assert_eq!(inputs(&["a: b\n", "[]\n"]).content(), Content::Nothing);
        let armada = |objects| Content::Armada { objects };
        assert_eq!(inputs(&["a: b\n", DOCUMENT]).content(), armada(0));
        assert_eq!(inputs(&["a: b\n", OBJECT]).content(), Content::Flux);
        // An object may have a field of that name.
        let object = format!("{OBJECT}schema: x\n");
        assert_eq!(inputs(&[OBJECT, &object]).content(), Content::Flux);
        // As for `convert`, objects beside documents are documents of another schema.
        let both = format!("{OBJECT}{DOCUMENT}");
        assert_eq!(inputs(&[OBJECT, &both]).content(), armada(2));
    }

    /// What is no tree, and what is said: the place and the start of the message.
    #[test]
    fn faults_of_a_tree_name_their_places() {
        let named = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
        let table: [(&str, &[&str]); 8] = [
            (
                "apiVersion: v1\nmetadata: {name: a}\n",
                &[
                    "0.yaml:2:1: a document of the tree is not a Kubernetes object: it has no `kind`",
                ],
            ),
            (
                "kind: Namespace\n",
                &[
                    "0.yaml:2:1: a document of the tree is not a Kubernetes object: it has no `apiVersion`, no `metadata.name`",
                ],
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n",
                &[
                    "0.yaml:2:1: a document of the tree is not a Kubernetes object: it has no `metadata.name`",
                ],
            ),
            (
                "apiVersion: 1\nkind: Pod\nmetadata: {name: ''}\n",
                &[
                    "0.yaml:2:1: a document of the tree is not a Kubernetes object: it has no `apiVersion`, no `metadata.name`",
                ],
            ),
            (
                "- a\n",
                &[
                    "0.yaml:2:1: a document of the tree is not a Kubernetes object: it is no mapping",
                ],
            ),
            (
                "apiVersion: v1\nkind: List\nitems: []\n",
                &["0.yaml:2:1: a `List` holds objects and is none"],
            ),
            (
                "apiVersion: v1\nkind: SecretList\nmetadata: {}\nitems: []\n",
                &["0.yaml:2:1: a `SecretList` holds objects and is none"],
            ),
            (named, &[]),
        ];
        for (text, wanted) in table {
            // The object at the end makes a tree of it, and is read in spite of the fault.
            let inputs = inputs(&[&format!(
                "---\n{text}---\n---\n{}",
                OBJECT.replace("name: a", "name: z")
            )]);
            let mut diagnostics = Diagnostics::default();
            let set = inputs.objects(&Options::default(), &mut diagnostics);
            let said: Vec<String> = diagnostics
                .list()
                .iter()
                .map(|one| {
                    let at = inputs.sources().locate(one.labels[0].span);
                    format!("{at}: {}", one.message)
                })
                .collect();
            assert_eq!(said.len(), wanted.len(), "{text}: {said:?}");
            for (said, wanted) in said.iter().zip(wanted) {
                assert!(said.starts_with(wanted), "{said}");
            }
            assert_eq!(set.map(|set| set.len()), Ok(2 - wanted.len()), "{text}");
        }
    }

    #[test]
    fn an_object_that_appears_twice_is_shown_at_both_places() {
        let inputs = inputs(&[OBJECT, &format!("# again\n{OBJECT}")]);
        let mut diagnostics = Diagnostics::default();
        let set = inputs.objects(&Options::default(), &mut diagnostics);
        assert_eq!(set.map(|set| set.len()), Ok(1));
        let [one] = diagnostics.list() else {
            panic!("{diagnostics:?}");
        };
        assert_eq!(one.message, "Namespace a appears twice in the tree");
        let places = one
            .labels
            .iter()
            .map(|label| inputs.sources().locate(label.span).to_string());
        assert_eq!(places.collect::<Vec<_>>(), ["1.yaml:3:1", "0.yaml:2:1"]);
    }
}

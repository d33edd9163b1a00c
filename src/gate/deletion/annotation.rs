//! Deletions as an annotation of their HelmRelease: compact JSON with a version.
//!
//! ```text
//! {"version":1,"deletions":[{"type":"job","labels":"app=web"}]}
//! ```
//!
//! The keys are those of Armada's `upgrade.pre.delete`; labels are the selector as Armada sends it. What a document
//! means by a type is resolved: each kind of object has its own entry.

use serde::{Deserialize, Serialize};

use super::{Deleted, Deletion};

/// Version of the format: a reader refuses any other.
pub const FORMAT: u32 = 1;

/// Why the annotation cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationError {
    /// The text is not JSON of this format.
    #[error("the deletions of the release cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It was written by another version of the program.
    #[error(
        "the deletions of the release have format {0}, this program reads {FORMAT}; convert again"
    )]
    Format(u32),
    /// The type is not one that `apply` deletes.
    #[error("the deletions of the release cannot be read: `{0}` is not a known type")]
    Type(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    deletions: Vec<WrittenDeletion>,
}

#[derive(Deserialize)]
struct Format {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDeletion {
    r#type: String,
    labels: String,
}

/// Returns the text of the annotation.
#[must_use]
pub fn write(deletions: &[Deletion]) -> String {
    let deletions = deletions.iter().map(|deletion| {
        let Deletion { kind, selector } = deletion;
        WrittenDeletion {
            r#type: kind.word().to_owned(),
            labels: selector.to_string(),
        }
    });
    let written = Written {
        version: FORMAT,
        deletions: deletions.collect(),
    };
    // Strings, numbers and lists always have a JSON form.
    serde_json::to_string(&written).unwrap_or_default()
}

/// Returns the deletions that an annotation holds.
///
/// # Errors
///
/// When the text is not one that [`write()`] produces; the message says what to do.
pub fn read(text: &str) -> Result<Vec<Deletion>, AnnotationError> {
    let Format { version } = serde_json::from_str(text)?;
    if version != FORMAT {
        return Err(AnnotationError::Format(version));
    }
    let Written {
        version: _,
        deletions,
    } = serde_json::from_str(text)?;
    let deletions = deletions.into_iter().map(|deletion| {
        let WrittenDeletion { r#type, labels } = deletion;
        let kind = Deleted::from_word(&r#type).ok_or(AnnotationError::Type(r#type))?;
        Ok(Deletion {
            kind,
            selector: labels.into(),
        })
    });
    deletions.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn deletions() -> impl Strategy<Value = Vec<Deletion>> {
        let kind = prop::sample::select(Deleted::ALL.to_vec());
        let deletion = (kind, ".{0,40}").prop_map(|(kind, selector)| Deletion {
            kind,
            selector: selector.into(),
        });
        prop::collection::vec(deletion, 0..5)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(deletions in deletions()) {
            let text = write(&deletions);
            prop_assert_eq!(read(&text).expect("readable"), deletions);
            prop_assert!(!text.contains('\n'));
        }

        #[test]
        fn no_text_is_taken_for_another(text in ".{0,80}") {
            prop_assert!(read(&text).is_err());
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, message) in [
            (r#"{"version":2,"anything":1}"#, "format 2"),
            (
                r#"{"version":1,"deletions":[{"type":"castle","labels":""}]}"#,
                "`castle` is not a known type",
            ),
            (
                r#"{"version":1,"deletions":[],"more":1}"#,
                "unknown field `more`",
            ),
            (r#"{"version":1}"#, "missing field `deletions`"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

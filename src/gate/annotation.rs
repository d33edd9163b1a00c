//! Gates as an annotation of their HelmRelease: compact JSON with a version.
//!
//! ```text
//! {"version":1,"chart":"v2","waits":[{"type":"deployment","labels":"app=web","required":true,"min_ready":"66%"}]}
//! ```
//!
//! The keys are those of Armada's `wait.resources`; labels are the selector as Armada sends it.
//! A release without waits carries an empty list, so a missing annotation means that nothing is known.

use serde::{Deserialize, Serialize};

use crate::value::Text;

use super::{Gate, MinReady, Spec, Version, WaitKind};

/// Version of the format: a reader refuses any other.
pub const FORMAT: u32 = 1;

/// Why the annotation cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationError {
    /// The text is not JSON of this format.
    #[error("the gates of the release cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It was written by another version of the program.
    #[error("the gates of the release have format {0}, this program reads {FORMAT}; convert again")]
    Format(u32),
    /// The content is not valid for a gate.
    #[error("the gates of the release cannot be read: {0}")]
    Content(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    chart: String,
    waits: Vec<WrittenWait>,
}

#[derive(Deserialize)]
struct Format {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWait {
    r#type: String,
    labels: String,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_ready: Option<CountOrPercent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_async_updates: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CountOrPercent {
    Count(i64),
    Percent(String),
}

/// Returns the text of the annotation.
#[must_use]
pub fn write(gates: &[Gate], version: Version) -> String {
    let waits = gates.iter().map(|gate| WrittenWait {
        r#type: gate.spec.kind.word().to_owned(),
        labels: gate.spec.selector.to_string(),
        required: gate.spec.required,
        min_ready: gate.spec.min_ready.map(|min_ready| match min_ready {
            MinReady::Count(count) => CountOrPercent::Count(count),
            MinReady::Percent(_) => CountOrPercent::Percent(min_ready.to_string()),
        }),
        allow_async_updates: gate.spec.allow_async_updates,
    });
    let written = Written {
        version: FORMAT,
        chart: version.word().to_owned(),
        waits: waits.collect(),
    };
    // Strings, numbers and lists always have a JSON form.
    serde_json::to_string(&written).unwrap_or_default()
}

/// Returns the gates that an annotation of a HelmRelease in `namespace` holds.
///
/// # Errors
///
/// When the text is not one that [`write()`] produces; the message says what to do.
pub fn read(text: &str, namespace: &Text) -> Result<Vec<Gate>, AnnotationError> {
    let Format { version: format } = serde_json::from_str(text)?;
    if format != FORMAT {
        return Err(AnnotationError::Format(format));
    }
    let Written {
        version: _,
        chart,
        waits,
    } = serde_json::from_str(text)?;
    let versions = [Version::V1, Version::V2].into_iter();
    let version = versions
        .clone()
        .find(|version| version.word() == chart)
        .ok_or_else(|| AnnotationError::Content(format!("`{chart}` is not a chart schema")))?;
    let gates = waits.into_iter().map(|wait| {
        let WrittenWait {
            r#type,
            labels,
            required,
            min_ready,
            allow_async_updates,
        } = wait;
        let kind = WaitKind::from_word(&r#type)
            .ok_or_else(|| AnnotationError::Content(format!("`{}` is not a known type", r#type)))?;
        if min_ready.is_some() != kind.counts_ready()
            || allow_async_updates.is_some() != kind.updates_async()
        {
            let message = format!("type `{kind}` has settings of another type");
            return Err(AnnotationError::Content(message));
        }
        let spec = Spec {
            kind,
            selector: labels.into(),
            required,
            min_ready: min_ready.map(parse_min_ready).transpose()?,
            allow_async_updates,
        };
        Ok(Gate::new(spec, namespace.clone(), version))
    });
    gates.collect()
}

fn parse_min_ready(written: CountOrPercent) -> Result<MinReady, AnnotationError> {
    match written {
        CountOrPercent::Count(count) => Ok(MinReady::Count(count)),
        CountOrPercent::Percent(text) => {
            let number = text
                .strip_suffix('%')
                .and_then(|digits| digits.parse().ok());
            let number = number.ok_or_else(|| {
                AnnotationError::Content(format!("`{text}` is not a valid percentage"))
            })?;
            Ok(MinReady::Percent(number))
        }
    }
}

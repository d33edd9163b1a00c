//! Differences that can cost a release, with their effects. Facts: helm-controller 1.6.
//!
//! Rules of this file look at one field of one object, [`joint`] looks at all objects together.

mod code;
mod field;
pub(super) mod joint;
mod waits;

use crate::flux::Object;
use crate::value::Text;

use super::path::Path;
use super::tree::Edit;

pub use code::Code;

/// A danger and what it does here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Danger {
    /// Its code.
    pub code: Code,
    /// The effect of the change.
    pub effect: Text,
}

impl Danger {
    fn new(code: Code) -> Self {
        Self {
            code,
            effect: code.effect().into(),
        }
    }

    fn with(code: Code, effect: impl Into<Text>) -> Self {
        let effect = effect.into();
        Self { code, effect }
    }
}

/// Returns the danger of a difference, also when the difference covers more than a field of a rule.
pub(super) fn of(before: &Object, after: &Object, path: &Path, edit: &Edit) -> Option<Danger> {
    field::of(before, after, path, edit).or_else(|| waits::of(before, after, path))
}

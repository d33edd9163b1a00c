//! The words of reports: closed sets, the same in JSON, in the published schemas and before people.

/// Makes an enum whose values are words: in JSON and in schemas by serde's name, in text by `Display`.
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::schemars::JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// The word, as reports spell it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}
pub(super) use words;

use crate::rollout::journal;

words! {
    /// The end of a run, or of one of its processes.
    pub enum RunEnd {
        /// Everything is done.
        Complete = "complete",
        /// It stopped after the stage that was asked for.
        Paused = "paused",
        /// A stage failed, or the run could not go on.
        Failed = "failed",
        /// It was interrupted.
        Interrupted = "interrupted",
    }
}

impl From<&journal::RunEnd> for RunEnd {
    fn from(end: &journal::RunEnd) -> Self {
        match end {
            journal::RunEnd::Complete => RunEnd::Complete,
            journal::RunEnd::Paused { .. } => RunEnd::Paused,
            journal::RunEnd::Failed => RunEnd::Failed,
            journal::RunEnd::Interrupted => RunEnd::Interrupted,
        }
    }
}

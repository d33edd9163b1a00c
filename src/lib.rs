//! armada2flux: takes a site that Airship Armada runs and hands it to Flux.
//!
//! Data flows one way, through two wings over a common ground. A module uses only those before it in this drawing, read from
//! the ground up and from left to right, and no module of one wing names one of the other:
//!
//! ```text
//! above both: report · cli
//! operating wing: cluster · compare · rollout · survey · apply
//! compile wing: yaml · armada · resolve · source_map · plan · lower · render · compile
//! ground: printable · source · parallel · value · names · diagnostic · secret · emit · flux · gate
//! ```
//!
//! Compile wing: bytes ─yaml→ nodes ─armada→ documents ─resolve→ Manifest ─plan→ stages, steps, releases ─lower→ objects
//! ─emit, render→ files. Operating wing: objects ─rollout→ what is done in which order; what the cluster holds ─survey→ what it
//! would answer and what forbids a run; both ─apply→ writes, waits, gates.
//!
//! The library exists for the program and its tests; it makes no promise of stability.
#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "unit tests read recorded answers and ask PyYAML"
    )
)]

pub mod apply;
pub mod armada;
pub mod cli;
pub mod cluster;
pub mod compare;
pub mod compile;
pub mod diagnostic;
pub mod emit;
pub mod flux;
pub mod gate;
pub mod lower;
pub(crate) mod names;
pub mod parallel;
pub mod plan;
pub mod printable;
pub(crate) mod render;
pub mod report;
pub(crate) mod resolve;
pub mod rollout;
pub mod secret;
pub mod source;
pub mod source_map;
pub mod survey;
pub mod value;
pub mod yaml;

//! Which faults of a wait Armada finds before a deployment, and which only then.

/// How much of an entry Armada's schema checks: in v1 and in v2's mapping all of it; a list of v2
/// matches the schema's other branch whatever it holds, so only the deployment finds its faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Checked,
    Unchecked,
}

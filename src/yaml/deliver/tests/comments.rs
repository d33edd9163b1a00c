//! Comments beside values.

use super::{Code, Delivery, Outcome, delivered, delivered_below};
use crate::emit::{View, to_yaml};

fn written(outcome: &Outcome) -> String {
    to_yaml(outcome.at(&[]), View::Clear)
}

#[test]
fn comments_stay_where_they_are() {
    let text = "\
# above a
a: 1 # beside a
# above b
b: # beside b
  # above c
  c: 2
  # below c
# above list
list:
  # above x
  - x # beside x
  - # beside map
    k: v
    # below k
  - - z
    # below y
  # below list
text: | # beside text
  # no comment
  line
flow: # beside flow
  k: v # beside v
# below all
";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(written(&outcome), text);
    assert_eq!(outcome.codes(), []);
}

#[test]
fn comments_of_flow_collections_find_a_line() {
    let text = "a: [ # one\n  x, # two\n  # three\n  z # four\n  # five\n  ] # six\nb: { # seven\n  }\nc: 1\n";
    let outcome = delivered(text, Delivery::Python);
    let shown = written(&outcome);
    for number in ["one", "two", "three", "four", "five", "six", "seven"] {
        assert_eq!(
            shown.matches(&format!("# {number}")).count(),
            1,
            "{number} in\n{shown}"
        );
    }
    assert_eq!(outcome.codes(), []);
}

#[test]
fn only_comments_of_the_values_are_taken() {
    let text = "\
data:
  # not ours
  values: # beside values
    # above a
    a: 1
    # below a
  # about chart
  chart: x # not ours either
";
    let outcome = delivered_below(text, &["data", "values"], Delivery::Python);
    assert_eq!(outcome.codes(), []);
    let root = outcome.at(&[]);
    assert_eq!(
        root.notes.as_ref().unwrap().trailing.as_deref(),
        Some("# beside values")
    );
    assert_eq!(
        written(&outcome),
        "# beside values\n# above a\na: 1\n# below a\n"
    );
}

#[test]
fn comments_of_nothing_are_named() {
    let text = "b: &b {x: 1} # fine\na:\n  <<: *b # lost\n  z: 2\n";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(outcome.codes(), [Code::CommentLost]);
    assert_eq!(outcome.main(0), "# lost");
}

#[test]
fn comments_under_an_alias_are_written_once() {
    let text = "b: &b\n  # about x\n  x: 1 # one\na: *b # alias\nc: 3 # three\n";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(
        written(&outcome),
        "b:\n  # about x\n  x: 1 # one\na: # alias\n  x: 1\nc: 3 # three\n"
    );
}

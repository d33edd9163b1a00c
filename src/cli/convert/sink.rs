//! Objects on their way to files, or to one YAML stream.

use std::path::Path;

use crate::cli::write::{Staging, Written};
use crate::cli::{Failure, workers};
use crate::compile::Sink;
use crate::emit::{self, View};
use crate::flux::Object;
use crate::lower::Role;
use crate::parallel::{self, Workers};
use crate::render::File;
use crate::render::plain::Plain;
use crate::source::Sources;
use crate::value::Text;

/// Writes objects to a tree or a stream while they are compiled.
pub(super) struct TreeSink<'s> {
    /// Folder of the tree; `None` for a stream.
    folder: Option<&'s Path>,
    sources: &'s Sources,
    workers: Workers,
    state: State<'s>,
}

enum State<'s> {
    /// There is no plan yet.
    Waiting,
    Stream(String),
    Tree(Staging, Plain<'s>),
    Failed(Failure),
}

/// What was written.
#[derive(Default)]
pub(super) struct Finished {
    /// The files, for a folder.
    pub(super) written: Option<Written>,
    /// The text, for a stream.
    pub(super) stream: Option<String>,
}

impl<'s> TreeSink<'s> {
    pub(super) fn new(folder: Option<&'s Path>, sources: &'s Sources) -> Self {
        Self {
            folder,
            sources,
            workers: workers(),
            state: State::Waiting,
        }
    }

    /// Completes the tree if it is `good`; otherwise the target is not touched.
    pub(super) fn finish(self, good: bool, delete_stale: bool) -> Result<Finished, Failure> {
        match self.state {
            State::Failed(failure) => Err(failure),
            State::Tree(mut staging, layout) if good => {
                let rest: Vec<File> = layout.finish();
                rest.iter().try_for_each(|file| staging.write(file))?;
                staging.list(rest.into_iter().map(|file| file.path));
                Ok(Finished {
                    written: Some(staging.commit(delete_stale)?),
                    stream: None,
                })
            }
            State::Stream(stream) if good => Ok(Finished {
                written: None,
                stream: Some(stream),
            }),
            // Dropping the staging folder leaves the target as it was.
            State::Waiting | State::Tree(..) | State::Stream(_) => Ok(Finished::default()),
        }
    }
}

impl Sink for TreeSink<'_> {
    fn begin(&mut self, site: &Text, stages: usize) -> bool {
        let staging = self.folder.map(|folder| Staging::new(folder, site));
        self.state = match staging {
            None => State::Stream(String::new()),
            Some(Ok(staging)) => State::Tree(staging, Plain::new(site, stages, self.sources)),
            Some(Err(failure)) => State::Failed(failure),
        };
        !matches!(self.state, State::Failed(_))
    }

    fn take(&mut self, objects: Vec<(Role<'_>, Object)>) {
        match &mut self.state {
            State::Waiting | State::Failed(_) => {}
            State::Stream(stream) => {
                stream.extend(parallel::map(objects, self.workers, |(_, object)| {
                    let mut text = "---\n".to_owned();
                    emit::write_yaml(&object.value, View::Clear, &mut text);
                    text
                }));
            }
            State::Tree(staging, layout) => {
                if let Err(failure) = write(objects, staging, layout, self.workers) {
                    self.state = State::Failed(failure);
                }
            }
        }
    }
}

fn write(
    objects: Vec<(Role<'_>, Object)>,
    staging: &mut Staging,
    layout: &mut Plain<'_>,
    workers: Workers,
) -> Result<(), Failure> {
    let placed: Vec<_> = objects
        .into_iter()
        .filter_map(|(role, object)| {
            let path = layout.place(role, &object)?;
            Some((role, object, path))
        })
        .collect();
    let paths = parallel::map(placed, workers, |(role, object, path)| {
        let file = layout.file(role, &object, path);
        staging.write(&file).map(|()| file.path)
    })
    .into_iter()
    .collect::<Result<Vec<_>, _>>()?;
    staging.list(paths);
    Ok(())
}

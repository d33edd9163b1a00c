//! Watches objects: a LIST, then changes, as long as the stream is polled.

use std::mem;
use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::attempts::Attempts;
use super::broken::cause_of;
use super::call::{Call, Reading};
use super::list::{Listed, Selection};
use super::outage::Transient;
use super::transport::Failure;
use super::{Cause, Cluster, Error, KindRef, received};
use crate::flux::{Object, ObjectMeta};
use crate::value::{Data, Number, Text, Value};

/// The shortest time for which the server is asked to keep a watch, in seconds. A server that still exists ends the
/// stream then, so a dead connection shows by its silence before a Lease of ours expires.
const WATCH_SECONDS: usize = 30;

/// The ends of watches are spread over this number of steps of this length in seconds, so that they do not
/// end together.
const SPREAD: (usize, usize) = (8, 1);

/// The silence after which the server counts as gone, as a multiple of the time for an answer
/// ([`super::Access::timeout`]). A new watch costs one request.
const SILENT_ANSWERS: u32 = 10;

/// The time without a whole event after which the connection counts as dead in any case: the server should have ended
/// the watch before.
const SILENCE: Duration = Duration::from_secs(45);

/// A watch that seconds this long counts as a success, even without events.
const SUCCESS_AFTER: Duration = Duration::from_secs(1);

/// The longest event that is read, in bytes: one object, which etcd limits to 1.5 MB.
const EVENT_LIMIT: usize = 16 << 20;

/// The status for a resource version that the server no longer has.
const GONE: u16 = 410;

/// An event of a watch.
#[derive(Clone, Debug)]
pub enum Event {
    /// All objects: at the start, and again when the server no longer has the events since the last one.
    /// Objects that are not among them are gone.
    Listed(Vec<Object>),
    /// An object is new or has changed.
    Changed(Object),
    /// An object is gone; its last state.
    Gone(Object),
}

impl Cluster {
    /// Watches the objects of a kind, in a namespace or in all, that match a label selector.
    ///
    /// A watch that breaks or ends is resumed at its resource version, without another LIST; when the server
    /// no longer has that version, all objects are listed again. While the server is too busy or cannot be
    /// reached, the watch is retried within [`Cluster::retry_for`], counted from the first failure. The stream
    /// ends after its first error.
    ///
    /// A watch does not count against [`super::CONCURRENCY`].
    pub fn watch<'c>(
        &'c self,
        kind: &KindRef,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> impl Stream<Item = Result<Event, Error>> + use<'c> {
        self.follow(Selection::new(kind, namespace).labels(labels))
    }

    /// Watches one object, which need not exist yet; see [`Cluster::watch`].
    pub fn watch_one<'c>(
        &'c self,
        kind: &KindRef,
        namespace: Option<&str>,
        name: &str,
    ) -> impl Stream<Item = Result<Event, Error>> + use<'c> {
        self.follow(Selection::new(kind, namespace).name(name))
    }

    fn follow(&self, selection: Selection) -> impl Stream<Item = Result<Event, Error>> {
        unfold(Some(Watch::new(self, selection)), |watch| async move {
            let mut watch = watch?;
            match watch.next().await {
                Ok(event) => Some((Ok(event), Some(watch))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

/// The state of a watch.
struct Watch<'c> {
    cluster: &'c Cluster,
    selection: Selection,
    act: String,
    attempts: Attempts<'c>,
    /// The resource version up to which all changes are known; `None` before the LIST.
    version: Option<Text>,
    /// Whether there was no event since the LIST.
    fresh: bool,
    lines: Option<Lines>,
}

impl<'c> Watch<'c> {
    fn new(cluster: &'c Cluster, selection: Selection) -> Self {
        let act = selection.act("watch");
        Self {
            attempts: Attempts::for_watch(cluster, &act),
            cluster,
            selection,
            act,
            version: None,
            fresh: true,
            lines: None,
        }
    }

    async fn next(&mut self) -> Result<Event, Error> {
        loop {
            let Some(version) = &self.version else {
                let listed = self.cluster.list_all(Call::get, &self.selection);
                let Listed { kept, version } = listed.await?;
                self.version = Some(version);
                self.fresh = true;
                return Ok(Event::Listed(kept));
            };
            let Some(lines) = &mut self.lines else {
                let path = self.path(version);
                self.open(path).await?;
                continue;
            };
            let line = lines.next().await;
            let lasted = lines.opened.elapsed() >= SUCCESS_AFTER;
            if lasted || matches!(line, Line::Whole(_)) {
                self.attempts.succeeded();
            }
            match line {
                Line::Whole(line) => {
                    if let Some(event) = self.event(&line).await? {
                        return Ok(event);
                    }
                }
                Line::Silence => {
                    self.cluster.generations.end(lines.generation);
                    self.lines = None;
                }
                Line::Renewed => self.lines = None,
                Line::End if lasted => self.lines = None,
                Line::End => {
                    let text = "the watch ended as soon as it began".to_owned();
                    self.retry(Transient::Broken(Cause::Unreachable(text)))
                        .await?;
                }
                Line::Broken(cause) => self.retry(Transient::Broken(cause)).await?,
                Line::TooLong => {
                    let text = format!("an event is longer than {EVENT_LIMIT} bytes");
                    return Err(self.unreadable(text));
                }
            }
        }
    }

    fn path(&self, version: &str) -> String {
        let (steps, step) = SPREAD;
        let seconds = WATCH_SECONDS + self.cluster.requests() % steps * step;
        format!(
            "{}watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}",
            self.selection.path
        )
    }

    /// Opens the watch at the known version.
    async fn open(&mut self, path: String) -> Result<(), Error> {
        let deadline = self.attempts.deadline();
        let call = Call::get(path);
        let mut renewed = self.cluster.generations.watch();
        let generation = *renewed.borrow_and_update();
        let answer = match self.cluster.open(&self.act, &call, deadline).await {
            Ok(response) if response.status().is_success() => {
                let silence = SILENCE.min(self.cluster.timeout * SILENT_ANSWERS);
                self.lines = Some(Lines::new(
                    response.into_body(),
                    silence,
                    generation,
                    renewed,
                ));
                return Ok(());
            }
            Ok(response) => self.cluster.rest(&self.act, Reading::Json, response).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &answer {
            self.cluster.note_silence(generation, failure);
        }
        match answer {
            Ok(answer) if answer.status == GONE => self.relist().await,
            Ok(answer) => Err(self.cluster.refused(&self.act, &answer)),
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Transient(failure)) => self.retry(failure).await,
        }
    }

    /// Reads an event. Returns `None` for events that do not concern the caller.
    async fn event(&mut self, line: &[u8]) -> Result<Option<Event>, Error> {
        let mut event =
            Value::from_json(line).map_err(|error| self.unreadable(error.to_string()))?;
        let object = event
            .as_mapping_mut()
            .and_then(|event| event.get_mut("object"))
            .map_or(Value::null(), |object| mem::replace(object, Value::null()));
        let kind = event
            .at(&["type"])
            .and_then(Value::as_str)
            .unwrap_or_default();
        if kind == "ERROR" {
            self.error(object).await?;
            return Ok(None);
        }
        let version = ObjectMeta::of(&object).resource_version();
        let Some(version) = version.map(Text::from) else {
            return Err(self.unreadable("an event has no resourceVersion".to_owned()));
        };
        let event = match kind {
            "BOOKMARK" => None,
            "ADDED" | "MODIFIED" => Some(Event::Changed(self.object(object)?)),
            "DELETED" => Some(Event::Gone(self.object(object)?)),
            _ => return Err(self.unreadable("an event has an unknown type".to_owned())),
        };
        self.version = Some(version);
        self.fresh = false;
        Ok(event)
    }

    fn object(&self, value: Value) -> Result<Object, Error> {
        let KindRef {
            api_version, kind, ..
        } = &self.selection.kind;
        received::read(api_version, kind, value)
            .ok_or_else(|| self.unreadable("an event holds no object".to_owned()))
    }

    /// Handles an error that the server sends in place of an event; it is the last one of a watch.
    async fn error(&mut self, status: Value) -> Result<(), Error> {
        let code = match status.at(&["code"]).map(|code| &code.data) {
            Some(Data::Number(Number::Int(code))) => u16::try_from(*code).unwrap_or_default(),
            _ => 0,
        };
        match code {
            GONE => self.relist().await,
            429 | 500..=599 => self.retry(Transient::Busy(code, None)).await,
            _ => {
                let answer = Answer::new(code, status);
                Err(self.cluster.refused(&self.act, &answer))
            }
        }
    }

    /// Handles a resource version that the server no longer has: all objects have to be listed again. If this
    /// happens at once, the next attempt waits.
    async fn relist(&mut self) -> Result<(), Error> {
        self.version = None;
        self.lines = None;
        if self.fresh {
            self.retry(Transient::Busy(GONE, None)).await?;
        }
        Ok(())
    }

    async fn retry(&mut self, failure: Transient) -> Result<(), Error> {
        self.lines = None;
        self.attempts.wait(failure).await
    }

    fn unreadable(&self, text: String) -> Error {
        self.cluster.failed(&self.act, Cause::Unreadable(text))
    }
}

/// The lines of a streamed answer.
struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// The length of the part of the buffer that holds no line break.
    searched: usize,
    opened: Instant,
    /// The longest time without a whole line.
    silence: Duration,
    generation: u64,
    /// Sees the end of the generation.
    renewed: watch::Receiver<u64>,
}

enum Line {
    Whole(Vec<u8>),
    /// The server ended the stream.
    End,
    Silence,
    /// Another request on a connection of the same age was not answered, so this one may be dead, too.
    Renewed,
    Broken(Cause),
    TooLong,
}

impl Lines {
    fn new(body: Body, silence: Duration, generation: u64, renewed: watch::Receiver<u64>) -> Self {
        Self {
            body,
            buffer: Vec::new(),
            searched: 0,
            opened: Instant::now(),
            silence,
            generation,
            renewed,
        }
    }

    async fn next(&mut self) -> Line {
        let deadline = Instant::now() + self.silence;
        loop {
            let mut unseen = self.buffer[self.searched..].iter();
            if let Some(at) = unseen.position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                self.searched = 0;
                return Line::Whole(mem::replace(&mut self.buffer, rest));
            }
            self.searched = self.buffer.len();
            if self.searched > EVENT_LIMIT {
                return Line::TooLong;
            }
            let frame = tokio::select! {
                frame = timeout_at(deadline, self.body.frame()) => frame,
                // The sender lives as long as the client.
                Ok(()) = self.renewed.changed() => return Line::Renewed,
            };
            match frame {
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.buffer.extend_from_slice(&data);
                }
                Ok(Some(Err(error))) => return Line::Broken(cause_of(&error)),
                // A line without an end is incomplete.
                Ok(None) => return Line::End,
                Err(_) => return Line::Silence,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: Vec<u8>) -> Vec<String> {
        let mut lines = Lines::new(
            Body::from(text),
            SILENCE,
            0,
            watch::Sender::new(0).subscribe(),
        );
        let mut seen = Vec::new();
        loop {
            match lines.next().await {
                Line::Whole(line) => seen.push(String::from_utf8(line).expect("text")),
                Line::End => return seen,
                Line::TooLong => return vec!["too long".to_owned()],
                Line::Silence | Line::Renewed | Line::Broken(_) => {
                    return vec!["broken".to_owned()];
                }
            }
        }
    }

    #[tokio::test]
    async fn lines_are_whole_and_bounded() {
        let text = b"{}\n\n[1]\n[2".to_vec();
        assert_eq!(all(text).await, ["{}\n", "\n", "[1]\n"]);
        assert_eq!(all(vec![b' '; EVENT_LIMIT + 1]).await, ["too long"]);
    }
}

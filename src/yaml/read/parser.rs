//! Converts tokens to events by the grammar of libyaml 0.2.5, with a stack of states in place of recursion.

use super::event::{Content, Event, Node};
use super::fault::{Fault, FaultKind};
use super::scanner::Scanner;
use super::token::{Text, Token, TokenKind};
use crate::yaml::tree::Style;

#[derive(Clone, Copy, Debug)]
enum State {
    StreamStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockEntry,
    IndentlessEntry,
    BlockKey,
    BlockValue,
    FlowEntryFirst,
    FlowEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowKeyFirst,
    FlowKey,
    FlowValue,
    FlowValueAbsent,
}

/// The context of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Flow,
    Block,
    /// Also a list that is not indented deeper than its key.
    BlockOrIndentless,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    /// The states to return to after the open nodes.
    states: Vec<State>,
    /// `%TAG` handles and prefixes of the document.
    prefixes: Vec<(Text, Text)>,
    /// The start offsets of the open flow collections.
    flows: Vec<u32>,
    /// The end of the last token that was taken.
    end: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, at: usize, max_depth: usize) -> Self {
        Self {
            scanner: Scanner::new(text, at, max_depth),
            state: State::StreamStart,
            states: Vec::new(),
            prefixes: Vec::new(),
            flows: Vec::new(),
            end: at as u32,
        }
    }

    /// Continues at another offset, which must be the start of a document.
    pub(super) fn restart(&mut self, at: u32) {
        self.scanner.restart(at as usize);
        self.state = State::StreamStart;
        self.states.clear();
        self.prefixes.clear();
        self.flows.clear();
        self.end = at;
    }

    pub(super) fn into_scanner(self) -> Scanner<'a> {
        self.scanner
    }

    pub(super) fn next(&mut self) -> Result<Event, Fault> {
        match self.state {
            State::StreamStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Place::Block),
            State::BlockEntry => self.block_entry(),
            State::IndentlessEntry => self.indentless_entry(),
            State::BlockKey => self.block_key(),
            State::BlockValue => self.block_value(),
            State::FlowEntryFirst => self.flow_entry(true),
            State::FlowEntry => self.flow_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowEntry;
                Ok(Event::CollectionEnd(self.end))
            }
            State::FlowKeyFirst => self.flow_key(true),
            State::FlowKey => self.flow_key(false),
            State::FlowValue => self.flow_value(),
            State::FlowValueAbsent => Ok(self.absent(State::FlowKey)),
        }
    }

    fn peek(&mut self) -> Result<TokenKind, Fault> {
        Ok(self.scanner.peek()?.kind)
    }

    /// Takes the token that was peeked at, and peeks at the next one.
    fn take(&mut self, token: Token) -> Result<Token, Fault> {
        self.scanner.take();
        self.end = token.end.max(self.end);
        self.scanner.peek()
    }

    /// Takes the token that was peeked at, without peeking at the next one.
    fn take_last(&mut self, token: Token) {
        self.scanner.take();
        self.end = token.end.max(self.end);
    }

    fn fault<T>(&self, kind: FaultKind, token: Token) -> Result<T, Fault> {
        Err(Fault::new(kind, token.start))
    }

    /// Returns a fault inside of a flow collection: at the end of the document, the fault is that it is not
    /// closed.
    fn flow_fault<T>(&self, kind: FaultKind, token: Token) -> Result<T, Fault> {
        let Some(&start) = self.flows.last() else {
            return self.fault(kind, token);
        };
        Err(match token.kind {
            TokenKind::StreamEnd | TokenKind::DocumentStart | TokenKind::DocumentEnd => {
                Fault::new(FaultKind::UnclosedFlow, start).seen(token.start)
            }
            _ => Fault::new(kind, token.start).since(start),
        })
    }

    /// Returns a fault of a directive: the document may start after it.
    fn directive_fault<T>(&self, kind: FaultKind, token: Token) -> Result<T, Fault> {
        Err(Fault::new(kind, token.start).seen(token.end))
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::DocumentEnd);
    }

    /// Returns an empty scalar for a node that is absent.
    fn absent(&mut self, next: State) -> Event {
        self.state = next;
        Event::Node(self.empty(None, None))
    }

    fn empty(&self, tag: Option<String>, anchor: Option<(u32, u32)>) -> Node {
        let text = Text {
            start: self.end,
            length: 0,
            decoded: false,
        };
        let style = Style::Plain;
        Node {
            content: Content::Scalar { style, text },
            start: self.end,
            end: self.end,
            tag,
            anchor,
        }
    }

    fn document_start(&mut self, first: bool) -> Result<Event, Fault> {
        let mut token = self.scanner.peek()?;
        if !first {
            while token.kind == TokenKind::DocumentEnd {
                token = self.take(token)?;
            }
        }
        match token.kind {
            TokenKind::StreamEnd => return Ok(Event::StreamEnd),
            TokenKind::Version { .. } | TokenKind::TagPrefix { .. } | TokenKind::DocumentStart => {}
            _ if first => {
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok(Event::DocumentStart(token.start));
            }
            _ => {}
        }
        let start = token.start;
        token = self.directives(token)?;
        if token.kind != TokenKind::DocumentStart {
            return self.fault(FaultKind::DocumentExpected, token);
        }
        self.take_last(token);
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event::DocumentStart(start))
    }

    fn directives(&mut self, mut token: Token) -> Result<Token, Fault> {
        let mut version = false;
        loop {
            match token.kind {
                TokenKind::Version { .. } if version => {
                    return self.directive_fault(FaultKind::DirectiveTwice, token);
                }
                TokenKind::Version {
                    major: 1,
                    minor: 1 | 2,
                } => version = true,
                TokenKind::Version { .. } => {
                    return self.directive_fault(FaultKind::Version, token);
                }
                TokenKind::TagPrefix { handle, prefix } => {
                    if self.prefix(handle).is_some() {
                        return self.directive_fault(FaultKind::DirectiveTwice, token);
                    }
                    self.prefixes.push((handle, prefix));
                }
                _ => return Ok(token),
            }
            token = self.take(token)?;
        }
    }

    /// Returns the declared prefix of a tag handle.
    fn prefix(&self, handle: Text) -> Option<Text> {
        let handle = self.scanner.resolve(handle);
        self.prefixes
            .iter()
            .copied()
            .find(|&(known, _)| self.scanner.resolve(known) == handle)
            .map(|(_, prefix)| prefix)
    }

    fn document_content(&mut self) -> Result<Event, Fault> {
        match self.peek()? {
            TokenKind::Version { .. }
            | TokenKind::TagPrefix { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                self.pop();
                let state = self.state;
                Ok(self.absent(state))
            }
            _ => self.node(Place::Block),
        }
    }

    fn document_end(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::DocumentEnd {
            self.take_last(token);
        }
        self.prefixes.clear();
        self.state = State::DocumentStart;
        Ok(Event::DocumentEnd(self.end))
    }

    fn node(&mut self, place: Place) -> Result<Event, Fault> {
        let mut token = self.scanner.peek()?;
        if token.kind == TokenKind::Alias {
            self.pop();
            self.take_last(token);
            return Ok(Event::Alias(token.start, token.end));
        }
        let mut anchor = None;
        let mut tag = None;
        for _ in 0..2 {
            match token.kind {
                TokenKind::Anchor if anchor.is_none() => anchor = Some((token.start, token.end)),
                TokenKind::Tag { handle, suffix } if tag.is_none() => {
                    tag = Some((handle, suffix, token));
                }
                _ => break,
            }
            token = self.take(token)?;
        }
        let tag = match tag {
            Some((handle, suffix, token)) => Some(self.tag(handle, suffix, token)?),
            None => None,
        };
        let block = place != Place::Flow;
        let (content, state) = match token.kind {
            TokenKind::BlockEntry if place == Place::BlockOrIndentless => {
                (Content::Sequence, Some(State::IndentlessEntry))
            }
            TokenKind::Scalar { style, text } => (Content::Scalar { style, text }, None),
            TokenKind::FlowSequenceStart => (Content::Sequence, Some(State::FlowEntryFirst)),
            TokenKind::FlowMappingStart => (Content::Mapping, Some(State::FlowKeyFirst)),
            TokenKind::BlockSequenceStart if block => (Content::Sequence, Some(State::BlockEntry)),
            TokenKind::BlockMappingStart if block => (Content::Mapping, Some(State::BlockKey)),
            _ if anchor.is_some() || tag.is_some() => {
                self.pop();
                return Ok(Event::Node(self.empty(tag, anchor)));
            }
            _ => return self.flow_fault(FaultKind::NodeExpected, token),
        };
        if let Some(State::FlowEntryFirst | State::FlowKeyFirst) = state {
            self.flows.push(token.start);
        }
        match state {
            Some(state) => self.state = state,
            None => self.pop(),
        }
        // A list that is not indented has no start token.
        if token.kind != TokenKind::BlockEntry {
            self.take_last(token);
        }
        Ok(Event::Node(Node {
            content,
            start: token.start,
            end: token.end,
            tag,
            anchor,
        }))
    }

    fn tag(&self, handle: Text, suffix: Text, token: Token) -> Result<String, Fault> {
        let suffix = self.scanner.resolve(suffix);
        let prefix = match self.prefix(handle) {
            Some(prefix) => self.scanner.resolve(prefix),
            None => match self.scanner.resolve(handle) {
                "" => "",
                "!" => "!",
                "!!" => "tag:yaml.org,2002:",
                _ => return self.fault(FaultKind::TagUndeclared, token),
            },
        };
        Ok(format!("{prefix}{suffix}"))
    }

    fn block_entry(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => match self.take(token)?.kind {
                TokenKind::BlockEntry | TokenKind::BlockEnd => Ok(self.absent(State::BlockEntry)),
                _ => self.nested(State::BlockEntry, Place::Block),
            },
            TokenKind::BlockEnd => Ok(self.block_end()),
            _ => self.fault(FaultKind::EntryExpected, token),
        }
    }

    fn indentless_entry(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::BlockEntry {
            self.pop();
            return Ok(Event::CollectionEnd(self.end));
        }
        match self.take(token)?.kind {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                Ok(self.absent(State::IndentlessEntry))
            }
            _ => self.nested(State::IndentlessEntry, Place::Block),
        }
    }

    fn block_key(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => self.key_or_value(token, State::BlockValue),
            TokenKind::BlockEnd => Ok(self.block_end()),
            _ => self.fault(FaultKind::KeyExpected, token),
        }
    }

    fn block_value(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Value => self.key_or_value(token, State::BlockKey),
            _ => Ok(self.absent(State::BlockKey)),
        }
    }

    /// Parses the node after a `?` or `:` of a block mapping.
    fn key_or_value(&mut self, token: Token, next: State) -> Result<Event, Fault> {
        match self.take(token)?.kind {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => Ok(self.absent(next)),
            _ => self.nested(next, Place::BlockOrIndentless),
        }
    }

    fn nested(&mut self, after: State, place: Place) -> Result<Event, Fault> {
        self.states.push(after);
        self.node(place)
    }

    fn block_end(&mut self) -> Event {
        self.scanner.take();
        self.pop();
        Event::CollectionEnd(self.end)
    }

    fn flow_end(&mut self, token: Token) -> Event {
        self.flows.pop();
        self.take_last(token);
        self.pop();
        Event::CollectionEnd(self.end)
    }

    fn flow_entry(&mut self, first: bool) -> Result<Event, Fault> {
        let mut token = self.scanner.peek()?;
        if !first {
            match token.kind {
                TokenKind::FlowSequenceEnd => {}
                TokenKind::FlowEntry => token = self.take(token)?,
                _ => return self.flow_fault(FaultKind::FlowSequenceEnd, token),
            }
        }
        match token.kind {
            TokenKind::FlowSequenceEnd => Ok(self.flow_end(token)),
            TokenKind::Key => {
                // A mapping of a single pair, without brackets.
                self.take_last(token);
                self.state = State::FlowPairKey;
                Ok(Event::Node(Node {
                    content: Content::Mapping,
                    start: token.start,
                    end: token.end,
                    tag: None,
                    anchor: None,
                }))
            }
            _ => self.nested(State::FlowEntry, Place::Flow),
        }
    }

    fn flow_pair_key(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // As in libyaml, the token is dropped, and the list continues after it.
                self.take_last(token);
                Ok(self.absent(State::FlowPairValue))
            }
            _ => self.nested(State::FlowPairValue, Place::Flow),
        }
    }

    fn flow_pair_value(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            match self.take(token)?.kind {
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {}
                _ => return self.nested(State::FlowPairEnd, Place::Flow),
            }
        }
        Ok(self.absent(State::FlowPairEnd))
    }

    fn flow_key(&mut self, first: bool) -> Result<Event, Fault> {
        let mut token = self.scanner.peek()?;
        if !first {
            match token.kind {
                TokenKind::FlowMappingEnd => {}
                TokenKind::FlowEntry => token = self.take(token)?,
                _ => return self.flow_fault(FaultKind::FlowMappingEnd, token),
            }
        }
        match token.kind {
            TokenKind::FlowMappingEnd => Ok(self.flow_end(token)),
            TokenKind::Key => match self.take(token)?.kind {
                TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                    Ok(self.absent(State::FlowValue))
                }
                _ => self.nested(State::FlowValue, Place::Flow),
            },
            _ => self.nested(State::FlowValueAbsent, Place::Flow),
        }
    }

    fn flow_value(&mut self) -> Result<Event, Fault> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            match self.take(token)?.kind {
                TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {}
                _ => return self.nested(State::FlowKey, Place::Flow),
            }
        }
        Ok(self.absent(State::FlowKey))
    }
}

//! JSON as text in pieces, so that a large result that many callers get is rendered once and never copied.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Extensions;
use http_body::{Frame, SizeHint};

/// From this length on a piece is rather sent by itself than copied.
pub(super) const LARGE_PIECE_BYTES: usize = 64 << 10;

/// A JSON text, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JsonText {
    pieces: VecDeque<Bytes>,
}

impl JsonText {
    /// The text that these pieces make one after the other.
    pub(crate) fn of_pieces(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            pieces: pieces.into_iter().collect(),
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// The text between two others.
    pub(crate) fn between(self, before: &str, after: &str) -> Self {
        let mut text = TextBuilder::default();
        text.push(before.as_bytes());
        text.append(self);
        text.push(after.as_bytes());
        text.finish()
    }

    /// The whole text, for tests.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.pieces.iter().flatten().copied().collect();
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }

    /// The body of an answer.
    pub(crate) fn into_body(mut self) -> Body {
        if self.pieces.len() <= 1 {
            return self.pieces.pop_front().map_or_else(Body::empty, Body::from);
        }
        Body::new(self)
    }
}

impl From<String> for JsonText {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for JsonText {
    fn from(text: Vec<u8>) -> Self {
        Self::of_pieces([Bytes::from(text)])
    }
}

/// Puts a text together. Small pieces are copied into one, because each is sent by itself; large ones are kept as they are.
#[derive(Debug, Default)]
pub(super) struct TextBuilder {
    /// What is complete.
    done: JsonText,
    /// Bytes that `done` has.
    done_bytes: usize,
    /// What comes after that.
    small: Vec<u8>,
}

impl TextBuilder {
    /// Appends a part.
    pub(super) fn push(&mut self, part: &[u8]) {
        self.small.extend_from_slice(part);
    }

    /// Appends a text.
    pub(super) fn append(&mut self, text: JsonText) {
        for piece in text.pieces {
            if piece.len() < LARGE_PIECE_BYTES {
                self.push(&piece);
            } else {
                self.complete();
                self.done_bytes += piece.len();
                self.done.pieces.push_back(piece);
            }
        }
    }

    /// Appends what `write` writes.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.small);
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> usize {
        self.done_bytes + self.small.len()
    }

    /// The whole.
    pub(super) fn finish(mut self) -> JsonText {
        self.complete();
        self.done
    }

    fn complete(&mut self) {
        if !self.small.is_empty() {
            self.done_bytes += self.small.len();
            let piece = std::mem::take(&mut self.small);
            self.done.pieces.push_back(piece.into());
        }
    }
}

impl http_body::Body for JsonText {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Exact, so that the answer has a `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.len()).unwrap_or(u64::MAX))
    }
}

/// Where a method leaves its result if that is JSON already. What it returns does not count then: it would be
/// rendered, read and copied on its way through the layers. Methods that answer at once have none.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadyResult(Arc<OnceLock<JsonText>>);

impl ReadyResult {
    /// Where the method that is called with these extensions leaves its result.
    pub(crate) fn of(extensions: &Extensions) -> &Self {
        extensions
            .get()
            .expect("the dispatcher gives one with every call that is not answered at once")
    }

    /// Leaves the result. The first one counts.
    pub(crate) fn set(&self, result: JsonText) {
        let _ = self.0.set(result);
    }

    /// The result, if there is one.
    pub(super) fn take(self) -> Option<JsonText> {
        match Arc::try_unwrap(self.0) {
            Ok(slot) => slot.into_inner(),
            Err(shared) => shared.get().cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[&'static str]) -> JsonText {
        JsonText::of_pieces(
            pieces
                .iter()
                .map(|piece| Bytes::from_static(piece.as_bytes())),
        )
    }

    async fn sent(text: JsonText) -> (Option<u64>, Bytes) {
        let body = text.into_body();
        let length = http_body::Body::size_hint(&body).exact();
        (length, axum::body::to_bytes(body, 1_000).await.unwrap())
    }

    #[tokio::test]
    async fn pieces_are_sent_as_one_text_of_known_length() {
        for pieces in [&[][..], &["[1]"], &["[1", ",2", "]"]] {
            let whole = pieces.concat();
            assert_eq!(text(pieces).len(), whole.len());
            let (length, bytes) = sent(text(pieces)).await;
            assert_eq!(length, Some(whole.len() as u64));
            assert_eq!(bytes, whole);
            let (_, bytes) = sent(text(pieces).between("{\"a\":", "}\n")).await;
            assert_eq!(bytes, format!("{{\"a\":{whole}}}\n"));
        }
    }

    #[test]
    fn large_pieces_are_not_copied() {
        let large = Bytes::from(vec![b'1'; LARGE_PIECE_BYTES]);
        let result = JsonText::of_pieces([large.clone(), Bytes::from_static(b"2")]);
        let text = result.between("[", "]");
        let small = |text: &'static [u8]| Bytes::from_static(text);
        assert_eq!(text.pieces, [small(b"["), large.clone(), small(b"2]")]);
        assert_eq!(text.pieces[1].as_ptr(), large.as_ptr());
    }

    #[test]
    fn the_first_ready_result_counts() {
        assert_eq!(ReadyResult::default().take(), None);
        let slot = ReadyResult::default();
        let other = slot.clone();
        slot.set(text(&["1"]));
        slot.set(text(&["2"]));
        assert_eq!(other.take(), Some(text(&["1"])));
    }
}

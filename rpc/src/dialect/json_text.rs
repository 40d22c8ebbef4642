//! JSON as text in pieces, so that a large result that many callers get is rendered once and never copied.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

/// From this length on a piece is rather sent by itself than copied.
const LARGE_PIECE_BYTES: usize = 64 << 10;

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

    /// Several texts as one. Small pieces are put together: each is sent by itself.
    pub(super) fn concat(texts: impl IntoIterator<Item = Self>) -> Self {
        let (mut joined, mut small) = (Self::default(), Vec::new());
        for piece in texts.into_iter().flat_map(|text| text.pieces) {
            if piece.len() < LARGE_PIECE_BYTES {
                small.extend_from_slice(&piece);
            } else {
                joined.push(std::mem::take(&mut small).into());
                joined.push(piece);
            }
        }
        joined.push(small.into());
        joined
    }

    fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// The text between two others.
    pub(crate) fn between(self, before: &str, after: &str) -> Self {
        let around = |text: &str| Self::from(text.to_owned());
        Self::concat([around(before), self, around(after)])
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
        Self::of_pieces([Bytes::from(text)])
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
/// rendered, read and copied on its way through the layers.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadyResult(Arc<OnceLock<JsonText>>);

impl ReadyResult {
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

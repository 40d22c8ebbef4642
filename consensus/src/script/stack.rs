//! The stack and its elements. No opcode makes new bytes but hashes and numbers, so an element either
//! borrows from a script or a witness, or holds at most 32 bytes itself: nothing is allocated for it.

use std::fmt;

use super::failure::{Outcome, ScriptFailure};
use super::flags::ScriptFlags;
use super::number::{MAX_NUMBER_BYTES, decode_number, encode_number, is_true};

/// The longest element that an opcode makes: a SHA-256 hash.
const MAX_OWN_BYTES: usize = 32;

/// A stack element.
#[derive(Clone, Copy)]
pub(crate) enum Element<'a> {
    /// Bytes of a script or a witness.
    Borrowed(&'a [u8]),
    /// The first `length` of these bytes.
    Own {
        length: u8,
        bytes: [u8; MAX_OWN_BYTES],
    },
}

impl<'a> Element<'a> {
    fn own(content: &[u8]) -> Self {
        let mut bytes = [0; MAX_OWN_BYTES];
        bytes[..content.len()].copy_from_slice(content);
        let length = u8::try_from(content.len()).expect("at most 32");
        Self::Own { length, bytes }
    }

    /// A hash of 20 or 32 bytes.
    pub(crate) fn hash<const N: usize>(hash: [u8; N]) -> Self {
        Self::own(&hash)
    }

    /// A number in its shortest form.
    pub(crate) fn number(number: i64) -> Self {
        let encoded = encode_number(number);
        Self::own(&encoded.bytes[..encoded.length])
    }

    /// One, or the empty element.
    pub(crate) fn truth(value: bool) -> Self {
        if value {
            Self::Borrowed(&[1])
        } else {
            Self::Borrowed(&[])
        }
    }

    /// The bytes.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Own { length, bytes } => &bytes[..usize::from(*length)],
        }
    }

    /// Whether it means true.
    pub(crate) fn is_true(&self) -> bool {
        is_true(self.as_bytes())
    }

    /// The number of at most four bytes that it is.
    pub(crate) fn to_number(self, flags: ScriptFlags) -> Outcome<i64> {
        decode_number(self.as_bytes(), MAX_NUMBER_BYTES, flags)
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().fmt(f)
    }
}

/// The stack. What an opcode finds missing is [`ScriptFailure::InvalidStackOperation`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Stack<'a>(Vec<Element<'a>>);

impl<'a> Stack<'a> {
    /// A stack with room for the usual script.
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(8))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, element: Element<'a>) {
        self.0.push(element);
    }

    /// Fails unless there are `count` elements.
    pub(crate) fn require(&self, count: usize) -> Outcome {
        if self.0.len() < count {
            return Err(ScriptFailure::InvalidStackOperation);
        }
        Ok(())
    }

    fn index(&self, depth: usize) -> Outcome<usize> {
        let above = depth
            .checked_add(1)
            .ok_or(ScriptFailure::InvalidStackOperation)?;
        self.0
            .len()
            .checked_sub(above)
            .ok_or(ScriptFailure::InvalidStackOperation)
    }

    /// The element below `depth` others.
    pub(crate) fn peek(&self, depth: usize) -> Outcome<Element<'a>> {
        self.index(depth).map(|index| self.0[index])
    }

    pub(crate) fn pop(&mut self) -> Outcome<Element<'a>> {
        self.0.pop().ok_or(ScriptFailure::InvalidStackOperation)
    }

    /// Takes `count` elements off.
    pub(crate) fn drop_top(&mut self, count: usize) -> Outcome {
        self.require(count)?;
        self.0.truncate(self.0.len() - count);
        Ok(())
    }

    /// Takes the element below `depth` others out.
    pub(crate) fn remove(&mut self, depth: usize) -> Outcome<Element<'a>> {
        self.index(depth).map(|index| self.0.remove(index))
    }

    /// Puts an element below `depth` others.
    pub(crate) fn insert(&mut self, depth: usize, element: Element<'a>) -> Outcome {
        self.require(depth)?;
        self.0.insert(self.0.len() - depth, element);
        Ok(())
    }
}

impl<'a> FromIterator<&'a [u8]> for Stack<'a> {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(items: T) -> Self {
        Self(items.into_iter().map(Element::Borrowed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(bytes: &'static [u8]) -> Stack<'static> {
        bytes.chunks(1).collect()
    }

    fn bytes(stack: &Stack<'_>) -> Vec<u8> {
        stack.0.iter().flat_map(|e| e.as_bytes().to_vec()).collect()
    }

    #[test]
    fn depths_count_from_the_top() {
        let mut it = stack(&[1, 2, 3, 4]);
        assert_eq!(it.peek(0).unwrap().as_bytes(), [4]);
        assert_eq!(it.peek(3).unwrap().as_bytes(), [1]);
        assert_eq!(it.remove(2).unwrap().as_bytes(), [2]);
        it.insert(2, Element::number(9)).unwrap();
        assert_eq!(bytes(&it), [1, 9, 3, 4]);
        it.drop_top(3).unwrap();
        assert_eq!(bytes(&it), [1]);
    }

    #[test]
    fn what_is_missing_is_an_invalid_operation() {
        let mut it = stack(&[1]);
        let missing = ScriptFailure::InvalidStackOperation;
        assert_eq!(it.peek(1).unwrap_err(), missing);
        assert_eq!(it.peek(usize::MAX).unwrap_err(), missing);
        assert_eq!(it.remove(1).unwrap_err(), missing);
        assert_eq!(it.insert(2, Element::truth(true)), Err(missing));
        assert_eq!(it.drop_top(2), Err(missing));
        assert_eq!(bytes(&it), [1]);
        it.pop().unwrap();
        assert_eq!(it.pop().unwrap_err(), missing);
    }

    #[test]
    fn elements_hold_hashes_and_numbers() {
        assert_eq!(Element::hash([7; 32]).as_bytes(), [7; 32]);
        assert_eq!(Element::hash([7; 20]).as_bytes(), [7; 20]);
        assert_eq!(Element::number(-300).as_bytes(), [0x2c, 0x81]);
        assert_eq!(Element::number(i64::MIN).as_bytes().len(), 9);
        assert!(Element::truth(true).is_true());
        assert!(Element::truth(false).as_bytes().is_empty());
        assert_eq!(Element::number(70).to_number(ScriptFlags::NONE), Ok(70));
    }
}

//! A buffer that notices every access outside it.
//!
//! The buffer touches a page without access on one side, where any read or write ends the process;
//! on the other side lie canaries up to the next such page, where a write is found afterwards. Two
//! runs, one a [`Guard`], cover both sides.

use kernforge::Array;
use region::{Allocation, Protection};
use std::ops::Range;
use std::slice;

/// A canary: a NaN whether it is read as `f32` or, twice, as `f64`.
const CANARY: u32 = 0x7FF5_C3D1;

/// The side on which the buffer touches a page without access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// In front of the first byte; the buffer is aligned to a page.
    Before,
    /// Behind the last byte; the buffer is aligned to its elements only.
    Behind,
}

/// Numbers, for which any bytes are a value.
pub trait Number: kernforge::Element {}
impl Number for f32 {}
impl Number for f64 {}
impl Number for u8 {}
impl Number for i8 {}
impl Number for u16 {}
impl Number for u32 {}
impl Number for i32 {}

/// The buffer.
pub struct Memory {
    /// A page without access, `body` bytes, a page without access.
    allocation: Allocation,
    body: usize,
    /// Bytes of the buffer and where it begins within the body.
    len: usize,
    offset: usize,
}

impl Memory {
    /// A buffer of `len` bytes filled with canaries.
    pub fn new(len: usize, guard: Guard) -> Memory {
        let page = region::page::size();
        let body = (len / page + 1) * page; // at least one byte of canaries
        let allocation = region::alloc(body + 2 * page, Protection::READ_WRITE).expect("pages");
        let start: *const u8 = allocation.as_ptr();
        for end in [start, start.wrapping_add(page + body)] {
            // SAFETY: both are whole pages of the allocation, to which nothing refers.
            unsafe { region::protect(end, page, Protection::NONE) }.expect("a page without access");
        }
        let offset = match guard {
            Guard::Before => 0,
            Guard::Behind => body - len,
        };
        let mut memory = Memory { allocation, body, len, offset };
        memory.body_mut().copy_from_slice(&canaries(body));
        memory
    }

    /// The bytes of the buffer.
    pub fn bytes(&self) -> &[u8] {
        &self.body()[self.offset..self.offset + self.len]
    }

    /// The bytes of the buffer.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let (offset, len) = (self.offset, self.len);
        &mut self.body_mut()[offset..offset + len]
    }

    /// The buffer as an array, which must have its size.
    pub fn array<A: Array<Element: Number>>(&self) -> &A {
        let pointer = self.bytes().as_ptr().cast::<A>();
        assert_eq!((size_of::<A>(), pointer.is_aligned()), (self.len, true));
        // SAFETY: size and alignment are right, any bytes are a value, the borrow is that of `self`.
        unsafe { &*pointer }
    }

    /// The buffer as an array, which must have its size.
    pub fn array_mut<A: Array<Element: Number>>(&mut self) -> &mut A {
        let pointer = self.bytes_mut().as_mut_ptr().cast::<A>();
        assert_eq!((size_of::<A>(), pointer.is_aligned()), (self.len, true));
        // SAFETY: as in `array`; the borrow is exclusive.
        unsafe { &mut *pointer }
    }

    /// Whether every canary is as it was.
    pub fn is_intact(&self) -> bool {
        let (canaries, inside) = (canaries(self.body), self.offset..self.offset + self.len);
        let same = |range: Range<usize>| self.body()[range.clone()] == canaries[range];
        same(0..inside.start) && same(inside.end..self.body)
    }

    fn body(&self) -> &[u8] {
        let start = self.allocation.as_ptr::<u8>().wrapping_add(region::page::size());
        // SAFETY: `body` bytes of the allocation that were zero when mapped and may be read.
        unsafe { slice::from_raw_parts(start, self.body) }
    }

    fn body_mut(&mut self) -> &mut [u8] {
        let start = self.allocation.as_mut_ptr::<u8>().wrapping_add(region::page::size());
        // SAFETY: as in `body`; they may be written, and the borrow is exclusive.
        unsafe { slice::from_raw_parts_mut(start, self.body) }
    }
}

/// Canaries from the start of a page.
fn canaries(bytes: usize) -> Vec<u8> {
    CANARY.to_ne_bytes().repeat(bytes / size_of_val(&CANARY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_no_number() {
        let memory = Memory::new(8, Guard::Behind);
        assert!(memory.array::<f64>().is_nan());
        assert!(memory.array::<[f32; 2]>().iter().all(|x| x.is_nan()));
    }

    #[test]
    fn a_buffer_touches_the_end_of_a_page() {
        let page = region::page::size();
        for len in [4, 60, page, page + 4] {
            let (before, behind) = (Memory::new(len, Guard::Before), Memory::new(len, Guard::Behind));
            assert_eq!(before.bytes().as_ptr().addr() % page, 0);
            assert_eq!(behind.bytes().as_ptr_range().end.addr() % page, 0);
        }
    }

    #[test]
    fn a_page_without_access_touches_the_buffer() {
        for (guard, distance) in [(Guard::Before, -1), (Guard::Behind, 12)] {
            let memory = Memory::new(12, guard);
            let beside = memory.bytes().as_ptr().wrapping_offset(distance);
            assert_eq!(region::query(beside).expect("mapped").protection(), Protection::NONE);
        }
    }

    #[test]
    fn a_write_beside_the_buffer_is_found() {
        for (guard, beside) in [(Guard::Before, 12), (Guard::Behind, region::page::size() - 13)] {
            let mut memory = Memory::new(12, guard);
            memory.bytes_mut().fill(7);
            assert!(memory.is_intact());
            memory.body_mut()[beside] ^= 1;
            assert!(!memory.is_intact());
        }
    }
}

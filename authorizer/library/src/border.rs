//! The C interface. The one module of the project with `unsafe`: raw pointers become slices, and back.
#![allow(unsafe_code, reason = "a C function takes pointers, which only its caller can vouch for")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use crate::call::{self, Given};

/// The status of a call that did what it should.
const DONE: i32 = 0;
/// The status of one that did not: there is no outcome, and nothing may be let through.
const NOT_DONE: i32 = 1;

/// What a call gives out: the outcome and then the lines of the log, in one allocation.
#[derive(Debug)]
#[repr(C)]
pub struct Answer {
    /// The first byte; null if there are none.
    pub bytes: *mut u8,
    /// The number of bytes.
    pub length: usize,
    /// How many of them are the outcome, as JSON. The lines come after it, each with its end.
    pub outcome: usize,
}

/// Takes the bundle, once in a process. Returns 0 if the process can decide now; the lines say why it cannot.
///
/// # Safety
/// `bundle` is null or has `length` bytes to read. `answer` is null or can be written; what was in it is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn authorizer_start(bundle: *const u8, length: usize, answer: *mut Answer) -> i32 {
    // SAFETY: the caller vouches for `bundle` and `length`.
    let bundle = unsafe { bytes(bundle, length) };
    // SAFETY: the caller vouches for `answer`.
    unsafe { give(answer, || call::start(bundle)) }
}

/// Decides on one event, in at most about the milliseconds that are left, which bound a fetch of keys. Returns 0 if
/// there is an outcome. What is no event has one too, a refusal.
///
/// # Safety
/// `event` is null or has `length` bytes to read. `answer` is null or can be written; what was in it is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn authorizer_decide(
    event: *const u8,
    length: usize,
    millis_left: u64,
    answer: *mut Answer,
) -> i32 {
    // SAFETY: the caller vouches for `event` and `length`.
    let event = unsafe { bytes(event, length) };
    // SAFETY: the caller vouches for `answer`.
    unsafe { give(answer, || call::decide(event, millis_left)) }
}

/// Takes the memory of an answer back, and empties the answer: to free it again does nothing.
///
/// # Safety
/// `answer` is null, or a call wrote it and nobody changed it. Nobody reads its bytes any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn authorizer_free(answer: *mut Answer) {
    // SAFETY: null gives `None`. Otherwise the caller vouches for it, and has no other reference in this call.
    let Some(answer) = (unsafe { answer.as_mut() }) else { return };
    let (bytes, length) = (answer.bytes, answer.length);
    *answer = Answer { bytes: ptr::null_mut(), length: 0, outcome: 0 };
    if !bytes.is_null() {
        // SAFETY: `give` made these two from such a box, and the answer does not name it any more.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(bytes, length)) });
    }
}

/// The bytes of a caller, for the call. None instead of null, and instead of more than a call takes.
///
/// # Safety
/// `bytes` is null or has `length` bytes to read, which nobody changes during `'c`.
unsafe fn bytes<'c>(bytes: *const u8, length: usize) -> &'c [u8] {
    if bytes.is_null() || length > call::MAX_BYTES {
        return &[];
    }
    // SAFETY: not null, the caller vouches for the bytes, and MAX_BYTES is less than `isize::MAX`.
    unsafe { slice::from_raw_parts(bytes, length) }
}

/// Runs a call and gives out what it gave. A panic stays here.
///
/// # Safety
/// `answer` is null or can be written.
unsafe fn give(answer: *mut Answer, call: impl FnOnce() -> Given) -> i32 {
    if answer.is_null() {
        return NOT_DONE;
    }
    // A call that panics has changed nothing that another call reads but what the core guards by locks.
    let given = catch_unwind(AssertUnwindSafe(call)).unwrap_or_default();
    let length = given.bytes.len();
    let bytes = match length {
        0 => ptr::null_mut(),
        _ => Box::into_raw(given.bytes.into_boxed_slice()).cast::<u8>(),
    };
    // SAFETY: not null, and the caller vouches for it. What was there is not read.
    unsafe { answer.write(Answer { bytes, length, outcome: given.outcome }) };
    if given.done { DONE } else { NOT_DONE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stays_here_and_gives_no_outcome() {
        let mut answer = Answer { bytes: ptr::dangling_mut(), length: 7, outcome: 7 };
        // SAFETY: a variable.
        let status = unsafe { give(&raw mut answer, || panic!("of the test")) };
        assert_eq!((status, answer.bytes, answer.length, answer.outcome), (NOT_DONE, ptr::null_mut(), 0, 0));
    }
}

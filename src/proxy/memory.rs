//! The filter's allocator: the system's, which can be told to empty what is given back.
//!
//! A packed module holds the memory that loading left, and what loading gave back would be a fifth of
//! the file.
#![expect(unsafe_code, reason = "an allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

static WIPES: AtomicBool = AtomicBool::new(false);

/// From now on memory that is given back is filled with zeros, or no longer is.
pub(super) fn wipe_what_is_freed(wipes: bool) {
    WIPES.store(wipes, Ordering::Relaxed);
}

// Builds that count allocations have another one (see `crate::allocations`).
#[cfg_attr(not(feature = "allocation-counts"), global_allocator)]
static ALLOCATOR: Allocator = Allocator;

struct Allocator;

// Nothing is inlined: thousands of places call these.
// SAFETY: every call goes to the system's allocator, whose promises these are; what is written lies in
// blocks that the caller gave up.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline(never)]
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !WIPES.load(Ordering::Relaxed) {
            // SAFETY: as above.
            return unsafe { System.realloc(old, layout, size) };
        }
        // SAFETY: the caller promises that `size` fits the alignment and is not 0. The new block holds
        // as many bytes as are copied, and so does the old one, which is given up once.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(old, size.min(layout.size()));
                self.dealloc(old, layout);
            }
            new
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        let mut old = old;
        if WIPES.load(Ordering::Relaxed) {
            // SAFETY: the block is the caller's until the next line.
            unsafe { old.write_bytes(0, layout.size()) };
            // The compiler would leave out what is written before memory is given back.
            old = black_box(old);
        }
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

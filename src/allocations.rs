//! An allocator that counts, for benchmarks: the tool uses it, and so does a filter built with the
//! feature `allocation-counts`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread asks of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

/// What this thread has asked for so far: allocations (growing counts as one) and their bytes.
pub fn counts() -> (u64, u64) {
    (COUNT.get(), BYTES.get())
}

fn note(bytes: usize) {
    // A thread that is being torn down is not measured.
    let _ = COUNT.try_with(|count| count.set(count.get().wrapping_add(1)));
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let _ = BYTES.try_with(|total| total.set(total.get().wrapping_add(bytes)));
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by nature; this one only passes on"
)]
// SAFETY: every call goes to the system's allocator unchanged, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.saturating_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[cfg(all(feature = "allocation-counts", target_os = "wasi"))]
mod filter {
    #[global_allocator]
    static ALLOCATOR: super::Counting = super::Counting;

    /// Allocations so far, for the host that measures.
    #[expect(unsafe_code, reason = "an export has a fixed name")]
    #[unsafe(no_mangle)]
    pub extern "C" fn parapet_allocations() -> u64 {
        super::counts().0
    }

    /// Bytes allocated so far, for the host that measures.
    #[expect(unsafe_code, reason = "an export has a fixed name")]
    #[unsafe(no_mangle)]
    pub extern "C" fn parapet_allocated_bytes() -> u64 {
        super::counts().1
    }
}

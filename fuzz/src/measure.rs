//! Time and memory of a piece of work.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

#[global_allocator]
static COUNTING: Counting = Counting;

/// The system's allocator; it notes what this thread holds and the most it has held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn note(change: isize) {
    let held = HELD.get().wrapping_add(change);
    HELD.set(held);
    if held > MOST.get() {
        MOST.set(held);
    }
}

fn signed(size: usize) -> isize {
    isize::try_from(size).unwrap_or(isize::MAX)
}

// SAFETY: everything is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(signed(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(signed(layout.size()));
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-signed(layout.size()));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // For a moment both may be there.
        note(signed(size));
        note(-signed(layout.size()));
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Does work and asserts that it holds no more memory at any time, and takes no more of the
/// processor's time, than a bound. Time over the bound counts if it is so three times in a row.
pub fn bounded<T>(what: &str, memory: usize, time: Duration, mut work: impl FnMut() -> T) -> T {
    let mut least = Duration::MAX;
    for _ in 0..3 {
        let held = HELD.get();
        MOST.set(held);
        let begun = processor_time();
        let answer = work();
        least = least.min(processor_time().saturating_sub(begun));
        let most = MOST.get() - held;
        assert!(
            most <= signed(memory),
            "{what}: {most} bytes, more than {memory}"
        );
        if least <= time {
            return answer;
        }
    }
    panic!("{what}: {least:?}, longer than {time:?}");
}

/// What the processor has spent on this thread.
pub fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes to the place it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

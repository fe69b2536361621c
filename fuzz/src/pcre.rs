//! PCRE2 itself, set as ModSecurity sets it.

use std::ops::Range;
use std::ptr;

use parapet::matching::Dialect;
use pcre2_sys as sys;

/// A compiled pattern.
pub struct Pcre {
    code: *mut sys::pcre2_code_8,
    data: *mut sys::pcre2_match_data_8,
    context: *mut sys::pcre2_match_context_8,
}

/// What came of a search.
pub enum Answer {
    /// The whole match and all groups.
    Match(Vec<Option<Range<usize>>>),
    /// There is none.
    NoMatch,
    /// It took too long, or too much.
    Limit,
}

impl Pcre {
    /// `None`, if it is no pattern for PCRE2, or one that means something else since version 10.43,
    /// which takes `{,3}` and `{1, 3}` for repetitions.
    pub fn new(source: &[u8], dialect: Dialect) -> Option<Self> {
        let is_new = |text: &[u8]| {
            let end = text
                .iter()
                .position(|byte| !b"0123456789, \t".contains(byte));
            let (inner, rest) = text.split_at(end.unwrap_or(text.len()));
            rest.starts_with(b"}")
                && (inner.starts_with(b",") || inner.contains(&b' ') || inner.contains(&b'\t'))
        };
        if source.split(|&byte| byte == b'{').skip(1).any(is_new) {
            return None;
        }
        let mut options = sys::PCRE2_DOLLAR_ENDONLY | sys::PCRE2_NEVER_UTF | sys::PCRE2_NEVER_UCP;
        for (set, option) in [
            (dialect.dot_matches_new_line, sys::PCRE2_DOTALL),
            (dialect.multi_line, sys::PCRE2_MULTILINE),
            (dialect.case_insensitive, sys::PCRE2_CASELESS),
        ] {
            options |= if set { option } else { 0 };
        }
        let (mut error, mut offset) = (0, 0);
        // SAFETY: the pointers are to what is alive during the call; all objects are freed once.
        unsafe {
            let code = sys::pcre2_compile_8(
                source.as_ptr(),
                source.len(),
                options,
                &raw mut error,
                &raw mut offset,
                ptr::null_mut(),
            );
            if code.is_null() {
                return None;
            }
            let data = sys::pcre2_match_data_create_from_pattern_8(code, ptr::null_mut());
            let context = sys::pcre2_match_context_create_8(ptr::null_mut());
            sys::pcre2_set_match_limit_8(context, 200_000);
            Some(Self {
                code,
                data,
                context,
            })
        }
    }

    /// The leftmost match.
    pub fn captures(&self, value: &[u8]) -> Answer {
        // SAFETY: the objects are alive; the vector has as many pairs as PCRE2 says.
        unsafe {
            let found = sys::pcre2_match_8(
                self.code,
                value.as_ptr(),
                value.len(),
                0,
                0,
                self.data,
                self.context,
            );
            match found {
                sys::PCRE2_ERROR_NOMATCH => Answer::NoMatch,
                ..0 => Answer::Limit,
                _ => {
                    let pairs = sys::pcre2_get_ovector_count_8(self.data) as usize;
                    let ends = std::slice::from_raw_parts(
                        sys::pcre2_get_ovector_pointer_8(self.data),
                        2 * pairs,
                    );
                    let group = |pair: &[usize]| (pair[0] != usize::MAX).then(|| pair[0]..pair[1]);
                    Answer::Match(ends.chunks(2).map(group).collect())
                }
            }
        }
    }
}

impl Drop for Pcre {
    fn drop(&mut self) {
        // SAFETY: each was made by its own call and is freed here alone.
        unsafe {
            sys::pcre2_match_context_free_8(self.context);
            sys::pcre2_match_data_free_8(self.data);
            sys::pcre2_code_free_8(self.code);
        }
    }
}

//! libmodsecurity through its C interface, loaded at run time from where the script put it.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

use crate::exchange::Exchange;
use crate::verdict::{Hit, Verdict};

type Handle = *mut c_void;

#[link(name = "dl")]
unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> Handle;
    fn dlsym(library: Handle, name: *const c_char) -> Handle;
    fn dlerror() -> *const c_char;
    fn free(memory: Handle);
}

const RTLD_NOW: c_int = 2;

/// `ModSecurityIntervention` of `modsecurity/intervention.h`.
#[repr(C)]
struct Intervention {
    status: c_int,
    pause: c_int,
    url: *mut c_char,
    log: *mut c_char,
    disruptive: c_int,
}

/// Declares the functions that are looked up, and the table that holds them.
macro_rules! functions {
    ($($field:ident = $name:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn look_up(library: Handle) -> Result<Self, String> {
                Ok(Self { $($field: {
                    // SAFETY: the name ends in NUL, and `library` is what dlopen gave.
                    let symbol = unsafe { dlsym(library, $name.as_ptr()) };
                    if symbol.is_null() {
                        return Err(format!("the library has no {:?}", $name));
                    }
                    // SAFETY: the signatures are those of libmodsecurity's headers.
                    unsafe { std::mem::transmute::<Handle, unsafe extern "C" fn($($argument),*) $(-> $result)?>(symbol) }
                },)* })
            }
        }
    };
}

functions! {
    init = c"msc_init": fn() -> Handle;
    who_am_i = c"msc_who_am_i": fn(Handle) -> *const c_char;
    set_log = c"msc_set_log_cb": fn(Handle, extern "C" fn(Handle, *const c_void));
    rules = c"msc_create_rules_set": fn() -> Handle;
    rules_file = c"msc_rules_add_file": fn(Handle, *const c_char, *mut *const c_char) -> c_int;
    transaction = c"msc_new_transaction": fn(Handle, Handle, Handle) -> Handle;
    connection = c"msc_process_connection": fn(Handle, *const c_char, c_int, *const c_char, c_int) -> c_int;
    uri = c"msc_process_uri": fn(Handle, *const c_char, *const c_char, *const c_char) -> c_int;
    request_header = c"msc_add_n_request_header": fn(Handle, *const u8, usize, *const u8, usize) -> c_int;
    request_headers = c"msc_process_request_headers": fn(Handle) -> c_int;
    request_bytes = c"msc_append_request_body": fn(Handle, *const u8, usize) -> c_int;
    request_body = c"msc_process_request_body": fn(Handle) -> c_int;
    response_header = c"msc_add_n_response_header": fn(Handle, *const u8, usize, *const u8, usize) -> c_int;
    response_headers = c"msc_process_response_headers": fn(Handle, c_int, *const c_char) -> c_int;
    response_bytes = c"msc_append_response_body": fn(Handle, *const u8, usize) -> c_int;
    response_body = c"msc_process_response_body": fn(Handle) -> c_int;
    logging = c"msc_process_logging": fn(Handle) -> c_int;
    intervention = c"msc_intervention": fn(Handle, *mut Intervention) -> c_int;
    finish = c"msc_transaction_cleanup": fn(Handle);
}

/// The library with a set of rules.
pub struct ModSecurity {
    functions: &'static Functions,
    library: Handle,
    rules: Handle,
}

/// The library, opened; it is never closed.
pub struct Library {
    functions: &'static Functions,
    handle: Handle,
}

impl Library {
    /// # Errors
    ///
    /// A text for people: there is no such library, or not all of it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let path = c_string(path.to_string_lossy().as_bytes());
        // SAFETY: `path` ends in NUL; what it initialises is that library's own.
        let library = unsafe { dlopen(path.as_ptr(), RTLD_NOW) };
        if library.is_null() {
            // SAFETY: after a failure dlerror gives a text.
            return Err(text(unsafe { dlerror() }));
        }
        let functions: &'static Functions = Box::leak(Box::new(Functions::look_up(library)?));
        quiet(library);
        // SAFETY: as the header describes; the callback lives as long as the program.
        let handle = unsafe {
            let handle = (functions.init)();
            (functions.set_log)(handle, note);
            handle
        };
        Ok(Self { functions, handle })
    }

    /// Name and version.
    pub fn version(&self) -> String {
        // SAFETY: the handle is from msc_init; the text belongs to the library.
        text(unsafe { (self.functions.who_am_i)(self.handle) })
    }

    /// The engine with the rules of a file.
    ///
    /// # Errors
    ///
    /// What the library says about rules it refuses.
    pub fn load(&self, path: &Path) -> Result<ModSecurity, String> {
        let functions = self.functions;
        let path = c_string(path.to_string_lossy().as_bytes());
        let mut error = ptr::null();
        // SAFETY: the path ends in NUL, `error` is a place for a pointer.
        let (rules, loaded) = unsafe {
            let rules = (functions.rules)();
            let loaded = (functions.rules_file)(rules, path.as_ptr(), &mut error);
            (rules, loaded)
        };
        if loaded < 0 {
            return Err(text(error));
        }
        Ok(ModSecurity {
            functions,
            library: self.handle,
            rules,
        })
    }
}

/// Keeps libxml2 from writing about every document that is not well formed.
fn quiet(library: Handle) {
    extern "C" fn ignore(_: Handle, _: *const c_char) {}
    // SAFETY: the search takes in the libraries that this one brought.
    let set = unsafe { dlsym(library, c"xmlSetGenericErrorFunc".as_ptr()) };
    if !set.is_null() {
        // SAFETY: the signature is libxml2's. Its handler takes more arguments than `ignore` looks
        // at, which the C calling convention leaves to the caller.
        unsafe {
            let set = std::mem::transmute::<
                Handle,
                unsafe extern "C" fn(Handle, extern "C" fn(Handle, *const c_char)),
            >(set);
            set(ptr::null_mut(), ignore);
        }
    }
}

thread_local! {
    /// The lines of the transaction that is running.
    static LINES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

extern "C" fn note(_: Handle, line: *const c_void) {
    // SAFETY: the library calls this with a text that ends in NUL, as nothing else was asked for.
    let line = unsafe { CStr::from_ptr(line.cast()) };
    LINES.with(|lines| lines.borrow_mut().push(line.to_bytes().to_vec()));
}

impl ModSecurity {
    /// Takes an exchange through all phases, as the connectors do: after an interruption only the
    /// logging phase is left.
    pub fn inspect(&self, exchange: &Exchange) -> Verdict {
        LINES.with(|lines| lines.borrow_mut().clear());
        // SAFETY: the handles are the library's own.
        let transaction =
            unsafe { (self.functions.transaction)(self.library, self.rules, ptr::null_mut()) };
        let mut run = Run {
            functions: self.functions,
            transaction,
            interrupted: None,
        };
        run.all(exchange);
        let interrupted = run.interrupted;
        // SAFETY: the transaction is not used any more.
        unsafe { (self.functions.finish)(transaction) };
        let lines = LINES.with(RefCell::take);
        Verdict {
            hits: lines.iter().filter_map(|line| hit(line)).collect(),
            interrupted,
        }
    }
}

struct Run {
    functions: &'static Functions,
    transaction: Handle,
    interrupted: Option<(u16, u64)>,
}

impl Run {
    fn all(&mut self, exchange: &Exchange) {
        let (functions, transaction) = (self.functions, self.transaction);
        let request = &exchange.request;
        let (client, server) = (c"192.0.2.1", c"198.51.100.1");
        let method = c_string(&request.method);
        let target = c_string(&request.target);
        let version = request.protocol.strip_prefix(b"HTTP/");
        let version = c_string(version.unwrap_or(&request.protocol));
        // SAFETY (all calls here): the transaction is alive, texts end in NUL, lengths are right.
        unsafe {
            (functions.connection)(transaction, client.as_ptr(), 41_090, server.as_ptr(), 80);
            (functions.uri)(
                transaction,
                target.as_ptr(),
                method.as_ptr(),
                version.as_ptr(),
            );
            for (name, value) in &request.headers {
                (functions.request_header)(
                    transaction,
                    name.as_ptr(),
                    name.len(),
                    value.as_ptr(),
                    value.len(),
                );
            }
            (functions.request_headers)(transaction);
        }
        if self.ask() {
            unsafe {
                if !request.body.is_empty() {
                    let body = &request.body;
                    (functions.request_bytes)(transaction, body.as_ptr(), body.len());
                }
                (functions.request_body)(transaction);
            }
        }
        if self.ask()
            && let Some(response) = &exchange.response
        {
            unsafe {
                for (name, value) in &response.headers {
                    (functions.response_header)(
                        transaction,
                        name.as_ptr(),
                        name.len(),
                        value.as_ptr(),
                        value.len(),
                    );
                }
                let status = c_int::from(response.status);
                let protocol = c_string(&response.protocol);
                (functions.response_headers)(transaction, status, protocol.as_ptr());
            }
            if self.ask() {
                unsafe {
                    if !response.body.is_empty() {
                        let body = &response.body;
                        (functions.response_bytes)(transaction, body.as_ptr(), body.len());
                    }
                    (functions.response_body)(transaction);
                }
                self.ask();
            }
        }
        unsafe { (functions.logging)(transaction) };
    }

    /// Whether the exchange may go on.
    fn ask(&mut self) -> bool {
        if self.interrupted.is_some() {
            return false;
        }
        let mut found = Intervention {
            status: 200,
            pause: 0,
            url: ptr::null_mut(),
            log: ptr::null_mut(),
            disruptive: 0,
        };
        let mut rule = 0;
        // SAFETY: the structure is the header's; the texts in it are the caller's to free.
        unsafe {
            (self.functions.intervention)(self.transaction, &mut found);
            // The rule that interrupts tells of it here instead.
            if !found.log.is_null() {
                let line = CStr::from_ptr(found.log).to_bytes();
                rule = hit(line).map_or(0, |(rule, _)| rule);
                note(ptr::null_mut(), found.log.cast_const().cast());
            }
            free(found.url.cast());
            free(found.log.cast());
        }
        if found.disruptive != 0 {
            let status = u16::try_from(found.status).unwrap_or_default();
            self.interrupted = Some((status, rule));
        }
        self.interrupted.is_none()
    }
}

/// Reads rule id, target and value from a line such as
/// ``Warning. Matched "Operator `Rx' with parameter `a' against variable `ARGS:b' (Value: `c' ) […] [id "1"]``.
fn hit(line: &[u8]) -> Option<(u64, Hit)> {
    let (_, id) = split(line, b" [id \"")?;
    let (id, _) = split(id, b"\"")?;
    let id = std::str::from_utf8(id).ok()?.parse().ok()?;
    let told = split(line, b"' against variable `").and_then(|(before, rest)| {
        let (_, operator) = split(before, b"Operator `")?;
        let (operator, _) = split(operator, b"'")?;
        let (target, rest) = split(rest, b"' (Value: `")?;
        let (value, _) = split(rest, b"' ) [")?;
        Some(Hit {
            target: target.to_vec(),
            value: value.to_vec(),
            operator: operator.to_vec(),
        })
    });
    Some((id, told.unwrap_or_else(|| data(line))))
}

/// What a rule of the set notes about a match that the library itself tells nothing of:
/// `[data "… found within ARGS:b: c"]`.
fn data(line: &[u8]) -> Hit {
    let noted = split(line, b"[data \"").and_then(|(_, rest)| {
        let (_, rest) = split(rest, b" found within ")?;
        let (data, _) = split(rest, b"\"] [severity")?;
        // The name may hold a colon itself; values seldom hold a colon and a blank.
        let (target, value) = split(data, b": ")?;
        Some(Hit {
            target: target.to_vec(),
            value: value.to_vec(),
            ..Hit::default()
        })
    });
    noted.unwrap_or_default()
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = text.windows(at.len()).position(|window| window == at)?;
    Some((&text[..place], &text[place + at.len()..]))
}

/// A C text; what follows a NUL is lost, and generated heads have none.
fn c_string(bytes: &[u8]) -> CString {
    let end = bytes.iter().position(|&byte| byte == 0);
    CString::new(&bytes[..end.unwrap_or(bytes.len())]).unwrap_or_default()
}

fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return "no reason given".to_owned();
    }
    // SAFETY: the library's texts end in NUL.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

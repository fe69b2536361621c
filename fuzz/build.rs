//! Compiles the C library for the comparison with it.

#[cfg(feature = "libinjection")]
#[path = "build/libinjection.rs"]
mod libinjection;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "libinjection")]
    libinjection::build();
}

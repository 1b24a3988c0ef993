//! Panics below a C function.

#[no_mangle]
pub extern "C" fn misdeed() {
    panic!("panicked in Rust")
}

fn main() {
    // Never unloaded, and a missing symbol shows when it is loaded rather than in the middle of a job.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete,-z,now");
}

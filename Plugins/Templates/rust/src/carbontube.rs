//! carbontube.h, ABI 1.2, in Rust; the header says what each member means. Needs no crate.
#![allow(dead_code)]

use std::ffi::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub const OK: i32 = 0;
pub const FAILED: i32 = 1;
pub const PERMANENT: i32 = 2;
pub const RETRY: i32 = 3;
pub const CANCELLED: i32 = 4;
pub const BAD_INPUT: i32 = 5;
pub const INTERNAL: i32 = 7;

/// `ct_str` and `ct_bytes`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub ptr: *const u8,
    pub len: usize,
}

#[repr(C)]
pub struct Buffer {
    pub ptr: *mut u8,
    pub cap: u32,
    pub len: u32,
}

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: i32,
    pub retry_after_ms: u64,
    pub message: Buffer,
    pub kind: Buffer,
    pub place: Buffer,
}

#[repr(C)]
pub struct Job {
    pub struct_size: u32,
    pub attempt: u32,
    host_data: *mut c_void,
    pub id: Bytes,
    pub pipeline: Bytes,
    pub instructions: Bytes,
    pub work_dir: Bytes,
    pub deadline_unix_ms: i64,
    pub set_result: extern "C" fn(*const Job, Bytes) -> i32,
    pub progress: extern "C" fn(*const Job, f64, Bytes) -> i32,
    pub log: extern "C" fn(*const Job, i32, Bytes),
    pub is_cancelled: extern "C" fn(*const Job) -> i32,
    // A host of ABI 1.1 ends here: see `Context::has_1_2`.
    log_fields: extern "C" fn(*const Job, i32, Bytes, *const Field, usize),
    measure: extern "C" fn(*const Job, i32, Bytes, f64) -> i32,
}

#[repr(C)]
struct Field {
    name: Bytes,
    value: Bytes,
}

pub type Run = extern "C" fn(*const Phase, *mut c_void, *const Job, *mut Error) -> i32;
pub type Hook = Option<unsafe extern "C" fn()>;

#[repr(C)]
pub struct Phase {
    pub struct_size: u32,
    pub flags: u32,
    pub plugin_data: *mut c_void,
    pub job_type: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub input_schema: *const c_char,
    pub output_schema: *const c_char,
    pub create: Option<extern "C" fn(*const Phase, *mut *mut c_void, *mut Error) -> i32>,
    pub run: Run,
    pub cancel: Option<extern "C" fn(*const Phase, *mut c_void)>,
    pub destroy: Option<extern "C" fn(*const Phase, *mut c_void)>,
    pub settings_schema: *const c_char,
    pub create_with: Option<extern "C" fn(*const Phase, *const PhaseSetup, *mut *mut c_void, *mut Error) -> i32>,
}

/// What an instance of a phase is made with.
#[repr(C)]
pub struct PhaseSetup {
    pub struct_size: u32,
    reserved: u32,
    settings: Bytes,
    work_dir: Bytes,
}

impl PhaseSetup {
    /// A JSON object.
    pub fn settings(&self) -> &[u8] {
        slice(self.settings)
    }
}

#[repr(C)]
pub struct Pipeline {
    pub struct_size: u32,
    pub flags: u32,
    pub plugin_data: *mut c_void,
    pub name: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub definition: *const c_char,
    pub hooks: [Hook; 6],
}

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub id: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub build: *const c_char,
    pub phase_count: u32,
    pub pipeline_count: u32,
    pub phases: *const &'static Phase,
    pub pipelines: *const &'static Pipeline,
    pub hooks: [Hook; 3],
}

// They point to constants only.
unsafe impl Sync for Phase {}
unsafe impl Sync for Pipeline {}
unsafe impl Sync for Plugin {}

const EMPTY: *const c_char = c"".as_ptr();

impl Phase {
    pub const fn new(run: Run) -> Self {
        Phase {
            struct_size: size_of::<Phase>() as u32,
            flags: 0,
            plugin_data: std::ptr::null_mut(),
            job_type: EMPTY,
            version: EMPTY,
            summary: EMPTY,
            input_schema: std::ptr::null(),
            output_schema: std::ptr::null(),
            create: None,
            run,
            cancel: None,
            destroy: None,
            settings_schema: std::ptr::null(),
            create_with: None,
        }
    }
}

impl Pipeline {
    pub const fn new() -> Self {
        Pipeline {
            struct_size: size_of::<Pipeline>() as u32,
            flags: 0,
            plugin_data: std::ptr::null_mut(),
            name: EMPTY,
            version: EMPTY,
            summary: EMPTY,
            definition: EMPTY,
            hooks: [None; 6],
        }
    }
}

impl Plugin {
    pub const fn new(phases: &'static [&'static Phase], pipelines: &'static [&'static Pipeline]) -> Self {
        Plugin {
            struct_size: size_of::<Plugin>() as u32,
            abi_major: 1,
            abi_minor: 2,
            id: EMPTY,
            version: EMPTY,
            summary: EMPTY,
            build: c"rust".as_ptr(),
            phase_count: phases.len() as u32,
            pipeline_count: pipelines.len() as u32,
            phases: phases.as_ptr(),
            pipelines: pipelines.as_ptr(),
            hooks: [None; 3],
        }
    }
}

/// One attempt of one job.
pub struct Context<'a>(&'a Job);

impl Context<'_> {
    pub fn id(&self) -> &[u8] {
        slice(self.0.id)
    }

    /// A JSON object.
    pub fn instructions(&self) -> &[u8] {
        slice(self.0.instructions)
    }

    /// True once the job is to stop; then return `Failure::cancelled()` soon.
    pub fn is_cancelled(&self) -> bool {
        (self.0.is_cancelled)(self.0) != 0
    }

    /// From 0 to 1.
    pub fn progress(&self, fraction: f64) {
        (self.0.progress)(self.0, fraction, Bytes { ptr: std::ptr::null(), len: 0 });
    }

    /// `level`: 0 debug, 1 info, 2 warning, 3 error; fields for programs that read the log.
    pub fn log(&self, level: i32, message: &str, fields: &[(&str, &str)]) {
        if !self.has_1_2() {
            return (self.0.log)(self.0, level, bytes(message));
        }
        let fields: Vec<Field> =
            fields.iter().map(|(name, value)| Field { name: bytes(name), value: bytes(value) }).collect();
        (self.0.log_fields)(self.0, level, bytes(message), fields.as_ptr(), fields.len());
    }

    /// Adds to a counter; a host of ABI 1.1 has none.
    pub fn count(&self, name: &str, amount: f64) {
        if self.has_1_2() {
            (self.0.measure)(self.0, 0, bytes(name), amount);
        }
    }

    /// The last value counts; a host of ABI 1.1 has none.
    pub fn gauge(&self, name: &str, value: f64) {
        if self.has_1_2() {
            (self.0.measure)(self.0, 1, bytes(name), value);
        }
    }

    fn has_1_2(&self) -> bool {
        self.0.struct_size as usize >= size_of::<Job>()
    }
}

fn bytes(text: &str) -> Bytes {
    Bytes { ptr: text.as_ptr(), len: text.len() }
}

fn slice<'a>(bytes: Bytes) -> &'a [u8] {
    if bytes.len == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(bytes.ptr, bytes.len) }
}

/// Why a job did not succeed; the status decides whether it is tried again.
pub struct Failure {
    pub status: i32,
    pub message: String,
}

impl Failure {
    pub fn failed(message: impl Into<String>) -> Self {
        Failure { status: FAILED, message: message.into() }
    }

    pub fn bad_input(message: impl Into<String>) -> Self {
        Failure { status: BAD_INPUT, message: message.into() }
    }

    pub fn cancelled() -> Self {
        Failure { status: CANCELLED, message: "cancelled".into() }
    }
}

/// Runs `work` and hands its result over. A panic becomes a failure: it must not leave a function that C calls.
pub fn answer(job: *const Job, error: *mut Error, work: impl FnOnce(&Context) -> Result<Vec<u8>, Failure>) -> i32 {
    let (job, error) = unsafe { (&*job, &mut *error) };
    let failure = match catch_unwind(AssertUnwindSafe(|| work(&Context(job)))) {
        Ok(Ok(result)) => return (job.set_result)(job, Bytes { ptr: result.as_ptr(), len: result.len() }),
        Ok(Err(failure)) => failure,
        Err(panic) => Failure { status: INTERNAL, message: words(panic.as_ref()) },
    };
    let length = failure.message.len().min(error.message.cap as usize);
    unsafe { std::ptr::copy_nonoverlapping(failure.message.as_ptr(), error.message.ptr, length) };
    error.message.len = length as u32;
    failure.status
}

/// Where it happened stands on stderr.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("the phase panicked: {}", text.unwrap_or("no reason given"))
}

/// The ELF note by which a plugin is known before it is loaded.
#[repr(C, align(4))]
struct Note(u32, u32, u32, [u8; 12], u32, u32, u32, u32);
#[used]
#[link_section = ".note.carbontube"]
static NOTE: Note = Note(11, 16, 1, *b"carbontube\0\0", 1, 1, 0, 0);

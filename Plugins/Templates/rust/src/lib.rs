// Named after the shared object.
#![allow(non_snake_case)]

mod carbontube;

use carbontube::{Context, Failure, Phase, Pipeline, Plugin};
use serde_json::{json, Value};

/// The work: one job at a time, on a thread that may block.
fn greet(job: &Context) -> Result<Vec<u8>, Failure> {
    let instructions: Value =
        serde_json::from_slice(job.instructions()).map_err(|error| Failure::bad_input(error.to_string()))?;
    // Never tried again; Failure::failed is, by the policy of the pipeline.
    let name = instructions["name"].as_str().ok_or(Failure::bad_input("name must be a text"))?;
    Ok(json!({ "greeting": format!("Hello, {name}") }).to_string().into_bytes())
}

extern "C" fn run(
    _: *const Phase, _: *mut std::ffi::c_void, job: *const carbontube::Job, error: *mut carbontube::Error,
) -> i32 {
    carbontube::answer(job, error, greet)
}

static GREETING: Phase = Phase {
    job_type: c"__NAME__".as_ptr(),
    version: c"0.1.0".as_ptr(),
    summary: c"Greets whoever the instructions name".as_ptr(),
    input_schema: c"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}".as_ptr(),
    output_schema: c"{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"}}}".as_ptr(),
    ..Phase::new(run)
};
static PHASES: [&Phase; 1] = [&GREETING];

static GREETINGS: Pipeline = Pipeline {
    name: c"__NAME__".as_ptr(),
    version: c"0.1.0".as_ptr(),
    summary: c"Greets".as_ptr(),
    definition: c"{\"name\":\"__NAME__\",\"phases\":[\"__NAME__\"]}".as_ptr(),
    ..Pipeline::new()
};
static PIPELINES: [&Pipeline; 1] = [&GREETINGS];

static PLUGIN: Plugin = Plugin {
    id: c"org.example.__NAME__".as_ptr(),
    version: c"0.1.0".as_ptr(),
    summary: c"Greets".as_ptr(),
    ..Plugin::new(&PHASES, &PIPELINES)
};

#[no_mangle]
pub extern "C" fn carbontube_plugin_v1(_host_abi_minor: u32) -> &'static Plugin {
    &PLUGIN
}

// Named after the shared object.
#![allow(non_snake_case)]

mod carbontube;

use carbontube::{Context, Failure, Phase, PhaseSetup, Pipeline, Plugin};
use serde_json::{json, Value};
use std::ffi::c_void;

/// What the jobs of this process have in common: a setting, and a secret of the environment.
struct Greeter {
    greeting: String,
    token: Option<String>,
}

/// The work: one job at a time, on a thread that may block.
fn greet(greeter: &Greeter, job: &Context) -> Result<Vec<u8>, Failure> {
    let instructions: Value =
        serde_json::from_slice(job.instructions()).map_err(|error| Failure::bad_input(error.to_string()))?;
    // Never tried again; Failure::failed is, by the policy of the pipeline.
    let name = instructions["name"].as_str().ok_or(Failure::bad_input("name must be a text"))?;
    let mut result = json!({ "greeting": format!("{}, {name}", greeter.greeting) });
    if greeter.token.is_some() {
        result["signed"] = true.into();
    }
    Ok(result.to_string().into_bytes())
}

/// By --set greeting=Moin and --env GREETING_TOKEN.
extern "C" fn create(
    _: *const Phase, setup: *const PhaseSetup, instance: *mut *mut c_void, _: *mut carbontube::Error,
) -> i32 {
    let settings: Value = serde_json::from_slice(unsafe { (*setup).settings() }).unwrap_or_default();
    let greeting = settings["greeting"].as_str().unwrap_or("Hello").to_string();
    let greeter = Greeter { greeting, token: std::env::var("GREETING_TOKEN").ok() };
    unsafe { *instance = Box::into_raw(Box::new(greeter)).cast() };
    carbontube::OK
}

extern "C" fn run(
    _: *const Phase, instance: *mut c_void, job: *const carbontube::Job, error: *mut carbontube::Error,
) -> i32 {
    let greeter = unsafe { &*instance.cast::<Greeter>() };
    carbontube::answer(job, error, |context| greet(greeter, context))
}

static GREETING: Phase = Phase {
    job_type: c"__NAME__".as_ptr(),
    version: c"0.1.0".as_ptr(),
    summary: c"Greets whoever the instructions name".as_ptr(),
    input_schema: c"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}".as_ptr(),
    output_schema: c"{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"}}}".as_ptr(),
    settings_schema: c"{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\",\"minLength\":1}},\"additionalProperties\":false}".as_ptr(),
    create_with: Some(create),
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

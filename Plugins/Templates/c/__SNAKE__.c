#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static void put(ct_buffer *buffer, const char *text) {
  size_t length = strlen(text);
  buffer->len = length < buffer->cap ? (uint32_t)length : buffer->cap;
  if (buffer->len) memcpy(buffer->ptr, text, buffer->len);
}

// What the jobs of this process have in common: a setting, and a secret of the environment.
struct greeter {
  json_t *settings;
  const char *greeting;
  const char *token;
};

static ct_status create(const ct_phase *phase, const ct_phase_setup *setup, void **instance, ct_error *err) {
  (void)phase, (void)err;
  static struct greeter greeter;
  greeter.settings = json_loadb(setup->settings.ptr, setup->settings.len, 0, NULL);
  const char *greeting = json_string_value(json_object_get(greeter.settings, "greeting"));  // by --set greeting=Moin
  greeter.greeting = greeting ? greeting : "Hello";
  greeter.token = getenv("GREETING_TOKEN");  // by --env GREETING_TOKEN
  *instance = &greeter;
  return CT_OK;
}

// The work: one job at a time, on a thread that may block. The status alone decides whether it is tried again.
static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase;
  const struct greeter *greeter = instance;
  json_t *instructions = json_loadb(job->instructions.ptr, job->instructions.len, 0, NULL);
  const char *name = json_string_value(json_object_get(instructions, "name"));
  if (!name) {
    put(&err->message, "name must be a text");
    json_decref(instructions);
    return CT_BAD_INPUT;
  }
  json_t *result = json_pack("{s: s++}", "greeting", greeter->greeting, ", ", name);
  if (result && greeter->token) json_object_set_new(result, "signed", json_true());
  char *text = result ? json_dumps(result, JSON_COMPACT) : NULL;
  ct_status status = text ? job->set_result(job, (ct_bytes){text, strlen(text)}) : CT_INTERNAL;
  free(text);
  json_decref(result);
  json_decref(instructions);
  return status;
}

static const ct_phase greeting = {
    .struct_size = sizeof(ct_phase),
    .flags = CT_PHASE_DETERMINISTIC | CT_PHASE_IDEMPOTENT,
    .job_type = "__NAME__",
    .version = "0.1.0",
    .summary = "Greets whoever the instructions name",
    .input_schema = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}",
    .output_schema = "{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"}}}",
    .run = run,
    .settings_schema = "{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\",\"minLength\":1}},"
                       "\"additionalProperties\":false}",
    .create_with = create,
};
static const ct_phase *const phases[] = {&greeting};

static const ct_pipeline greetings = {
    .struct_size = sizeof(ct_pipeline),
    .name = "__NAME__",
    .version = "0.1.0",
    .summary = "Greets",
    .definition = "{\"name\":\"__NAME__\",\"phases\":[\"__NAME__\"]}",
};
static const ct_pipeline *const pipelines[] = {&greetings};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.example.__NAME__",
    .version = "0.1.0",
    .summary = "Greets",
    .build = "c " __VERSION__,
    .phase_count = 1,
    .pipeline_count = 1,
    .phases = phases,
    .pipelines = pipelines,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

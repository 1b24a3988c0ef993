#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

using nlohmann::json;

namespace {

void put(ct_buffer &buffer, std::string_view text) {
  buffer.len = static_cast<uint32_t>(std::min<size_t>(text.size(), buffer.cap));
  if (buffer.len) std::memcpy(buffer.ptr, text.data(), buffer.len);
}

// What the jobs of this process have in common: a setting, and a secret of the environment.
struct Greeter {
  std::string greeting;
  const char *token;
};

// The work.
json greet(const Greeter &greeter, const json &instructions) {
  json result = {{"greeting", greeter.greeting + ", " + instructions.at("name").get<std::string>()}};
  if (greeter.token) result["signed"] = true;
  return result;
}

ct_status create(const ct_phase *, const ct_phase_setup *setup, void **instance, ct_error *err) {
  try {
    const auto *start = static_cast<const char *>(setup->settings.ptr);
    const json settings = json::parse(start, start + setup->settings.len);
    // By --set greeting=Moin and --env GREETING_TOKEN.
    *instance = new Greeter{settings.value("greeting", "Hello"), std::getenv("GREETING_TOKEN")};
    return CT_OK;
  } catch (const std::exception &error) {
    put(err->message, error.what());
    return CT_BAD_INPUT;
  }
}

void destroy(const ct_phase *, void *instance) { delete static_cast<Greeter *>(instance); }

// One job at a time, on a thread that may block. No exception may leave it: the process would end.
ct_status run(const ct_phase *, void *instance, const ct_job *job, ct_error *err) {
  try {
    const auto *start = static_cast<const char *>(job->instructions.ptr);
    const std::string result = greet(*static_cast<Greeter *>(instance), json::parse(start, start + job->instructions.len)).dump();
    return job->set_result(job, {result.data(), result.size()});
  } catch (const json::exception &error) {
    put(err->message, error.what());
    return CT_BAD_INPUT;
  } catch (const std::exception &error) {
    put(err->message, error.what());
    return CT_FAILED;
  } catch (...) {
    return CT_INTERNAL;
  }
}

const ct_phase greeting = {
    .struct_size = sizeof(ct_phase),
    .flags = CT_PHASE_DETERMINISTIC | CT_PHASE_IDEMPOTENT,
    .plugin_data = nullptr,
    .job_type = "__NAME__",
    .version = "0.1.0",
    .summary = "Greets whoever the instructions name",
    .input_schema = R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]})",
    .output_schema = R"({"type":"object","properties":{"greeting":{"type":"string"}}})",
    .create = nullptr,
    .run = run,
    .cancel = nullptr,
    .destroy = destroy,
    .settings_schema = R"({"type":"object","properties":{"greeting":{"type":"string","minLength":1}},"additionalProperties":false})",
    .create_with = create,
};
const ct_phase *const phases[] = {&greeting};

const ct_pipeline greetings = {
    .struct_size = sizeof(ct_pipeline),
    .flags = 0,
    .plugin_data = nullptr,
    .name = "__NAME__",
    .version = "0.1.0",
    .summary = "Greets",
    .definition = R"({"name":"__NAME__","phases":["__NAME__"]})",
    .create = nullptr,
    .initialize = nullptr,
    .on_started = nullptr,
    .on_finished = nullptr,
    .handle_finished_job = nullptr,
    .destroy = nullptr,
};
const ct_pipeline *const pipelines[] = {&greetings};

const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.example.__NAME__",
    .version = "0.1.0",
    .summary = "Greets",
    .build = "c++ " __VERSION__,
    .phase_count = 1,
    .pipeline_count = 1,
    .phases = phases,
    .pipelines = pipelines,
    .init = nullptr,
    .shutdown = nullptr,
    .get_extension = nullptr,
};

}  // namespace

const ct_plugin *carbontube_plugin_v1(uint32_t) { return &plugin; }

// A plugin as it was written for ABI 1.0, built against the header of then, which lies beside it.
#include <string.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static ct_status create(const ct_phase *phase, void **instance, ct_error *err) {
  (void)phase, (void)err;
  static char made[] = "{\"made\":true}";
  *instance = made;
  return CT_OK;
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)err;
  return job->set_result(job, (ct_bytes){instance, strlen(instance)});
}

static const ct_phase phase = {
    .struct_size = sizeof phase, .job_type = "old", .version = "1.0.0", .summary = "", .create = create, .run = run};
static const ct_phase *const phases[] = {&phase};
static const ct_plugin plugin = {
    .struct_size = sizeof plugin, .abi_major = CT_ABI_MAJOR, .abi_minor = CT_ABI_MINOR, .id = "org.example.old",
    .version = "1.0.0", .summary = "", .build = "c", .phase_count = 1, .phases = phases};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

// Three phases that do nothing: what is left is the cost of the pipeline itself.
#include <stddef.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance, (void)job, (void)err;
  return CT_OK;
}

#define NO_OP(name)                                                                             \
  {.struct_size = sizeof(ct_phase), .job_type = name, .version = "1.0.0", .summary = "Nothing", \
   .run = run}

static const ct_phase first = NO_OP("no-op-1"), second = NO_OP("no-op-2"), third = NO_OP("no-op-3");
static const ct_phase *const phases[] = {&first, &second, &third};

static const ct_pipeline no_op = {
    .struct_size = sizeof(ct_pipeline),
    .name = "no-op",
    .version = "1.0.0",
    .summary = "Three phases that do nothing",
    .definition = "{\"name\":\"no-op\",\"phases\":[\"no-op-1\",\"no-op-2\",\"no-op-3\"]}",
};
static const ct_pipeline *const pipelines[] = {&no_op};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.no-op",
    .version = "1.0.0",
    .summary = "For measuring",
    .build = "c " __VERSION__,
    .phase_count = 3,
    .pipeline_count = 1,
    .phases = phases,
    .pipelines = pipelines,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

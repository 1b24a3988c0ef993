// PHASES phases that do nothing: what is left is the cost of the pipeline itself. With SLEEP_US each sleeps, as a phase
// that waits for somebody would.
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "carbontube.h"

#ifndef PHASES
#define PHASES 3
#endif
#ifndef SLEEP_US
#define SLEEP_US 0
#endif

CT_PLUGIN_NOTE(0, 0);

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance, (void)job, (void)err;
  if (SLEEP_US) nanosleep(&(struct timespec){.tv_nsec = SLEEP_US * 1000L}, NULL);
  return CT_OK;
}

static char names[PHASES][16], definition[64 + PHASES * 16];
static ct_phase phases[PHASES];
static const ct_phase *phase_list[PHASES];

static const ct_pipeline no_op = {
    .struct_size = sizeof(ct_pipeline),
    .name = "no-op",
    .version = "1.0.0",
    .summary = "Phases that do nothing",
    .definition = definition,
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
    .phase_count = PHASES,
    .pipeline_count = 1,
    .phases = phase_list,
    .pipelines = pipelines,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  char *end = stpcpy(definition, "{\"name\":\"no-op\",\"phases\":[");
  for (int i = 0; i < PHASES; i++) {
    snprintf(names[i], sizeof names[i], "no-op-%d", i + 1);
    phases[i] = (ct_phase){.struct_size = sizeof(ct_phase), .job_type = names[i], .version = "1.0.0", .summary = "Nothing", .run = run};
    phase_list[i] = &phases[i];
    end += sprintf(end, "%s\"%s\"", i ? "," : "", names[i]);
  }
  strcpy(end, "]}");
  return &plugin;
}

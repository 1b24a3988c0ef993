// One phase that sleeps for "ms" milliseconds and writes a line when it has, and two pipelines of it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance, (void)err;
  static const char name[] = "\"ms\":";
  const char *found = memmem(job->instructions.ptr, job->instructions.len, name, sizeof name - 1);
  long ms = found ? strtol(found + sizeof name - 1, NULL, 10) : 0;
  struct timespec rest = {ms / 1000, (ms % 1000) * 1000000};
  if (ms > 0) nanosleep(&rest, NULL);
  const char *path = getenv("NAPS");
  int ledger = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
  if (ledger < 0) return CT_FAILED;
  char line[256];
  int length = snprintf(line, sizeof line, "%.*s\n", (int)job->id.len, (const char *)job->id.ptr);
  int written = write(ledger, line, (size_t)length) == length;
  close(ledger);
  return written ? CT_OK : CT_FAILED;
}

static const ct_phase nap = {
    .struct_size = sizeof(ct_phase), .job_type = "nap", .version = "1.0.0", .summary = "Sleeps", .run = run};
static const ct_phase *const phases[] = {&nap};

#define NAPS(title) \
  {.struct_size = sizeof(ct_pipeline), .name = title, .version = "1.0.0", .summary = "Sleeps", \
   .definition = "{\"name\":\"" title "\",\"phases\":[{\"job_type\":\"nap\"}]}"}

static const ct_pipeline one = NAPS("naps-one"), two = NAPS("naps-two");
static const ct_pipeline *const pipelines[] = {&one, &two};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.naps",
    .version = "1.0.0",
    .summary = "For tests",
    .build = "c " __VERSION__,
    .phase_count = 1,
    .pipeline_count = 2,
    .phases = phases,
    .pipelines = pipelines,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

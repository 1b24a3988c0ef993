// One phase that lasts for "ms" milliseconds and, where its instructions say "told", writes a line when it begins (B) and when it
// ends (E): B|E, job, attempt, process, microseconds since 1970. Two pipelines of it, so that they can share workers.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static long long now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

// One write to a file opened for appending: lines of several processes do not mix.
static int note(char what, const ct_job *job) {
  static int ledger = -1;
  const char *path = getenv("LEDGER");
  if (ledger < 0 && path) ledger = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  char line[512];
  int length = snprintf(line, sizeof line, "%c %.*s %u %d %lld\n", what, (int)job->id.len, (const char *)job->id.ptr,
                        job->attempt, (int)getpid(), now_us());
  return write(ledger, line, (size_t)length) == length;
}

static const char *after(const ct_job *job, const char *name) {
  const char *found = memmem(job->instructions.ptr, job->instructions.len, name, strlen(name));
  return found ? found + strlen(name) : NULL;
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance, (void)err;
  const char *told = after(job, "\"told\":true"), *length = after(job, "\"ms\":");
  if (told && !note('B', job)) return CT_FAILED;
  long ms = length ? strtol(length, NULL, 10) : 0;
  struct timespec rest = {ms / 1000, (ms % 1000) * 1000000};
  if (ms > 0) nanosleep(&rest, NULL);
  return !told || note('E', job) ? CT_OK : CT_FAILED;
}

static const ct_phase last = {
    .struct_size = sizeof(ct_phase), .job_type = "last", .version = "1.0.0", .summary = "Lasts", .run = run};
static const ct_phase *const phases[] = {&last};

#define LASTING(title) \
  {.struct_size = sizeof(ct_pipeline), .name = title, .version = "1.0.0", .summary = "Lasts", \
   .definition = "{\"name\":\"" title "\",\"phases\":[{\"job_type\":\"last\"}]}"}

static const ct_pipeline one = LASTING("lasting-one"), two = LASTING("lasting-two");
static const ct_pipeline *const pipelines[] = {&one, &two};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.lasting",
    .version = "1.0.0",
    .summary = "For benchmarks",
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

// Three phases that write what they do into a ledger of their own: what scripts/chaos holds the store's word against.
//
// A line each when a run begins (B) and ends (E): B|E, job, phase, attempt, process, milliseconds since 1970.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

// One write to a file opened for appending: lines of several processes do not mix.
static int note(char what, const ct_phase *phase, const ct_job *job) {
  static int ledger = -1;
  if (ledger < 0) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/ledger", folder ? folder : "/tmp");
    ledger = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  char line[512];
  int length = snprintf(line, sizeof line, "%c %.*s %s %u %d %lld\n", what, (int)job->id.len, (const char *)job->id.ptr,
                        phase->job_type, job->attempt, (int)getpid(), now_ms());
  return write(ledger, line, (size_t)length) == length;
}

static long work_ms(const ct_job *job) {
  static const char name[] = "\"sleep_ms\":";
  const char *found = memmem(job->instructions.ptr, job->instructions.len, name, sizeof name - 1);
  return found ? strtol(found + sizeof name - 1, NULL, 10) : 0;
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)instance, (void)err;
  if (!note('B', phase, job)) return CT_FAILED;
  long ms = work_ms(job);
  struct timespec rest = {ms / 1000, (ms % 1000) * 1000000};
  if (ms > 0) nanosleep(&rest, NULL);
  return note('E', phase, job) ? CT_OK : CT_FAILED;
}

#define LEDGER(name) \
  {.struct_size = sizeof(ct_phase), .job_type = name, .version = "1.0.0", .summary = "Writes a ledger", .run = run}

static const ct_phase first = LEDGER("ledger-1"), second = LEDGER("ledger-2"), third = LEDGER("ledger-3");
static const ct_phase *const phases[] = {&first, &second, &third};

// A job that is killed again and again by the chaos is no job that kills its host. Two, so that they can share workers.
#define PIPELINE(name_) \
  {.struct_size = sizeof(ct_pipeline), \
   .name = name_, \
   .version = "1.0.0", \
   .summary = "Three phases that write a ledger", \
   .definition = "{\"name\":\"" name_ "\",\"phases\":[{\"job_type\":\"ledger-1\",\"crashes\":1000}," \
                 "{\"job_type\":\"ledger-2\",\"crashes\":1000},{\"job_type\":\"ledger-3\",\"crashes\":1000}]}"}

static const ct_pipeline one = PIPELINE("ledger"), two = PIPELINE("ledger-two");
static const ct_pipeline *const pipelines[] = {&one, &two};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.ledger",
    .version = "1.0.0",
    .summary = "For tests",
    .build = "c " __VERSION__,
    .phase_count = 3,
    .pipeline_count = 2,
    .phases = phases,
    .pipelines = pipelines,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

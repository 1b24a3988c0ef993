// The phases of ledger.c in a plugin whose children never become ready: create() sleeps for ever or returns an error, as it
// comes. What such a worker is given must go to another one; a run() that happens all the same is seen in the ledger (N).
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static ct_status create(const ct_phase *phase, void **instance, ct_error *err) {
  (void)phase, (void)instance, (void)err;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if ((now.tv_nsec / 1000 + getpid()) % 2) return CT_FAILED;
  for (;;) pause();
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)instance, (void)err;
  const char *folder = getenv("TMPDIR");
  char path[4096], line[512];
  snprintf(path, sizeof path, "%s/ledger", folder ? folder : "/tmp");
  int ledger = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  int length = snprintf(line, sizeof line, "N %.*s %s %u %d 0\n", (int)job->id.len, (const char *)job->id.ptr,
                        phase->job_type, job->attempt, (int)getpid());
  int written = write(ledger, line, (size_t)length) == length;
  close(ledger);
  return written ? CT_OK : CT_FAILED;
}

#define NEVER(name) \
  {.struct_size = sizeof(ct_phase), .job_type = name, .version = "1.0.0", .summary = "Is never ready", .create = create, .run = run}

static const ct_phase first = NEVER("ledger-1"), second = NEVER("ledger-2"), third = NEVER("ledger-3");
static const ct_phase *const phases[] = {&first, &second, &third};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.never-ready",
    .version = "1.0.0",
    .summary = "For tests",
    .build = "c " __VERSION__,
    .phase_count = 3,
    .phases = phases,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

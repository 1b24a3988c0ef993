// A phase that is as good or as bad as it is compiled to be, and does what its job tells it to. One object per hazard:
//
//   -DBUILD="1"           what its results tell of it
//   -DCONSTRUCTOR=abort   abort, hang, quit or chat while it is loaded
//   -DCREATE=refuse(err)  makes no instance, or with hang_on() hangs, until there is a file "model" in GATE
//   -DMAJOR=2             made for another major version
//   -DWITHOUT_ENTRY       exports nothing
//   -DLONGER, -DSHORTER   structs of a newer or an older minor version
//   -DMISDEED             linked with another language's misdeed()
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carbontube.h"

#ifdef MAJOR
#undef CT_ABI_MAJOR
#define CT_ABI_MAJOR MAJOR
#endif
#ifdef LONGER
#undef CT_ABI_MINOR
#define CT_ABI_MINOR 9
#endif

CT_PLUGIN_NOTE(0, 0);

#ifdef CONSTRUCTOR
static void hang(void) {
  for (;;) pause();
}
static void quit(void) { exit(0); }
static void chat(void) {
  puts("loaded");
  fflush(stdout);
}
__attribute__((constructor)) static void loaded(void) {
  (void)hang, (void)quit, (void)chat;
  CONSTRUCTOR();
}
#endif

static int is_told(const ct_job *job, const char *deed) {
  char member[64];
  int length = snprintf(member, sizeof member, "\"do\":\"%s\"", deed);
  return memmem(job->instructions.ptr, job->instructions.len, member, (size_t)length) != NULL;
}

// Says that it has begun, and waits to be let on: a file each, in the working folder that the test has made.
static void wait_at_gate(const char *folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/begun", folder);
  close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  snprintf(path, sizeof path, "%s/go-on", folder);
  while (access(path, F_OK) != 0) usleep(5000);
}

#ifdef CREATE
static int has_model(void) { return access(GATE "/model", F_OK) == 0; }
static ct_status refuse(ct_error *err) {
  static const char message[] = "no model";
  err->message.len = sizeof message - 1;
  memcpy(err->message.ptr, message, sizeof message - 1);
  return CT_FAILED;
}
static ct_status hang_on(void) {
  while (!has_model()) usleep(5000);
  return CT_OK;
}
static ct_status create(const ct_phase *phase, void **instance, ct_error *err) {
  (void)phase, (void)instance, (void)refuse, (void)hang_on;
  return has_model() ? CT_OK : CREATE;
}
#endif

static void flood(FILE *stream) {
  char line[256];
  memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\n';
  for (int count = 0; count < (16 << 20) / (int)sizeof line; count++) fwrite(line, 1, sizeof line, stream);
  fflush(stream);
}

#ifdef MISDEED
void misdeed(void);
#endif

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance, (void)err;
  if (is_told(job, "trap")) __builtin_trap();
  if (is_told(job, "abort")) abort();
  if (is_told(job, "fault")) *(volatile int *)16 = 1;
  if (is_told(job, "exit")) exit(0);
  if (is_told(job, "flood")) flood(stderr);
  if (is_told(job, "print")) flood(stdout);
#ifdef GATE
  if (is_told(job, "wait")) wait_at_gate(GATE);
#endif
  // Until the limit of open files is reached, and none is closed.
  if (is_told(job, "leak"))
    while (open("/dev/null", O_RDONLY) >= 0) continue;
#ifdef MISDEED
  if (is_told(job, "misdeed")) misdeed();
#endif
  while (is_told(job, "hang")) usleep(1000000);
  static const char result[] = "{\"build\":" BUILD "}";
  return job->set_result(job, (ct_bytes){result, sizeof result - 1});
}

// What stands beyond struct_size must not be read; it is not even a pointer.
#define GARBAGE ((void *)1)

typedef struct {
  ct_phase known;
  void *unknown[8];
} longer_phase;
typedef struct {
  ct_plugin known;
  void *unknown[8];
} longer_plugin;

static const longer_phase phase = {
    .known =
        {
#if defined LONGER
            .struct_size = sizeof(longer_phase),
#elif defined SHORTER
            .struct_size = offsetof(ct_phase, cancel),
            .cancel = GARBAGE,
            .destroy = GARBAGE,
#else
            .struct_size = sizeof(ct_phase),
#endif
            .job_type = "hazard",
            .version = "1.0.0",
            .summary = "Does harm",
#ifdef CREATE
            .create = create,
#endif
            .run = run,
        },
    .unknown = {GARBAGE, GARBAGE},
};
static const ct_phase *const phases[] = {&phase.known};

static const longer_plugin plugin = {
    .known =
        {
#if defined LONGER
            .struct_size = sizeof(longer_plugin),
#elif defined SHORTER
            .struct_size = offsetof(ct_plugin, init),
            .init = GARBAGE,
            .shutdown = GARBAGE,
            .get_extension = GARBAGE,
#else
            .struct_size = sizeof(ct_plugin),
#endif
            .abi_major = CT_ABI_MAJOR,
            .abi_minor = CT_ABI_MINOR,
            .id = "org.carbontube.hazard",
            .version = "1.0.0",
            .summary = "Does harm",
            .build = "c",
            .phase_count = 1,
            .phases = phases,
        },
    .unknown = {GARBAGE, GARBAGE},
};

#ifndef WITHOUT_ENTRY
#ifdef MAJOR
#define carbontube_plugin_v1 carbontube_plugin_v2
CT_EXPORT const ct_plugin *carbontube_plugin_v2(uint32_t host_abi_minor);
#endif
const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin.known;
}
#endif

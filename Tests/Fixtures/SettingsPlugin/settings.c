// A phase that shows what it was given. Built with -DNEWER it is one of a later minor version, whose structs have grown
// behind what this host knows.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static char settings[4096], made_in[4096];

static ct_status create_with(
    const ct_phase *phase, const ct_phase_setup *setup, void **instance, ct_error *err) {
  (void)phase;
  snprintf(settings, sizeof settings, "%.*s", (int)setup->settings.len, (const char *)setup->settings.ptr);
  snprintf(made_in, sizeof made_in, "%.*s", (int)setup->work_dir.len, setup->work_dir.ptr);
  *instance = settings;
  const char *secret = getenv("GREET_TOKEN");
  if (!strstr(settings, "\"refuse\"")) return CT_OK;
  err->message.len = (uint32_t)snprintf(err->message.ptr, err->message.cap, "%s opens nothing", secret ? secret : "nothing");
  return CT_FAILED;
}

static ct_status create(const ct_phase *phase, void **instance, ct_error *err) {
  (void)phase, (void)instance, (void)err;
  return CT_INTERNAL;  // create_with() takes its place
}

static int asked(const ct_job *job, const char *what) {
  return memmem(job->instructions.ptr, job->instructions.len, what, strlen(what)) != NULL;
}

static void say(const ct_job *job, const char *text) { job->log(job, CT_LOG_INFO, (ct_str){text, strlen(text)}); }

static ct_status result(const ct_job *job, const char *name, const char *value) {
  char text[8192];
  snprintf(text, sizeof text, "{\"%s\":\"%s\"}", name, value);
  return job->set_result(job, (ct_bytes){text, strlen(text)});
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase;
  const char *secret = getenv("GREET_TOKEN");
  if (asked(job, "\"settings\"")) return job->set_result(job, (ct_bytes){instance, strlen(instance)});
  if (asked(job, "\"variable\"")) return result(job, "variable", secret ? secret : "none");
  if (asked(job, "\"folder\"")) {
    char path[4096], there[8];
    snprintf(path, sizeof path, "%.*s", (int)job->work_dir.len, job->work_dir.ptr);
    if (strcmp(path, made_in) != 0) return CT_INTERNAL;
    snprintf(there, sizeof there, "%d", access(strcat(strcpy(made_in, path), "/left"), F_OK) == 0);
    snprintf(made_in, sizeof made_in, "%s", path);
    mkdir(strcat(path, "/left"), 0700);
    char text[8192];
    snprintf(text, sizeof text, "{\"folder\":\"%s\",\"left\":%s}", made_in, there);
    return job->set_result(job, (ct_bytes){text, strlen(text)});
  }
  char words[4096];
  snprintf(words, sizeof words, "the token is %s!", secret ? secret : "none");
  say(job, words);
  job->progress(job, 0.5, (ct_str){words, strlen(words)});
  fprintf(stderr, "%s\n", words);
  if (asked(job, "\"crash\"")) abort();
  err->message.len = (uint32_t)snprintf(err->message.ptr, err->message.cap, "%s", words);
  err->type.len = (uint32_t)snprintf(err->type.ptr, err->type.cap, "%s", secret ? secret : "none");
  err->where.len = (uint32_t)snprintf(err->where.ptr, err->where.cap, "%s", secret ? secret : "none");
  return CT_PERMANENT;
}

#ifdef NEWER
struct grown_phase {
  ct_phase known;
  void *unknown[4];
};
static const struct grown_phase grown = {
    .known = {.struct_size = sizeof grown, .job_type = "settings", .version = "1.0.0", .summary = "", .create = create,
              .run = run, .create_with = create_with},
    .unknown = {(void *)-1, (void *)-1, (void *)-1, (void *)-1}};
#define PHASE &grown.known
#define MINOR 9
#else
static const ct_phase phase = {
    .struct_size = sizeof phase, .job_type = "settings", .version = "1.0.0", .summary = "", .create = create,
    .run = run, .create_with = create_with,
    .settings_schema = "{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\",\"maximum\":10}}}"};
#define PHASE &phase
#define MINOR CT_ABI_MINOR
#endif
static const ct_phase *const phases[] = {PHASE};
static const ct_pipeline pipeline = {
    .struct_size = sizeof pipeline, .name = "settings", .version = "1.0.0", .summary = "",
    .definition = "{\"name\":\"settings\",\"phases\":[{\"job_type\":\"settings\",\"crashes\":1}]}"};
static const ct_pipeline *const pipelines[] = {&pipeline};
static const ct_plugin plugin = {
    .struct_size = sizeof plugin, .abi_major = CT_ABI_MAJOR, .abi_minor = MINOR, .id = "org.example.settings",
    .version = "1.0.0", .summary = "", .build = "c", .phase_count = 1, .phases = phases,
    .pipeline_count = 1, .pipelines = pipelines};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

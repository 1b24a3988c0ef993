// A phase in plain C: counts the newlines of a file. Reads and writes JSON with jansson (Debian: libjansson-dev).
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "carbontube.h"

CT_PLUGIN_NOTE(0, 0);

static void put(ct_buffer *buffer, const char *text) {
  size_t length = strlen(text);
  buffer->len = length < buffer->cap ? (uint32_t)length : buffer->cap;
  memcpy(buffer->ptr, text, buffer->len);
}

static ct_status fail(ct_error *err, ct_status status, const char *type, const char *message) {
  put(&err->type, type);
  put(&err->message, message);
  put(&err->where, "count_lines.c");
  return status;
}

static ct_status count(const ct_job *job, FILE *file, json_int_t *lines) {
  static char block[64 * 1024];
  size_t length;
  while ((length = fread(block, 1, sizeof block, file)) > 0) {
    const char *rest = block, *end = block + length;
    while ((rest = memchr(rest, '\n', (size_t)(end - rest)))) ++rest, ++*lines;
    if (job->is_cancelled(job)) return CT_CANCELLED;
  }
  return ferror(file) ? CT_FAILED : CT_OK;
}

static ct_status report(const ct_job *job, json_int_t lines) {
  char result[64];
  int length = snprintf(result, sizeof result, "{\"lines\": %" JSON_INTEGER_FORMAT "}", lines);
  return job->set_result(job, (ct_bytes){result, (size_t)length});
}

static ct_status run(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err) {
  (void)phase, (void)instance;
  json_t *instructions = json_loadb(job->instructions.ptr, job->instructions.len, 0, NULL);
  const char *path = json_string_value(json_object_get(instructions, "file_path"));
  FILE *file = path ? fopen(path, "rb") : NULL;
  ct_status status;
  if (!path) {
    status = fail(err, CT_BAD_INPUT, "BadInput", "file_path must name a file");
  } else if (!file) {
    status = fail(err, CT_FAILED, errno == ENOENT ? "FileMissing" : "FileUnreadable", strerror(errno));
  } else {
    json_int_t lines = 0;
    status = count(job, file, &lines);
    if (status == CT_OK) status = report(job, lines);
    else if (status == CT_FAILED) fail(err, status, "FileUnreadable", strerror(errno));
  }
  if (file) fclose(file);
  json_decref(instructions);
  return status;
}

static const ct_phase count_lines = {
    .struct_size = sizeof(ct_phase),
    .flags = CT_PHASE_DETERMINISTIC | CT_PHASE_IDEMPOTENT,
    .job_type = "count-lines",
    .version = "1.0.0",
    .summary = "Counts the newlines of file_path",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{\"file_path\":{\"type\":\"string\"}},\"required\":[\"file_path\"]}",
    .output_schema = "{\"type\":\"object\",\"properties\":{\"lines\":{\"type\":\"integer\"}},\"required\":[\"lines\"]}",
    .run = run,
};

static const ct_phase *const phases[] = {&count_lines};

static const ct_plugin plugin = {
    .struct_size = sizeof(ct_plugin),
    .abi_major = CT_ABI_MAJOR,
    .abi_minor = CT_ABI_MINOR,
    .id = "org.carbontube.countlines",
    .version = "1.0.0",
    .summary = "Counts lines of files, in plain C",
    .build = "c " __VERSION__,
    .phase_count = 1,
    .phases = phases,
};

const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor) {
  (void)host_abi_minor;
  return &plugin;
}

// The layout is a promise to every plugin ever compiled: a change here that moves a field is a new major version.
#include "carbontube.h"

#define AT(type, field, position) _Static_assert(offsetof(type, field) == (position), #type "." #field " moved")
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")

#if __SIZEOF_POINTER__ == 8
SIZE(ct_buffer, 16);
SIZE(ct_error, 64);
AT(ct_error, retry_after_ms, 8);
AT(ct_error, message, 16);
AT(ct_error, where, 48);
SIZE(ct_host, 48);
AT(ct_host, log, 32);
SIZE(ct_job, 136);
AT(ct_job, instructions, 48);
AT(ct_job, deadline_unix_ms, 80);
AT(ct_job, set_result, 88);
// The end of ABI 1.1.
AT(ct_job, is_cancelled, 112);
AT(ct_job, log_fields, 120);
AT(ct_job, measure, 128);
SIZE(ct_field, 32);
SIZE(ct_setup, 24);
SIZE(ct_finished_job, 72);
SIZE(ct_phase_setup, 40);
AT(ct_phase_setup, settings, 8);
SIZE(ct_phase, 104);
AT(ct_phase, job_type, 16);
AT(ct_phase, create, 56);
AT(ct_phase, run, 64);
// The end of ABI 1.0.
AT(ct_phase, settings_schema, 88);
AT(ct_phase, create_with, 96);
SIZE(ct_pipeline, 96);
AT(ct_pipeline, name, 16);
AT(ct_pipeline, create, 48);
AT(ct_pipeline, handle_finished_job, 80);
SIZE(ct_plugin, 88);
AT(ct_plugin, phase_count, 40);
AT(ct_plugin, init, 64);
#endif
SIZE(struct ct_elf_note, 40);

/* carbontube.h: the boundary between CarbonTube and its plugins, major version 1.
 * C11, gnu99 or C++11 and later on GCC or Clang; needs nothing else. docs/plugin-abi.md tells why it is as it is.
 *
 * A plugin is one shared object that exports one symbol, carbontube_plugin_v1, and offers phases (the work behind a
 * job_type), pipelines (named lists of job_types), or both.
 *
 * COMPATIBILITY
 *   The major version is part of the entry's name. Within one major version things are only ADDED: fields at the END
 *   of a struct, new enum values. Nothing is reordered, retyped or given another meaning.
 *   Every struct that crosses the boundary begins with struct_size = sizeof(struct) as its PRODUCER compiled it; a
 *   consumer reads field f only if CT_HAS(ptr, f). What is optional or experimental is an extension:
 *   get_extension("carbontube.<name>/<revision>") gives a struct or NULL.
 * STRINGS
 *   ct_str is UTF-8 without a NUL at its end. const char * members are UTF-8 with a NUL, and never NULL unless the
 *   comment says "or NULL".
 * MEMORY
 *   Whoever allocates frees; nothing is allocated on one side and freed on the other. Arguments (ct_str, ct_bytes,
 *   ct_job, ct_setup, ct_finished_job, ct_error) are lent until the call returns: copy what must live longer.
 *   ct_plugin and all it points to is static: it lives as long as the process.
 * ERRORS
 *   Return a ct_status and fill *err. No exception, panic, longjmp or Swift error may leave a function: it ends the
 *   child, and the attempt counts as crashed.
 * THREADS
 *   [any]     from any thread, several at once.
 *   [worker]  on a plain OS thread of the host that the plugin may block as long as it wants; never the main thread,
 *             never a thread of Swift's pool. One [worker] call at a time per instance.
 *   [once]    exactly once in the life of the process, never at the same time as another call.
 * PROCESS
 *   The host loads a plugin into a child process, once, and never unloads it. That child runs one job at a time.
 *   Do not call exit(), chdir(), setlocale() or umask(); leave file descriptors 3 and 4 alone. What is written to
 *   stdout goes where stderr goes. The child may be killed at any time: after the job's deadline, when its worker
 *   goes away, at a resource limit. Processes that a run() starts are killed when it has returned; those that init()
 *   or create() start live as long as the child. */
#ifndef CARBONTUBE_H
#define CARBONTUBE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CT_ABI_MAJOR 1
#define CT_ABI_MINOR 2
#define CT_ENTRY_SYMBOL "carbontube_plugin_v1"
#define CT_EXPORT __attribute__((visibility("default")))
#define CT_HAS(pointer, field) \
  ((pointer)->struct_size >= offsetof(__typeof__(*(pointer)), field) + sizeof((pointer)->field))

typedef struct ct_str {
  const char *ptr;
  size_t len;
} ct_str;

typedef struct ct_bytes {
  const void *ptr;
  size_t len;
} ct_bytes;

/* ---------- how a call ended ---------- */

/* What becomes of the job is decided by the status alone:
 *
 *   status          tried again?                                      counts against the phase's attempts
 *   CT_FAILED       by the phase's policy: attempts, growing waits     yes
 *   CT_INTERNAL     as CT_FAILED                                       yes
 *   CT_RETRY        after retry_after_ms (0: the policy's first wait)  no
 *   CT_PERMANENT    never                                              -
 *   CT_BAD_INPUT    never                                              -
 *   CT_UNSUPPORTED  never                                              -
 *   CT_CANCELLED    never, if the cancellation was asked for; otherwise as CT_FAILED
 *   any other       as CT_INTERNAL */
typedef int32_t ct_status;
enum {
  CT_OK = 0,
  CT_FAILED = 1,      /* this attempt went wrong; another one may not                       */
  CT_PERMANENT = 2,   /* the same job will fail again                                       */
  CT_RETRY = 3,       /* not now: something the job needs is busy or away for a while       */
  CT_CANCELLED = 4,   /* stopped because is_cancelled() became non-zero                     */
  CT_BAD_INPUT = 5,   /* the instructions are not what this phase takes                     */
  CT_UNSUPPORTED = 6, /* the host lacks something that the plugin needs                     */
  CT_INTERNAL = 7     /* a bug in the plugin, as far as the plugin itself can tell          */
};

/* Room for text, the caller's. The callee writes at most `cap` bytes of UTF-8 at `ptr` (no NUL needed) and sets `len`
 * to their number. cap may be 0, ptr is then NULL. */
typedef struct ct_buffer {
  char *ptr;
  uint32_t cap;
  uint32_t len;
} ct_buffer;

/* Why a call did not end with CT_OK. The host allocates it, sets struct_size and each buffer's ptr and cap, and
 * zeroes the rest. Never NULL. Ignored after CT_OK. Text longer than its buffer is cut by the callee. */
typedef struct ct_error {
  uint32_t struct_size;
  int32_t code;            /* of the plugin's choice, for logs */
  uint64_t retry_after_ms; /* with CT_RETRY; 0: the host decides; others are taken as 100 ms to 100 years */
  ct_buffer message;       /* a sentence for people */
  ct_buffer type;          /* a short class, e.g. "FileMissing"; empty: the status's name */
  ct_buffer where;         /* file:line or another place in the author's code; may stay empty */
} ct_error;

/* ---------- what the host offers ---------- */

enum { CT_LOG_DEBUG = 0, CT_LOG_INFO = 1, CT_LOG_WARNING = 2, CT_LOG_ERROR = 3 };

typedef struct ct_host ct_host;
/* Lives from init() until shutdown() has returned; without init(), for the life of the process. */
struct ct_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor; /* of the host */
  void *host_data;               /* private to the host */
  const char *name;
  const char *version;
  /* [any] Copies. A line of the log that belongs to no job. Levels: CT_LOG_*; others are taken as CT_LOG_INFO. */
  void (*log)(const ct_host *host, int32_t level, ct_str message);
  /* [any] NULL for an id that the host does not know. What it points to is static. */
  const void *(*get_extension)(const ct_host *host, const char *id);
};

/* One of the fields of a line of the log. The name is [A-Za-z_][A-Za-z0-9_.-]{0,63}, e.g. "file_size". Since 1.2. */
typedef struct ct_field {
  ct_str name;
  ct_str value; /* at most 1 KiB; what is longer is cut */
} ct_field;

/* What measure() takes a value for. Since 1.2. */
enum {
  CT_COUNTER = 0, /* values are added up; from 0 on */
  CT_GAUGE = 1    /* the last value counts          */
};

typedef struct ct_job ct_job;
/* One attempt of one job. It and what it points to lives until run() returns, for every thread. Calling its functions
 * later is an error of the plugin; the host survives it, but what was said may be counted for another job. */
struct ct_job {
  uint32_t struct_size;
  uint32_t attempt;         /* 1-based: how often this job was given to a worker in this phase, lost workers included */
  void *host_data;          /* private to the host */
  ct_str id;                /* the same in every attempt and phase: use it as idempotency key */
  ct_str pipeline;          /* the pipeline's name; empty where the phase runs alone */
  ct_bytes instructions;    /* a JSON object */
  ct_str work_dir;          /* an absolute path to a folder of this child alone, emptied after each job; may be empty */
  int64_t deadline_unix_ms; /* 0: none. The child is killed some time after it */
  /* [any] Copies. A JSON object whose members are merged into the instructions if run() returns CT_OK; the last call
   * counts. Without a call the instructions stay as they are.
   * CT_BAD_INPUT: not an object, or larger than the host takes (16 MiB). If the last call was refused, CT_OK of run()
   * counts as CT_INTERNAL, and what was set before is dropped. */
  ct_status (*set_result)(const ct_job *job, ct_bytes result);
  /* [any] Copies. fraction from 0 to 1 (others are clamped, NaN refused with CT_BAD_INPUT); note may be empty.
   * The host may pass on only the latest of many. */
  ct_status (*progress)(const ct_job *job, double fraction, ct_str note);
  /* [any] Copies. A line of the log that belongs to this job. Levels as in ct_host.log. */
  void (*log)(const ct_job *job, int32_t level, ct_str message);
  /* [any] Non-zero once the job is to stop; then return CT_CANCELLED soon. Cheap enough for inner loops. */
  int32_t (*is_cancelled)(const ct_job *job);
  /* ----- since 1.2 ----- */
  /* [any] Copies. As log(), with fields for programs that read the log. At most 32 count; what has another name than a
   * field may have is left out. fields may be NULL with 0. */
  void (*log_fields)(const ct_job *job, int32_t level, ct_str message, const ct_field *fields, size_t count);
  /* [any] Copies. Something that the phase counts or measures, by the rule of names [a-z][a-z0-9_]{0,63}; kind is CT_COUNTER
   * or CT_GAUGE. Cheap enough for inner loops: the host adds up, and passes on what it has when run() returns.
   * CT_BAD_INPUT: another name or kind, a value that is not finite or, of a counter, below 0, a name that was of the other
   * kind before, or the 65th name of this child. */
  ct_status (*measure)(const ct_job *job, int32_t kind, ct_str name, double value);
};

typedef struct ct_setup ct_setup;
/* Lent to a pipeline's initialize(). */
struct ct_setup {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  void *host_data;   /* private to the host */
  /* [worker] Copies. Sets one of the coordinator's settings, e.g. "storage" to "redis://127.0.0.1:6379/0".
   * What is given on the command line wins over it. A name that the coordinator does not know stops its start with
   * an error. CT_BAD_INPUT: name or value is not UTF-8, or is longer than 64 KiB. */
  ct_status (*set)(const ct_setup *setup, ct_str name, ct_str value);
};

/* Lent to a pipeline's handle_finished_job(). */
typedef struct ct_finished_job {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  ct_str id;
  ct_str pipeline;
  ct_str state;          /* "succeeded", "dead" or "cancelled" */
  ct_bytes instructions; /* a JSON object: as enqueued, with the results of all phases merged in */
} ct_finished_job;

/* ---------- what the plugin offers ---------- */

enum {
  CT_PHASE_DETERMINISTIC = 1u << 0, /* the same instructions give the same result */
  CT_PHASE_IDEMPOTENT = 1u << 1     /* running a job twice does no harm           */
};

/* Lent to create_with(). Since 1.1. */
typedef struct ct_phase_setup {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  ct_bytes settings; /* a JSON object: what the worker was given by --set and --settings; {} where nothing was */
  ct_str work_dir;   /* as ct_job.work_dir */
} ct_phase_setup;

typedef struct ct_phase ct_phase;
struct ct_phase {
  uint32_t struct_size;
  uint32_t flags;            /* CT_PHASE_* */
  void *plugin_data;         /* private to the plugin; or NULL */
  const char *job_type;      /* [a-z0-9][a-z0-9._-]{0,63}, unique in the plugin: "calculate-hash" */
  const char *version;       /* of the phase, "1.0.0" */
  const char *summary;       /* one line; may be empty */
  const char *input_schema;  /* JSON Schema of the instructions it reads, or NULL */
  const char *output_schema; /* JSON Schema of its result, or NULL */
  /* [worker] Makes the instance that this child's jobs run on, one after the other. CT_OK: *instance is what run()
   * gets. Otherwise the child is refused and no run() follows. The member may be NULL: the instance is then NULL. */
  ct_status (*create)(const ct_phase *phase, void **instance, ct_error *err);
  /* [worker] Runs one job. Called many times per instance, never twice at once. Never NULL. */
  ct_status (*run)(const ct_phase *phase, void *instance, const ct_job *job, ct_error *err);
  /* [any] The running job is to stop: wake run() up if it sleeps. Must return at once. is_cancelled() says the same to
   * those who poll. Never called while no run() is active. The member may be NULL. */
  void (*cancel)(const ct_phase *phase, void *instance);
  /* [worker] Not called if the child is killed. The member may be NULL. */
  void (*destroy)(const ct_phase *phase, void *instance);
  /* ----- since 1.1 ----- */
  const char *settings_schema; /* JSON Schema of the settings, which are checked before a child is started; or NULL */
  /* [worker] As create(), which it takes the place of; a host of ABI 1.0 calls create(). Secrets come as variables of the
   * environment, by getenv(). The member may be NULL. */
  ct_status (*create_with)(const ct_phase *phase, const ct_phase_setup *setup, void **instance, ct_error *err);
};

typedef struct ct_pipeline ct_pipeline;
struct ct_pipeline {
  uint32_t struct_size;
  uint32_t flags;      /* 0 */
  void *plugin_data;   /* private to the plugin; or NULL */
  const char *name;    /* by the rule of job_type, unique in the plugin: "example-one" */
  const char *version; /* "1.0.0" */
  const char *summary; /* one line; may be empty */
  /* JSON: {"name": "example-one", "phases": [...]}. Each phase is a job_type or an object with "job_type" and, each
   * optional, "attempts", "crashes", "timeout_seconds", "backoff_seconds", "maximum_backoff_seconds", "concurrency".
   * Seconds may have a fraction. */
  const char *definition;
  /* The hooks run in a child of the coordinator, off the jobs' path, [worker], one at a time, on one instance. Each
   * member may be NULL: not written. A hook that returns CT_UNSUPPORTED says the same and is not called again.
   * The instance is NULL without create(). */
  ct_status (*create)(const ct_pipeline *pipeline, void **instance, ct_error *err);
  /* Before the coordinator opens storage and sockets. Not CT_OK: the coordinator does not start. */
  ct_status (*initialize)(const ct_pipeline *pipeline, void *instance, const ct_setup *setup, ct_error *err);
  /* The coordinator takes jobs from now on. An error is logged. */
  ct_status (*on_started)(const ct_pipeline *pipeline, void *instance, ct_error *err);
  /* The coordinator has stopped in good order. An error is logged. */
  ct_status (*on_finished)(const ct_pipeline *pipeline, void *instance, ct_error *err);
  /* A job reached a final state. At most once per job while the coordinator lives, not again after its restart.
   * An error is logged and changes nothing. */
  ct_status (*handle_finished_job)(
      const ct_pipeline *pipeline, void *instance, const ct_finished_job *job, ct_error *err);
  void (*destroy)(const ct_pipeline *pipeline, void *instance);
};

typedef struct ct_plugin {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor; /* CT_ABI_MAJOR, CT_ABI_MINOR as the plugin was compiled */
  const char *id;                /* reversed domain, stays the same over versions: "org.example.hashfile" */
  const char *version;           /* "1.0.0" */
  const char *summary;           /* one line; may be empty */
  const char *build;             /* free text on language and compiler: "c gcc-12.2" */
  uint32_t phase_count, pipeline_count;
  const ct_phase *const *phases; /* phase_count pointers, not structs, so that the struct can grow; or NULL with 0 */
  const ct_pipeline *const *pipelines;
  /* [once] Before every other call but the entry; not during scans. Keep `host` if you want to log outside of jobs.
   * Not CT_OK: the child is refused. Or NULL. */
  ct_status (*init)(const ct_host *host, ct_error *err);
  /* [once] After the last destroy(); not if the child is killed. Or NULL. */
  void (*shutdown)(void);
  /* [any] NULL for an id that the plugin does not know. What it points to is static. Or NULL. */
  const void *(*get_extension)(const char *id);
} ct_plugin;

/* [any] The entry, the only symbol that a plugin exports. Called during scans as well: it must be quick, must start no
 * threads and must not touch files or network. The same answer each time. NULL: the plugin refuses this host. */
CT_EXPORT const ct_plugin *carbontube_plugin_v1(uint32_t host_abi_minor);
typedef const ct_plugin *(*ct_entry)(uint32_t host_abi_minor);

/* ---------- the ELF note: what can be known without loading ---------- */

enum { CT_NOTE_SWIFT_DYNAMIC = 1u /* needs the host's Swift runtime: host and plugin must match in swift_version */ };

struct ct_elf_note {
  uint32_t namesz, descsz, type;
  char name[12];
  uint32_t abi_major, abi_minor, flags, swift_version; /* 603 for Swift 6.3; 0 without Swift */
};

/* Once per plugin, at file level, in C or C++: CT_PLUGIN_NOTE(0, 0); PhaseKit does it for Swift. A plugin without the
 * note is refused before it is loaded. */
#define CT_PLUGIN_NOTE(flags_, swift_version_)                             \
  __attribute__((used, aligned(4), section(".note.carbontube"))) static const struct ct_elf_note ct_plugin_note = { \
      11, 16, 1, "carbontube", CT_ABI_MAJOR, CT_ABI_MINOR, flags_, swift_version_}

#ifdef __cplusplus
}
#endif
#endif

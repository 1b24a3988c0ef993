// Lets Swift's runtime tell of a crash from where the trace can be told.
//
// Its unwinder follows frame pointers, which glibc and most libraries of a distribution are built without: the trace of an
// abort() would end in libc, that of strlen(NULL) would leave out who called it. Their unwind tables are there, so the
// frames up to the first one that keeps a frame pointer are walked by those, and the runtime is shown that one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "host_process.h"

enum { SIGNALS = 6, MOST_FRAMES = 64, ROOM_FOR_HANDLERS = 256 << 10 };

static const int signals[SIGNALS] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
static struct sigaction runtime[SIGNALS];
// Read by the process that writes the trace, after the handler has called it.
static ucontext_t shown;

struct walk {
  uintptr_t program_counter;
  int frames;
  int has_begun;
  int is_found;
  uintptr_t instruction, stack, frame;
};

#if defined(__x86_64__)
enum { FRAME_POINTER = 6 };
static uintptr_t place_of(const ucontext_t *context) { return (uintptr_t)context->uc_mcontext.gregs[REG_RIP]; }
static void show(ucontext_t *context, const struct walk *walk) {
  context->uc_mcontext.gregs[REG_RIP] = (greg_t)walk->instruction;
  context->uc_mcontext.gregs[REG_RSP] = (greg_t)walk->stack;
  context->uc_mcontext.gregs[REG_RBP] = (greg_t)walk->frame;
}
#elif defined(__aarch64__)
enum { FRAME_POINTER = 29 };
static uintptr_t place_of(const ucontext_t *context) { return (uintptr_t)context->uc_mcontext.pc; }
static void show(ucontext_t *context, const struct walk *walk) {
  context->uc_mcontext.pc = walk->instruction;
  context->uc_mcontext.sp = walk->stack;
  context->uc_mcontext.regs[29] = walk->frame;
  context->uc_mcontext.regs[30] = walk->instruction;
}
#else
#error "which registers hold a frame?"
#endif

// What a distribution brings does not; Swift's own libraries and CarbonTube's, wherever they lie, and what people build for
// themselves may.
static int keeps_frame_pointers(uintptr_t address) {
  Dl_info object;
  if (!dladdr((void *)address, &object) || !object.dli_fname) return 1;
  const char *path = object.dli_fname;
  if (strncmp(path, "/lib", 4) != 0 && strncmp(path, "/usr/lib", 8) != 0) return 1;
  return strstr(path, "swift") != NULL || strstr(path, "/carbontube/") != NULL;
}

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *data) {
  struct walk *walk = data;
  int is_before = 0;
  uintptr_t instruction = _Unwind_GetIPInfo(context, &is_before);
  // First come the handler's own frames.
  if (!walk->has_begun) {
    walk->has_begun = instruction == walk->program_counter;
    return _URC_NO_REASON;
  }
  if (++walk->frames > MOST_FRAMES) return _URC_END_OF_STACK;
  // A return address may be that of the next line, or of the next function.
  if (!is_before) instruction -= 1;
  if (!keeps_frame_pointers(instruction)) return _URC_NO_REASON;
  walk->is_found = 1;
  walk->instruction = instruction;
  walk->stack = _Unwind_GetCFA(context);
  walk->frame = _Unwind_GetGR(context, FRAME_POINTER);
  return _URC_END_OF_STACK;
}

static void name_place(uintptr_t place) {
  Dl_info object;
  if (!dladdr((void *)place, &object) || !object.dli_fname) return;
  const char *name = strrchr(object.dli_fname, '/');
  const char *words[] = {"carbontube-plugin-host: crashed in ", object.dli_sname ? object.dli_sname : "a function",
                         " of ", name ? name + 1 : object.dli_fname, "; the trace begins with who called it\n"};
  for (int i = 0; i < 5; i++) {
    if (write(STDERR_FILENO, words[i], strlen(words[i])) < 0) return;
  }
}

static void handle(int number, siginfo_t *information, void *given) {
  int index = 0;
  while (index < SIGNALS - 1 && signals[index] != number) index++;
  struct walk walk = {.program_counter = place_of(given)};
  ucontext_t *context = given;
  if (!keeps_frame_pointers(walk.program_counter)) {
    _Unwind_Backtrace(step, &walk);
    if (walk.is_found) {
      name_place(walk.program_counter);
      memcpy(&shown, given, sizeof shown);
      show(&shown, &walk);
      context = &shown;
    }
  }
  runtime[index].sa_sigaction(number, information, context);
}

// Any function of Swift's runtime.
extern void *swift_retain(void *object);

void host_trace_from_callers(void) {
  Dl_info ours, theirs;
  if (!dladdr((void *)swift_retain, &ours)) return;
  for (int i = 0; i < SIGNALS; i++) {
    struct sigaction *old = &runtime[i];
    // Only what belongs to Swift's runtime: a sanitizer's handler looks after itself.
    if (sigaction(signals[i], NULL, old) != 0 || !(old->sa_flags & SA_SIGINFO)) continue;
    if (!dladdr((void *)old->sa_sigaction, &theirs) || theirs.dli_fbase != ours.dli_fbase) continue;
    struct sigaction own = *old;
    own.sa_sigaction = handle;
    own.sa_flags |= SA_ONSTACK;
    sigaction(signals[i], &own, NULL);
  }
}

void host_make_room_for_handlers(void) {
  void *room = mmap(NULL, ROOM_FOR_HANDLERS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  // Without it a crash is a crash all the same, and has no trace only where the stack itself was used up.
  if (room == MAP_FAILED) return;
  stack_t stack = {.ss_sp = room, .ss_size = ROOM_FOR_HANDLERS};
  sigaltstack(&stack, NULL);
}

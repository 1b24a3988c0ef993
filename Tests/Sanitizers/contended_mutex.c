/* Tells ThreadSanitizer of a Swift Mutex that two threads wanted at once. Loaded by LD_PRELOAD (scripts/sanitize).
 *
 * The quick path of Synchronization.Mutex is an atomic operation in the code that was instrumented. The slow path is in
 * libswiftSynchronization, which was not, and there the kernel hands the lock over (FUTEX_LOCK_PI): without these two
 * functions each lock that was waited for looks as if it had been ignored. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

/* Absent in a process that was built without the sanitizer. */
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

static void *real(const char *symbol) {
  void *found = dlsym(RTLD_NEXT, symbol);
  if (found) return found;
  fprintf(stderr, "contended_mutex: this Swift runtime has no %s\n", symbol);
  abort();
}

SWIFT void lock_slow(uint32_t owner, SELF mutex) __asm__(LOCK_SLOW);
SWIFT void lock_slow(uint32_t owner, SELF mutex) {
  ((SWIFT void (*)(uint32_t, SELF))real(LOCK_SLOW))(owner, mutex);
  if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF mutex) __asm__(UNLOCK_SLOW);
SWIFT void unlock_slow(SELF mutex) {
  if (__tsan_release) __tsan_release(mutex);
  ((SWIFT void (*)(SELF))real(UNLOCK_SLOW))(mutex);
}

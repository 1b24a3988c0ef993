/* What CarbonTube asks of regular expressions, answered by RE2 in time that is linear in the text. C11 and C++17. */
#ifndef CARBONTUBE_PATTERN_SEARCH_H
#define CARBONTUBE_PATTERN_SEARCH_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_pattern ct_pattern;

/* Compiles a pattern of UTF-8, within `max_memory` bytes of program and of states.
 * Returns NULL with a sentence in `message` (at most `capacity` bytes, NUL-terminated) where RE2 does not take it.
 * Any thread. Keeps nothing of its arguments. */
ct_pattern *ct_pattern_new(const uint8_t *text, size_t length, size_t max_memory, char *message, size_t capacity);

void ct_pattern_free(ct_pattern *pattern);

/* Instructions of the compiled program: searching a text takes at most as many steps for each byte. */
size_t ct_pattern_size(const ct_pattern *pattern);

/* Does it match anywhere in `text`, which is UTF-8? Any thread, several at a time. */
int ct_pattern_matches(const ct_pattern *pattern, const uint8_t *text, size_t length);

#ifdef __cplusplus
}
#endif
#endif

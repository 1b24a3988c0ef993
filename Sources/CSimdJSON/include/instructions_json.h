/* What CarbonTube asks of a JSON parser, answered by simdjson. C11 and C++17. */
#ifndef CARBONTUBE_INSTRUCTIONS_JSON_H
#define CARBONTUBE_INSTRUCTIONS_JSON_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Is `text` one JSON object and nothing else (RFC 8259; numbers of any size, 1,024 levels at most)?
 * Returns 0 where it is; else 1, with a sentence in `message` (at most `capacity` bytes, NUL-terminated).
 * Any thread. Keeps nothing of its arguments. */
int ct_json_check_object(const uint8_t *text, size_t length, char *message, size_t capacity);

/* Writes the object `base` with the members of the object `patch` to `out`, whose capacity must be at least
 * base_length + patch_length + 2. Only the top level is merged: a member that both have gets the patch's value in its
 * place, what the patch alone has follows behind the last, and everything else of `base` stays byte for byte. Where a
 * name stands more than once in `patch`, the last counts.
 * Returns the number of bytes written, or 0 with a sentence in `message` where either is not an object.
 * Any thread. Keeps nothing of its arguments. */
size_t ct_json_merge_objects(const uint8_t *base, size_t base_length, const uint8_t *patch, size_t patch_length,
                             uint8_t *out, char *message, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif

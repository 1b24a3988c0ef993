#include "pattern_search.h"

#include <cstdio>
#include <re2/re2.h>

struct ct_pattern {
  RE2 program;
};

namespace {

re2::StringPiece piece(const uint8_t *text, size_t length) {
  return re2::StringPiece(reinterpret_cast<const char *>(text), length);
}

}

ct_pattern *ct_pattern_new(const uint8_t *text, size_t length, size_t max_memory, char *message, size_t capacity) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<int64_t>(max_memory));
  options.set_never_capture(true);
  auto *pattern = new ct_pattern{RE2(piece(text, length), options)};
  if (pattern->program.ok()) return pattern;
  std::snprintf(message, capacity, "%s", pattern->program.error().c_str());
  delete pattern;
  return nullptr;
}

void ct_pattern_free(ct_pattern *pattern) { delete pattern; }

size_t ct_pattern_size(const ct_pattern *pattern) { return static_cast<size_t>(pattern->program.ProgramSize()); }

int ct_pattern_matches(const ct_pattern *pattern, const uint8_t *text, size_t length) {
  return RE2::PartialMatch(piece(text, length), pattern->program) ? 1 : 0;
}

#include "instructions_json.h"

#include <cstdio>
#include <cstring>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

using namespace simdjson;

namespace {

/* simdjson reads past the end of its input, so every text is copied once into a buffer with room behind it. */
struct Parsed {
  dom::parser validator;
  ondemand::parser slicer;
  std::string buffer;

  padded_string_view pad(const uint8_t *text, size_t length) {
    buffer.reserve(length + SIMDJSON_PADDING);
    buffer.assign(reinterpret_cast<const char *>(text), length);
    return padded_string_view(buffer.data(), length, length + SIMDJSON_PADDING);
  }

  error_code validate(const uint8_t *text, size_t length) {
    if (length == 0) return EMPTY;
    auto padded = pad(text, length);
    dom::element element;
    auto error = validator.parse(padded.data(), length, false).get(element);
    if (error) return error;
    return element.is_object() ? SUCCESS : INCORRECT_TYPE;
  }
};

struct Member {
  std::string_view key;    /* unescaped */
  std::string_view lead;   /* from the key's opening quote to the value */
  std::string_view value;  /* as written */
};

void explain(error_code error, char *message, size_t capacity) {
  if (!capacity) return;
  const char *reason = error == INCORRECT_TYPE ? "it is JSON, but not an object"
                       : error == EMPTY        ? "it is empty"
                                               : error_message(error);
  std::snprintf(message, capacity, "%s", reason);
}

/* Only after validate() said yes: on-demand parsing does not look into what it steps over. */
error_code members(Parsed &parsed, size_t length, std::vector<Member> &out) {
  ondemand::document document;
  auto padded = padded_string_view(parsed.buffer.data(), length, length + SIMDJSON_PADDING);
  if (auto error = parsed.slicer.iterate(padded).get(document)) return error;
  ondemand::object object;
  if (auto error = document.get_object().get(object)) return error;
  for (auto field : object) {
    Member member;
    ondemand::raw_json_string raw;
    if (auto error = field.key().get(raw)) return error;
    if (auto error = field.unescaped_key().get(member.key)) return error;
    std::string_view value;
    if (auto error = to_json_string(field.value()).get(value)) return error;
    const char *start = raw.raw() - 1;
    member.lead = std::string_view(start, size_t(value.data() - start));
    member.value = value;
    out.push_back(member);
  }
  return SUCCESS;
}

class Writer {
 public:
  explicit Writer(uint8_t *out) : start_(out), at_(out) { *at_++ = '{'; }
  void member(std::string_view lead, std::string_view value) {
    if (at_ != start_ + 1) *at_++ = ',';
    copy(lead);
    copy(value);
  }
  size_t finish() {
    *at_++ = '}';
    return size_t(at_ - start_);
  }

 private:
  void copy(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  uint8_t *start_, *at_;
};

thread_local Parsed base_parsed, patch_parsed;

}  // namespace

extern "C" int ct_json_check_object(const uint8_t *text, size_t length, char *message, size_t capacity) {
  auto error = base_parsed.validate(text, length);
  if (!error) return 0;
  explain(error, message, capacity);
  return 1;
}

extern "C" size_t ct_json_merge_objects(const uint8_t *base, size_t base_length, const uint8_t *patch,
                                        size_t patch_length, uint8_t *out, char *message, size_t capacity) {
  std::vector<Member> old_members, new_members;
  auto error = base_parsed.validate(base, base_length);
  if (!error) error = patch_parsed.validate(patch, patch_length);
  if (!error) error = members(base_parsed, base_length, old_members);
  if (!error) error = members(patch_parsed, patch_length, new_members);
  if (error) {
    explain(error, message, capacity);
    return 0;
  }
  std::unordered_map<std::string_view, size_t> latest;
  for (size_t i = 0; i < new_members.size(); ++i) latest[new_members[i].key] = i;
  std::vector<bool> placed(new_members.size(), false);
  Writer writer(out);
  for (const auto &member : old_members) {
    auto found = latest.find(member.key);
    if (found == latest.end()) {
      writer.member(member.lead, member.value);
    } else if (!placed[found->second]) {
      writer.member(member.lead, new_members[found->second].value);
      placed[found->second] = true;
    }
  }
  for (size_t i = 0; i < new_members.size(); ++i) {
    if (latest[new_members[i].key] == i && !placed[i]) writer.member(new_members[i].lead, new_members[i].value);
  }
  return writer.finish();
}

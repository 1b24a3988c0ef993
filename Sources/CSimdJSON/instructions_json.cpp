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

/* Objects and arrays within each other; a bound on the recursion below. */
constexpr size_t maximum_depth = 1024;

bool is_digit(char character) { return character >= '0' && character <= '9'; }

size_t digits(std::string_view text, size_t from) {
  size_t at = from;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - from;
}

/* The grammar of RFC 8259, section 6, which sets no limit to size or precision. */
bool is_number(std::string_view text) {
  size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  size_t whole = digits(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    size_t fraction = digits(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    size_t exponent = digits(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && std::strchr(" \t\r\n", text.back())) text.remove_suffix(1);
  return text;
}

error_code validate(ondemand::value value, size_t depth);

error_code validate_members(ondemand::object object, size_t depth) {
  for (auto field : object) {
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return error;
    ondemand::value value;
    if (auto error = field.value().get(value)) return error;
    if (auto error = validate(value, depth)) return error;
  }
  return SUCCESS;
}

error_code validate_elements(ondemand::array array, size_t depth) {
  for (auto element : array) {
    ondemand::value value;
    if (auto error = element.get(value)) return error;
    if (auto error = validate(value, depth)) return error;
  }
  return SUCCESS;
}

/* Looks at everything that on-demand parsing would step over; numbers by their spelling, whatever their size. */
error_code validate(ondemand::value value, size_t depth) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::object: {
      ondemand::object object;
      if (depth >= maximum_depth) return DEPTH_ERROR;
      if (auto error = value.get_object().get(object)) return error;
      return validate_members(object, depth + 1);
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (depth >= maximum_depth) return DEPTH_ERROR;
      if (auto error = value.get_array().get(array)) return error;
      return validate_elements(array, depth + 1);
    }
    case ondemand::json_type::string: {
      std::string_view text;
      return value.get_string().get(text);
    }
    case ondemand::json_type::number: {
      auto spelling = without_trailing_space(value.raw_json_token());
      if (!is_number(spelling)) return NUMBER_ERROR;
      /* Steps over it without reading its value. */
      std::string_view ignored;
      return to_json_string(value).get(ignored);
    }
    case ondemand::json_type::boolean: return value.get_bool().error() ? T_ATOM_ERROR : SUCCESS;
    case ondemand::json_type::null: {
      bool is_null = false;
      auto error = value.is_null().get(is_null);
      return !error && is_null ? SUCCESS : N_ATOM_ERROR;
    }
  }
  return TAPE_ERROR;
}

/* simdjson reads past the end of its input, so every text is copied once into a buffer with room behind it. */
struct Parsed {
  dom::parser strict;
  ondemand::parser parser;
  std::string buffer;

  /* The parser counts an element within the innermost level as one more. Growth keeps this depth; where there is no
   * memory now, parsing says so later. */
  Parsed() {
    (void)!strict.allocate(4096, maximum_depth);
    (void)!parser.allocate(4096, maximum_depth + 2);
  }

  void take(const uint8_t *text, size_t length) {
    buffer.reserve(length + SIMDJSON_PADDING);
    buffer.assign(reinterpret_cast<const char *>(text), length);
  }

  error_code open(ondemand::document &document, ondemand::object &object) {
    padded_string_view padded(buffer.data(), buffer.size(), buffer.size() + SIMDJSON_PADDING);
    if (auto error = parser.iterate(padded).get(document)) return error;
    ondemand::json_type type;
    if (auto error = document.type().get(type)) return error;
    if (type != ondemand::json_type::object) return INCORRECT_TYPE;
    return document.get_object().get(object);
  }

  /* Whatever the strict parser takes is right, and it is several times as quick. It also refuses numbers beyond 64 bits
   * and doubles, which are right as well. */
  error_code validate() {
    if (buffer.empty()) return EMPTY;
    dom::element element;
    if (!strict.parse(buffer.data(), buffer.size(), false).get(element)) {
      return element.is_object() ? SUCCESS : INCORRECT_TYPE;
    }
    return validate_by_spelling();
  }

  error_code validate_by_spelling() {
    ondemand::document document;
    ondemand::object object;
    if (auto error = open(document, object)) return error;
    if (auto error = validate_members(object, 1)) return error;
    return document.current_location().error() == OUT_OF_BOUNDS ? SUCCESS : TAPE_ERROR;
  }
};

struct Member {
  std::string_view key; /* unescaped */
  size_t begin;         /* of the key's opening quote */
  size_t value;         /* of the value's first byte */
  size_t end;           /* behind the value's last byte */
};

void explain(error_code error, char *message, size_t capacity) {
  if (!capacity) return;
  const char *reason = error == INCORRECT_TYPE ? "it is not an object"
                       : error == EMPTY        ? "it is empty"
                       : error == T_ATOM_ERROR ? "a word in it is none of true, false and null"
                       : error == NUMBER_ERROR ? "a number in it is not spelled as JSON wants it"
                       : error == DEPTH_ERROR  ? "it is nested more than 1024 deep"
                                               : error_message(error);
  std::snprintf(message, capacity, "%s", reason);
}

/* Only after validate() said yes: on-demand parsing does not look into what it steps over. */
error_code members(Parsed &parsed, std::vector<Member> &out) {
  ondemand::document document;
  ondemand::object object;
  if (auto error = parsed.open(document, object)) return error;
  const char *text = parsed.buffer.data();
  for (auto field : object) {
    Member member;
    ondemand::raw_json_string raw;
    if (auto error = field.key().get(raw)) return error;
    if (auto error = field.unescaped_key().get(member.key)) return error;
    std::string_view value;
    if (auto error = to_json_string(field.value()).get(value)) return error;
    value = without_trailing_space(value);
    member.begin = size_t(raw.raw() - 1 - text);
    member.value = size_t(value.data() - text);
    member.end = member.value + value.size();
    out.push_back(member);
  }
  return SUCCESS;
}

/* Copies the base's text and puts the patch's members in; what it is not told about stays byte for byte. */
class Splice {
 public:
  Splice(const std::string &base, const std::string &patch, uint8_t *out)
      : base_(base), patch_(patch), start_(out), at_(out) {}
  void keep_to(size_t end) {
    copy(base_, position_, end);
    position_ = end;
  }
  void drop_to(size_t end) { position_ = end; }
  void put(size_t begin, size_t end) { copy(patch_, begin, end); }
  void comma() { *at_++ = ','; }
  size_t finish() {
    keep_to(base_.size());
    return size_t(at_ - start_);
  }

 private:
  void copy(const std::string &text, size_t begin, size_t end) {
    std::memcpy(at_, text.data() + begin, end - begin);
    at_ += end - begin;
  }
  const std::string &base_, &patch_;
  uint8_t *start_, *at_;
  size_t position_ = 0;
};

/* A member that the patch has as well gets its value there; of several of one name the first does, and the others go. */
size_t merge(const std::string &base, const std::vector<Member> &old_members, const std::string &patch,
             const std::vector<Member> &new_members, uint8_t *out) {
  std::unordered_map<std::string_view, size_t> latest;
  for (size_t i = 0; i < new_members.size(); ++i) latest[new_members[i].key] = i;
  std::vector<bool> placed(new_members.size(), false);
  Splice splice(base, patch, out);
  size_t last = base.find('{') + 1;
  for (const auto &member : old_members) {
    auto found = latest.find(member.key);
    if (found == latest.end()) {
      splice.keep_to(member.end);
    } else if (placed[found->second]) {
      splice.drop_to(member.end);
    } else {
      splice.keep_to(member.value);
      splice.drop_to(member.end);
      splice.put(new_members[found->second].value, new_members[found->second].end);
      placed[found->second] = true;
    }
    last = member.end;
  }
  splice.keep_to(last);
  bool is_first = old_members.empty();
  for (size_t i = 0; i < new_members.size(); ++i) {
    if (latest[new_members[i].key] != i || placed[i]) continue;
    if (!is_first) splice.comma();
    is_first = false;
    splice.put(new_members[i].begin, new_members[i].end);
  }
  return splice.finish();
}

thread_local Parsed base_parsed, patch_parsed;

}  // namespace

extern "C" int ct_json_check_object(const uint8_t *text, size_t length, char *message, size_t capacity) {
  base_parsed.take(text, length);
  auto error = base_parsed.validate();
  if (!error) return 0;
  explain(error, message, capacity);
  return 1;
}

extern "C" size_t ct_json_merge_objects(const uint8_t *base, size_t base_length, const uint8_t *patch,
                                        size_t patch_length, uint8_t *out, char *message, size_t capacity) {
  std::vector<Member> old_members, new_members;
  base_parsed.take(base, base_length);
  patch_parsed.take(patch, patch_length);
  auto error = base_parsed.validate();
  if (!error) error = patch_parsed.validate();
  if (!error) error = members(base_parsed, old_members);
  if (!error) error = members(patch_parsed, new_members);
  if (error) {
    explain(error, message, capacity);
    return 0;
  }
  return merge(base_parsed.buffer, old_members, patch_parsed.buffer, new_members, out);
}

// UTF-8, as far as reading a text strictly needs it.
#ifndef WORKLOAD_CHECKER_UTF8_H_
#define WORKLOAD_CHECKER_UTF8_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace checker {

// The offset of the first byte that is not part of a well-formed character, or npos.
size_t FindInvalidUtf8(absl::string_view text);

// Appends the character of this code; false, and nothing appended, for half of a surrogate pair or
// what is no character.
bool AppendUtf8(uint32_t code, std::string* out);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_UTF8_H_

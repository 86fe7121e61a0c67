#pragma once
// JSON text of single values. Appends only; any thread.
#include <string>
#include <string_view>

#include "engine/data/column.h"

namespace freshet {

void AppendJsonString(std::string_view text, std::string& out);  // with its quotes; invalid UTF-8 as U+FFFD
// The value of a row that is not null. False, and nothing appended, for a float that JSON cannot hold.
bool AppendJsonValue(const Column& column, size_t row, std::string& out);

}  // namespace freshet

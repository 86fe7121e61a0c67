#pragma once
// Pieces of JSON text for the schema of a job file. Inside engine/spec only. Pure, any thread.
#include <string>
#include <string_view>

namespace freshet {

std::string JsonQuote(std::string_view text);
// A default as it stands in the job file, as JSON: numbers and booleans as they are, lists by item, the rest
// quoted.
std::string JsonOfDefault(std::string_view printed);

}  // namespace freshet

#pragma once
// Rows as JSON objects. Internal to engine/format.
#include <memory>

#include "engine/format/format.h"

namespace freshet {

std::unique_ptr<Encoder> MakeJsonEncoder(const Schema& schema, std::vector<OutputField> fields);
std::unique_ptr<Decoder> MakeJsonDecoder(std::vector<InputField> fields);

}  // namespace freshet

#pragma once
// Keys of keyed state, made from the key columns of a row: order-preserving (engine/base/bytes.h), one field
// after another, so that no key is the beginning of another key of the same columns. Pure, any thread.
#include <span>
#include <string>

#include "engine/data/batch.h"

namespace freshet {

// Appends one field of a key; false, and nothing, where it is null. REQUIRES: the column is no list.
bool AppendStateField(const Column& column, size_t row, std::string& out);

// Appends the key of `row`. False, and `out` as it was, where a field is null: such a row belongs to no key.
// REQUIRES: no column is a list.
bool AppendStateKey(const Batch& batch, std::span<const size_t> columns, uint32_t row, std::string& out);

}  // namespace freshet

#pragma once
// What the entries of a row are called, for people: "intercept", "dep_delay", "dep_delay missing",
// "carrier=UA", "carrier=UA,dest=IAH", "carrier missing". One thread.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/data/batch.h"
#include "operators/learning/layout.h"

namespace freshet {

// Appends the name of entry `entry` of row `row` of `batch`, as a model of that layout encodes it.
void AppendEntryName(const ModelLayout& layout, const Batch& batch, size_t row, size_t entry,
                     std::string& out);

// The `most` entries that moved the score furthest, furthest first, equal ones in the order of entries, none
// that left it as it was.
void SelectLargest(std::span<const double> contributions, size_t most, std::vector<uint32_t>& entries);

}  // namespace freshet

#pragma once
// Which number stands for which table: rows of table 0, committed and restored like all others, so that a
// store or a changelog says itself what its rows are. Pure functions, any thread.
//
// A row's key is a varint, the table's number (1, 2, … in the order of their first commit); its value is
//   varint version (1), the name (varint length, bytes), varint layout, varint width, one byte ordered (0, 1)
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "state/raw_table.h"

namespace freshet {

inline constexpr uint32_t kCatalogTable = 0;

std::string CatalogRow(const TableSpec& spec);
Result<TableSpec> ReadCatalogRow(std::string_view bytes);
// kConflict where the rows written as `stored` cannot be read as `declared`.
Status CheckLayout(const TableSpec& stored, const TableSpec& declared);

}  // namespace freshet

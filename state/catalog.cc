#include "state/catalog.h"

#include <limits>

#include "engine/base/bytes.h"

namespace freshet {

namespace {

constexpr uint64_t kVersion = 1;

bool TakeNumber(std::string_view& in, uint32_t& number) {
  uint64_t value = 0;
  if (!TakeVarint(in, value) || value > std::numeric_limits<uint32_t>::max()) return false;
  number = static_cast<uint32_t>(value);
  return true;
}

std::string LayoutOf(const TableSpec& spec) {
  return "layout " + std::to_string(spec.layout) +
         (spec.width == 0 ? " (rows of any width)" : " (rows of " + std::to_string(spec.width) + " bytes)");
}

}  // namespace

std::string CatalogRow(const TableSpec& spec) {
  std::string row;
  AppendVarint(kVersion, row);
  AppendSized(spec.name, row);
  AppendVarint(spec.layout, row);
  AppendVarint(spec.width, row);
  row.push_back(spec.ordered ? '\1' : '\0');
  return row;
}

Result<TableSpec> ReadCatalogRow(std::string_view bytes) {
  uint64_t version = 0;
  const bool versioned = TakeVarint(bytes, version);
  if (versioned && version > kVersion) {
    return Status(Code::kConflict,
                  "the state was written by a newer version: run that version, or give the job a new name to "
                  "start empty");
  }
  TableSpec spec;
  std::string_view name;
  if (!versioned || !TakeSized(bytes, name) || !TakeNumber(bytes, spec.layout) ||
      !TakeNumber(bytes, spec.width) || bytes.size() != 1) {
    return Status(
        Code::kCorrupt,
        "a catalog row of the state is damaged: remove the state directory, and it is rebuilt from the "
        "changelog; if that holds the damage, give the job a new name to start empty");
  }
  spec.name = name;
  spec.ordered = bytes[0] != 0;
  return spec;
}

Status CheckLayout(const TableSpec& stored, const TableSpec& declared) {
  if (stored.layout == declared.layout && stored.width == declared.width) return {};
  return {Code::kConflict, "table `" + declared.name + "` was written with " + LayoutOf(stored) +
                               ", this version of the job reads " + LayoutOf(declared) +
                               ": run the version that wrote it, or give the job a new name to start empty"};
}

}  // namespace freshet

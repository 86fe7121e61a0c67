#include "operators/aggregates/fold.h"

namespace freshet {
namespace {

struct Count {
  using Value = void;
  using Result = int64_t;
  int64_t count = 0;
  void Add() { ++count; }
  void Merge(const Count& later) { count += later.count; }
  std::optional<int64_t> Finish() const { return count; }
};

}  // namespace

const Aggregate& count_aggregate() {
  static const Aggregate aggregate{
      "count", "number of rows (\"*\"), or of rows where the argument is not null; 0 for an empty window",
      "\"*\" or any expression", true,
      [](std::optional<Type>) -> std::optional<Fold> { return FoldOf<Count>(Type::kInt64); }};
  return aggregate;
}

}  // namespace freshet

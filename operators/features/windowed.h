#pragma once
// How `features` runs: adds the rows of one stream to tiles and gives each row of `from` the values of its
// windows. The plan is immutable and shared by all lanes; an operator belongs to one lane and thread.
//
// Always: a row's values are a function of the rows before it, their times and the watermark at it.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/operator/operator.h"
#include "operators/aggregates/aggregate.h"
#include "operators/windows/row_packer.h"
#include "operators/windows/tile_layout.h"

namespace freshet {

enum class LateRows : uint8_t { kInclude, kDrop, kSide };

struct WindowedPlan {
  struct Measure {  // one feature, in the order of the output's new columns
    Fold fold;
    Operand operand;
    uint32_t state = 0;  // in its tier's layout
    uint32_t tier = 0;
    uint32_t window = 0;  // of its tier
  };
  struct Window {
    Duration length = 0;
    std::vector<uint32_t> measures;
  };
  struct Tier {
    TileLayout layout;
    std::vector<Window> windows;  // ascending length
  };
  RowPacker packer;  // over the aggregated stream
  std::vector<Measure> measures;
  std::vector<Tier> tiers;
  std::vector<std::vector<size_t>> keys;  // columns, by port
  bool over = false;                      // port 1 is aggregated, and seen from port 0; else port 0 is both
  bool include_current = true;
  bool ties = true;  // rows of the same time count
  LateRows late = LateRows::kInclude;
  Duration allowed_lateness = 0;
};

std::vector<Duration> LengthsOf(const WindowedPlan::Tier& tier);  // of its windows

std::unique_ptr<Operator> MakeWindowed(std::shared_ptr<const WindowedPlan> plan, OperatorContext& context);

}  // namespace freshet

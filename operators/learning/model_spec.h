#pragma once
// What an author writes under a name of `models:`. Plain values, read by the shape; any thread.
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/spec/shape.h"
#include "operators/learning/learner.h"
#include "operators/learning/optimizer.h"

namespace freshet {

// What a null in a numeric feature counts as.
enum class Missing : uint8_t {
  kIndicator,  // the value is left out and a feature of its own, not scaled, is 1
  kMean,       // the mean of the values learnt so far: 0 once scaled
  kZero,       // the number 0, to the scaler too
  kError,      // the row is refused
};
template <>
struct EnumNames<Missing> {
  static constexpr std::array<std::string_view, 4> names{"indicator", "mean", "zero", "error"};
};

enum class Encoding : uint8_t { kHashed, kExact };
template <>
struct EnumNames<Encoding> {
  static constexpr std::array<std::string_view, 2> names{"hashed", "exact"};
};

enum class Scaling : uint8_t { kStandard, kNone };
template <>
struct EnumNames<Scaling> {
  static constexpr std::array<std::string_view, 2> names{"standard", "none"};
};

enum class Update : uint8_t { kSequential, kMeanGradient };
template <>
struct EnumNames<Update> {
  static constexpr std::array<std::string_view, 2> names{"sequential", "mean_gradient"};
};

struct MissingSpec {
  Missing policy = Missing::kIndicator;
  Named<Missing> columns;
  Missing For(std::string_view column) const;
  static const ShapeBase& Describe();
};

struct EncodingSpec {
  Encoding policy = Encoding::kHashed;
  Named<Encoding> columns;
  Encoding For(std::string_view column) const;
  static const ShapeBase& Describe();
};

struct FeaturesSpec {
  std::vector<FieldRef> numeric;
  std::vector<FieldRef> categorical;
  std::vector<std::vector<FieldRef>> crosses;
  MissingSpec missing;
  EncodingSpec encoding;
  int64_t bits = 18;
  static const ShapeBase& Describe();
};

struct ClassWeight {
  double positive = 1;
  static const ShapeBase& Describe();
};

struct ModelSpec {
  ChoiceOf<&Learners> learner{"linear"};
  ChoiceOf<&Optimizers> optimizer{"ftrl"};
  FeaturesSpec features;
  Scaling scaling = Scaling::kStandard;
  int64_t microbatch = 1;
  Update update = Update::kSequential;
  std::optional<ClassWeight> class_weight;
  std::vector<FieldRef> forbid;
  static const ShapeBase& Describe();
};

// Of a body under `models:`.
const ShapeBase& ModelShape();

}  // namespace freshet

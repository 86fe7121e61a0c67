#include "operators/learning/layout.h"

#include <algorithm>
#include <optional>

#include "engine/base/hash.h"

namespace freshet {
namespace {

constexpr int64_t kMostBits = 26;
constexpr int64_t kLargestMicrobatch = 65536;

std::string Quoted(std::string_view name) {
  return "`" + std::string(name) + "`";
}

bool IsNumber(Type type) {
  return type == Type::kInt64 || type == Type::kFloat64 || type == Type::kBool || type == Type::kDuration;
}
bool IsCategory(Type type) {
  return type == Type::kString || type == Type::kInt64 || type == Type::kBool;
}

// Reports the settings that are wrong whatever the stream. `loss`: null where it could not be read.
void CheckSettings(const ModelSpec& spec, const Loss* loss, Binder& binder) {
  const FeaturesSpec& features = spec.features;
  if (spec.microbatch < 1 || spec.microbatch > kLargestMicrobatch) {
    binder.Error(&spec.microbatch, "microbatch may be 1 to " + std::to_string(kLargestMicrobatch));
  }
  if (spec.class_weight) {
    CheckPositive(spec.class_weight->positive, false, binder);
    if (loss != nullptr && !loss->classifies) {
      binder.Error(&spec.class_weight,
                   "class_weight is for labels that are true or false; a model with squared loss "
                   "has none: remove it");
    }
  }
  if (spec.optimizer.option != nullptr) {
    static_cast<const OptimizerKind*>(spec.optimizer.option->implementation)
        ->check(spec.optimizer.parameters.get(), binder);
  }
  const bool lost =
      binder.lost(&features.numeric) || binder.lost(&features.categorical) || binder.lost(&features.crosses);
  if (features.numeric.empty() && features.categorical.empty() && features.crosses.empty() && !lost) {
    binder.Error(&features, "the model has no features; name columns under numeric, categorical or crosses");
  }
}

// Reports keys of a map of exceptions that are none of `features`.
template <class T>
void CheckExceptions(const Named<T>& exceptions, const std::vector<FieldRef>& features, std::string_view list,
                     Binder& binder) {
  if (binder.lost(&features)) return;
  std::vector<std::string> names;
  for (const FieldRef& feature : features) {
    if (feature.empty()) return;  // could not be read, and may be any of them
    names.push_back(feature.name);
  }
  for (const auto& [name, value] : exceptions) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    binder.Error(&value, Quoted(name) + " is not among the " + std::string(list) + " features of the model" +
                             Suggestion(name, names));
  }
}

class LayoutBuilder {
 public:
  LayoutBuilder(const ModelRef& model, const ModelSpec& spec, size_t port, Binder& binder)
      : spec_(spec), port_(port), binder_(binder), layout_(std::make_shared<ModelLayout>()) {
    layout_->model = model.name;
    layout_->spec = &spec;
  }

  std::shared_ptr<const ModelLayout> Build() {
    const auto& learner = *static_cast<const LearnerKind*>(spec_.learner.option->implementation);
    const Choice& loss = learner.loss(spec_.learner.parameters.get());
    layout_->loss = &LossOf(loss);
    if (binder_.lost(&spec_.learner) || binder_.lost(&loss)) ok_ = false;
    CheckSettings(spec_, ok_ ? layout_->loss : nullptr, binder_);
    if (spec_.features.bits < 1 || spec_.features.bits > kMostBits) {
      binder_.Error(&spec_.features.bits, "bits may be 1 to " + std::to_string(kMostBits));
      ok_ = false;
    }
    CheckExceptions(spec_.features.missing.columns, spec_.features.numeric, "numeric", binder_);
    CheckExceptions(spec_.features.encoding.columns, spec_.features.categorical, "categorical", binder_);
    AddNumeric();
    AddCategorical();
    AddCrosses();
    for (const FieldRef& forbidden : spec_.forbid)
      binder_.RequireKnown(forbidden);
    if (!ok_) return nullptr;
    Finish(loss);
    return layout_;
  }

 private:
  void Fail(const FieldRef& feature, std::string what) {
    binder_.Error(feature.position, std::move(what));
    ok_ = false;
  }

  // The column of a feature, where there is one and it may be used.
  std::optional<size_t> Resolve(const FieldRef& feature) {
    const std::optional<size_t> column = binder_.Column(port_, feature);
    if (!column) {
      ok_ = false;
      return column;
    }
    for (const Origin& origin : binder_.lineage(port_, *column)) {
      for (const FieldRef& forbidden : spec_.forbid) {
        if (origin.field == forbidden.name) Refuse(feature, origin);
      }
    }
    return column;
  }

  void Refuse(const FieldRef& feature, const Origin& origin) {
    const std::string where = "models." + layout_->model + ".forbid excludes";
    if (origin.path.empty() || origin.path == origin.field) {
      Fail(feature, Quoted(feature.name) + " is `" + origin.field + "`, which " + where +
                        "; take it out of the features, or out of forbid");
    } else {
      Fail(feature, Quoted(feature.name) + " derives from " + Quoted(origin.field) + ", which " + where +
                        ": " + origin.path);
    }
  }

  static bool Twice(const std::vector<FieldRef>& list, size_t i) {
    return std::find(list.begin(), list.begin() + static_cast<ptrdiff_t>(i), list[i]) !=
           list.begin() + static_cast<ptrdiff_t>(i);
  }

  void AddNumeric() {
    const std::vector<FieldRef>& list = spec_.features.numeric;
    for (size_t i = 0; i < list.size(); ++i) {
      const FieldRef& feature = list[i];
      if (Twice(list, i)) {
        Fail(feature, Quoted(feature.name) + " is named twice");
        continue;
      }
      const std::optional<size_t> column = Resolve(feature);
      if (!column) continue;
      const Type type = binder_.input(port_)[*column].type;
      if (!IsNumber(type)) {
        Fail(feature, Quoted(feature.name) + " is a " + std::string(NameOf(type)) + ", not a number; " +
                          (IsCategory(type) ? "name it under categorical"
                                            : "make a number of it with a `derive` before the model"));
        continue;
      }
      layout_->numeric.push_back({feature.name, *column, type, spec_.features.missing.For(feature.name), 0});
    }
  }

  // The index in `categories`, made where it is new.
  std::optional<size_t> Category(const FieldRef& feature) {
    const std::optional<size_t> column = Resolve(feature);
    if (!column) return std::nullopt;
    const Type type = binder_.input(port_)[*column].type;
    if (!IsCategory(type)) {
      Fail(feature,
           Quoted(feature.name) + " is a " + std::string(NameOf(type)) +
               ", whose values are too many for a category; " +
               (IsNumber(type) ? "name it under numeric, or make text of it with a `derive`: string(" +
                                     feature.name + ")"
                               : "make text of it with a `derive` before the model"));
      return std::nullopt;
    }
    for (size_t i = 0; i < layout_->categories.size(); ++i) {
      if (layout_->categories[i].column == *column) return i;
    }
    layout_->categories.push_back({feature.name, *column, type, Hash64(feature.name)});
    return layout_->categories.size() - 1;
  }

  void AddCategorical() {
    const std::vector<FieldRef>& list = spec_.features.categorical;
    for (size_t i = 0; i < list.size(); ++i) {
      const FieldRef& feature = list[i];
      if (Twice(list, i)) {
        Fail(feature, Quoted(feature.name) + " is named twice");
        continue;
      }
      const std::optional<size_t> category = Category(feature);
      if (!category) continue;
      CategoricalFeature made;
      made.category = *category;
      made.exact = spec_.features.encoding.For(feature.name) == Encoding::kExact;
      const Field& field = binder_.input(port_)[layout_->categories[*category].column];
      if (made.exact && field.type != Type::kBool && field.values.empty()) {
        Fail(feature, Quoted(feature.name) +
                          " is to be encoded exactly, but its values are not known; give its source "
                          "field `values: [...]`, or leave it hashed");
        continue;
      }
      for (const std::string& value : field.values)
        made.values.emplace_back(value, 0);
      layout_->categorical.push_back(std::move(made));
    }
  }

  void AddCrosses() {
    for (const std::vector<FieldRef>& fields : spec_.features.crosses) {
      CrossFeature cross;
      std::string name;
      for (const FieldRef& field : fields) {
        const std::optional<size_t> category = Category(field);
        if (category) cross.categories.push_back(*category);
        name += field.name + '\0';
      }
      if (fields.size() < 2) {
        binder_.Error(&fields, "a cross needs two columns or more");
        ok_ = false;
      }
      cross.seed = Hash64(name, 1);
      layout_->crosses.push_back(std::move(cross));
    }
  }

  void Finish(const Choice& loss) {
    layout_->scales = spec_.scaling == Scaling::kStandard;
    layout_->learns_means = layout_->scales;
    uint32_t slot = ModelLayout::kFirstNumber + static_cast<uint32_t>(layout_->numeric.size());
    for (NumericFeature& feature : layout_->numeric) {
      if (feature.missing == Missing::kIndicator) feature.indicator = slot++;
      if (feature.missing == Missing::kMean) layout_->learns_means = true;
    }
    bool hashed = !layout_->crosses.empty();
    for (CategoricalFeature& feature : layout_->categorical) {
      feature.null_slot = slot++;
      if (feature.exact) {
        PlaceValues(feature, slot);
      } else {
        hashed = true;
      }
    }
    layout_->hashed_first = slot;
    layout_->bits = hashed ? static_cast<uint32_t>(spec_.features.bits) : 0;
    layout_->slots = slot + (hashed ? size_t{1} << layout_->bits : 0);
    layout_->fingerprint = Fingerprint(loss);
  }

  void PlaceValues(CategoricalFeature& feature, uint32_t& slot) const {
    feature.first = slot;
    if (layout_->categories[feature.category].type == Type::kBool) {
      feature.unknown = slot;  // cannot be
      slot += 2;
      return;
    }
    for (auto& [value, place] : feature.values)
      place = slot++;
    feature.unknown = slot++;
    std::sort(feature.values.begin(), feature.values.end());
  }

  uint64_t Fingerprint(const Choice& loss) const {
    std::string text;
    const auto add = [&text](std::string_view part) { text.append(part).push_back('\0'); };
    const auto number = [&add](uint64_t part) { add(std::to_string(part)); };
    add(spec_.learner.name());
    add(loss.name());
    add(spec_.optimizer.name());
    number(layout_->scales);
    number(layout_->bits);
    for (const NumericFeature& feature : layout_->numeric) {
      add(feature.name);
      number(static_cast<uint64_t>(feature.type));
      number(static_cast<uint64_t>(feature.missing));
    }
    add("categorical");
    for (const CategoricalFeature& feature : layout_->categorical) {
      add(layout_->categories[feature.category].name);
      number(static_cast<uint64_t>(layout_->categories[feature.category].type));
      number(feature.exact);
      if (!feature.exact) continue;
      for (const auto& [value, place] : feature.values) {
        add(value);
        number(place);
      }
    }
    for (const CrossFeature& cross : layout_->crosses) {
      add("cross");
      for (const size_t category : cross.categories)
        add(layout_->categories[category].name);
    }
    return Hash64(text);
  }

  const ModelSpec& spec_;
  size_t port_;
  Binder& binder_;
  std::shared_ptr<ModelLayout> layout_;
  bool ok_ = true;
};

}  // namespace

std::vector<size_t> ModelLayout::Columns() const {
  std::vector<size_t> columns;
  for (const NumericFeature& feature : numeric)
    columns.push_back(feature.column);
  for (const CategoryColumn& category : categories)
    columns.push_back(category.column);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

std::shared_ptr<const ModelLayout> BindModel(const ModelRef& model, size_t port, Binder& binder) {
  const auto* spec = static_cast<const ModelSpec*>(binder.model(model));
  if (spec == nullptr || spec->learner.option == nullptr) return nullptr;
  return LayoutBuilder(model, *spec, port, binder).Build();
}

void CheckModel(const ModelRef& model, Binder& binder) {
  BindModel(model, 0, binder);
}

void AddPrediction(const ModelLayout& layout, size_t port, Output& output, bool shadow) {
  Derivation derivation;
  for (const size_t column : layout.Columns())
    derivation.reads.push_back({port, column});
  derivation.current = derivation.reads;
  const auto add = [&](std::string_view name, Type type, Derivation from) {
    output.schema.Add({layout.model + "." + std::string(name), type, {}, true, shadow});
    output.derivations.push_back(std::move(from));
  };
  add("version", Type::kInt64, {});
  add("score", Type::kFloat64, derivation);
  add(PredictionName(*layout.loss), Type::kFloat64, derivation);
}

void AddUnknownPrediction(const std::string& model, Output& output) {
  for (const char* column : {".version", ".score", ".probability", ".value"}) {  // of whichever loss
    if (output.schema.Find(model + column)) continue;
    output.schema.Add({model + column, Type::kFloat64, {}, false});
    output.derivations.emplace_back();
  }
}

}  // namespace freshet

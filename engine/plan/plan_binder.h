#pragma once
// What an operator sees of the job while it is bound, and what all of them share. Internal to engine/plan;
// one thread.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/lineage.h"
#include "engine/plan/plan.h"

namespace freshet {

// The models as their shape read them.
struct ModelBodies {
  std::map<std::string, const void*, std::less<>> by_name;  // null: could not be read (reported)
  bool lost = false;                                        // there may be more: Job::models_lost
};

// References to columns that their streams do not have. A model is bound once for each operator that uses it,
// over streams of different columns; what it asks for in vain is told once, with what any of these has that
// comes near.
class MissingColumns {
 public:
  void Add(const FieldRef& field, const Schema& schema);
  // It must be a name that the job has anywhere.
  void Require(const FieldRef& field) {
    if (!field.empty()) required_.emplace(field.position, field.name);  // else it could not be read
  }
  // `names`: those that the job has; `all`: there are no others, unknown for a fault that was reported.
  void Report(const std::vector<std::string>& names, bool all, Diagnostics& diagnostics) const;

 private:
  std::map<std::pair<Position, std::string>, std::vector<std::string>>
      known_;  // reference → columns there are
  std::set<std::pair<Position, std::string>> required_;
};

class PlanBinder final : public Binder {
 public:
  struct Input {
    const Schema* schema = nullptr;
    const StreamLineage* lineage = nullptr;
    Duration out_of_orderness = 0;
  };
  PlanBinder(std::string name, std::vector<Input> inputs, const ModelBodies& models, MissingColumns& missing,
             const Positions& positions, Diagnostics& diagnostics)
      : name_(std::move(name)),
        inputs_(std::move(inputs)),
        models_(models),
        missing_(missing),
        positions_(positions),
        diagnostics_(diagnostics) {}

  const std::string& name() const override { return name_; }
  const Schema& input(size_t port) const override { return *inputs_[port].schema; }
  std::optional<size_t> Column(size_t port, const FieldRef& field) override;
  ExprPtr Compile(const Expr& expression, const Schema& scope, std::optional<Type> expected) override;
  const void* model(const ModelRef& model) override;
  std::span<const Origin> lineage(size_t port, size_t column) const override {
    return inputs_[port].lineage->columns[column];
  }
  void RequireKnown(const FieldRef& field) override { missing_.Require(field); }
  // The models that were asked for, by name.
  const std::vector<std::string>& asked() const { return asked_; }
  Duration out_of_orderness(size_t port) const override { return inputs_[port].out_of_orderness; }
  bool lost(const void* member) const override { return positions_.Lost(member); }
  void Error(const void* member, std::string what) override {
    if (!lost(member)) Error(positions_.Of(member), std::move(what));
  }
  void Error(Position at, std::string what) override {
    if (!Nowhere(at)) diagnostics_.Error(at, std::move(what));
  }
  void Warning(Position at, std::string what) override {
    if (!Nowhere(at)) diagnostics_.Warning(at, std::move(what));
  }

 private:
  // What could not be read has no place, nor what is inside it.
  bool Nowhere(Position at) const { return at.line == 0 && positions_.lost() > 0; }

  std::string name_;
  std::vector<Input> inputs_;
  std::vector<std::string> asked_;
  const ModelBodies& models_;
  MissingColumns& missing_;
  const Positions& positions_;
  Diagnostics& diagnostics_;
};

// The column `field` names in `schema`, or nothing (reported, with suggestions, or hidden by what was).
std::optional<size_t> FindColumn(const Schema& schema, const FieldRef& field, Diagnostics& diagnostics);

}  // namespace freshet

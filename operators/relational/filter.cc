#include <utility>

#include "engine/operator/definition.h"

namespace freshet {
namespace {

class FilterOperator final : public Operator {
 public:
  FilterOperator(ExprPtr where, OperatorContext& context) : where_(std::move(where)), context_(context) {}

  Status Process(size_t, const Batch& in, Emitter& out) override {
    kept_.clear();
    SelectTrue(*where_, context_.pool(), in, context_.faults(), kept_);
    if (kept_.empty()) return {};
    out.Emit(0, kept_.size() == in.rows() ? in : in.Take(context_.pool(), kept_));
    return {};
  }

 private:
  ExprPtr where_;
  OperatorContext& context_;
  std::vector<uint32_t> kept_;
};

struct Filter {
  StreamRef from;
  Expr where;

  static const ShapeBase& Describe() {
    static const auto shape = Shape<Filter>("keeps the rows for which `where` is true (not false, not null)")
                                  .Required<&Filter::from>("from", "the stream read")
                                  .Required<&Filter::where>("where", "a boolean expression");
    return shape;
  }
  static std::vector<InputPort> Inputs(const Filter& p) {
    return {{"from", p.from, Role::kEvent, Spread::kAny, {}}};
  }
  static Plan Bind(const Filter& p, Binder& binder) {
    Plan plan;
    plan.outputs.push_back(PassOn(binder, 0));
    const ExprPtr where = binder.Compile(p.where, binder.input(0), Type::kBool);
    if (where == nullptr) return plan;
    for (const size_t column : where->reads())
      plan.reads.push_back({0, column});
    plan.make = [where](OperatorContext& context, size_t) {
      return std::make_unique<FilterOperator>(where, context);
    };
    return plan;
  }
};

constexpr Example kExample{
    .operators = R"(big:
  type: filter
  from: events
  where: "x > 1 || s == 'keep'"
)",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5}
events {"id": "b", "key": "k", "t": "2024-01-01T00:00:01Z", "x": 0.5}
events {"id": "c", "key": "k", "t": "2024-01-01T00:00:02Z"}
events {"id": "d", "key": "k", "t": "2024-01-01T00:00:03Z", "s": "keep"}
)",
    .out = R"({"id":"a","key":"k","t":"2024-01-01T00:00:00Z","x":1.5}
{"id":"d","key":"k","t":"2024-01-01T00:00:03Z","s":"keep"}
)",
};

}  // namespace

const Definition& filter_definition() {
  static const Definition definition = Define<Filter>("filter", kExample);
  return definition;
}

}  // namespace freshet

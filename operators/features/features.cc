#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "engine/base/hash.h"
#include "engine/operator/definition.h"
#include "engine/spec/scalar.h"
#include "operators/features/windowed.h"
#include "operators/windows/tiles.h"

namespace freshet {

enum class Ties : uint8_t { kInclude, kExclude };
template <>
struct EnumNames<Ties> {
  static constexpr std::array<std::string_view, 2> names{"include", "exclude"};
};
template <>
struct EnumNames<LateRows> {
  static constexpr std::array<std::string_view, 3> names{"include", "drop", "side"};
};

namespace {

constexpr Duration kLongestWindow = 36'525 * kDay;

const Family& AggregateFamily() {
  static const std::vector<std::string> docs = [] {
    std::vector<std::string> texts;
    for (const Aggregate* aggregate : Aggregates())
      texts.push_back(std::string(aggregate->doc) + "; of " + std::string(aggregate->arguments));
    return texts;
  }();
  static const Family family = [] {
    Family all{"an aggregate", {}, "`name: argument`, such as `mean: delay`"};
    for (size_t i = 0; i < docs.size(); ++i)
      all.options.push_back(PlainOption(Aggregates()[i]->name, docs[i]));
    return all;
  }();
  return family;
}

struct Feature {
  Named<Node>
      aggregate;  // one entry: {mean: x}. First, so that the feature's own place is not that of another key
  Span window{0};
  Expr where;

  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<Feature>("an aggregate of the rows of a trailing window, as `aggregate: argument`")
            .Required<&Feature::window>("window", "length of the window, which ends at the row's event time")
            .Optional<&Feature::where>("where", "a boolean expression: only rows for which it is true count")
            .Rest<&Feature::aggregate>(&AggregateFamily);
    return shape;
  }
};

struct Features {
  StreamRef from;
  StreamRef over;
  KeyFields key;
  Named<Feature> features;
  bool exclude_current = false;
  Ties ties = Ties::kInclude;
  LateRows late = LateRows::kInclude;
  Span allowed_lateness{0};

  static const ShapeBase& Describe();
  static std::vector<InputPort> Inputs(const Features& p);
  static Plan Bind(const Features& p, Binder& binder);

  size_t aggregated() const { return over.empty() ? 0 : 1; }  // port
};

const ShapeBase& Features::Describe() {
  static const auto shape =
      Shape<Features>("adds to each row aggregates over trailing windows, as of the row's event time")
          .Required<&Features::from>("from", "the stream whose rows get features")
          .Optional<&Features::over>("over", "the stream whose rows are aggregated; default: `from` itself")
          .Required<&Features::key>("key",
                                    "fields that rows must share to be aggregated together; with `over:`, "
                                    "where the names differ, {from: a, over: b}")
          .Required<&Features::features>("features", "new columns: name: {mean: x, window: 3h}")
          .Optional<&Features::exclude_current>("exclude_current", "leaves the row itself out of its windows")
          .Optional<&Features::ties>("ties",
                                     "whether other rows of the same event time count, if they came before")
          .Optional<&Features::late>("late",
                                     "what happens to late rows: included where their windows still can be "
                                     "told (else null), dropped, or put out on the side as `.late`")
          .Optional<&Features::allowed_lateness>("allowed_lateness",
                                                 "how far a row may be behind the watermark and not be late");
  return shape;
}

std::vector<InputPort> Features::Inputs(const Features& p) {
  std::vector<InputPort> ports{{"from", p.from, Role::kEvent, Spread::kKeyed, p.key.For("from")}};
  if (!p.over.empty()) ports.push_back({"over", p.over, Role::kLabel, Spread::kKeyed, p.key.For("over")});
  return ports;
}

// What Bind gathers of one feature before tiles are laid out.
struct Bound {
  Fold fold;
  Duration window = 0;
  size_t pair = 0;  // of the packer
  Derivation derivation;
};

void AddAll(size_t port, const std::vector<size_t>& columns, std::vector<ColumnRef>& refs) {
  for (const size_t column : columns)
    refs.push_back({port, column});
}

const Aggregate* TheAggregate(const Feature& feature, const std::string& name, Binder& binder) {
  std::vector<std::string> known;
  for (const Aggregate* aggregate : Aggregates())
    known.emplace_back(aggregate->name);
  if (feature.aggregate.empty()) {
    binder.Error(&feature, "feature `" + name +
                               "` has no aggregate; give one, like {mean: column, window: 1h}" +
                               Suggestion("", known));
    return nullptr;
  }
  const Aggregate* first = nullptr;
  for (const auto& [key, argument] : feature.aggregate) {
    const Aggregate* aggregate = FindAggregate(key);
    if (aggregate == nullptr) {
      static const std::vector<std::string> kKeys{"window", "where"};
      const std::string near = Suggestion(key, kKeys, false);
      binder.Error(argument.position,
                   "unknown aggregate " + QuoteText(key) + (near.empty() ? Suggestion(key, known) : near));
    } else if (first != nullptr) {
      binder.Error(argument.position, "feature `" + name + "` has two aggregates, `" +
                                          std::string(first->name) + "` and `" + key +
                                          "`; make it two features");
    } else {
      first = aggregate;
    }
  }
  return first == nullptr || feature.aggregate.size() > 1 ? nullptr : first;
}

// The expression that an unread node holds.
ExprPtr CompileArgument(const Node& node, const Schema& scope, Binder& binder) {
  Diagnostics faults("");
  Positions positions;
  ReadContext reading{faults, positions};
  Expr expression;
  ValueOf<Expr>().Read(node, &expression, reading);
  for (const Diagnostic& fault : faults.all())
    binder.Error(fault.position, fault.message);
  return faults.ok() ? binder.Compile(expression, scope, std::nullopt) : nullptr;
}

// The columns that are aggregated.
Schema ScopeOf(const Features& p, const Binder& binder) {
  if (!binder.lost(&p.over)) return binder.input(p.aggregated());
  Schema unknown;
  unknown.Open();
  return unknown;
}

std::optional<Bound> BindFeature(const Features& p, const std::string& name, const Feature& feature,
                                 Binder& binder, RowPacker& packer) {
  const size_t port = p.aggregated();
  const Schema scope = ScopeOf(p, binder);
  if (!IsColumnName(name)) {
    binder.Error(&name, QuoteText(name) + " cannot be a column's name; use letters, digits and `_`");
  } else if (binder.input(0).Find(name)) {
    binder.Error(
        &name, "`" + name + "` is already a column of `" + p.from.name + "`; give the feature another name");
  }
  if (feature.window <= 0 || feature.window > kLongestWindow) {
    binder.Error(&feature.window, "a window is longer than 0s and at most " + FormatDuration(kLongestWindow));
  }
  ExprPtr where;
  if (!feature.where.empty()) where = binder.Compile(feature.where, scope, Type::kBool);
  const Aggregate* aggregate = TheAggregate(feature, name, binder);
  if (aggregate == nullptr) return std::nullopt;

  const Node& argument = feature.aggregate.front().second;
  if (argument.broken) return std::nullopt;  // reported
  ExprPtr value;
  std::optional<Type> type;
  if (argument.kind != Node::Kind::kScalar || argument.text.empty()) {
    binder.Error(argument.position, "`" + std::string(aggregate->name) + "` takes a column or an expression" +
                                        (aggregate->takes_rows ? ", or \"*\"" : "") + ", not " +
                                        std::string(argument.KindName()));
    return std::nullopt;
  }
  if (argument.text == "*") {
    if (!aggregate->takes_rows) {
      binder.Error(argument.position, "`" + std::string(aggregate->name) +
                                          "` needs a column or an expression; only "
                                          "`count` takes \"*\"");
      return std::nullopt;
    }
  } else {
    value = CompileArgument(argument, scope, binder);
    if (value == nullptr) return std::nullopt;
    type = value->type();
  }
  const std::optional<Fold> fold = aggregate->fold(type);
  if (!fold) {
    binder.Error(argument.position, "`" + std::string(aggregate->name) + "` takes " +
                                        std::string(aggregate->arguments) + "; this is a " +
                                        std::string(NameOf(*type)));
    return std::nullopt;
  }
  if (!feature.where.empty() && where == nullptr) return std::nullopt;

  Bound bound{*fold,
              feature.window,
              packer.Add(value, argument.text, fold->reads_value, where, feature.where.text),
              {}};
  if (value != nullptr) AddAll(port, value->reads(), bound.derivation.reads);
  if (where != nullptr) AddAll(port, where->reads(), bound.derivation.reads);
  if (p.over.empty() && !p.exclude_current) {
    bound.derivation.current = bound.derivation.reads;
    bound.derivation.event_time = value == nullptr;
  }
  return bound;
}

void CheckFrame(const Features& p, Binder& binder) {
  if (p.features.empty()) binder.Error(&p.features, "give at least one feature");
  if (p.exclude_current && !p.over.empty()) {
    binder.Error(&p.exclude_current,
                 "`exclude_current` says nothing with `over:`, whose windows never hold the row "
                 "itself; remove it");
  }
  if (p.allowed_lateness > kLongestWindow) {
    binder.Error(&p.allowed_lateness, "`allowed_lateness` is at most " + FormatDuration(kLongestWindow));
  }
  for (const auto& [port, fields] : p.key.by_port) {
    if (port == "from" || (port == "over" && (!p.over.empty() || binder.lost(&p.over)))) continue;
    binder.Error(&p.key, "`key` names the input `" + port +
                             "`, which this operator does not have; its inputs are `from` and, where it is "
                             "given, `over`");
  }
}

void BindKeys(const Features& p, Binder& binder, WindowedPlan& plan) {
  CheckFrame(p, binder);
  for (const InputPort& port : Features::Inputs(p)) {
    if (port.key.empty()) {
      binder.Error(&p.key, "`key` names no field of `" + std::string(port.name) + "`");
    }
    std::optional<std::vector<size_t>> columns = KeyColumns(binder, plan.keys.size(), port.key);
    plan.keys.push_back(columns.value_or(std::vector<size_t>{}));
    if (!columns || plan.keys.size() == 1) continue;
    const std::vector<size_t>& from = plan.keys.front();
    if (from.empty()) continue;  // reported
    bool equal = from.size() == columns->size();
    for (size_t i = 0; equal && i < from.size(); ++i)
      equal = binder.input(0)[from[i]].type == binder.input(1)[(*columns)[i]].type;
    if (!equal) {
      binder.Error(&p.key, "the keys of `" + p.from.name + "` and `" + p.over.name +
                               "` must have the same number of fields, of the same types");
    }
  }
}

// Cuts the windows into tiers and lays out their tiles.
void LayOut(const std::vector<Bound>& bound, WindowedPlan& plan) {
  std::vector<Duration> windows;
  for (const Bound& b : bound)
    windows.push_back(b.window);
  plan.packer.Close();
  plan.measures.resize(bound.size());
  for (const std::vector<Duration>& group : Tiers(windows)) {
    WindowedPlan::Tier tier;
    tier.layout.width = TileWidth(group.front(), group.back());
    tier.layout.largest = group.back();
    tier.layout.allowed_lateness = plan.allowed_lateness;
    for (const Duration window : group) {
      WindowedPlan::Window of{window, {}};
      for (uint32_t i = 0; i < bound.size(); ++i) {
        if (bound[i].window != window) continue;
        const Operand operand = plan.packer.operand(bound[i].pair);
        plan.measures[i] = {bound[i].fold, operand, tier.layout.AddState(bound[i].fold, operand)};
        of.measures.push_back(i);
      }
      tier.windows.push_back(std::move(of));
    }
    tier.layout.Close(plan.packer.width());
    plan.tiers.push_back(std::move(tier));
  }
}

// Of all that the bytes of the state mean and that they were kept for: another job file must not read them.
uint32_t LayoutNumber(const WindowedPlan::Tier& tier, const RowPacker& packer,
                      const std::vector<std::string>& names) {
  constexpr std::string_view kFormat = "tiles 1\n";
  std::string text(kFormat);
  text += packer.Description();
  for (const Duration part : {tier.layout.width, tier.layout.largest, tier.layout.allowed_lateness})
    text += std::to_string(part) + "\n";
  for (const std::string& name : names)
    text += name + "\n";
  return static_cast<uint32_t>(Hash64(text) >> 32);
}

// At most int64's largest: tiny windows that rows may be years late for have more tiles than bytes are
// counted.
StateSize SizeOf(const TileLayout& layout, Duration ahead) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const int64_t tiles = layout.MostTiles(ahead);
  const int64_t tile = layout.rows_offset;
  const bool fits = tiles <= (kMost - Tiles::kHeadBytes) / tile;
  return {fits ? Tiles::kHeadBytes + tiles * tile : kMost, layout.RowBytes(), layout.Kept(ahead)};
}

Plan Features::Bind(const Features& p, Binder& binder) {
  auto plan = std::make_shared<WindowedPlan>();
  plan->over = !p.over.empty();
  plan->include_current = !p.exclude_current;
  plan->ties = p.ties == Ties::kInclude;
  plan->late = p.late;
  plan->allowed_lateness = p.allowed_lateness;
  BindKeys(p, binder, *plan);

  Plan result;
  Output main = PassOn(binder, 0);
  std::vector<Bound> bound;
  std::map<Duration, std::vector<std::string>> state_names;  // by window; of what their tiles fold
  for (const auto& [name, feature] : p.features) {
    std::optional<Bound> one = BindFeature(p, name, feature, binder, plan->packer);
    if (!main.schema.Find(name)) {  // else reported
      main.schema.Add({name, one ? one->fold.result : Type::kFloat64, {}, one.has_value()});
      main.derivations.push_back(one ? one->derivation : Derivation{});
    }
    if (!one) continue;
    for (const ColumnRef& ref : one->derivation.reads)
      result.reads.push_back(ref);
    state_names[one->window].push_back(feature.aggregate.front().first + " " + std::to_string(one->pair));
    bound.push_back(std::move(*one));
  }
  for (size_t port = 0; port < plan->keys.size(); ++port)
    AddAll(port, plan->keys[port], result.reads);
  result.outputs.push_back(std::move(main));
  if (plan->over && p.late != LateRows::kSide) result.emission = {Emission::kAtOnce, Emission::kNever};
  if (p.late == LateRows::kSide) {
    for (size_t port = 0; port < plan->keys.size(); ++port) {
      result.outputs.push_back(PassOn(binder, port));
      result.outputs.back().name = port == 0 ? "late" : "late_over";
    }
  }
  const bool can_be_cut = std::all_of(bound.begin(), bound.end(), [](const Bound& one) {
    return one.window > 0 && one.window <= kLongestWindow;
  });
  if (bound.size() < p.features.size() || bound.empty() || !can_be_cut) return result;  // reported

  LayOut(bound, *plan);
  Duration ahead = 0;  // of the watermark, which is that of the slowest input
  for (size_t port = 0; port < plan->keys.size(); ++port)
    ahead = std::max(ahead, binder.out_of_orderness(port));
  for (size_t i = 0; i < plan->tiers.size(); ++i) {
    std::vector<std::string> names;
    for (const WindowedPlan::Window& window : plan->tiers[i].windows)
      for (const std::string& name : state_names[window.length])
        names.push_back(name);
    const uint32_t layout = LayoutNumber(plan->tiers[i], plan->packer, names);
    for (TableSpec& table :
         Tiles::Tables(static_cast<uint8_t>(i), layout, plan->tiers[i].layout, LengthsOf(plan->tiers[i])))
      result.tables.push_back(std::move(table));
    result.state.push_back(SizeOf(plan->tiers[i].layout, ahead));
  }
  result.make = [plan = std::shared_ptr<const WindowedPlan>(plan)](OperatorContext& context, size_t) {
    return MakeWindowed(plan, context);
  };
  return result;
}

constexpr Example kExample{
    .operators = R"(windows:
  type: features
  from: events
  key: key
  features:
    rows_1h: {count: "*", window: 1h}
    mean_x_1h: {mean: x, window: 1h}
    most_n_1d: {max: n, window: 1d, where: "x > 0"}
)",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "n": 4}
events {"id": "b", "key": "k", "t": "2024-01-01T00:30:00Z", "x": 2.5, "n": 3}
events {"id": "c", "key": "other", "t": "2024-01-01T00:40:00Z"}
events {"id": "d", "key": "k", "t": "2024-01-01T01:00:00Z", "x": -2.5, "n": 9}
)",
    .out =
        R"({"id":"a","key":"k","t":"2024-01-01T00:00:00Z","x":1.5,"n":4,"rows_1h":1,"mean_x_1h":1.5,"most_n_1d":4}
{"id":"b","key":"k","t":"2024-01-01T00:30:00Z","x":2.5,"n":3,"rows_1h":2,"mean_x_1h":2,"most_n_1d":4}
{"id":"c","key":"other","t":"2024-01-01T00:40:00Z","rows_1h":1}
{"id":"d","key":"k","t":"2024-01-01T01:00:00Z","x":-2.5,"n":9,"rows_1h":2,"mean_x_1h":0,"most_n_1d":4}
)",
};

}  // namespace

const Definition& features_definition() {
  static const Definition definition = Define<Features>("features", kExample);
  return definition;
}

}  // namespace freshet

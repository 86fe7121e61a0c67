// `evaluate`: how good predictions are, beside what one could have said without a model.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "operators/evaluation/evaluating.h"
#include "operators/evaluation/metric_rows.h"

namespace freshet {

template <>
struct EnumNames<Metric> {
  static constexpr std::array<std::string_view, 5> names = kMetricNames;
};

namespace {

constexpr std::string_view kProbability = ".probability";
constexpr std::string_view kMonth = "month";
constexpr Duration kLongest = 36'525 * kDay;
constexpr int64_t kMostBuckets = 1000;

struct LastLabel {
  std::vector<FieldRef> key;
  std::string name = "last_label";
  static const ShapeBase& Describe() {
    static const auto shape = Shape<LastLabel>("says what the last label of the same key was")
                                  .Required<&LastLabel::key>("key", "fields that the rows of a key share")
                                  .Optional<&LastLabel::name>("name", "what it is called in the metrics")
                                  .Short("key");
    return shape;
  }
};

struct Rule {
  std::string name;
  Expr when;
  static const ShapeBase& Describe() {
    static const auto shape = Shape<Rule>("says true when a condition holds")
                                  .Required<&Rule::name>("name", "what it is called in the metrics")
                                  .Required<&Rule::when>("when", "a boolean expression; null is no answer");
    return shape;
  }
};

const Family& BaselineFamily() {
  static const Family family{
      "a baseline",
      {PlainOption("prior", "the share of true labels: (1 + positives) / (2 + labels)"),
       OptionOf<LastLabel>("last_label",
                           "the last label of the same key; its probability is the share of true labels "
                           "among the rows with the same answer"),
       OptionOf<Rule>("rule",
                      "a condition; its probability is the share of true labels among the rows with "
                      "the same answer")}};
  return family;
}

struct Evaluate {
  StreamRef from;
  std::vector<Metric> metrics{Metric::kLogLoss, Metric::kRocAuc, Metric::kAccuracy, Metric::kBrier,
                              Metric::kCalibrationError};
  std::vector<ChoiceOf<&BaselineFamily>> baselines;
  std::vector<ModelRef> models;
  Expr label{"label", {}, false};
  Span every{kDay};
  std::vector<std::string> windows;
  Span longest_delay{30 * kDay};

  static const ShapeBase& Describe();
  static std::vector<InputPort> Inputs(const Evaluate& p) {
    return {{"from", p.from, Role::kEvent, Spread::kOne, {}}};
  }
  static Plan Bind(const Evaluate& p, Binder& binder);
};

const ShapeBase& Evaluate::Describe() {
  static const auto shape =
      Shape<Evaluate>(
          "measures the published predictions against their labels, beside baselines; gives rows {time, "
          "since, model or baseline, metric, span, value, examples} of the examples before `time` by event "
          "time (and, but for the whole run, since `since`); spans without examples give none")
          .Required<&Evaluate::from>("from", "labelled rows: a label_join, or a train")
          .Optional<&Evaluate::metrics>(
              "metrics",
              "what is measured; roc_auc on probabilities cut to 16 bits, calibration_error over 15 equal "
              "bins")
          .Optional<&Evaluate::baselines>(
              "baselines",
              "what is measured beside the models: their answers as of each row's prediction, from the "
              "labels known before it")
          .Optional<&Evaluate::models>(
              "models", "the models measured; default: all with a <model>.probability among the columns")
          .Optional<&Evaluate::label>("label", "a boolean expression; rows where it is null are left out")
          .Optional<&Evaluate::every>(
              "every", "how often rows go out: at the multiples of this since 1970, by event time")
          .Optional<&Evaluate::windows>(
              "windows",
              "spans measured beside the whole run: the last `30d`, in steps of `every`; or `month`, the "
              "month so far, and at its end (UTC) the whole")
          .Optional<&Evaluate::longest_delay>(
              "longest_delay",
              "labels are remembered so long for the baselines; an example whose prediction is longer ago "
              "is left out of them, and counted");
  return shape;
}

class EvaluateBinding {
 public:
  EvaluateBinding(const Evaluate& p, Binder& binder) : p_(p), binder_(binder) {}

  Plan Bind() {
    CheckTimes();
    BindLabel();
    BindModels();
    BindBaselines();
    if (plan_.series.empty() && !hidden_) {
      binder_.Error(p_.from.position,
                    "there is nothing to measure: no model has predicted a probability on "
                    "the rows of `" +
                        p_.from.name + "`, and no `baselines` are given");
    }
    if (p_.metrics.empty()) binder_.Error(&p_.metrics, "give at least one metric, or leave the key out");
    plan_.metrics = p_.metrics;
    const std::optional<size_t> predicted = schema().Find("prediction_time");
    if (predicted && schema()[*predicted].type == Type::kTimestamp) {
      plan_.prediction_time = *predicted;
      reads_.push_back(*predicted);
    }
    return Finish();
  }

 private:
  const Schema& schema() const { return binder_.input(0); }

  void CheckTimes() {
    plan_.every = p_.every;
    plan_.longest_delay = p_.longest_delay;
    const bool every_is_known = p_.every >= kSecond && p_.every <= kLongest && !binder_.lost(&p_.every);
    if (!every_is_known) {
      binder_.Error(&p_.every, "`every` is from 1s to " + FormatDuration(kLongest));
      plan_.every = kDay;
    }
    if (p_.longest_delay <= 0 || p_.longest_delay > kLongest) {
      binder_.Error(&p_.longest_delay,
                    "`longest_delay` is longer than 0s and at most " + FormatDuration(kLongest));
    }
    for (const std::string& window : p_.windows) {
      if (window == kMonth) {
        plan_.months = true;
        continue;
      }
      if (binder_.lost(&window)) continue;
      const std::optional<Duration> length = ParseDuration(window);
      if (!length) {
        binder_.Error(&window, "`" + window + "` is no window; give a duration, such as 30d, or `month`");
      } else if (!every_is_known) {
        continue;  // nothing to measure it by
      } else if (*length <= 0 || *length % plan_.every != 0 || *length / plan_.every > kMostBuckets) {
        binder_.Error(&window, "a window is one to " + std::to_string(kMostBuckets) + " times `every`, " +
                                   FormatDuration(plan_.every) + "; " + window + " is not");
      } else {
        plan_.windows.push_back(*length);
        plan_.window_names.push_back(window);
      }
    }
  }

  void BindLabel() {
    if (binder_.lost(&p_.label)) return;
    if (p_.label.position.line == 0) {
      BindLabelColumn();
      return;
    }
    plan_.label = binder_.Compile(p_.label, schema(), Type::kBool);
    Read(plan_.label);
  }

  // Nobody wrote an expression that a message could point into.
  void BindLabelColumn() {
    if (schema().Hides(p_.label.text)) return;
    const std::optional<size_t> column = schema().Find(p_.label.text);
    if (!column) {
      binder_.Error(p_.from.position, "the rows of `" + p_.from.name +
                                          "` have no column `label`; read a `label_join`, or say with "
                                          "`label:` what came true");
    } else if (schema()[*column].type != Type::kBool) {
      binder_.Error(p_.from.position, "the column `label` of `" + p_.from.name + "` is a " +
                                          std::string(NameOf(schema()[*column].type)) +
                                          ", and what is measured came true or did not; say with `label:` "
                                          "when it did, such as `label > 0`");
    } else {
      plan_.label = binder_.Compile(p_.label, schema(), Type::kBool);
      Read(plan_.label);
    }
  }

  void Read(const ExprPtr& program) {
    if (program == nullptr) return;
    reads_.insert(reads_.end(), program->reads().begin(), program->reads().end());
  }

  void BindModels() {
    std::vector<ModelRef> models = p_.models;
    if (models.empty()) {
      hidden_ = schema().open() || binder_.lost(&p_.models);
      if (hidden_) return;
      for (const Field& field : schema().fields()) {
        if (!field.name.ends_with(kProbability)) continue;
        hidden_ = hidden_ || !field.known;
        if (!field.known || field.type != Type::kFloat64) continue;
        models.push_back({field.name.substr(0, field.name.size() - kProbability.size()), p_.from.position});
      }
    }
    for (const ModelRef& model : models) {
      const std::string name = model.name + std::string(kProbability);
      if (model.empty() || schema().Hides(name)) {
        hidden_ = true;
        continue;
      }
      const std::optional<size_t> column = schema().Find(name);
      if (!column || schema()[*column].type != Type::kFloat64) {
        binder_.Error(model.position, "the rows of `" + p_.from.name + "` have no `" + model.name +
                                          ".probability`; they must come from a `predict` with this model, "
                                          "whose loss is logistic");
        continue;
      }
      reads_.push_back(*column);
      AddSeries({model.name, true, {}, *column, {}, nullptr}, "", model.position);
    }
  }

  void BindBaselines() {
    const size_t models = plan_.series.size();
    for (const auto& choice : p_.baselines) {
      if (choice.name() == "prior") {
        AddSeries({"prior", false, {}, 0, {}, nullptr}, "", choice.position);
      } else if (choice.name() == "last_label") {
        const auto& last = choice.As<LastLabel>();
        const std::optional<std::vector<size_t>> columns = KeyColumns(binder_, 0, last.key);
        if (!columns) continue;
        if (columns->empty()) binder_.Error(&last.key, "give at least one field");
        std::string meaning = "last label of";
        for (const size_t column : *columns)
          meaning += " " + schema()[column].name + " " + std::string(NameOf(schema()[column].type));
        reads_.insert(reads_.end(), columns->begin(), columns->end());
        AddSeries({last.name, false, {}, 0, *columns, nullptr}, meaning, choice.position);
      } else if (choice.name() == "rule") {
        const Rule& rule = choice.As<Rule>();
        const ExprPtr when = binder_.Compile(rule.when, schema(), Type::kBool);
        if (when == nullptr) continue;
        Read(when);
        AddSeries({rule.name, false, {}, 0, {}, when}, "when " + rule.when.text, choice.position);
      }
    }
    const size_t bound = plan_.series.size() - models;
    hidden_ = hidden_ || bound < p_.baselines.size() || binder_.lost(&p_.baselines);
  }

  // `meaning`: what its state was made by; a baseline that means something else begins anew.
  void AddSeries(EvaluatePlan::Series series, const std::string& meaning, Position at) {
    for (const EvaluatePlan::Series& other : plan_.series) {
      if (series.name.empty()) break;  // could not be read
      if (other.is_model != series.is_model || other.name != series.name) continue;
      binder_.Error(at, "`" + series.name + "` is measured twice; give it another name, or leave one out");
    }
    series.key = series.is_model ? "m" : "b";
    AppendOrdered(series.name + "\n" + meaning, series.key);
    plan_.series.push_back(std::move(series));
  }

  Plan Finish() {
    Plan plan;
    Output output;
    output.schema = MetricRowSchema();
    output.derivations.resize(output.schema.size());  // of many rows: nothing of the current one
    plan.outputs.push_back(std::move(output));
    if (plan_.label == nullptr) return plan;
    std::sort(reads_.begin(), reads_.end());
    reads_.erase(std::unique(reads_.begin(), reads_.end()), reads_.end());
    for (const size_t column : reads_)
      plan.reads.push_back({0, column});
    plan.tables = EvaluateTables(LayoutNumber());
    // Months begin with a day.
    plan.timers.push_back({0, plan_.months ? std::gcd(plan_.every, kDay) : plan_.every});
    plan.make = [made = std::make_shared<const EvaluatePlan>(std::move(plan_))](
                    OperatorContext& context, size_t) { return MakeEvaluating(made, context); };
    return plan;
  }

  uint32_t LayoutNumber() const {
    std::string text = "evaluate 2 " + std::to_string(plan_.every) + (plan_.months ? " months" : "");
    text += " " + std::to_string(plan_.longest_window());
    return static_cast<uint32_t>(Hash64(text) >> 32);
  }

  const Evaluate& p_;
  Binder& binder_;
  EvaluatePlan plan_;
  std::vector<size_t> reads_;
  bool hidden_ = false;  // what there is to measure may be hidden by faults that were reported
};

Plan Evaluate::Bind(const Evaluate& p, Binder& binder) {
  return EvaluateBinding(p, binder).Bind();
}

constexpr Example kExample{
    .operators = R"(scores:
  type: evaluate
  from: events
  label: "n == 1"
  metrics: [accuracy, brier]
  baselines: [prior, {rule: {name: large, when: "x > 1"}}]
)",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "n": 1}
events {"id": "b", "key": "k", "t": "2024-01-01T01:00:00Z", "x": 0.5, "n": 0}
events {"id": "c", "key": "k", "t": "2024-01-01T02:00:00Z", "x": 1.5, "n": 1}
events {"id": "d", "key": "k", "t": "2024-01-02T00:00:00Z", "x": 0.5}
)",
    .out =
        R"({"time":"2024-01-02T00:00:00Z","baseline":"prior","metric":"accuracy","span":"run","value":0.6666666666666666,"examples":3}
{"time":"2024-01-02T00:00:00Z","baseline":"prior","metric":"brier","span":"run","value":0.3148148148148148,"examples":3}
{"time":"2024-01-02T00:00:00Z","baseline":"large","metric":"accuracy","span":"run","value":1,"examples":3}
{"time":"2024-01-02T00:00:00Z","baseline":"large","metric":"brier","span":"run","value":0.20370370370370372,"examples":3}
)",
};

}  // namespace

const Definition& evaluate_definition() {
  static const Definition definition = Define<Evaluate>("evaluate", kExample);
  return definition;
}

}  // namespace freshet

// `label_join`: a prediction keeps what it used until its label comes.
#include <array>
#include <bit>
#include <utility>

#include "engine/base/hash.h"
#include "operators/joins/joined_rows.h"
#include "operators/joins/joining.h"

namespace freshet {

template <>
struct EnumNames<Take> {
  static constexpr std::array<std::string_view, 3> names{"first", "last", "any"};
};
template <>
struct EnumNames<Release> {
  static constexpr std::array<std::string_view, 2> names{"on_label", "after_wait"};
};
template <>
struct EnumNames<LateLabels> {
  static constexpr std::array<std::string_view, 3> names{"count", "side", "correct"};
};

namespace {

constexpr Duration kLongest = 36'525 * kDay;

struct TimeoutLabel {
  Expr value;
  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<TimeoutLabel>("takes what has no label for labelled so")
            .Required<&TimeoutLabel::value>("value", "the label: an expression that names no column")
            .Short("value");
    return shape;
  }
};

const Family& Timeouts() {
  static const Family family{
      "what to do on time-out",
      {PlainOption("drop", "nothing goes out, but it is counted"),
       OptionOf<TimeoutLabel>("label", "the prediction goes out with this label"),
       PlainOption("side", "the prediction goes out on the side, as `.timed_out`, without a label")}};
  return family;
}

struct LabelJoin {
  StreamRef from;
  StreamRef labels;
  KeyFields key;
  Expr label;
  Span wait{0};
  std::vector<FieldRef> keep;
  Span labels_early{0};
  Take take = Take::kFirst;
  ChoiceOf<&Timeouts> on_timeout{"drop"};
  LateLabels late_labels = LateLabels::kCount;
  Release release = Release::kOnLabel;
  std::optional<Span> remember;

  static const ShapeBase& Describe();
  static std::vector<InputPort> Inputs(const LabelJoin& p) {
    return {{"from", p.from, Role::kEvent, Spread::kKeyed, p.key.For("from")},
            {"labels", p.labels, Role::kLabel, Spread::kKeyed, p.key.For("labels")}};
  }
  static Plan Bind(const LabelJoin& p, Binder& binder);
};

const ShapeBase& LabelJoin::Describe() {
  static const auto shape =
      Shape<LabelJoin>(
          "keeps each row, as it was, until its label comes: the row goes out with label, label_time, "
          "prediction_time and label_state (labelled, timed_out or corrected), at the label's event time")
          .Required<&LabelJoin::from>("from", "the stream of predictions; of a key, one at a time")
          .Required<&LabelJoin::labels>("labels", "the stream that brings labels")
          .Required<&LabelJoin::key>("key",
                                     "fields that a prediction and its label share; where the names differ, "
                                     "{from: a, labels: b}")
          .Required<&LabelJoin::label>(
              "label", "a bool or a number, from a row of `labels`; rows where it is null are no labels")
          .Required<&LabelJoin::wait>("wait",
                                      "how long after its prediction a label may come, by their event times")
          .Optional<&LabelJoin::keep>("keep", "fields of the label's row to go out with the prediction's")
          .Optional<&LabelJoin::labels_early>(
              "labels_early",
              "how far a label may be before its prediction; it is held until the watermark has passed it "
              "by that much, then counted as unmatched")
          .Optional<&LabelJoin::take>(
              "take",
              "which of several labels counts: the first to come; the last by event time (with `release: "
              "after_wait`); or, for bools, `any`: true as soon as one is, false when the wait is over")
          .Optional<&LabelJoin::on_timeout>("on_timeout", "what becomes of a prediction without a label")
          .Optional<&LabelJoin::late_labels>(
              "late_labels",
              "labels after the time-out are counted; `side`: they go out on the side too, as "
              "`.late_labels`; "
              "`correct`: the row is kept until `remember` is over, and goes out, once more where it did on "
              "time-out, with the first of them and label_state corrected; any after that, or after a label "
              "in time, is counted as repeated. A reader such as train or evaluate takes it as any row, and "
              "so counts a prediction twice whose time-out it was given too: a filter on label_state leaves "
              "out either")
          .Optional<&LabelJoin::release>(
              "release",
              "when a labelled row goes out: with its label, or when the wait is over, at that event time")
          .Optional<&LabelJoin::remember>(
              "remember",
              "how long after a prediction its key is remembered, so that a second prediction is found (a "
              "dead letter), and repeated and late labels are told from unmatched ones; default: twice "
              "`wait`");
  return shape;
}

class JoinBinding {
 public:
  JoinBinding(const LabelJoin& p, Binder& binder) : p_(p), binder_(binder) {}

  Plan Bind() {
    CheckTimes();
    BindKeys();
    BindLabel();
    BindTimeout();
    Output main = PassOn(binder_, 0);
    plan_.from = main.schema;
    BindKeep(main);
    AddOwnColumns(main);
    result_.outputs.push_back(std::move(main));
    if (plan_.on_timeout == OnTimeout::kSide) {
      result_.outputs.push_back(result_.outputs[0]);
      result_.outputs.back().name = "timed_out";
    }
    if (plan_.late_labels == LateLabels::kSide) {
      result_.outputs.push_back(PassOn(binder_, 1));
      result_.outputs.back().name = "late_labels";
    }
    if (plan_.label == nullptr) return std::move(result_);
    result_.tables = JoinTables(LayoutNumber());
    const bool waits = plan_.release == Release::kAfterWait;
    result_.emission = {
        waits ? Emission::kNever : Emission::kSometimes,  // where its label came before it
        waits && plan_.late_labels == LateLabels::kCount ? Emission::kNever : Emission::kAtOnce};
    if (plan_.emits_after_wait()) result_.timers.push_back({plan_.wait, 0});
    result_.earlier = plan_.labels_early;  // such a row goes out at its label's time
    result_.make = [plan = std::make_shared<const JoinPlan>(std::move(plan_))](
                       OperatorContext& context, size_t) { return MakeJoining(plan, context); };
    return std::move(result_);
  }

 private:
  void CheckTimes() {
    plan_.wait = p_.wait;
    plan_.labels_early = p_.labels_early;
    plan_.remember = p_.remember ? Duration{*p_.remember} : 2 * std::min<Duration>(p_.wait, kLongest);
    plan_.take = p_.take;
    plan_.release = p_.release;
    plan_.late_labels = p_.late_labels;
    if (p_.wait <= 0 || p_.wait > kLongest) {
      binder_.Error(&p_.wait, "`wait` is longer than 0s and at most " + FormatDuration(kLongest));
    }
    if (p_.labels_early > kLongest) {
      binder_.Error(&p_.labels_early, "`labels_early` is at most " + FormatDuration(kLongest));
    }
    if (p_.remember && (plan_.remember < p_.wait || plan_.remember > 2 * kLongest)) {
      binder_.Error(&*p_.remember, "`remember` is at least as long as `wait`, " + FormatDuration(p_.wait) +
                                       ", and at most " + FormatDuration(2 * kLongest));
    }
    if (p_.late_labels == LateLabels::kCorrect && p_.remember && plan_.remember == p_.wait &&
        !binder_.lost(&p_.wait)) {
      binder_.Error(&*p_.remember,
                    "`late_labels: correct` needs rows that are kept after the time-out; make "
                    "`remember` longer than `wait`, " +
                        FormatDuration(p_.wait));
    }
    if (p_.take == Take::kLast && p_.release != Release::kAfterWait && !binder_.lost(&p_.release)) {
      binder_.Error(&p_.take,
                    "which label is the last is known only when the wait is over; add `release: after_wait`");
    }
  }

  void BindKeys() {
    for (const auto& [port, fields] : p_.key.by_port) {
      if (port == "from" || port == "labels") continue;
      binder_.Error(&p_.key, "`key` names the input `" + port +
                                 "`, which this operator does not have; its inputs are `from` and "
                                 "`labels`");
    }
    for (size_t port = 0; port < 2; ++port) {
      const std::string_view name = port == 0 ? "from" : "labels";
      const std::vector<FieldRef>& fields = p_.key.For(name);
      if (fields.empty()) binder_.Error(&p_.key, "`key` names no field of `" + std::string(name) + "`");
      std::optional<std::vector<size_t>> columns = KeyColumns(binder_, port, fields);
      if (columns) plan_.keys[port] = std::move(*columns);
      for (const size_t column : plan_.keys[port])
        result_.reads.push_back({port, column});
    }
    if (plan_.keys[0].empty() || plan_.keys[1].empty()) return;  // reported
    if (KeyTypes(0) == KeyTypes(1)) return;
    binder_.Error(&p_.key, "the keys of `" + p_.from.name + "` and `" + p_.labels.name +
                               "` must have the same number of fields, of the same types");
  }
  std::vector<Type> KeyTypes(size_t port) const {
    std::vector<Type> types;
    for (const size_t column : plan_.keys[port])
      types.push_back(binder_.input(port)[column].type);
    return types;
  }

  void BindLabel() {
    plan_.label = binder_.Compile(p_.label, binder_.input(1), std::nullopt);
    if (plan_.label == nullptr) return;
    for (const size_t column : plan_.label->reads())
      result_.reads.push_back({1, column});
    const Type type = plan_.label->type();
    if (type == Type::kBool) return;
    const std::string found = "the label is a " + std::string(NameOf(type)) + "; ";
    if (type != Type::kInt64 && type != Type::kFloat64) {
      binder_.Error(p_.label.position, found + "it must be a bool or a number: compare it with something");
    } else if (p_.take == Take::kAny) {
      binder_.Error(p_.label.position, found + "`take: any` needs a bool: compare it with something");
    }
  }

  void BindTimeout() {
    const std::string_view name = p_.on_timeout.name();
    plan_.on_timeout = name == "label"  ? OnTimeout::kLabel
                       : name == "side" ? OnTimeout::kSide
                                        : OnTimeout::kDrop;
    if (plan_.on_timeout != OnTimeout::kLabel) return;
    const Expr& text = p_.on_timeout.As<TimeoutLabel>().value;
    std::optional<Type> type;
    if (plan_.label != nullptr) type = plan_.label->type();
    const ExprPtr value = binder_.Compile(text, Schema(), type);
    if (value == nullptr) return;
    Pool pool;
    ExpressionFaults faults;
    const Time time = 0;
    const uint32_t ordinal = 0;
    const Batch row = Batch::Make(pool, {}, {&time, 1}, {&ordinal, 1});
    const ColumnPtr column = value->Evaluate(pool, row, faults);
    if (column->valid(0)) {
      plan_.timeout_label = LabelBits(*column, 0);
    } else {
      binder_.Error(text.position, "this label is null; use `on_timeout: side` for predictions without one");
    }
  }

  void BindKeep(Output& main) {
    for (const FieldRef& field : p_.keep) {
      const std::optional<size_t> column = binder_.Column(1, field);
      if (!column) {
        if (!main.schema.Find(field.name)) main.schema.Add({field.name, Type::kFloat64, {}, false});
        main.derivations.resize(main.schema.size());
        continue;
      }
      if (main.schema.Find(field.name)) {
        binder_.Error(field.position, "`" + field.name + "` is already a column of `" + p_.from.name +
                                          "`; a `derive` over `" + p_.labels.name +
                                          "` can give the label's another name");
        continue;
      }
      main.schema.Add(binder_.input(1)[*column]);
      main.derivations.push_back(Derivation::Same(1, *column));
      plan_.keep.Add(binder_.input(1)[*column]);
      plan_.keep_columns.push_back(*column);
    }
  }

  void AddOwnColumns(Output& main) {
    Field label_field{"label", Type::kBool, {}, plan_.label != nullptr};
    Derivation label;
    if (plan_.label != nullptr) {
      label_field.type = plan_.label->type();
      for (const size_t column : plan_.label->reads())
        label.reads.push_back({1, column});
    }
    label.current = label.reads;
    const Derivation moment{{}, {}, true};
    const std::pair<Field, Derivation> own[] = {{label_field, label},
                                                {{"label_time", Type::kTimestamp, {}}, moment},
                                                {{"prediction_time", Type::kTimestamp, {}}, moment},
                                                {{"label_state", Type::kString, {}}, {}}};
    for (const auto& [field, derivation] : own) {
      if (main.schema.Find(field.name)) {
        binder_.Error(p_.from.position, "the rows of `" + p_.from.name + "` have a column `" + field.name +
                                            "`, which `label_join` adds; rename it before");
        continue;
      }
      main.schema.Add(field);
      main.derivations.push_back(derivation);
    }
  }

  // Of all that the bytes of an entry mean, but for the rows in it, which say it themselves.
  uint32_t LayoutNumber() const {
    std::string text = "entries 2 " + std::string(NameOf(plan_.label->type()));
    for (const Type type : KeyTypes(0))
      text += " " + std::string(NameOf(type));
    return static_cast<uint32_t>(Hash64(text) >> 32);
  }

  const LabelJoin& p_;
  Binder& binder_;
  Plan result_;
  JoinPlan plan_;
};

Plan LabelJoin::Bind(const LabelJoin& p, Binder& binder) {
  return JoinBinding(p, binder).Bind();
}

constexpr Example kExample{
    .operators = R"(labelled:
  type: label_join
  from: events
  labels: labels
  key: id
  label: "y > 10"
  wait: 1h
  on_timeout: {label: false}
)",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5}
events {"id": "b", "key": "k", "t": "2024-01-01T00:05:00Z", "x": 2.5}
labels {"id": "a", "key": "k", "t": "2024-01-01T00:30:00Z", "y": 20}
labels {"id": "z", "key": "k", "t": "2024-01-01T02:00:00Z", "y": 20}
events {"id": "c", "key": "k", "t": "2024-01-01T03:00:00Z", "x": 3.5}
labels {"id": "c", "key": "k", "t": "2024-01-01T03:00:00Z", "y": 5}
)",
    .out =
        R"({"id":"a","key":"k","t":"2024-01-01T00:00:00Z","x":1.5,"label":true,"label_time":"2024-01-01T00:30:00Z","prediction_time":"2024-01-01T00:00:00Z","label_state":"labelled"}
{"id":"b","key":"k","t":"2024-01-01T00:05:00Z","x":2.5,"label":false,"prediction_time":"2024-01-01T00:05:00Z","label_state":"timed_out"}
{"id":"c","key":"k","t":"2024-01-01T03:00:00Z","x":3.5,"label":false,"label_time":"2024-01-01T03:00:00Z","prediction_time":"2024-01-01T03:00:00Z","label_state":"labelled"}
)",
};

}  // namespace

const Definition& label_join_definition() {
  static const Definition definition = Define<LabelJoin>("label_join", kExample);
  return definition;
}

}  // namespace freshet

// `train`: models learn from labelled rows, each in a task of its own.
//
// A row brings its label in the column `label`, and then a `predict` before has predicted on it; or `label:`
// makes the label from the row, and a model that has not predicted on it does so here first (test, then
// train), by the weights as the last full microbatch left them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "operators/learning/microbatch.h"
#include "operators/learning/model.h"

namespace freshet {
namespace {

constexpr std::string_view kLabel = "label";

struct TrainPlan {
  struct Trained {
    std::shared_ptr<const ModelLayout> layout;
    bool shadow = false;
  };
  std::vector<Trained> models;  // shadows last
  ExprPtr label;                // null: read from the column
  size_t label_column = 0;
  bool adds_label = false;  // the output has a column for it
  bool predicts = false;    // the one model predicts here, in columns of the output
};

class Training final : public Operator {
 public:
  Training(const TrainPlan& plan, OperatorContext& context, size_t part)
      : plan_(plan),
        context_(context),
        emits_(part == 0),
        shadow_(plan.models[part].shadow),
        model_(plan.models[part].layout, context.model(plan.models[part].layout->model)),
        reader_(model_.layout()),
        rows_(model_.layout()),
        microbatch_(model_.layout(), context.raw_state(Microbatch::Table().name)),
        unlabelled_(context.counter("rows_without_label")),
        refused_(context.counter("rows_refused")),
        left_out_(context.counter("shadow_rows_left_out")) {}

  Status Process(size_t, const Batch& in, Emitter& out) override {
    if (Status s = model_.Check(); !s.ok()) return s;
    if (Status s = OpenMicrobatch(); !s.ok()) return s;
    const ColumnPtr labels = plan_.label != nullptr
                                 ? plan_.label->Evaluate(context_.pool(), in, context_.faults())
                                 : in.shared(plan_.label_column);
    Choose(in, *labels);
    if (Status s = Learn(); !s.ok()) return s;
    if (emits_ && !passed_.empty()) Emit(in, labels, out);
    return microbatch_.Keep();
  }

  Status Summarize(Report& report) override {
    report.Number({"models", model_.layout().model, "version"}, static_cast<double>(model_.version()));
    report.Number({"models", model_.layout().model, "learnt"}, static_cast<double>(model_.examples()));
    return {};
  }

 private:
  Status OpenMicrobatch() {
    return microbatch_.Open(
        [this](std::span<const RawRow> rows, std::span<const double> labels) { model_.Learn(rows, labels); });
  }

  // Finds the rows to learn from, and their labels, and the rows that go out.
  void Choose(const Batch& in, const Column& labels) {
    kept_.clear();
    passed_.clear();
    labels_.clear();
    reader_.Read(in, rows_);
    for (uint32_t row = 0; row < in.rows(); ++row) {
      if (!labels.valid(row)) {
        unlabelled_.Add();
        continue;
      }
      const double label = LabelOf(labels, row);
      const RowFault fault = reader_.faults()[row];
      const bool label_good = std::abs(label) <= kNumberLimit;  // false for NaN too
      const bool row_good = fault.kind == RowFault::Kind::kNone;
      if (label_good && row_good) {
        passed_.push_back(row);
        kept_.push_back(row);
        labels_.push_back(label);
        continue;
      }
      if (label_good && shadow_) {  // what a shadow cannot use is no fault of the row
        passed_.push_back(row);
        left_out_.Add();
        continue;
      }
      refused_.Add();
      if (!row_good && !shadow_) {
        Refuse(in, row, fault, model_.layout(), context_);
      } else {
        context_.DeadLetter(
            in, row, "not_finite",
            "the label for model `" + model_.layout().model + "` is not a finite number within 1e100");
      }
    }
  }

  static double LabelOf(const Column& labels, size_t row) {
    switch (labels.type()) {
      case Type::kBool:
        return labels.values<uint8_t>()[row] != 0 ? 1 : 0;
      case Type::kInt64:
        return static_cast<double>(labels.values<int64_t>()[row]);
      default:
        return labels.values<double>()[row];
    }
  }

  Status Learn() {
    versions_.clear();
    scores_.clear();
    for (size_t i = 0; i < kept_.size(); ++i) {
      const RawRow row = rows_[kept_[i]];
      if (plan_.predicts) {
        versions_.push_back(model_.version());
        scores_.push_back(model_.Predict(row));
      }
      if (microbatch_.takes_one_row()) {
        model_.Learn({&row, 1}, {&labels_[i], 1});
        continue;
      }
      microbatch_.Add(row, labels_[i]);
      if (!microbatch_.full()) continue;
      model_.Learn(microbatch_.rows(), microbatch_.labels());
      if (Status s = microbatch_.Clear(); !s.ok()) return s;
    }
    return {};
  }

  void Emit(const Batch& in, const ColumnPtr& labels, Emitter& out) {
    Pool& pool = context_.pool();
    const bool all = passed_.size() == in.rows();
    Batch rows = all ? in : in.Take(pool, passed_);
    columns_.clear();
    if (plan_.adds_label) columns_.push_back(all ? labels : Gather(pool, *labels, passed_));
    if (plan_.predicts) AppendPredictions(pool);
    out.Emit(0, columns_.empty() ? std::move(rows) : rows.With(pool, columns_));
  }

  // A model that predicts here is no shadow, so the rows that go out are those learnt from.
  void AppendPredictions(Pool& pool) {
    ColumnBuilder versions(pool, Type::kInt64, kept_.size());
    ColumnBuilder scores(pool, Type::kFloat64, kept_.size());
    ColumnBuilder predictions(pool, Type::kFloat64, kept_.size());
    for (size_t i = 0; i < kept_.size(); ++i) {
      versions.Append(versions_[i]);
      scores.Append(scores_[i]);
      predictions.Append(model_.layout().loss->prediction(scores_[i]));
    }
    columns_.push_back(versions.Finish());
    columns_.push_back(scores.Finish());
    columns_.push_back(predictions.Finish());
  }

  const TrainPlan plan_;
  OperatorContext& context_;
  bool emits_;
  bool shadow_;
  Model model_;
  RowReader reader_;
  RawRows rows_;
  Microbatch microbatch_;
  Counter& unlabelled_;
  Counter& refused_;
  Counter& left_out_;
  std::vector<uint32_t> kept_;    // rows learnt from; scratch, as all below
  std::vector<uint32_t> passed_;  // rows that go out
  std::vector<double> labels_;
  std::vector<int64_t> versions_;
  std::vector<double> scores_;
  std::vector<ColumnPtr> columns_;
};

struct Train {
  StreamRef from;
  std::vector<ModelRef> models;
  Expr label;

  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<Train>(
            "models learn from labelled rows; the rows learnt from go out again, as they came. A row that a "
            "shadow cannot use is left out of what that one learns, and counted")
            .Required<&Train::from>("from", "the stream read, as a rule a label_join")
            .Optional<&Train::models>("models",
                                      "the models that learn; default: all that predicted on these rows")
            .Optional<&Train::label>(
                "label",
                "what is to be predicted, for rows that bring it: a bool for logistic "
                "loss, a number for squared; a model that has not predicted on them does "
                "so first, row by row, and label and prediction are added to the row. "
                "Default: the column `label`. Rows where it is null are left out");
    return shape;
  }
  static std::vector<InputPort> Inputs(const Train& p) {
    InputPort port;
    port.name = "from";
    port.stream = p.from;
    port.spread = Spread::kOne;
    return {port};
  }
  static Plan Bind(const Train& p, Binder& binder);
};

class TrainBinding {
 public:
  TrainBinding(const Train& p, Binder& binder) : p_(p), binder_(binder), output_(PassOn(binder, 0)) {}

  Plan Bind() {
    Plan plan;
    const std::vector<ModelRef> models = Models();
    const std::optional<Type> label = Label();
    bool good = label.has_value() && !models.empty();
    for (const ModelRef& model : models) {
      train_.models.push_back({BindModel(model, 0, binder_), IsShadow(model.name)});
      const ModelLayout* layout = train_.models.back().layout.get();
      good = layout != nullptr && good;
      plan.trains.push_back(model.name);
      if (good) good = CheckLabel(model, *layout, *label);
    }
    good = good && !schema().open() && AddColumns(models);
    if (!good) HideColumns(models);
    plan.outputs.push_back(std::move(output_));
    plan.tables.push_back(Microbatch::Table());
    if (!good) return plan;
    plan.reads = Reads();
    plan.make = [train = std::move(train_)](OperatorContext& context, size_t part) {
      return std::make_unique<Training>(train, context, part);
    };
    return plan;
  }

 private:
  const Schema& schema() const { return binder_.input(0); }
  bool Predicted(const std::string& model) const { return schema().Find(model + ".score").has_value(); }

  bool IsShadow(const std::string& model) const {
    const std::optional<size_t> score = schema().Find(model + ".score");
    return score && schema()[*score].shadow;
  }

  // The first one's operator emits the rows, so shadows come last: a row that one cannot use still goes out.
  std::vector<ModelRef> Models() {
    std::vector<ModelRef> models = NamedModels();
    std::stable_partition(models.begin(), models.end(),
                          [&](const ModelRef& model) { return !IsShadow(model.name); });
    return models;
  }

  std::vector<ModelRef> NamedModels() {
    std::vector<ModelRef> models = p_.models;
    for (size_t i = 0; i < models.size(); ++i) {
      const auto end = models.begin() + static_cast<ptrdiff_t>(i);
      if (std::find(models.begin(), end, models[i]) != end) {
        binder_.Error(models[i].position, "`" + models[i].name + "` is named twice");
      }
    }
    if (!models.empty() || binder_.lost(&p_.models)) return models;
    constexpr std::string_view kScore = ".score";
    for (const Field& field : schema().fields()) {
      if (!field.name.ends_with(kScore)) continue;
      std::string model = field.name.substr(0, field.name.size() - kScore.size());
      if (schema().Find(model + ".version")) models.push_back({std::move(model), p_.from.position});
    }
    if (models.empty() && !schema().open()) {
      binder_.Error(p_.from.position,
                    "no model has predicted on the rows of `" + p_.from.name +
                        "`; read a stream that comes from a `predict`, or name `models:` and `label:`");
    }
    return models;
  }

  // Its type.
  std::optional<Type> Label() {
    const std::optional<size_t> column = schema().Find(kLabel);
    if (p_.label.empty()) {
      if (schema().Hides(kLabel) || binder_.lost(&p_.label)) return std::nullopt;
      if (column) {
        train_.label_column = *column;
        return schema()[*column].type;
      }
      binder_.Error(p_.from.position,
                    "the rows of `" + p_.from.name +
                        "` have no column `label`; read a `label_join`, or say what is to be "
                        "predicted with `label:`");
      return std::nullopt;
    }
    train_.label = binder_.Compile(p_.label, schema(), std::nullopt);
    if (train_.label == nullptr) return std::nullopt;
    train_.adds_label = !column;
    return train_.label->type();
  }

  bool CheckLabel(const ModelRef& model, const ModelLayout& layout, Type type) {
    const bool number = type == Type::kInt64 || type == Type::kFloat64;
    if (layout.loss->classifies ? type == Type::kBool : number) return true;
    const Position at = p_.label.empty() ? model.position : p_.label.position;
    binder_.Error(at, "the label is a " + std::string(NameOf(type)) + ", but the loss of model `" +
                          model.name + "` needs a " +
                          (layout.loss->classifies ? "bool: compare it with something in `label:`"
                                                   : "number: use logistic loss, or a number in `label:`"));
    return false;
  }

  bool AddColumns(const std::vector<ModelRef>& models) {
    std::vector<const ModelRef*> unpredicted;
    for (const ModelRef& model : models) {
      if (!Predicted(model.name)) unpredicted.push_back(&model);
    }
    if (!unpredicted.empty() && models.size() > 1) {
      binder_.Error(
          unpredicted[0]->position,
          "`" + unpredicted[0]->name +
              "` has not predicted on these rows, so `train` would predict with it "
              "row by row, which it does for one model; give it a `train` of its own, or a `predict` before");
      return false;
    }
    if (train_.adds_label && unpredicted.empty()) {
      binder_.Error(p_.label.position,
                    "`" + models[0].name +
                        "` has predicted on these rows before their labels were "
                        "joined to them, so what it had learnt by then would depend on how rows come in "
                        "batches; leave the "
                        "`predict` out: with `label:`, `train` predicts first, row by row");
      return false;
    }
    if (train_.adds_label) {
      Derivation derivation;
      for (const size_t column : train_.label->reads())
        derivation.reads.push_back({0, column});
      derivation.current = derivation.reads;
      output_.schema.Add({std::string(kLabel), train_.label->type(), {}});
      output_.derivations.push_back(std::move(derivation));
    }
    train_.predicts = !unpredicted.empty();
    if (train_.predicts) AddPrediction(*train_.models[0].layout, 0, output_);
    return true;
  }

  // In place of AddColumns, where something was reported.
  void HideColumns(const std::vector<ModelRef>& models) {
    if (models.empty()) output_.schema.Open();
    if (!output_.schema.Find(kLabel)) output_.schema.Add({std::string(kLabel), Type::kBool, {}, false});
    output_.derivations.resize(output_.schema.size());
    for (const ModelRef& model : models)
      AddUnknownPrediction(model.name, output_);
  }

  std::vector<ColumnRef> Reads() const {
    std::vector<size_t> columns;
    if (train_.label != nullptr) {
      columns = train_.label->reads();
    } else {
      columns.push_back(train_.label_column);
    }
    for (const TrainPlan::Trained& model : train_.models) {
      for (const size_t column : model.layout->Columns())
        columns.push_back(column);
    }
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    std::vector<ColumnRef> reads;
    for (const size_t column : columns)
      reads.push_back({0, column});
    return reads;
  }

  const Train& p_;
  Binder& binder_;
  Output output_;
  TrainPlan train_;
};

Plan Train::Bind(const Train& p, Binder& binder) {
  return TrainBinding(p, binder).Bind();
}

constexpr Example kExample{
    .operators = R"(learnt: {type: train, from: events, models: [m], label: "n"}
)",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "n": 1}
events {"id": "b", "key": "k", "t": "2024-01-01T00:00:01Z", "x": 0.5}
events {"id": "c", "key": "k", "t": "2024-01-01T00:00:02Z", "x": 0.5, "n": 0}
events {"id": "d", "key": "k", "t": "2024-01-01T00:00:03Z", "x": 1.5, "n": 1}
)",
    .out =
        R"({"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "n": 1, "label": 1, "m": {"version": 0, "score": 0, "value": 0}}
{"id": "c", "key": "k", "t": "2024-01-01T00:00:02Z", "x": 0.5, "n": 0, "label": 0, "m": {"version": 0, "score": 0, "value": 0}}
{"id": "d", "key": "k", "t": "2024-01-01T00:00:03Z", "x": 1.5, "n": 1, "label": 1, "m": {"version": 1, "score": 0.859375, "value": 0.859375}}
)",
    .models = R"(m:
  learner: {linear: {loss: squared}}
  optimizer: {sgd: {rate: 0.5}}
  features: {numeric: [x]}
  scaling: none
  microbatch: 2
)"};

}  // namespace

const Definition& train_definition() {
  static const Definition definition = Define<Train>("train", kExample);
  return definition;
}

}  // namespace freshet

// `predict`: one row in, the same row out with what a model says of it.
#include <optional>
#include <utility>

#include "engine/data/null_columns.h"
#include "operators/learning/explanation.h"
#include "operators/learning/model.h"

namespace freshet {
namespace {

// One model of a `predict`, and the columns it makes.
class Predictor {
 public:
  // `first`: its first column among the outputs.
  Predictor(const std::shared_ptr<const ModelLayout>& layout, OperatorContext& context, size_t first)
      : model_(layout, context.model(layout->model)), reader_(model_.layout()), rows_(model_.layout()) {
    for (size_t i = 0; i < kPredictionColumns; ++i)
      read_[i] = context.is_read(0, first + i);
  }

  Model& model() { return model_; }
  const ModelLayout& layout() const { return model_.layout(); }
  bool is_read() const { return read_[0] || read_[1] || read_[2]; }
  // Reads the features of all rows; how many cannot be predicted.
  size_t Read(const Batch& batch) { return reader_.Read(batch, rows_); }
  std::span<const RowFault> faults() const { return reader_.faults(); }

  void Predict() {
    scores_.resize(rows_.rows());
    model_.Predict(rows_, scores_);
  }
  // Columns of the rows read and predicted; null where there is a fault.
  void AddColumns(Pool& pool, NullColumns& nulls, std::vector<ColumnPtr>& columns) {
    const size_t rows = rows_.rows();
    columns.push_back(read_[0] ? Versions(pool) : nulls.Of(pool, Type::kInt64, rows));
    columns.push_back(read_[1] ? Scores(pool, [](double score) { return score; })
                               : nulls.Of(pool, Type::kFloat64, rows));
    columns.push_back(read_[2] ? Scores(pool, layout().loss->prediction)
                               : nulls.Of(pool, Type::kFloat64, rows));
  }
  // The same where there is no prediction.
  static void AddNulls(Pool& pool, NullColumns& nulls, size_t rows, std::vector<ColumnPtr>& columns) {
    columns.push_back(nulls.Of(pool, Type::kInt64, rows));
    columns.push_back(nulls.Of(pool, Type::kFloat64, rows));
    columns.push_back(nulls.Of(pool, Type::kFloat64, rows));
  }

 private:
  ColumnPtr Versions(Pool& pool) {
    ColumnBuilder builder(pool, Type::kInt64, rows_.rows());
    for (int64_t& version : builder.Fill<int64_t>(rows_.rows()))
      version = model_.version();
    SetFaults(builder);
    return builder.Finish();
  }
  template <class F>
  ColumnPtr Scores(Pool& pool, F value_of) {
    ColumnBuilder builder(pool, Type::kFloat64, rows_.rows());
    const std::span<double> values = builder.Fill<double>(rows_.rows());
    for (size_t row = 0; row < rows_.rows(); ++row)
      values[row] = value_of(scores_[row]);
    SetFaults(builder);
    return builder.Finish();
  }
  void SetFaults(ColumnBuilder& builder) const {
    for (size_t row = 0; row < rows_.rows(); ++row) {
      if (faults()[row].kind != RowFault::Kind::kNone) builder.SetNull(row);
    }
  }

  Model model_;
  RowReader reader_;
  RawRows rows_;
  std::vector<double> scores_;
  bool read_[kPredictionColumns] = {};
};

struct PredictPlan {
  std::shared_ptr<const ModelLayout> model;
  std::vector<std::shared_ptr<const ModelLayout>> shadows;
  size_t added = 0;    // the first column that is ours
  size_t explain = 0;  // entries to name; 0: no columns for it
};

class Predicting final : public Operator {
 public:
  Predicting(const PredictPlan& plan, OperatorContext& context)
      : context_(context),
        explain_(plan.explain),
        main_(plan.model, context, plan.added),
        shadow_failures_(context.counter("shadow_failures")) {
    size_t column = plan.added + kPredictionColumns;
    if (explain_ > 0) {
      names_read_ = context.is_read(0, column);
      values_read_ = context.is_read(0, column + 1);
      column += 2;
    }
    for (const auto& shadow : plan.shadows) {
      shadows_.push_back(std::make_unique<Predictor>(shadow, context, column));
      column += kPredictionColumns;
    }
  }

  Status Process(size_t, const Batch& in, Emitter& out) override {
    if (Status s = main_.model().Check(); !s.ok()) return s;
    if (main_.Read(in) == 0) {
      Predict(in, out);
      return {};
    }
    kept_.clear();
    for (uint32_t row = 0; row < in.rows(); ++row) {
      if (main_.faults()[row].kind == RowFault::Kind::kNone) {
        kept_.push_back(row);
      } else {
        Refuse(in, row, main_.faults()[row], main_.layout(), context_);
      }
    }
    if (kept_.empty()) return {};
    const Batch rest = in.Take(context_.pool(), kept_);
    main_.Read(rest);
    Predict(rest, out);
    return {};
  }

 private:
  // Every row of `batch` has been read by the main model and has no fault.
  void Predict(const Batch& batch, Emitter& out) {
    main_.Predict();
    columns_.clear();
    main_.AddColumns(context_.pool(), nulls_, columns_);
    if (explain_ > 0) Explain(batch);
    for (const std::unique_ptr<Predictor>& shadow : shadows_)
      Shadow(*shadow, batch);
    out.Emit(0, batch.With(context_.pool(), columns_));
  }

  void Shadow(Predictor& shadow, const Batch& batch) {
    const bool usable = shadow.model().Check().ok();
    if (!usable) shadow_failures_.Add(batch.rows());
    if (!usable || !shadow.is_read()) {
      Predictor::AddNulls(context_.pool(), nulls_, batch.rows(), columns_);
      return;
    }
    shadow_failures_.Add(shadow.Read(batch));
    shadow.Predict();
    shadow.AddColumns(context_.pool(), nulls_, columns_);
  }

  void Explain(const Batch& batch) {
    Pool& pool = context_.pool();
    if (!names_read_ && !values_read_) {
      columns_.push_back(nulls_.Of(pool, Type::kListString, batch.rows()));
      columns_.push_back(nulls_.Of(pool, Type::kListFloat64, batch.rows()));
      return;
    }
    ColumnBuilder names(pool, Type::kListString, batch.rows());
    ColumnBuilder values(pool, Type::kListFloat64, batch.rows());
    contributions_.resize(main_.layout().entries());
    for (size_t row = 0; row < batch.rows(); ++row) {
      main_.model().Explain(row, contributions_);
      SelectLargest(contributions_, explain_, entries_);
      AppendExplained(batch, row, names, values);
    }
    columns_.push_back(names.Finish());
    columns_.push_back(values.Finish());
  }

  void AppendExplained(const Batch& batch, size_t row, ColumnBuilder& names, ColumnBuilder& values) {
    name_texts_.resize(entries_.size());
    name_views_.clear();
    moved_.clear();
    for (size_t i = 0; i < entries_.size(); ++i) {
      name_texts_[i].clear();
      AppendEntryName(main_.layout(), batch, row, entries_[i], name_texts_[i]);
      name_views_.push_back(name_texts_[i]);
      moved_.push_back(contributions_[entries_[i]]);
    }
    names.AppendList(std::span<const std::string_view>(name_views_));
    values.AppendList(std::span<const double>(moved_));
  }

  OperatorContext& context_;
  size_t explain_;
  bool names_read_ = false;
  bool values_read_ = false;
  Predictor main_;
  std::vector<std::unique_ptr<Predictor>> shadows_;
  Counter& shadow_failures_;
  NullColumns nulls_;           // for what nobody reads, of all models
  std::vector<uint32_t> kept_;  // scratch, as all below
  std::vector<ColumnPtr> columns_;
  std::vector<double> contributions_;
  std::vector<double> moved_;
  std::vector<uint32_t> entries_;
  std::vector<std::string> name_texts_;
  std::vector<std::string_view> name_views_;
};

struct Predict {
  StreamRef from;
  ModelRef model;
  std::vector<ModelRef> shadow;
  int64_t explain = 0;

  static const ShapeBase& Describe() {
    static const auto shape =
        Shape<Predict>(
            "adds a model's prediction to each row: <model>.version (microbatches learnt), <model>.score, "
            "and "
            "<model>.probability or, with squared loss, <model>.value")
            .Required<&Predict::from>("from", "the stream read")
            .Required<&Predict::model>(
                "model", "the model that predicts; a row it cannot use goes to the dead letters")
            .Optional<&Predict::shadow>(
                "shadow",
                "models that predict as well, to be compared or trained; a row one of "
                "them cannot use has nulls there, and a sink writes what they say only where its `fields` "
                "name it")
            .Optional<&Predict::explain>(
                "explain",
                "adds the features that moved the score of `model` most, that many at most: "
                "<model>.contributions.features and, beside it, .values; 0 for none");
    return shape;
  }
  static std::vector<InputPort> Inputs(const Predict& p) {
    InputPort port;
    port.name = "from";
    port.stream = p.from;
    return {port};
  }
  static Plan Bind(const Predict& p, Binder& binder);
};

// The model's layout and columns; null where it cannot be used.
std::shared_ptr<const ModelLayout> AddModel(const ModelRef& model, bool shadow, Binder& binder,
                                            Output& output) {
  const std::shared_ptr<const ModelLayout> layout = BindModel(model, 0, binder);
  if (layout == nullptr) {
    AddUnknownPrediction(model.name, output);
    return nullptr;
  }
  if (output.schema.Find(model.name + ".score")) {
    binder.Error(model.position,
                 "`" + model.name + "` has predicted on these rows already; leave one of the two out");
    return nullptr;
  }
  AddPrediction(*layout, 0, output, shadow);
  return layout;
}

Plan Predict::Bind(const Predict& p, Binder& binder) {
  PredictPlan predict;
  Output output = PassOn(binder, 0);
  predict.added = output.schema.size();
  if (p.explain < 0 || p.explain > 1000) binder.Error(&p.explain, "explain may be 0 to 1000");
  predict.model = AddModel(p.model, false, binder, output);
  if (p.explain > 0 && !output.schema.Find(p.model.name + ".contributions.features")) {
    predict.explain = static_cast<size_t>(p.explain);
    output.schema.Add({p.model.name + ".contributions.features", Type::kListString, {}});
    output.schema.Add({p.model.name + ".contributions.values", Type::kListFloat64, {}});
    const Derivation score = output.derivations.back();
    output.derivations.push_back(score);
    output.derivations.push_back(score);
  }
  Plan plan;
  plan.predicts.push_back(p.model.name);
  bool good = predict.model != nullptr;
  for (const ModelRef& shadow : p.shadow) {
    predict.shadows.push_back(AddModel(shadow, true, binder, output));
    good = good && predict.shadows.back() != nullptr;
    plan.predicts.push_back(shadow.name);
  }
  plan.outputs.push_back(std::move(output));
  if (!good) return plan;
  for (const size_t column : predict.model->Columns())
    plan.reads.push_back({0, column});  // whoever reads the prediction: they decide which rows are refused
  plan.make = [predict](OperatorContext& context, size_t) {
    return std::make_unique<Predicting>(predict, context);
  };
  return plan;
}

constexpr Example kExample{
    .operators = R"(scored: {type: predict, from: events, model: m}
)",
    .in = R"(events {"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "s": "red"}
events {"id": "b", "key": "k", "t": "2024-01-01T00:00:01Z", "s": "blue"}
)",
    .out =
        R"({"id": "a", "key": "k", "t": "2024-01-01T00:00:00Z", "x": 1.5, "s": "red", "m": {"version": 0, "score": 0, "probability": 0.5}}
{"id": "b", "key": "k", "t": "2024-01-01T00:00:01Z", "s": "blue", "m": {"version": 0, "score": 0, "probability": 0.5}}
)",
    .models = R"(m:
  features: {numeric: [x], categorical: [s]}
)"};

}  // namespace

const Definition& predict_definition() {
  static const Definition definition = Define<Predict>("predict", kExample);
  return definition;
}

}  // namespace freshet

// Jobs of which some part is wrong, wherever it is: their faults are told or they are other sound jobs, and
// nothing that was bound by half misleads whoever is bound behind it, or runs.
#include <algorithm>
#include <cctype>
#include <set>

#include <gtest/gtest.h>

#include "engine/plan/plan.h"
#include "operators/list.h"
#include "tests/harness/temp_dir.h"

namespace freshet {
namespace {

void ExpectKnown(const Schema& schema, const std::string& what) {
  EXPECT_FALSE(schema.open()) << what;
  for (const Field& field : schema.fields())
    EXPECT_TRUE(field.known) << field.name << " of " << what;
}

// All that a lane takes for granted.
void ExpectRunnable(const JobPlan& plan, const std::string& what) {
  for (const PlannedSource& source : plan.sources) {
    ExpectKnown(source.schema, what);
    EXPECT_NE(source.format, nullptr) << what;
    EXPECT_EQ(source.fields.size(), source.schema.size()) << what;
    ASSERT_LT(source.event_time, source.schema.size()) << what;
    EXPECT_EQ(source.schema[source.event_time].type, Type::kTimestamp) << what;
  }
  for (const PlannedOperator& op : plan.operators) {
    EXPECT_TRUE(op.plan.make) << op.name << " of " << what;
    for (const Output& output : op.plan.outputs) {
      ExpectKnown(output.schema, what);
      EXPECT_EQ(output.derivations.size(), output.schema.size()) << op.name << " of " << what;
    }
  }
  for (const PlannedSink& sink : plan.sinks) {
    EXPECT_NE(sink.format, nullptr) << what;
    EXPECT_FALSE(sink.streams.empty()) << what;
    EXPECT_FALSE(sink.topic.empty()) << what;
  }
}

// Plans, and returns whether the job is sound.
bool Try(std::string_view job, const std::vector<std::string>& set, const std::string& what) {
  Diagnostics diagnostics("job.yaml");
  const std::unique_ptr<JobPlan> plan = PlanJob(job, Operators(), {set}, diagnostics);
  if (plan != nullptr) ExpectRunnable(*plan, what);
  for (const Diagnostic& one : diagnostics.all()) {
    EXPECT_NE(one.position.line, 0) << one.message << " of " << what;
    EXPECT_EQ(one.message.find("internal error"), std::string::npos) << one.message << " of " << what;
  }
  return plan != nullptr;
}

constexpr std::string_view kShipped = "jobs/flight-delays/job.yaml";

TEST(FaultyPlan, AnyOneWrongWordIsSurvived) {
  const std::string job = ReadFile(std::string(kShipped));
  ASSERT_TRUE(Try(job, {}, "the job that ships"));
  const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  size_t words = 0;
  size_t faulty = 0;
  for (size_t at = 0; at < job.size();) {
    if (!part(job[at])) {
      at = job[at] == '#' ? job.find('\n', at) : at + 1;
      continue;
    }
    size_t end = at;
    while (end < job.size() && part(job[end]))
      ++end;
    for (const std::string_view other : {"zzz", "[]", "0", "\"\""}) {
      const std::string text = job.substr(0, at) + std::string(other) + job.substr(end);
      faulty += Try(text, {}, text) ? 0 : 1;
    }
    ++words;
    at = end;
  }
  EXPECT_GT(words, 300U);
  EXPECT_GT(faulty, words);
}

// A tree on one line, with `other` in place of the node `wrong`.
std::string Flow(const Node& node, const Node* wrong, std::string_view other) {
  if (&node == wrong) return std::string(other);
  if (node.kind == Node::Kind::kNull) return "null";
  std::string text;
  if (node.kind == Node::Kind::kScalar) {
    for (const char c : node.text)
      text += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    const bool plain = !node.quoted && text.find_first_of(",[]{}:#\"\\") == std::string::npos;
    return plain ? text : '"' + text + '"';
  }
  for (const Node& item : node.items)
    text += (text.empty() ? "" : ", ") + Flow(item, wrong, other);
  for (const Node::Entry& entry : node.entries)
    text += (text.empty() ? "" : ", ") + Flow(entry.first, wrong, other) + ": " +
            Flow(entry.second, wrong, other);
  return node.kind == Node::Kind::kMap ? '{' + text + '}' : '[' + text + ']';
}

// Every part of a job wrong by way of --set: by itself, and with all of what it is in.
class Overriding {
 public:
  explicit Overriding(std::string_view job) : job_(job) {
    Diagnostics diagnostics("job.yaml");
    root_ = ParseYaml(job_, diagnostics);
    EXPECT_TRUE(diagnostics.ok());
  }
  void Run() {
    for (const Node::Entry& entry : root_.entries) {
      for (const Node::Entry& part : entry.second.entries)
        Each(part.second, entry.first.text + '.' + part.first.text, &part.second);
      Each(entry.second, entry.first.text, nullptr);
    }
  }
  size_t tried() const { return tried_; }
  size_t faulty() const { return faulty_; }

 private:
  // `part`: the named part of the job that `node` is in, whose own path is `part_path_`.
  void Each(const Node& node, const std::string& path, const Node* part) {
    if (&node == part) part_path_ = path;
    for (const std::string_view other : {"zzz", "[]", "{}", "null", "0", "\"\"", "[[]]", "{a: {b: c}}"}) {
      Set(path + '=' + std::string(other));
      if (part != nullptr) Set(part_path_ + '=' + Flow(*part, &node, other));
    }
    if (part == nullptr) return;  // its parts come by themselves
    for (const Node::Entry& entry : node.entries)
      Each(entry.second, path + '.' + entry.first.text, part);
  }
  void Set(const std::string& assignment) {
    ++tried_;
    faulty_ += Try(job_, {assignment}, assignment) ? 0 : 1;
  }

  std::string job_;
  Node root_;
  std::string part_path_;
  size_t tried_ = 0;
  size_t faulty_ = 0;
};

TEST(FaultyPlan, AnyOneWrongOverrideIsSurvived) {
  Overriding overriding(ReadFile(std::string(kShipped)));
  overriding.Run();
  EXPECT_GT(overriding.tried(), 1000U);
  EXPECT_GT(overriding.faulty(), overriding.tried() / 2);
}

TEST(FaultyPlan, APartGivenAsItIsIsSound) {
  const std::string job = ReadFile(std::string(kShipped));
  Diagnostics diagnostics("job.yaml");
  const Node root = ParseYaml(job, diagnostics);
  for (const Node::Entry& entry : root.entries)
    EXPECT_TRUE(Try(job, {entry.first.text + '=' + Flow(entry.second, nullptr, "")}, entry.first.text));
}

// Every key here has a value that another one needs.
constexpr std::string_view kDense = R"(job: dense
sources:
  orders:
    event_time: {field: at, max_out_of_orderness: 1m}
    fields: {at: timestamp, id: string, shop: string, price: float64, count: {type: int64, path: n.count}}
  returns:
    event_time: {field: at}
    fields: {at: {type: timestamp, unit: s}, order: string, why: {type: string, values: [broken, late]}, cost: float64}
operators:
  narrow:
    type: derive
    from: orders
    drop: [price]
    fields: {total: "price * count", twice: "2 * total"}
  chosen:
    type: derive
    from: orders
    keep: [id, shop]
  past:
    type: features
    from: narrow
    over: returns
    key: {from: id, over: order}
    late: side
    allowed_lateness: 2m
    features:
      costs: {mean: cost, window: 3h, where: "why == 'late'"}
      price: {sum: "cost * 2", window: 1d}
  recent:
    type: features
    from: past
    key: shop
    ties: exclude
    exclude_current: true
    features: {many: {count: "*", window: 1h}}
  scored: {type: predict, from: recent, model: guess, shadow: [other], explain: 3}
  labelled:
    type: label_join
    from: scored
    labels: returns
    key: {from: [id], labels: [order]}
    label: "cost"
    wait: 3d
    keep: [why]
    labels_early: 1h
    take: last
    release: after_wait
    on_timeout: {label: {value: "0"}}
    late_labels: side
    remember: 6d
  learnt: {type: train, from: labelled, models: [guess, other]}
  first: {type: train, from: narrow, models: [third], label: "total > 5"}
  quality:
    type: evaluate
    from: labelled
    metrics: [accuracy, brier]
    baselines: [prior, {last_label: {key: shop, name: last}}, {rule: {name: large, when: "total > 3"}}]
    label: "label > 1"
    every: 12h
    windows: [36h, month]
    longest_delay: 10d
models:
  guess:
    learner: {linear: {loss: squared}}
    optimizer: {sgd: {rate: 0.5, power: 1}}
    features:
      numeric: [total, twice]
      categorical: [shop]
      crosses: [[shop, id]]
      missing: {policy: mean, columns: {total: zero}}
      encoding: {policy: hashed, columns: {shop: hashed}}
      bits: 12
    microbatch: 16
    update: mean_gradient
    forbid: [order]
  other: {learner: {linear: {loss: squared}}, features: {categorical: shop}}
  third: {features: {numeric: [count]}, class_weight: {positive: 3}}
sinks:
  late: {from: past.late, key: id, fields: [id, total]}
  lost: {from: labelled.late_labels, topic: lost.labels}
  out: {from: [learnt], key: [id], fields: [guess.score, guess.value]}
  figures: {from: quality}
  rest: {from: first, fields: [third.probability, label]}
  named: {from: chosen}
)";

// Puts other things in place of a sound job's values, and looks at where faults are told.
class Misreading {
 public:
  struct Value {
    Position position;
    size_t begin;
    size_t size;
    bool type;  // of an operator, which decides what all its other values are
  };
  struct Edit {
    size_t value;
    std::string_view text;
  };
  explicit Misreading(std::string_view job) : job_(job) {
    lines_.push_back(0);
    for (size_t i = 0; i < job_.size(); ++i) {
      if (job_[i] == '\n') lines_.push_back(i + 1);
    }
    Diagnostics diagnostics("job.yaml");
    EXPECT_NE(PlanJob(job_, Operators(), {}, diagnostics), nullptr);
    EXPECT_EQ(diagnostics.Text(), "");
    Each(ParseYaml(job_, diagnostics), false);
  }
  const std::vector<Value>& values() const { return values_; }

  // Where something is told, as places of the job without `edits`: of different values, in the file's order.
  std::set<Position> Faults(const std::vector<Edit>& edits, std::string& told) const {
    std::string text = job_;
    for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit)
      text.replace(values_[edit->value].begin, values_[edit->value].size, edit->text);
    Diagnostics diagnostics("job.yaml");
    PlanJob(text, Operators(), {}, diagnostics);
    told = diagnostics.Text() + text;
    std::set<Position> places;
    for (const Diagnostic& one : diagnostics.all())
      places.insert(Before(one.position, edits));
    return places;
  }

 private:
  void Each(const Node& node, bool type) {
    for (const Node& item : node.items)
      Each(item, false);
    for (const Node::Entry& entry : node.entries)
      Each(entry.second, entry.first.text == "type");
    if (node.kind != Node::Kind::kScalar) return;
    const size_t begin =
        lines_[static_cast<size_t>(node.position.line) - 1] + static_cast<size_t>(node.position.column) - 1;
    values_.push_back({node.position, begin, node.text.size() + (node.quoted ? 2 : 0), type});
  }
  // Where in the job what stands at `at` in the edited text stood.
  Position Before(Position at, const std::vector<Edit>& edits) const {
    for (const Edit& edit : edits) {
      const Value& value = values_[edit.value];
      if (value.position.line != at.line || value.position.column >= at.column) continue;
      at.column += static_cast<int>(value.size) - static_cast<int>(edit.text.size());
      at.column = std::max(at.column, value.position.column);  // inside what was put there
    }
    return at;
  }

  std::string job_;
  std::vector<size_t> lines_;  // where each begins
  std::vector<Value> values_;
};

constexpr std::string_view kNoValue = "{}";  // nothing that is one word in a job may be a map without keys

TEST(FaultyPlan, NothingIsToldThatFollowsFromAValueThatCouldNotBeRead) {
  for (const std::string& job : {std::string(kDense), ReadFile(std::string(kShipped))}) {
    const Misreading misreading(job);
    size_t faulty = 0;
    for (size_t i = 0; i < misreading.values().size(); ++i) {
      std::string told;
      const std::set<Position> places = misreading.Faults({{i, kNoValue}}, told);
      if (places.empty()) continue;
      ++faulty;
      EXPECT_EQ(places, std::set<Position>{misreading.values()[i].position}) << told;
    }
    EXPECT_GT(faulty, 100U);
  }
}

// Of a value that could not be read and a wrong one elsewhere, nothing is told that neither leads to alone;
// and the first is always told.
TEST(FaultyPlan, TwoFaultsHaveNoMoreFollowingThanEither) {
  const Misreading misreading(kDense);
  const size_t count = misreading.values().size();
  std::string told;
  for (const size_t stride : {1, 2, 3, 5, 17, 40, 71}) {
    for (size_t i = 0; i + stride < count; ++i) {
      for (const bool first : {true, false}) {
        const Misreading::Edit a{i, first ? kNoValue : "zzz"};
        const Misreading::Edit b{i + stride, first ? "zzz" : kNoValue};
        std::set<Position> either = misreading.Faults({a}, told);
        either.merge(misreading.Faults({b}, told));
        const std::set<Position> both = misreading.Faults({a, b}, told);
        for (const Position& place : both)
          EXPECT_TRUE(either.contains(place)) << place.line << ':' << place.column << '\n' << told;
        const Misreading::Value& misread = misreading.values()[first ? i : i + stride];
        const bool alone = misreading.values()[first ? i + stride : i].type;
        if (!alone && either.contains(misread.position)) {
          EXPECT_TRUE(both.contains(misread.position)) << told;
        }
      }
    }
  }
}

// What no job file leads to: an operator that finds no fault and cannot run.
std::string Planned(Plan (*bind)(const void*, Binder&)) {
  const Registry real = Operators();
  std::vector<Definition> definitions(real.operators.begin(), real.operators.end());
  for (Definition& definition : definitions) {
    if (definition.type == "filter") definition.bind = bind;
  }
  Registry registry = real;
  registry.operators = definitions;
  Diagnostics diagnostics("f");
  EXPECT_EQ(PlanJob("job: j\n"
                    "sources: {s: {event_time: {field: t}, fields: {t: timestamp}}}\n"
                    "operators: {half: {type: filter, from: s, where: \"true\"}}\n"
                    "sinks: {out: {from: half}}\n",
                    registry, {}, diagnostics),
            nullptr);
  return diagnostics.Text();
}

std::string OursOf(std::string_view lack) {
  std::string text = "f:3:19: internal error: operator `half` has ";
  text += lack;
  return text += ", and no fault of the job file was found; report this with the job file\n";
}

TEST(FaultyPlan, AnOperatorThatCannotRunIsAFaultOfOurs) {
  EXPECT_EQ(Planned([](const void*, Binder& binder) {
              Plan plan;
              plan.outputs.push_back(PassOn(binder, 0));
              return plan;
            }),
            OursOf("nothing to run"));
  EXPECT_EQ(Planned([](const void*, Binder& binder) {
              Plan plan;
              plan.outputs.push_back(PassOn(binder, 0));
              plan.outputs[0].schema.Open();
              plan.make = [](OperatorContext&, size_t) { return std::unique_ptr<Operator>(); };
              return plan;
            }),
            OursOf("columns of which nothing is known"));
  EXPECT_EQ(Planned([](const void*, Binder& binder) {
              Plan plan;
              plan.outputs.push_back(PassOn(binder, 0));
              plan.outputs[0].schema.Add({"more", Type::kBool, {}, true});
              plan.make = [](OperatorContext&, size_t) { return std::unique_ptr<Operator>(); };
              return plan;
            }),
            OursOf("columns that come from nowhere"));
}

}  // namespace
}  // namespace freshet

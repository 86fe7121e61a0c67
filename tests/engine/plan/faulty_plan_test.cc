// Jobs of which some part is wrong, wherever it is: their faults are told or they are other sound jobs, and
// nothing that was bound by half misleads whoever is bound behind it, or runs.
#include <cctype>

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
              plan.make = [](TaskContext&, size_t) { return std::unique_ptr<Operator>(); };
              return plan;
            }),
            OursOf("columns of which nothing is known"));
  EXPECT_EQ(Planned([](const void*, Binder& binder) {
              Plan plan;
              plan.outputs.push_back(PassOn(binder, 0));
              plan.outputs[0].schema.Add({"more", Type::kBool, {}, true});
              plan.make = [](TaskContext&, size_t) { return std::unique_ptr<Operator>(); };
              return plan;
            }),
            OursOf("columns that come from nowhere"));
}

}  // namespace
}  // namespace freshet

// What an editor says of a job by docs/job.schema.json is what `check` says, as far as a schema can tell: the
// jobs that ship and the operators' examples are good, and so is what differs from them in ways that both
// know.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/plan/plan.h"
#include "engine/spec/document.h"
#include "operators/list.h"
#include "tests/golden/golden_file.h"
#include "tests/golden/json_schema.h"
#include "tests/harness/text_file.h"

namespace freshet {
namespace {

constexpr char kShipped[] = "jobs/flight-delays/job.yaml";

// By the file that people give their editors, which GoldenDocs keeps as the code has it.
class SchemaOfJobs : public testing::Test {
 protected:
  SchemaOfJobs() : schema_(ReadText("docs/job.schema.json")) {}

  // The tree of a job, with what `--set` gives besides.
  static Node Tree(std::string_view text, const std::vector<std::string>& set, Diagnostics& diagnostics) {
    Node root = ParseYaml(text, diagnostics);
    for (const std::string& one : set)
      ApplyOverride(one, root, diagnostics);
    return root;
  }
  // What the schema has against it.
  std::string BySchema(std::string_view text, const std::vector<std::string>& set) const {
    Diagnostics diagnostics("job.yaml");
    const Node root = Tree(text, set, diagnostics);
    EXPECT_EQ(diagnostics.Text(), "") << "no YAML";
    return schema_.FaultOf(root);
  }
  static std::string ByCheck(std::string_view text, const std::vector<std::string>& set) {
    Diagnostics diagnostics("job.yaml");
    const std::unique_ptr<JobPlan> plan = PlanJob(text, Operators(), {set}, diagnostics);
    EXPECT_EQ(plan != nullptr, diagnostics.ok());
    return diagnostics.Text();
  }

  const JsonSchema schema_;
};

TEST_F(SchemaOfJobs, KnowsAllItsWords) {
  EXPECT_EQ(schema_.unknown_words(), "") << "a word that the validator of this test ignores checks nothing";
}

TEST_F(SchemaOfJobs, TakesTheJobThatShips) {
  EXPECT_EQ(BySchema(ReadText(kShipped), {}), "");
}

// A job of an operator's example.
std::string JobOf(const Example& example) {
  std::string job = "job: example\nsources: {events: {event_time: {field: t}, fields: {t: timestamp}}}\n";
  job += "operators:\n";
  for (std::string_view rest = example.operators; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    job += "  " + std::string(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return job;
}

TEST_F(SchemaOfJobs, TakesTheExampleOfEveryOperator) {
  const Registry registry = Operators();
  for (const Definition& definition : registry.operators) {
    const std::string job = JobOf(definition.example);
    EXPECT_EQ(BySchema(job, {}), "") << definition.type << "\n" << job;
  }
}

struct Variant {
  const char* set;
  bool good;
};

constexpr Variant kVariants[] = {
    // Durations.
    {"max_future=36h", true},
    {"max_future=1d12h", true},
    {"max_future=1.5d", false},
    {"max_future=12h1d", false},
    {"max_future=-1h", false},
    {"max_future=90", false},
    {"max_future=1 h", false},
    {"operators.labelled.wait=1.5h", false},
    {"operators.by_origin.features.origin_flights_1h.window=60m", true},
    {"operators.by_origin.features.origin_flights_1h.window=0.5h", false},
    // Sizes.
    {"memory=268435456", true},
    {"memory=256 MiB", true},
    {"memory=0.25GiB", true},
    {"memory=\"268435456\"", false},
    {"memory=256 megabytes", false},
    // Lists.
    {"models.with_delay.features.crosses=[[carrier, dest], [origin, hour]]", true},
    {"models.with_delay.features.crosses=[carrier, dest]", false},
    {"models.with_delay.features.crosses=carrier", false},
    {"models.with_delay.features.categorical=[carrier, origin, dest, hour]", true},
    {"models.without_delay.forbid=dep_delay", true},
    {"models.without_delay.forbid=[dep_delay]", true},
    {"models.without_delay.forbid={field: dep_delay}", false},
    {"operators.scores.metrics=accuracy", true},
    {"operators.scores.metrics=[accuracy, precision]", false},
    {"operators.scores.baselines=prior", true},
    {"operators.scores.baselines={last_label: dest}", true},
    {"operators.scores.baselines={last_label: {key: [dest, carrier]}}", true},
    {"operators.scores.baselines={prior: {}, last_label: dest}", false},
    {"operators.scores.windows=30d", true},
    {"operators.learned.models=[with_delay, without_delay]", true},
    // Keys.
    {"sinks.predictions.key=flight_id", true},
    {"sinks.predictions.key=[carrier, flight_id]", true},
    {"sinks.predictions.key=[]", false},
    {"sinks.predictions.key={from: flight_id}", false},
    {"operators.by_dest.key={from: dest, over: dest}", true},
    {"operators.by_dest.key=[]", false},
    {"operators.by_dest.key={form: dest}", false},
    {"operators.labelled.key={from: flight_id, labels: [flight_id]}", true},
    // Choices, words, numbers, maps.
    {"models.with_delay.optimizer=ftrl", true},
    {"models.with_delay.optimizer={sgd: {rate: 0.5}}", true},
    {"models.with_delay.optimizer={sgd: {rat: 0.5}}", false},
    {"models.with_delay.optimizer={sgd: , ftrl: }", false},
    {"models.with_delay.optimizer=adam", false},
    {"models.with_delay.features.missing={policy: mean, columns: {gap: zero}}", true},
    {"models.with_delay.features.missing=median", false},
    {"models.with_delay.microbatch=1.5", false},
    {"models.with_delay.scaling=\"none\"", true},
    {"operators.labelled.on_timeout={label: false}", true},
    {"operators.labelled.on_timeout={lable: false}", false},
    {"operators.labelled.release=sometimes", false},
    {"operators.labelled.keep=[arr_delay]", true},
    {"operators.labelled.type=label_joint", false},
    {"operators.by_origin.exclude_current=\"true\"", false},
    {"operators.by_origin.exclude=true", false},
    {"sources.departures.fields.dep_delay=number", false},
    {"sources.departures.topics=a", false},
    {"guarantee=exactly_once", true},
    {"guarantee=at_least_once", false},
    // Shards: of the job, and of an operator that has a key.
    {"shards=\"8\"", false},
    {"shards=many", false},
    {"shards=2.5", false},
    {"shards=-1", false},
    {"shards=0", false},
    {"shards=1", true},
    {"shards=4096", true},
    {"shards=4097", false},
    {"operators.by_origin.shards=0", false},
    {"operators.by_origin.shards=1", true},
    {"operators.by_origin.shards=4096", true},
    {"operators.by_origin.shards=4097", false},
    {"operators.by_origin.shards=many", false},
    {"operators.by_origin.shards=[4]", false},
    {"operators.labelled.shards=4", true},
    {"operators.inputs.shards=4", false},
    {"operators.seen.shards=4", false},
    {"operators.learned.shards=4", false},
    {"operators.scores.shards=4", false},
};

TEST_F(SchemaOfJobs, AgreesWithCheck) {
  const std::string job = ReadText(kShipped);
  for (const Variant& variant : kVariants) {
    const std::string by_check = ByCheck(job, {variant.set});
    const std::string by_schema = BySchema(job, {variant.set});
    EXPECT_EQ(by_check.empty(), variant.good) << variant.set << "\n" << by_check;
    EXPECT_EQ(by_schema.empty(), variant.good) << variant.set << "\n" << by_schema;
  }
}

// The schema goes by the shape of an operator, check by what it wants of its inputs.
TEST_F(SchemaOfJobs, TakesShardsWhereRowsMeetByKey) {
  size_t keyed = 0;
  const Registry registry = Operators();
  for (const Definition& definition : registry.operators) {
    const std::string job = JobOf(definition.example);
    Diagnostics diagnostics("job.yaml");
    const Node root = ParseYaml(job, diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << definition.type << "\n" << diagnostics.Text();
    for (const auto& [name, body] : root.Find("operators")->entries) {
      const std::vector<std::string> set{"operators." + name.text + ".shards=2"};
      const bool by_check = ByCheck(job, set).find("`shards`") == std::string::npos;
      const std::string by_schema = BySchema(job, set);
      EXPECT_EQ(by_schema.empty(), by_check) << definition.type << ", " << name.text << "\n" << by_schema;
      keyed += by_check ? 1 : 0;
    }
  }
  EXPECT_GT(keyed, 0u);
}

}  // namespace
}  // namespace freshet

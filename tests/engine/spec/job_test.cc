// The frame of a job file, overrides and secrets.
#include "engine/spec/job.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "engine/spec/document.h"

namespace freshet {
namespace {

constexpr std::string_view kSmall = R"(job: small
sources:
  events:
    event_time: {field: t}
    fields: {t: timestamp, x: float64, id: string}
)";

std::string Faults(std::string_view text) {
  Diagnostics diagnostics("f");
  const Node root = ParseYaml(text, diagnostics);
  ParseJob(root, diagnostics);
  return diagnostics.Text();
}
std::string FaultsAfter(std::string_view more) {
  return Faults(std::string(kSmall) + std::string(more));
}

TEST(Job, FlightDelays) {
  std::ifstream file("jobs/flight-delays/job.yaml");
  std::stringstream text;
  text << file.rdbuf();
  Diagnostics diagnostics("jobs/flight-delays/job.yaml");
  const Node root = ParseYaml(text.str(), diagnostics);
  const Job job = ParseJob(root, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.Text();
  EXPECT_EQ(job.frame.job, "flight-delays");
  EXPECT_EQ(job.frame.commit.interval, 200 * kMillisecond);
  EXPECT_EQ(job.frame.shards, 8);
  ASSERT_GE(job.frame.sources.size(), 2U);
  const SourceSpec& departures = job.frame.sources[0].second;
  EXPECT_EQ(departures.topic, "flights.departures");
  EXPECT_EQ(departures.event_time.field.name, "departed_at");
  EXPECT_EQ(departures.event_time.max_out_of_orderness, 30 * kMinute);
  EXPECT_EQ(departures.fields[0].first, "flight_id");
  EXPECT_TRUE(departures.fields[0].second.required);
  EXPECT_EQ(departures.fields[1].second.type.type, Type::kTimestamp);
  EXPECT_EQ(job.frame.models.size(), 2U);
  EXPECT_NE(job.frame.operators[0].second.Find("type"), nullptr);
  EXPECT_EQ(job.frame.sinks[0].second.key.fields[0].name, "flight_id");
  EXPECT_EQ(job.frame.sinks[0].second.from[0].name, "predicted");
}

TEST(Job, Defaults) {
  Diagnostics diagnostics("f");
  const Node root = ParseYaml(kSmall, diagnostics);
  const Job job = ParseJob(root, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.Text();
  EXPECT_EQ(job.frame.sources[0].second.topic, "events");
  EXPECT_EQ(job.frame.sources[0].second.format, "json");
  EXPECT_EQ(job.frame.sources[0].second.event_time.idle_after, kMinute);
  EXPECT_EQ(job.frame.guarantee, Guarantee::kExactlyOnce);
  EXPECT_EQ(job.frame.max_future, kDay);
  EXPECT_EQ(job.file, "f");
}

TEST(Job, FaultsOfTheFrame) {
  EXPECT_EQ(
      Faults(""),
      "f:1:1: the key `job` is missing: the job's name; its internal topics and its group begin with it\n"
      "f:1:1: the key `sources` is missing: the topics read\n");
  for (const std::string shards : {"0", "-1", "4097"}) {
    EXPECT_EQ(FaultsAfter("shards: " + shards + "\n"),
              "f:6:9: `shards` must be a whole number from 1 to 4096\n");
  }
  EXPECT_EQ(FaultsAfter("shards: 4096\n"), "");
  EXPECT_EQ(FaultsAfter("memory: 1MiB\n"), "f:6:9: memory must be 16MiB or more\n");
  EXPECT_EQ(FaultsAfter("commit: {interval: 0s}\n"),
            "f:6:20: the commit interval must lie between 1ms and 1h\n");
  EXPECT_EQ(FaultsAfter("prefix: a/b\n"),
            "f:6:9: the prefix `a/b` may hold letters, digits, `.`, `_` and `-` only\n");
  EXPECT_EQ(FaultsAfter("guarantee: at_most_once\n"),
            "f:6:12: `at_most_once` is not known here; did you mean `at_least_once`?\n");
  EXPECT_EQ(FaultsAfter("operatros: {}\n"), "f:6:1: unknown key `operatros`; did you mean `operators`?\n");
  EXPECT_EQ(Faults("job: my job\nsources: {}\n"),
            "f:1:6: `my job` cannot name a job; use letters, digits, `_` and `-`, the first a letter or `_`, "
            "such as `my_job`\n"
            "f:2:10: a job needs at least one source\n");
}

TEST(Job, KnowsWhatOfTheFrameWasLost) {
  const auto lost = [](std::string_view text) {
    Diagnostics diagnostics("f");
    const Node root = ParseYaml(text, diagnostics);
    const Job job = ParseJob(root, diagnostics);
    return std::pair(job.streams_lost, job.models_lost);
  };
  using Lost = std::pair<bool, bool>;
  constexpr std::string_view kSources = "sources: {s: {event_time: {field: t}, fields: {t: timestamp}}}\n";
  const std::string head = "job: j\n" + std::string(kSources);
  EXPECT_EQ(lost(head), Lost(false, false));
  EXPECT_EQ(lost(head + "commit: {interval: soon}\nnothing_like_it: 1\n"), Lost(false, false));
  EXPECT_EQ(lost(head + "operators: {}\nmodels: {}\n"), Lost(false, false));
  EXPECT_EQ(lost(head + "operators: [x]\n"), Lost(true, false));
  EXPECT_EQ(lost(head + "operatrs: {}\n"), Lost(true, false));
  EXPECT_EQ(lost(head + "models: 3\n"), Lost(false, true));
  EXPECT_EQ(lost(head + "modles: {}\nmodels: {}\n"), Lost(false, true));
  EXPECT_EQ(lost(head + "models: &m {}\n"), Lost(false, true));
  EXPECT_EQ(lost("job: j\n"), Lost(true, false));
  EXPECT_EQ(lost("job: j\nsources:\n"), Lost(true, false));
  EXPECT_EQ(lost("job: j\nsources: {}\n"), Lost(false, false));
}

TEST(Job, Names) {
  EXPECT_EQ(FaultsAfter("operators: {1st: {type: filter}}\n"),
            "f:6:13: `1st` cannot name an operator; use letters, digits, `_` and `-`, "
            "the first a letter or `_`, such as `_1st`\n");
  EXPECT_EQ(FaultsAfter("operators: {a.b: {type: filter}}\n"),
            "f:6:13: `a.b` cannot name an operator; use letters, digits, `_` and `-`, "
            "the first a letter or `_`, such as `a_b`\n");
  EXPECT_EQ(FaultsAfter("models: {a.b: {}}\nsinks: {c.d: {from: events}}\n"),
            "f:6:10: `a.b` cannot name a model; use letters, digits, `_` and `-`, "
            "the first a letter or `_`, such as `a_b`\n"
            "f:7:9: `c.d` cannot name a sink; use letters, digits, `_` and `-`, "
            "the first a letter or `_`, such as `c_d`\n");
  EXPECT_EQ(FaultsAfter("operators: {events: {type: filter}}\n"),
            "f:6:13: `events` is the name of a source already (line 3), so nobody could tell which stream is "
            "meant; "
            "rename one of them\n");
  EXPECT_EQ(FaultsAfter("kafka: {\"a b\": 1, sasl.username: x}\n"),
            "f:6:9: `a b` is no setting of the Kafka client; their names have letters, digits, `.`, `_` and "
            "`-`, such as `sasl.password`\n");
  EXPECT_EQ(FaultsAfter("sinks: {a: {from: events, key: {from: id}}, b: {from: events, key: []}}\n"),
            "f:6:32: a sink has one input: write `key: name` or `key: [a, b]`\n"
            "f:6:68: expected a field or several, found an empty list\n");
  EXPECT_EQ(FaultsAfter("sinks: {a: {from: []}}\n"),
            "f:6:19: sink `a` would write nothing; name the stream that it writes\n");
  EXPECT_EQ(FaultsAfter("models: {events: {}}\n"), "");  // models are no streams
}

TEST(Job, FaultsOfSources) {
  const auto faults = [](std::string_view source) {
    return Faults("job: j\nsources: {s: " + std::string(source) + "}\n");
  };
  EXPECT_EQ(faults("{event_time: {field: tt}, fields: {t1: timestamp}}"),
            "f:2:35: this source has no field `tt`; did you mean `t1`?\n");
  EXPECT_EQ(faults("{event_time: {field: x}, fields: {x: int64}}"),
            "f:2:35: `x` is an int64; the event time must be a timestamp\n");
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: timestamp, x: float}}"),
            "f:2:65: `float` is no type; did you mean `float64`?\n");
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: timestamp, a-b: int64}}"),
            "f:2:62: `a-b` cannot name a field; use letters, digits and `_` (a `-` reads as minus in "
            "expressions), and "
            "`path:` for what the record calls it\n");
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: timestamp, c: {type: int64, values: [a]}}}"),
            "f:2:87: `values` closes the set of a string; `c` is an int64\n");
  EXPECT_EQ(faults("{topic: a/b, event_time: {field: t}, fields: {t: timestamp}}"),
            "f:2:22: `a/b` cannot name a topic; use at most 249 letters, digits, `.`, `_` and `-`\n");
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: timestamp, c: {type: string, values: []}}}"),
            "f:2:88: `values` names none; list what the string may be, or leave the key out\n");
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: timestamp, c: {type: string, unit: s}}}"),
            "f:2:86: `unit` is of a timestamp or a duration that is written as a number; `c` is a string: "
            "remove it\n");
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: {type: timestamp, unit: s}, d: {type: duration, "
                   "unit: s}}}"),
            "");
  for (const std::string path : {"", ".", "a..b", ".a", "a."}) {
    EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: {type: timestamp, path: \"" + path + "\"}}}"),
              "f:2:75: the path `" + path +
                  "` has an empty part; write the names on the way to the value, as `a.b`, or leave the key "
                  "out\n");
  }
  EXPECT_EQ(faults("{event_time: {field: t}, fields: {t: timestamp, \"a b\": int64}}"),
            "f:2:62: `a b` cannot name a field; use letters, digits and `_`, and `path:` for what the record "
            "calls it\n");
  EXPECT_EQ(
      faults("{event_time: {field: t}, fields: {t: timestamp, x: float64}, partitioned_by: {field: x}}"),
      "f:2:99: a float64 is no record key; use a string or int64\n");
}

// A partition has one reader and one position.
TEST(Job, RefusesTwoSourcesOfOneTopic) {
  const std::string rest = "event_time: {field: t}, fields: {t: timestamp}}\n";
  EXPECT_EQ(Faults("job: j\nsources:\n  a: {" + rest + "  b: {topic: a, " + rest + "  c: {topic: d, " + rest),
            "f:4:3: source `b` reads the topic `a`, as source `a` does already (line 3); let everything that "
            "reads `b` read `a`\n");
  EXPECT_EQ(Faults("job: j\nsources:\n  a: {topic: c, " + rest + "  b: {topic: c, " + rest),
            "f:4:3: source `b` reads the topic `c`, as source `a` does already (line 3); let everything that "
            "reads `b` read `a`\n");
}

TEST(Job, KeepsThePlacesOfItsKeysWhereverItMoves) {
  Diagnostics diagnostics("f");
  const Node root = ParseYaml(std::string(kSmall) + "order: event_time\nmerge_wait: 0s\n", diagnostics);
  Job made;
  made = ParseJob(root, diagnostics);
  const Job job(std::move(made));
  EXPECT_EQ(job.positions.Of(&job.frame.order).line, 6);
  EXPECT_EQ(job.positions.Of(&job.frame.order).column, 8);
  EXPECT_EQ(job.positions.Of(&job.frame.merge_wait).line, 7);
  EXPECT_EQ(job.positions.Of(&job.frame.sources[0].first).line, 3);
  EXPECT_EQ(job.positions.Of(&job.frame.guarantee).line, 1);  // not in the file: where its map begins
}

TEST(Job, AfterASyntaxErrorNothingElse) {
  EXPECT_EQ(Faults("job: x\nsources: {a: \n"),
            "f:3:1: a map that was opened with { before this place lacks a comma or its closing }\n");
}

std::string Set(std::string_view assignment, std::string_view path) {
  Diagnostics diagnostics("f");
  Node root = ParseYaml("a: {b: 1, c.d: 2, list: [1]}\nx: 3\n", diagnostics);
  ApplyOverride(assignment, root, diagnostics);
  if (!diagnostics.ok()) return diagnostics.Text();
  const Node* at = &root;
  std::stringstream steps{std::string(path)};
  for (std::string step; std::getline(steps, step, '/');) {
    at = at->Find(step);
    if (at == nullptr) return "nothing";
  }
  EXPECT_EQ(at->position.line, Position::kOverride);
  return at->kind == Node::Kind::kScalar ? at->text : std::string(at->KindName());
}

TEST(Override, SetsAndMakes) {
  EXPECT_EQ(Set("a.b=5", "a/b"), "5");
  EXPECT_EQ(Set("x=y=z", "x"), "y=z");
  EXPECT_EQ(Set("a.c.d=7", "a/c.d"), "7");  // the key that is there
  EXPECT_EQ(Set("new.deep.key=v", "new/deep/key"), "v");
  EXPECT_EQ(Set("a={z: [1, 2]}", "a/z"), "a list");
  EXPECT_EQ(Set("x=", "x"), "");
  EXPECT_EQ(Set("x", ""), "--set: expected path=value, such as commit.interval=1s, found `x`\n");
  EXPECT_EQ(Set("=1", ""), "--set: expected path=value, such as commit.interval=1s, found ``\n");
  EXPECT_EQ(Set("a..b=1", ""), "--set: expected path=value, such as commit.interval=1s, found `a..b`\n");
  EXPECT_EQ(Set("x.y=1", ""),
            "--set x.y: `x.y` leads into a value that is no map; set the whole of that value instead\n");
  EXPECT_EQ(
      Set("a.list.0=1", ""),
      "--set a.list.0: `a.list.0` leads into a value that is no map; set the whole of that value instead\n");
  EXPECT_EQ(Set("x=[1", ""),
            "--set x: a list that was opened with [ before this place lacks a comma or its closing ]\n");
}

TEST(Override, LaterFaultsNameIt) {
  Diagnostics diagnostics("f");
  Node root = ParseYaml(kSmall, diagnostics);
  ApplyOverride("commit.interval=soon", root, diagnostics);
  ApplyOverride("memory=[", root, diagnostics);
  ApplyOverride("shards=many", root, diagnostics);
  ApplyOverride("nothing", root, diagnostics);
  ApplyOverride("job.name=x", root, diagnostics);
  ApplyOverride("a b=1", root, diagnostics);
  ParseJob(root, diagnostics);
  EXPECT_EQ(diagnostics.Text(),
            "--set: expected path=value, such as commit.interval=1s, found `nothing`\n"
            "--set: unknown key `a b`\n"
            "--set commit.interval: expected a duration such as 500ms, 30s, 3h or 7d, found `soon`\n"
            "--set memory: a list that was opened with [ before this place lacks a comma or its closing ]\n"
            "--set shards: expected an integer, found `many`\n"
            "--set job.name: `job.name` leads into a value that is no map; set the whole of that value "
            "instead\n");
}

class Secrets : public testing::Test {
 protected:
  void SetUp() override {
    setenv("FRESHET_TEST_SECRET", "hunter2", 1);
    path_ = std::filesystem::temp_directory_path() / ("freshet_secret_" + std::to_string(getpid()));
    std::ofstream(path_) << "from a file\n";
  }
  void TearDown() override {
    unsetenv("FRESHET_TEST_SECRET");
    std::filesystem::remove(path_);
  }
  std::string Faults(std::string_view more) {
    Diagnostics diagnostics("f");
    Node root = ParseYaml(std::string(kSmall) + std::string(more), diagnostics);
    ResolveSecrets(root, diagnostics);
    const Job job = ParseJob(root, diagnostics);
    for (const auto& [name, value] : job.frame.kafka)
      settings_[name] = value.value;
    return diagnostics.Text();
  }
  std::filesystem::path path_;
  std::map<std::string, std::string> settings_;
};

TEST_F(Secrets, Resolved) {
  EXPECT_EQ(Faults("kafka:\n  sasl.password: \"pre-${env:FRESHET_TEST_SECRET}-post\"\n  ssl.key: ${file:" +
                   path_.string() + "}\n  plain: x\n"),
            "");
  EXPECT_EQ(settings_["sasl.password"], "pre-hunter2-post");
  EXPECT_EQ(settings_["ssl.key"], "from a file");
  EXPECT_EQ(settings_["plain"], "x");
}

TEST_F(Secrets, Unknown) {
  EXPECT_EQ(Faults("kafka: {a: \"${env:FRESHET_TEST_UNSET}\", b: \"${file:/nowhere/at/all}\", c: \"${x}\", "
                   "d: \"${env:\"}\n"),
            "f:6:12: the environment variable `FRESHET_TEST_UNSET` is not set; set it before starting\n"
            "f:6:44: cannot read the file `/nowhere/at/all`: No such file or directory\n"
            "f:6:74: expected ${env:NAME} or ${file:PATH}, found `${x}`\n"
            "f:6:85: expected ${env:NAME} or ${file:PATH}, found `${env:`\n");
}

// Anywhere but under `kafka` a secret is refused, and its value never shows.
TEST_F(Secrets, NeverPrinted) {
  const std::string faults = Faults(
      "prefix: \"${env:FRESHET_TEST_SECRET}\"\nshards: ${env:FRESHET_TEST_SECRET}\nmax_future: "
      "${env:FRESHET_TEST_SECRET}\n"
      "guarantee: ${env:FRESHET_TEST_SECRET}\nsinks: {a: {from: \"${env:FRESHET_TEST_SECRET}\"}}\n");
  EXPECT_EQ(faults.find("hunter2"), std::string::npos) << faults;
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 5) << faults;
  EXPECT_EQ(faults.substr(0, faults.find('\n')),
            "f:6:9: a secret may not stand here, only under `kafka`; write the value itself");
}

TEST(JobDocument, SchemaAndTables) {
  const NamedShape operators[] = {
      {"committing", &CommitSpec::Describe(), "operators:\n  c: {type: committing}\n"}};
  const std::string schema = JobJsonSchema(operators, PartitionedBy::Describe());
  for (
      const char* part : {
          R"("$schema":"https://json-schema.org/draft/2020-12/schema")",
          R"("if":{"properties":{"type":{"const":"committing"}}},"then":{"$ref":"#/$defs/operator.committing"})",
          R"("required":["job","sources"],"additionalProperties":false)",
          R"("type":{"const":"committing"})",
          R"("commit":{"description":"how often everything is committed","type":"object")",
          R"("default":8,"type":"integer","minimum":1,"maximum":4096})",
      }) {
    EXPECT_NE(schema.find(part), std::string::npos) << part << '\n' << schema;
  }
  // A key's own words and its shape's would be two members of one name.
  EXPECT_EQ(schema.find("a topic that the job reads"), std::string::npos);
  const std::string docs = JobDocs(operators, PartitionedBy::Describe());
  for (const char* part : {
           "| `commit.interval` | duration | `200ms` | the longest time between two commits |",
           "| `sources.<name>.event_time.field` | field | required | the timestamp of a row |",
           "### committing\n\nWhen outputs, state and input offsets are committed "
           "together.\n\n```yaml\noperators:\n",
           "| `guarantee` | exactly_once or at_least_once | `exactly_once` |",
       }) {
    EXPECT_NE(docs.find(part), std::string::npos) << part << '\n' << docs;
  }
}

}  // namespace
}  // namespace freshet

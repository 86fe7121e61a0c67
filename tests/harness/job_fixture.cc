#include "tests/harness/job_fixture.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "engine/runtime/closing.h"
#include "tests/harness/job_read.h"

namespace freshet {

namespace {

std::string Shown(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text.push_back(c);
    } else {
      static constexpr char kHex[] = "0123456789abcdef";
      text += std::string("\\x") + kHex[byte / 16] + kHex[byte % 16];
    }
  }
  return text;
}

using Bytes = std::map<std::string, std::string>;

std::string Difference(const std::string& what, const Bytes& expected, const Bytes& found) {
  for (const auto& [key, value] : expected) {
    const auto other = found.find(key);
    if (other == found.end()) return what + ": " + Shown(key) + " is missing\n";
    if (other->second != value) {
      return what + ": " + Shown(key) + " is " + Shown(other->second) + ", not " + Shown(value) + "\n";
    }
  }
  for (const auto& [key, value] : found) {
    if (!expected.contains(key)) return what + ": " + Shown(key) + " = " + Shown(value) + " is too much\n";
  }
  return "";
}

std::string Difference(const std::string& what, const std::vector<JobRecord>& expected,
                       const std::vector<JobRecord>& found) {
  std::ostringstream text;
  for (size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
    if (i < expected.size() && i < found.size() && expected[i] == found[i]) continue;
    text << what << ", record " << i << " of " << expected.size() << " (found " << found.size() << "):\n";
    if (i < expected.size()) text << "  expected " << expected[i] << "\n";
    if (i < found.size()) text << "  found    " << found[i] << "\n";
    break;
  }
  return text.str();
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const JobRecord& record) {
  out << "[" << record.partition << "] " << FormatTimestamp(record.timestamp) << " "
      << (record.key ? Shown(*record.key) : "(no key)") << " "
      << (record.value ? Shown(*record.value) : "(no value)");
  for (const auto& [name, value] : record.headers)
    out << " " << name << "=" << Shown(value);
  return out;
}

uint64_t JobOutcome::Count(std::string_view name) const {
  const auto found = report.counts.find(std::string(name));
  return found == report.counts.end() ? 0 : found->second;
}

std::unique_ptr<JobPlan> PlanOf(std::string_view yaml, const Registry& registry,
                                std::vector<std::string> set) {
  Diagnostics diagnostics("job.yaml");
  std::unique_ptr<JobPlan> plan = PlanJob(yaml, registry, {std::move(set)}, diagnostics);
  EXPECT_NE(plan, nullptr) << diagnostics.Text();
  return plan;
}

std::string DiagnosticsOf(std::string_view yaml, const Registry& registry) {
  Diagnostics diagnostics("job.yaml");
  const std::unique_ptr<JobPlan> plan = PlanJob(yaml, registry, {}, diagnostics);
  EXPECT_EQ(plan == nullptr, diagnostics.errors() > 0);
  return diagnostics.Text();
}

void Append(Log& log, std::string_view topic, std::span<const JobRecord> records) {
  Result<std::unique_ptr<Producer>> producer = log.OpenProducer({});
  ASSERT_TRUE(producer.ok()) << producer.status().message();
  for (const JobRecord& record : records) {
    std::vector<Header> headers;
    for (const auto& [key, value] : record.headers)
      headers.push_back({key, value});
    OutgoingRecord out;
    out.topic = topic;
    out.partition = record.partition;
    out.timestamp = record.timestamp;
    out.key = record.key;
    out.value = record.value;
    out.headers = headers;
    const Status sent = (*producer)->Send(out);
    ASSERT_TRUE(sent.ok()) << sent.message();
  }
  const Status flushed = (*producer)->Flush(60 * kSecond);
  ASSERT_TRUE(flushed.ok()) << flushed.message();
}

void CreateAndFill(Log& log, const JobInput& input) {
  TopicSettings settings;
  settings.partitions = input.partitions;
  const Status created = log.Create(input.topic, settings);
  ASSERT_TRUE(created.ok()) << created.message();
  Append(log, input.topic, input.records);
}

JobOutcome JobFixture::Run(const JobOptions& options) {
  JobOutcome outcome;
  const std::unique_ptr<JobPlan> plan = PlanOf(yaml_, registry_, options.set);
  if (plan == nullptr) {
    outcome.status = Invalid("the job file is not clean");
    return outcome;
  }
  WorkerOptions worker;
  worker.state_directory = options.state_directory;
  worker.instance = options.instance;
  worker.until_end = options.until_end;
  worker.most_rows = options.most_rows;
  worker.topics.create_sinks = true;
  worker.draw_lineage = options.draw_lineage;
  worker.hooks.commit_now = options.commit_now;
  worker.hooks.progress = options.progress;
  const StopSignal never;
  outcome.status =
      RunJob(*plan, log_, clock_, worker, options.stop == nullptr ? never : *options.stop, outcome.report);
  return outcome;
}

JobResult JobFixture::Read(std::vector<std::string> set) {
  JobResult result;
  const std::unique_ptr<JobPlan> plan = PlanOf(yaml_, registry_, std::move(set));
  if (plan == nullptr) return result;
  for (const PlannedSink& sink : plan->sinks)
    result.sinks[sink.topic] = ReadTopic(log_, sink.topic);
  result.dead_letters = ReadTopic(log_, plan->dead_letter_topic);
  for (const PlannedModel& model : plan->models) {
    for (JobRecord& record : ReadTopic(log_, model.topic))
      result.models[model.name][record.key.value_or("")] = record.value.value_or("");
  }
  for (const PlannedStage& stage : plan->stages) {
    if (stage.keeps_state) result.state[stage.name] = ReadState(log_, stage.changelog);
  }
  return result;
}

std::string Difference(const JobResult& expected, const JobResult& found) {
  std::string text;
  for (const auto& [topic, records] : expected.sinks) {
    const auto other = found.sinks.find(topic);
    text += other == found.sinks.end() ? "no sink " + topic : Difference(topic, records, other->second);
  }
  text += Difference("dead letters", expected.dead_letters, found.dead_letters);
  for (const auto& [model, blocks] : expected.models) {
    const auto other = found.models.find(model);
    text += Difference("model " + model, blocks, other == found.models.end() ? Bytes() : other->second);
  }
  for (const auto& [stage, rows] : expected.state) {
    const auto other = found.state.find(stage);
    text += Difference("state of " + stage, rows, other == found.state.end() ? Bytes() : other->second);
  }
  return text;
}

}  // namespace freshet

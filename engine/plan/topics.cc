#include "engine/plan/topics.h"

#include <array>
#include <map>
#include <utility>

namespace freshet {

namespace {

constexpr size_t kLongestTopic = 249;  // Kafka's limit

// What the job itself keeps in `topic`; "" where it is none of its own. Whatever has such a name is its own,
// used or not: another version of the job file may use it.
std::string_view OwnUse(const Job& job, std::string_view topic) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kUses{
      {{"placement", "who runs what"},
       {"dead-letters", "its dead letters"},
       {"changelog.", "its state"},
       {"model.", "its models"},
       {"repartition.", "rows on their way"}}};
  for (const auto& [what, use] : kUses) {
    const std::string own = OwnTopic(job, std::string(what));
    if (own.ends_with('.') ? topic.starts_with(own) : topic == own) return use;
  }
  return "";
}

void RefuseOwn(const Job& job, std::string_view who, const std::string& topic, Diagnostics& diagnostics) {
  const std::string_view use = OwnUse(job, topic);
  if (use.empty()) return;
  diagnostics.Error(job.positions.Of(&topic), "the topic `" + topic + "` is the job's own, where it keeps " +
                                                  std::string(use) + "; choose another for " +
                                                  std::string(who));
}

}  // namespace

std::string OwnTopic(const Job& job, const std::string& what) {
  return job.frame.prefix + job.frame.job + "." + what;
}

void CheckTopics(const JobPlan& plan, Diagnostics& diagnostics) {
  const Job& job = plan.job;
  std::map<std::string_view, const std::string*> readers;  // topic → source
  std::map<std::string_view, const std::string*> writers;  // topic → sink
  for (const auto& [name, source] : job.frame.sources) {
    readers.emplace(source.topic, &name);
    RefuseOwn(job, "the source", source.topic, diagnostics);
  }
  for (const auto& [name, sink] : job.frame.sinks) {
    const Position at = job.positions.Of(&sink.topic);
    RefuseOwn(job, "the sink", sink.topic, diagnostics);
    const auto reader = readers.find(sink.topic);
    const bool same_name = reader != readers.end() && *reader->second == name;  // reported
    if (reader != readers.end() && !same_name) {
      diagnostics.Error(at, "sink `" + name + "` writes the topic `" + sink.topic + "`, which source `" +
                                *reader->second +
                                "` reads, so the job would live on its own output; choose another topic");
    }
    const auto [writer, first] = writers.emplace(sink.topic, &name);
    if (!first) {
      diagnostics.Warning(at, "sink `" + name + "` writes the topic `" + sink.topic + "`, as sink `" +
                                  *writer->second + "` does: its readers find rows of both");
    }
  }
}

void CheckOwnTopics(const JobPlan& plan, Diagnostics& diagnostics) {
  for (const TopicNeed& need : TopicsOf(plan)) {
    if (need.topic.size() <= kLongestTopic) continue;
    diagnostics.Error(
        plan.job.positions.Of(&plan.job.frame.job),
        "the job needs a topic `" + need.topic + "`, which is longer than " + std::to_string(kLongestTopic) +
            " characters; shorten the prefix, the job's name, or that of the operator or model");
  }
}

std::vector<TopicNeed> TopicsOf(const JobPlan& plan) {
  std::vector<TopicNeed> needs;
  for (const PlannedSource& source : plan.sources)
    needs.push_back({source.topic, TopicNeed::Use::kSource, 0, false});
  for (const PlannedSink& sink : plan.sinks)
    needs.push_back({sink.topic, TopicNeed::Use::kSink, 0, false});
  needs.push_back({plan.placement_topic, TopicNeed::Use::kPlacement,
                   static_cast<int32_t>(plan.placement_partitions), false});
  needs.push_back({plan.dead_letter_topic, TopicNeed::Use::kDeadLetters, 1, false});
  for (const PlannedStage& stage : plan.stages) {
    if (!stage.keeps_state) continue;
    needs.push_back({stage.changelog, TopicNeed::Use::kChangelog, static_cast<int32_t>(stage.shards), true});
  }
  for (const PlannedModel& model : plan.models)
    needs.push_back({model.topic, TopicNeed::Use::kModel, 1, true});
  return needs;
}

}  // namespace freshet

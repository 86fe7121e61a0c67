#include "engine/plan/topics.h"

#include <array>
#include <map>

#include "engine/spec/topic_name.h"

namespace freshet {

namespace {

struct OwnKind {
  OwnUse use;
  std::string_view name;  // ends in a dot: one for each of something, named behind it
  std::string_view keeps;
};
constexpr std::array<OwnKind, 5> kOwn{{{OwnUse::kPlacement, "placement", "who runs what"},
                                       {OwnUse::kDeadLetters, "dead-letters", "its dead letters"},
                                       {OwnUse::kChangelog, "changelog.", "its state"},
                                       {OwnUse::kModel, "model.", "its models"},
                                       {OwnUse::kRepartition, "repartition.", "rows on their way"}}};

// Whatever has such a name is the job's own, used or not: another version of the job file may use it.
void RefuseOwn(const Job& job, std::string_view who, const std::string& topic, Diagnostics& diagnostics) {
  if (job.positions.Lost(&job.frame.job) || job.positions.Lost(&job.frame.prefix)) return;
  for (const OwnKind& kind : kOwn) {
    const std::string own = OwnTopic(job, kind.use);
    if (own.ends_with('.') ? !topic.starts_with(own) : topic != own) continue;
    diagnostics.Error(job.positions.Of(&topic),
                      "the topic `" + topic + "` is the job's own, where it keeps " +
                          std::string(kind.keeps) + "; choose another for " + std::string(who));
  }
}

}  // namespace

std::string OwnTopic(const Job& job, OwnUse use, std::string_view of) {
  std::string topic = job.frame.prefix + job.frame.job + '.';
  for (const OwnKind& kind : kOwn) {
    if (kind.use == use) topic += kind.name;
  }
  return topic += of;
}

void CheckTopics(const JobPlan& plan, Diagnostics& diagnostics) {
  const Job& job = plan.job;
  std::map<std::string_view, const std::string*> readers;  // topic → source
  std::map<std::string_view, const std::string*> writers;  // topic → sink
  for (const auto& [name, source] : job.frame.sources) {
    if (job.positions.Lost(&source.topic)) continue;  // it is not the one that was meant
    readers.emplace(source.topic, &name);
    RefuseOwn(job, "the source", source.topic, diagnostics);
  }
  for (const auto& [name, sink] : job.frame.sinks) {
    if (job.positions.Lost(&sink.topic)) continue;
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
    needs.push_back({source.topic, TopicNeed::Use::kSource, source.needed_partitions(), false});
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

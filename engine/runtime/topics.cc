#include "engine/runtime/topics.h"

namespace freshet {

namespace {

std::string_view RoleOf(TopicNeed::Use use) {
  switch (use) {
    case TopicNeed::Use::kSource:
      return "a source";
    case TopicNeed::Use::kSink:
      return "a sink";
    case TopicNeed::Use::kPlacement:
      return "the job's placement";
    case TopicNeed::Use::kDeadLetters:
      return "the job's dead letters";
    case TopicNeed::Use::kChangelog:
      return "a changelog";
    case TopicNeed::Use::kModel:
      return "a model";
  }
  return "";
}

std::string Missing(const TopicNeed& need, std::string_view log) {
  std::string text = "topic `" + need.topic + "` (" + std::string(RoleOf(need.use)) + ") is not on " +
                     std::string(log) + "; ";
  text += need.use == TopicNeed::Use::kSource
              ? "create it, or fill it with `freshet produce " + need.topic + " --partitions N`"
              : "create it with as many partitions as its readers need, such as by `freshet produce " +
                    need.topic + " --partitions N < /dev/null`";
  return text;
}

TopicSettings SettingsOf(const TopicNeed& need) {
  TopicSettings settings;
  settings.partitions = need.partitions > 0 ? need.partitions : 1;
  settings.compacted = need.compacted;
  if (need.use == TopicNeed::Use::kDeadLetters || need.use == TopicNeed::Use::kPlacement) {
    settings.retention = kMaxTime;
  }
  return settings;
}

// What another number of partitions than the job would have made comes from, and what to do.
std::string_view Remedy(TopicNeed::Use use) {
  switch (use) {
    case TopicNeed::Use::kPlacement:
      return ": something else created it. It holds nothing: stop the job, delete the topic, and the job "
             "makes its own at the next start";
    case TopicNeed::Use::kDeadLetters:
      return ": something else created it. Read what you need of it, delete it, and the job makes its own at "
             "the next start; or start afresh under another `prefix`";
    case TopicNeed::Use::kModel:
      return ": something else created it, and a model's versions stand in one order. If it is empty, delete "
             "it, and the job makes its own at the next start; else start afresh under another `prefix`";
    case TopicNeed::Use::kSource:
      return ", one a shard of what reads it by the key of its `partitioned_by`. Set `shards` to the topic's "
             "number; or leave `partitioned_by` out, and rows find their shard by their key; where there is "
             "state already, start afresh under another `prefix`";
    default:
      return ": `shards` is fixed once state exists. Set it back, or start afresh under another `prefix`";
  }
}

std::string Mismatch(const TopicNeed& need, const TopicInfo& info) {
  if (need.partitions > 0 && info.partitions != need.partitions) {
    return "topic `" + need.topic + "` (" + std::string(RoleOf(need.use)) + ") has " +
           std::to_string(info.partitions) + (info.partitions == 1 ? " partition" : " partitions") +
           ", the job needs " + std::to_string(need.partitions) + std::string(Remedy(need.use));
  }
  if (need.compacted && !info.compacted) {
    return "topic `" + need.topic + "` (" + std::string(RoleOf(need.use)) +
           ") is not compacted, so its records would be deleted with time; set cleanup.policy=compact";
  }
  return "";
}

}  // namespace

Status EnsureTopics(const JobPlan& plan, Log& log, TopicPolicy policy) {
  std::string faults;
  Code code = Code::kNotFound;
  const auto fault = [&](const std::string& text) {
    if (!text.empty()) faults += (faults.empty() ? "" : "\n") + text;
  };
  for (const TopicNeed& need : TopicsOf(plan)) {
    Result<std::optional<TopicInfo>> found = log.Find(need.topic);
    if (!found.ok()) return found.status();
    if (*found) {
      const std::string mismatch = Mismatch(need, **found);
      if (!mismatch.empty()) code = Code::kInvalid;
      fault(mismatch);
      continue;
    }
    const bool ours =
        need.use != TopicNeed::Use::kSource && (need.use != TopicNeed::Use::kSink || policy.create_sinks);
    if (!ours) {
      fault(Missing(need, log.Describe()));
      continue;
    }
    Status created = log.Create(need.topic, SettingsOf(need));
    if (!created.ok() && created.code() != Code::kConflict)
      return created.Within("topic `" + need.topic + "`");
  }
  if (!faults.empty()) return {code, faults};
  return {};
}

}  // namespace freshet

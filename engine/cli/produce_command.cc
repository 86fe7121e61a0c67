#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/open_log.h"
#include "engine/cli/record_key.h"

namespace freshet {

namespace {

constexpr Duration kFlushWithin = 60 * kSecond;

Result<TopicInfo> FindOrCreate(Log& log, const std::string& topic, const CommandLine& line) {
  Result<std::optional<TopicInfo>> found = log.Find(topic);
  if (!found.ok()) return found.status();
  if (*found && line.partitions > 0 && (*found)->partitions != line.partitions) {
    return Invalid("topic `" + topic + "` has " + std::to_string((*found)->partitions) +
                   " partitions already, not " + std::to_string(line.partitions));
  }
  if (*found) return **found;
  if (line.partitions == 0 && line.local.empty()) {
    return Status{Code::kNotFound, "there is no topic `" + topic + "` on " + log.Describe() +
                                       "; create it, or add --partitions N"};
  }
  TopicSettings settings;
  settings.partitions = line.partitions > 0 ? line.partitions : 1;
  if (Status s = log.Create(topic, settings); !s.ok()) return s;
  found = log.Find(topic);
  if (!found.ok()) return found.status();
  if (!*found) return Internal("topic `" + topic + "` was created and is not there");
  return **found;
}

// Sends the lines of standard input; stops at the first that cannot be sent, and says which.
Status SendLines(const CommandLine& line, const TopicInfo& topic, Producer& producer, uint64_t& sent) {
  std::optional<RecordKey> key;
  if (!line.key.empty()) key.emplace(line.key);
  const SystemClock clock;
  uint64_t number = 0;
  for (std::string text; std::getline(std::cin, text);) {
    ++number;
    const size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos && !line.raw) continue;
    OutgoingRecord record;
    record.topic = line.operands[0];
    record.timestamp = clock.Now();
    record.value = text;
    std::string key_text;
    record.partition = static_cast<int32_t>(sent % static_cast<uint64_t>(topic.partitions));
    if (key) {
      Result<std::string> found = key->Of(text);
      if (!found.ok()) return found.status().Within("line " + std::to_string(number));
      key_text = std::move(*found);
      record.key = key_text;
      record.partition = static_cast<int32_t>(ShardOf(key_text, static_cast<uint32_t>(topic.partitions)));
    } else if (!line.raw && text[first] != '{') {
      return Invalid("line " + std::to_string(number) + " is no JSON object; --raw sends lines as they are");
    }
    if (Status s = producer.Send(record); !s.ok()) return s.Within("line " + std::to_string(number));
    ++sent;
  }
  return {};
}

}  // namespace

int ProduceCommand(const CommandLine& line) {
  Result<std::unique_ptr<Log>> log = OpenLog(line, {});
  if (!log.ok()) {
    if (!line.local.empty() && log.status().code() == Code::kConflict) {
      return Fail({Code::kConflict,
                   log.status().message() +
                       " (one process writes a log; producing beside a running job is not possible yet)"});
    }
    return Fail(log.status());
  }
  Result<TopicInfo> topic = FindOrCreate(**log, line.operands[0], line);
  if (!topic.ok()) return Fail(topic.status());
  Result<std::unique_ptr<Producer>> producer = (*log)->OpenProducer({});
  if (!producer.ok()) return Fail(producer.status());
  uint64_t sent = 0;
  const Status status = SendLines(line, *topic, **producer, sent);
  const Status flushed = (*producer)->Flush(kFlushWithin);
  if (!status.ok()) return Fail(status);
  if (!flushed.ok()) return Fail(flushed);
  std::fprintf(stderr, "%llu records sent to %s\n", static_cast<unsigned long long>(sent),
               line.operands[0].c_str());
  return kDone;
}

}  // namespace freshet

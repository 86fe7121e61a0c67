#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/open_log.h"
#include "engine/cli/record_key.h"
#include "engine/format/format.h"

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

struct Sending {
  uint64_t line = 0;  // of standard input, from 1: the last one looked at
  uint64_t records = 0;
};

// Sends the lines of standard input; stops at the first that cannot be sent.
Status SendLines(const CommandLine& line, const TopicInfo& topic, Producer& producer, Sending& at) {
  std::optional<RecordKey> key;
  if (!line.key.empty()) key.emplace(line.key);
  const std::unique_ptr<Decoder> object = FindFormat("json")->decoder({});
  const SystemClock clock;
  for (std::string text; std::getline(std::cin, text);) {
    ++at.line;
    const size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos && !line.raw) continue;
    OutgoingRecord record;
    record.topic = line.operands[0];
    record.timestamp = clock.Now();
    record.value = text;
    std::string key_text;
    record.partition = static_cast<int32_t>(at.records % static_cast<uint64_t>(topic.partitions));
    if (key) {
      Result<std::string> found = key->Of(text);
      if (!found.ok()) return found.status();
      key_text = std::move(*found);
      record.key = key_text;
      record.partition = static_cast<int32_t>(ShardOf(key_text, static_cast<uint32_t>(topic.partitions)));
    } else if (!line.raw) {
      if (const std::optional<Rejection> bad = object->Decode(text, {}))
        return Invalid("no JSON object (" + bad->detail + "); --raw sends lines as they are");
    }
    if (Status s = producer.Send(record); !s.ok()) return s;
    ++at.records;
  }
  if (std::cin.bad()) return {Code::kExhausted, "standard input cannot be read any further"};
  return {};
}

// What stands in the topic where the sending stopped, so that nothing need be sent twice.
Status StoppedAt(const Sending& at, const Status& why, const Status& flushed) {
  const std::string number = std::to_string(at.line);
  const std::string records = std::to_string(at.records) + (at.records == 1 ? " record" : " records");
  if (!flushed.ok()) {
    return {flushed.code(), flushed.message() + "; of the " + records + " up to line " + number +
                                " not all were sent: `freshet consume` tells which"};
  }
  const std::string before =
      at.records == 0 ? "nothing was sent: mend it, and send all of it again"
                      : "the " + records +
                            " of the lines before it were sent: mend it, and send on from there (`tail -n +" +
                            number + "`)";
  return {why.code(), "line " + number + ": " + why.message() + "; " + before};
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
  Sending at;
  const Status status = SendLines(line, *topic, **producer, at);
  const Status flushed = (*producer)->Flush(kFlushWithin);
  if (!status.ok() || !flushed.ok()) return Fail(StoppedAt(at, status, flushed));
  std::fprintf(stderr, "%" PRIu64 " records sent to %s\n", at.records, line.operands[0].c_str());
  return kDone;
}

}  // namespace freshet

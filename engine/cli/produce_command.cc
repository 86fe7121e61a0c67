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
  uint64_t next = 1;  // line of standard input, from 1: all before it were sent
  uint64_t records = 0;
};

// Makes the record of a line, which keeps its value, and `key_text` its key.
Result<OutgoingRecord> RecordOf(const CommandLine& line, const TopicInfo& topic, const std::string& text,
                                RecordKey* key, Decoder& object, uint64_t number, std::string& key_text) {
  OutgoingRecord record;
  record.topic = line.operands[0];
  record.value = text;
  record.partition = static_cast<int32_t>(number % static_cast<uint64_t>(topic.partitions));
  if (key != nullptr) {
    Result<std::string> found = key->Of(text);
    if (!found.ok()) return found.status();
    key_text = std::move(*found);
    record.key = key_text;
    record.partition = static_cast<int32_t>(ShardOf(key_text, static_cast<uint32_t>(topic.partitions)));
  } else if (!line.raw) {
    if (const std::optional<Rejection> bad = object.Decode(text, {}))
      return Invalid("no JSON object (" + bad->detail + "); --raw sends lines as they are");
  }
  return record;
}

// Sends the lines of standard input; stops at the first that cannot be sent.
Status SendLines(const CommandLine& line, const TopicInfo& topic, Producer& producer, Sending& at) {
  std::optional<RecordKey> key;
  if (!line.key.empty()) key.emplace(line.key);
  const std::unique_ptr<Decoder> object = FindFormat("json")->decoder({});
  const SystemClock clock;
  std::string key_text;
  for (std::string text; std::getline(std::cin, text); ++at.next) {
    if (text.find_first_not_of(" \t\r") == std::string::npos && !line.raw) continue;
    Result<OutgoingRecord> record =
        RecordOf(line, topic, text, key ? &*key : nullptr, *object, at.records, key_text);
    if (record.ok()) record->timestamp = clock.Now();
    const Status sent = record.ok() ? producer.Send(*record) : record.status();
    if (!sent.ok()) return sent.Within("line " + std::to_string(at.next));
    ++at.records;
  }
  // std::cin reads through stdin, and takes its errors for the end.
  if (std::ferror(stdin) == 0) return {};
  return {Code::kExhausted, "standard input cannot be read from line " + std::to_string(at.next) + " on"};
}

// What stands in the topic where the sending stopped, so that nothing need be sent twice.
Status StoppedAt(const Sending& at, const Status& why, const Status& flushed) {
  const std::string records = std::to_string(at.records) + (at.records == 1 ? " record" : " records");
  const std::string next = std::to_string(at.next);
  if (!flushed.ok()) {
    return {flushed.code(), (why.ok() ? "" : why.message() + "; ") + flushed.message() + "; of the " +
                                records + " of the lines before " + next +
                                " not all were sent: `freshet consume` tells which"};
  }
  const std::string before =
      at.records == 0 ? "nothing was sent: mend it, and send all of it again"
                      : "the " + records +
                            " of the lines before it were sent: mend it, and send on from there (`tail -n +" +
                            next + "`)";
  return {why.code(), why.message() + "; " + before};
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

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/number.h"
#include "engine/base/time.h"
#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/line_output.h"
#include "engine/cli/open_log.h"
#include "engine/cli/signals.h"
#include "engine/format/format.h"
#include "engine/format/json_text.h"

namespace freshet {

namespace {

constexpr Duration kWait = 250 * kMillisecond;  // for records; a signal is seen after it

struct Part {
  PartitionId id;
  int64_t until = INT64_MAX;
  PartitionReader* reader = nullptr;
};

// Bytes as a JSON value: the text itself where it is a JSON object, else a string.
void AppendValue(std::string_view text, Decoder& anything, std::string& out) {
  if (!anything.Decode(text, {})) {
    out += text;
  } else {
    AppendJsonString(text, out);
  }
}

std::string Envelope(const PartitionId& id, const RecordView& record, Decoder& anything) {
  std::string out = "{\"topic\":";
  AppendJsonString(id.topic, out);
  out += ",\"partition\":" + std::to_string(id.partition) + ",\"offset\":" + std::to_string(record.offset) +
         ",\"timestamp\":\"" + FormatTimestamp(record.timestamp) + "\"";
  if (record.key) {
    out += ",\"key\":";
    AppendJsonString(*record.key, out);
  }
  if (!record.headers.empty()) {
    char separator = '{';
    out += ",\"headers\":";
    for (const Header& header : record.headers) {
      out.push_back(separator);
      AppendJsonString(header.key, out);
      out.push_back(':');
      AppendJsonString(header.value, out);
      separator = ',';
    }
    out.push_back('}');
  }
  out += ",\"value\":";
  if (record.value) {
    AppendValue(*record.value, anything, out);
  } else {
    out += "null";
  }
  return out + "}";
}

Result<int32_t> PartitionsOf(const std::string& topic, Log& log) {
  Result<std::optional<TopicInfo>> info = log.Find(topic);
  if (!info.ok()) return info.status();
  if (!*info) return Status{Code::kNotFound, "there is no topic `" + topic + "` on " + log.Describe()};
  return (*info)->partitions;
}

Result<std::vector<Part>> AssignAll(const CommandLine& line, int32_t partitions, Log& log,
                                    Consumer& consumer) {
  const std::string& topic = line.operands[0];
  std::vector<Part> parts;
  for (int32_t p = 0; p < partitions; ++p) {
    Part part;
    part.id = {topic, p};
    Result<OffsetRange> range = log.Range(part.id, Isolation::kCommitted);
    if (!range.ok()) return range.status();
    if (line.until_end) part.until = range->end;
    Result<PartitionReader*> reader =
        consumer.Assign(part.id, line.from_beginning ? range->begin : range->end);
    if (!reader.ok()) return reader.status();
    part.reader = *reader;
    parts.push_back(std::move(part));
  }
  return parts;
}

// Prints what is at hand; whether anything was.
Result<bool> PrintPart(const CommandLine& line, const StopSignal& stop, Part& part, Decoder& anything,
                       LineOutput& out) {
  bool any = false;
  while (!stop.requested() && part.reader->position() < part.until) {
    Result<const RecordView*> next = part.reader->Next();
    if (!next.ok()) return next.status();
    if (*next == nullptr || (*next)->offset >= part.until) break;
    any = true;
    const RecordView& record = **next;
    const std::string envelope = line.envelope ? Envelope(part.id, record, anything) : std::string();
    const std::string_view text = line.envelope ? envelope : record.value.value_or("");
    if (Status s = out.Add(text); !s.ok()) return s;
  }
  return any;
}

// Who follows has what came until the signal; who wanted all up to the end has not.
int Stopped(const CommandLine& line, const std::vector<Part>& parts) {
  if (!line.until_end) return kDone;
  const auto open =
      std::count_if(parts.begin(), parts.end(), [](const Part& p) { return p.reader->position() < p.until; });
  return Fail({Code::kCancelled, "stopped by a signal: " + std::to_string(open) + " of " +
                                     std::to_string(parts.size()) +
                                     " partitions were not read to their end"});
}

int Print(const CommandLine& line, const StopSignal& stop, Consumer& consumer, std::vector<Part>& parts) {
  const std::unique_ptr<Decoder> anything = FindFormat("json")->decoder({});
  LineOutput out(stop);
  const auto ended = [&](const Status& status) {
    if (status.code() != Code::kCancelled) return Fail(status);
    return stop.requested() ? Stopped(line, parts) : kDone;
  };
  while (true) {
    bool any = false;
    bool open = false;
    for (Part& part : parts) {
      Result<bool> printed = PrintPart(line, stop, part, *anything, out);
      if (!printed.ok()) return ended(printed.status());
      any = any || *printed;
      open = open || part.reader->position() < part.until;
    }
    if (open && any && !stop.requested()) continue;
    if (Status s = out.Flush(); !s.ok()) return ended(s);
    if (!open) return kDone;
    if (stop.requested()) return Stopped(line, parts);
    if (Result<GroupChange> change = consumer.Poll(kWait); !change.ok()) return Fail(change.status());
  }
}

}  // namespace

int ConsumeCommand(const CommandLine& line) {
  LogAccess access;
  access.read_only = true;
  Result<std::unique_ptr<Log>> log = OpenLog(line, access);
  if (!log.ok()) return Fail(log.status());
  const Result<int32_t> partitions = PartitionsOf(line.operands[0], **log);
  if (!partitions.ok()) return Fail(partitions.status());
  ConsumerOptions options;
  options.partitions = *partitions;
  options.headers = line.envelope;
  Result<std::unique_ptr<Consumer>> consumer = (*log)->OpenConsumer(options);
  if (!consumer.ok()) return Fail(consumer.status());
  Result<std::vector<Part>> parts = AssignAll(line, *partitions, **log, **consumer);
  if (!parts.ok()) return Fail(parts.status());
  return Print(line, StopOnSignals(), **consumer, *parts);
}

}  // namespace freshet

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "engine/base/number.h"
#include "engine/base/time.h"
#include "engine/cli/commands.h"
#include "engine/cli/exit.h"
#include "engine/cli/open_log.h"
#include "engine/format/format.h"
#include "engine/format/json_text.h"

namespace freshet {

namespace {

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

Result<std::vector<Part>> AssignAll(const CommandLine& line, Log& log, Consumer& consumer) {
  const std::string& topic = line.operands[0];
  Result<std::optional<TopicInfo>> info = log.Find(topic);
  if (!info.ok()) return info.status();
  if (!*info) return Status{Code::kNotFound, "there is no topic `" + topic + "` on " + log.Describe()};
  std::vector<Part> parts;
  for (int32_t p = 0; p < (*info)->partitions; ++p) {
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

// A reader that has seen enough (`| head`) closes the pipe; anything else loses records.
Status OutputFailed() {
  if (errno == EPIPE) return {Code::kCancelled, "standard output was closed"};
  return {Code::kExhausted, "cannot write to standard output (" + std::string(std::strerror(errno)) +
                                "): it lacks records; mend that and consume again"};
}

// Prints what is at hand; whether anything was.
Result<bool> PrintPart(const CommandLine& line, Part& part, Decoder& anything) {
  bool any = false;
  while (part.reader->position() < part.until) {
    Result<const RecordView*> next = part.reader->Next();
    if (!next.ok()) return next.status();
    if (*next == nullptr || (*next)->offset >= part.until) break;
    any = true;
    const RecordView& record = **next;
    std::string text =
        line.envelope ? Envelope(part.id, record, anything) : std::string(record.value.value_or(""));
    text.push_back('\n');
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      return OutputFailed();
    }
  }
  return any;
}

int Ended(const Status& status) {
  return status.code() == Code::kCancelled ? kDone : Fail(status);
}

}  // namespace

int ConsumeCommand(const CommandLine& line) {
  std::signal(SIGPIPE, SIG_IGN);
  LogAccess access;
  access.read_only = true;
  Result<std::unique_ptr<Log>> log = OpenLog(line, access);
  if (!log.ok()) return Fail(log.status());
  Result<std::unique_ptr<Consumer>> consumer = (*log)->OpenConsumer({});
  if (!consumer.ok()) return Fail(consumer.status());
  Result<std::vector<Part>> parts = AssignAll(line, **log, **consumer);
  if (!parts.ok()) return Fail(parts.status());
  const std::unique_ptr<Decoder> anything = FindFormat("json")->decoder({});
  while (true) {
    bool any = false;
    bool open = false;
    for (Part& part : *parts) {
      Result<bool> printed = PrintPart(line, part, *anything);
      if (!printed.ok()) return Ended(printed.status());
      any = any || *printed;
      open = open || part.reader->position() < part.until;
    }
    if (open && any) continue;
    if (std::fflush(stdout) != 0) return Ended(OutputFailed());
    if (!open) return kDone;
    if (Result<GroupChange> change = (*consumer)->Poll(100 * kMillisecond); !change.ok())
      return Fail(change.status());
  }
}

}  // namespace freshet

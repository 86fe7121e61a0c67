#include "tests/harness/log_suite.h"

#include <chrono>
#include <ostream>
#include <stdexcept>
#include <thread>

namespace freshet {

namespace {

std::vector<LogCase> Together() {
  std::vector<LogCase> cases;
  for (const std::vector<LogCase>& part :
       {LogRecordCases(), LogReaderCases(), LogTransactionCases(), LogGroupCases()}) {
    cases.insert(cases.end(), part.begin(), part.end());
  }
  return cases;
}

void PrintBytes(std::ostream& out, const std::optional<std::string>& bytes) {
  if (!bytes) {
    out << "absent";
  } else if (bytes->size() > 60) {
    out << bytes->size() << " bytes";
  } else {
    out << testing::PrintToString(*bytes);
  }
}

}  // namespace

const std::vector<LogCase>& LogCases() {
  static const std::vector<LogCase> cases = Together();
  return cases;
}

std::string LogCaseName(const testing::TestParamInfo<LogCase>& info) {
  return info.param.name;
}
void PrintTo(const LogCase& log_case, std::ostream* out) {
  *out << log_case.name;
}

void Must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(std::string(NameOf(status.code())) + ": " + status.message());
}

OwnedRecord Own(const RecordView& record) {
  OwnedRecord owned;
  owned.offset = record.offset;
  owned.timestamp = record.timestamp;
  if (record.key) owned.key.emplace(*record.key);
  if (record.value) owned.value.emplace(*record.value);
  for (const Header& header : record.headers)
    owned.headers.emplace_back(header.key, header.value);
  return owned;
}

std::ostream& operator<<(std::ostream& out, const OwnedRecord& record) {
  out << "{offset " << record.offset << ", timestamp " << record.timestamp << ", key ";
  PrintBytes(out, record.key);
  out << ", value ";
  PrintBytes(out, record.value);
  return out << ", headers " << testing::PrintToString(record.headers) << "}";
}

std::string LogSession::Topic(std::string_view base, int32_t partitions, bool compacted) {
  const std::string name = fixture_->Name(base);
  TopicSettings settings;
  settings.partitions = partitions;
  settings.compacted = compacted;
  settings.retention = kMaxTime;  // the suite's timestamps lie years back
  Must(log().Create(name, settings));
  return name;
}

std::unique_ptr<Consumer> LogSession::Reader(Isolation isolation, int64_t prefetch) {
  ConsumerOptions options;
  options.isolation = isolation;
  options.prefetch_bytes = prefetch;
  return Must(log().OpenConsumer(options));
}

std::unique_ptr<Consumer> LogSession::GroupConsumer(const ConsumerOptions& options) {
  return Must(log().OpenConsumer(options));
}

std::unique_ptr<Consumer> LogSession::Member(const std::string& group, const std::string& placement) {
  ConsumerOptions options;
  options.group = group;
  std::unique_ptr<Consumer> consumer = GroupConsumer(options);
  Must(consumer->Join(placement));
  const std::optional<TopicInfo> topic = Must(log().Find(placement));
  size_t held = 0;
  const auto start = std::chrono::steady_clock::now();
  while (!topic || held < static_cast<size_t>(topic->partitions)) {
    held += Must(consumer->Poll(100 * kMillisecond)).assigned.size();
    if (std::chrono::steady_clock::now() - start > std::chrono::microseconds(fixture_->patience())) {
      throw std::runtime_error("the group gave " + std::to_string(held) + " partitions of " + placement);
    }
  }
  return consumer;
}

std::unique_ptr<Producer> LogSession::Plain() {
  return Must(log().OpenProducer({}));
}

std::unique_ptr<Producer> LogSession::Transactional(const std::string& id) {
  ProducerOptions options;
  options.transactional_id = id;
  std::unique_ptr<Producer> producer = Must(log().OpenProducer(options));
  Must(producer->Init());
  return producer;
}

bool LogSession::PollUntil(Consumer& consumer, const std::function<bool()>& done) {
  const auto start = std::chrono::steady_clock::now();
  while (!done()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::microseconds(fixture_->patience()))
      return false;
    Must(consumer.Poll(50 * kMillisecond));
  }
  return true;
}

std::vector<OwnedRecord> LogSession::ReadToEnd(Consumer& consumer, PartitionReader& reader) {
  std::vector<OwnedRecord> records;
  const bool reached = PollUntil(consumer, [&] {
    while (const RecordView* record = Must(reader.Next()))
      records.push_back(Own(*record));
    return reader.at_end();
  });
  if (!reached)
    throw std::runtime_error("no end of the partition after " + std::to_string(records.size()) + " records");
  return records;
}

std::vector<OwnedRecord> LogSession::ReadAll(const std::string& topic, int32_t partition, int64_t from,
                                             Isolation isolation) {
  const OffsetRange range = Settled(topic, partition);
  std::unique_ptr<Consumer> consumer = Reader(isolation);
  if (from < 0) from = range.begin;
  PartitionReader* reader = Must(consumer->Assign({topic, partition}, from));
  return ReadToEnd(*consumer, *reader);
}

OffsetRange LogSession::Settled(const std::string& topic, int32_t partition) {
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    const OffsetRange stable = Range(topic, partition, Isolation::kCommitted);
    if (stable.end == Range(topic, partition, Isolation::kUncommitted).end) return stable;
    if (std::chrono::steady_clock::now() - start > std::chrono::microseconds(fixture_->patience()))
      throw std::runtime_error("a transaction stays open on " + topic);
    std::this_thread::yield();
  }
}

OffsetRange LogSession::Range(const std::string& topic, int32_t partition, Isolation isolation) {
  return Must(log().Range({topic, partition}, isolation));
}

OutgoingRecord MakeRecord(std::string_view topic, int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, Time timestamp) {
  OutgoingRecord record;
  record.topic = topic;
  record.partition = partition;
  record.timestamp = timestamp;
  record.key = key;
  record.value = value;
  return record;
}

void SendAll(Producer& producer, std::string_view topic, int32_t partition,
             const std::vector<std::string>& values) {
  for (const std::string& value : values)
    Must(producer.Send(MakeRecord(topic, partition, std::nullopt, value)));
}

std::vector<std::string> ValuesOf(const std::vector<OwnedRecord>& records) {
  std::vector<std::string> values;
  for (const OwnedRecord& record : records)
    values.push_back(record.value.value_or("(tombstone)"));
  return values;
}

}  // namespace freshet

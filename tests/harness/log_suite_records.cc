// What a log keeps: topics, and records with all they carry.
#include <algorithm>
#include <map>
#include <set>

#include "tests/harness/log_suite.h"

namespace freshet {

namespace {

constexpr Time kSomeTime = 1'357'000'000'123'000;

void TopicsAreCreatedFoundAndListed(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string absent = fixture.Name("absent");
  EXPECT_FALSE(Must(session.log().Find(absent)).has_value());
  const std::string plain = session.Topic("plain", 3);
  const std::string compacted = session.Topic("compacted", 1, true);

  const std::optional<TopicInfo> found = Must(session.log().Find(plain));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->partitions, 3);
  EXPECT_GE(found->max_record_bytes, 100'000);
  EXPECT_FALSE(found->compacted);
  const std::optional<TopicInfo> other = Must(session.log().Find(compacted));
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->partitions, 1);
  EXPECT_TRUE(other->compacted);

  const std::vector<std::string> names = Must(session.log().Topics());
  const std::set<std::string> set(names.begin(), names.end());
  EXPECT_TRUE(set.contains(plain));
  EXPECT_TRUE(set.contains(compacted));
  EXPECT_FALSE(set.contains(absent));
  EXPECT_EQ(set.size(), names.size());
}

void CreatingAnExistingTopicIsAConflict(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 2);
  TopicSettings settings;
  settings.partitions = 5;
  EXPECT_EQ(session.log().Create(topic, settings).code(), Code::kConflict);
  EXPECT_EQ(Must(session.log().Find(topic))->partitions, 2);
}

void UnknownTopicsAndPartitionsAreErrors(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 2);
  const std::string absent = fixture.Name("absent");
  std::unique_ptr<Consumer> consumer = session.Reader();
  for (const PartitionId& id : {PartitionId{absent, 0}, PartitionId{topic, 2}, PartitionId{topic, -1}}) {
    SCOPED_TRACE(id.topic + "[" + std::to_string(id.partition) + "]");
    EXPECT_EQ(session.log().Range(id, Isolation::kCommitted).status().code(), Code::kNotFound);
    EXPECT_EQ(consumer->Assign(id, 0).status().code(), Code::kNotFound);
    std::unique_ptr<Producer> producer = session.Transactional(fixture.Name("producer"));
    std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
    Must(producer->Begin());
    Status status = producer->Send(MakeRecord(id.topic, id.partition, "k", "v"));
    if (status.ok()) status = producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 1}}, *member);
    EXPECT_FALSE(status.ok());
  }
  EXPECT_TRUE(session.ReadAll(topic, 0).empty());
  EXPECT_TRUE(session.ReadAll(topic, 1).empty());
}

void RecordsComeBackAsSent(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  const std::string binary("\0\1\xff\x80 \n\0", 7);
  const std::string large(90'000, 'x');
  const std::vector<Header> headers = {
      {"reason", "not JSON"}, {"origin", binary}, {"empty", ""}, {"reason", "twice"}};
  struct Sent {
    std::optional<std::string> key;
    std::optional<std::string> value;
    Time timestamp;
    bool with_headers;
  };
  const std::vector<Sent> all = {
      {std::nullopt, "no key", kSomeTime, false},    {"", "empty key", kSomeTime + 5 * kSecond, true},
      {binary, binary, kSomeTime - kDay, false},     {"tombstone", std::nullopt, kSomeTime, false},
      {"tombstone", std::nullopt, kSomeTime, true},  {"empty value", "", kSomeTime, false},
      {std::nullopt, std::nullopt, kSomeTime, true}, {"large", large, kSomeTime, true},
      {large, "large key", kSecond, false},
  };
  std::unique_ptr<Producer> producer = session.Plain();
  std::vector<OwnedRecord> expected;
  for (const Sent& sent : all) {
    OutgoingRecord record = MakeRecord(topic, 0, sent.key, sent.value, sent.timestamp);
    if (sent.with_headers) record.headers = headers;
    Must(producer->Send(record));
    OwnedRecord& like = expected.emplace_back();
    like.timestamp = sent.timestamp;
    like.key = sent.key;
    like.value = sent.value;
    if (!sent.with_headers) continue;
    for (const Header& header : headers)
      like.headers.emplace_back(header.key, header.value);
  }
  Must(producer->Flush(fixture.patience()));
  std::vector<OwnedRecord> read = session.ReadAll(topic);
  ASSERT_EQ(read.size(), expected.size());
  for (size_t i = 0; i < read.size(); ++i) {
    expected[i].offset = read[i].offset;
    EXPECT_EQ(read[i], expected[i]);
  }
}

void OffsetsRiseWithinEachPartition(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 4);
  std::unique_ptr<Producer> producer = session.Plain();
  std::map<int32_t, std::vector<std::string>> sent;
  for (int i = 0; i < 4'000; ++i) {
    const int32_t partition = i % 7 % 4;
    const std::string value = std::to_string(i);
    Must(producer->Send(MakeRecord(topic, partition, std::nullopt, value)));
    sent[partition].push_back(value);
    if (i % 1'000 == 999) Must(producer->Flush(fixture.patience()));
  }
  for (int32_t partition = 0; partition < 4; ++partition) {
    const std::vector<OwnedRecord> read = session.ReadAll(topic, partition);
    EXPECT_EQ(ValuesOf(read), sent[partition]);
    EXPECT_TRUE(std::is_sorted(read.begin(), read.end(),
                               [](const OwnedRecord& a, const OwnedRecord& b) {
                                 return a.offset <= b.offset;  // also finds equal ones
                               }))
        << "partition " << partition;
    EXPECT_EQ(session.Range(topic, partition).begin, read.front().offset);
    EXPECT_GT(session.Range(topic, partition).end, read.back().offset);
  }
}

void RecordsUpToTheLimitAreTakenLargerOnesRefused(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  const auto limit = static_cast<size_t>(Must(session.log().Find(topic))->max_record_bytes);
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  std::unique_ptr<Producer> producer = session.Transactional(fixture.Name("producer"));
  const std::vector<PartitionOffset> positions = {{{topic, 0}, 1}};
  const std::vector<Header> headers = {{"name", "value"}};
  const std::string fits(limit - 3 - 9, 'x');

  Must(producer->Begin());
  OutgoingRecord record = MakeRecord(topic, 0, "key", fits);
  record.headers = headers;
  Must(producer->Send(record));
  Must(producer->Commit(positions, *member));

  Must(producer->Begin());
  const std::string too_large(limit + 1, 'y');
  Status refused = producer->Send(MakeRecord(topic, 0, "", too_large));
  if (refused.ok()) refused = producer->Commit(positions, *member);
  EXPECT_EQ(refused.code(), Code::kUnwritable) << refused.message();
  EXPECT_FALSE(refused.message().empty());
  Must(producer->Abort());

  Must(producer->Begin());
  Must(producer->Send(MakeRecord(topic, 0, "key", "small again")));
  Must(producer->Commit(positions, *member));
  const std::vector<OwnedRecord> read = session.ReadAll(topic);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].value, fits);
  EXPECT_EQ(read[1].value, "small again");
}

// What a plain producer refused is told once, by Send; the rest is written.
void ARefusedRecordLeavesTheOthers(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  const auto limit = static_cast<size_t>(Must(session.log().Find(topic))->max_record_bytes);
  std::unique_ptr<Producer> producer = session.Plain();
  Must(producer->Send(MakeRecord(topic, 0, "key", "before")));
  const std::string too_large(limit + 1, 'y');
  EXPECT_EQ(producer->Send(MakeRecord(topic, 0, "key", too_large)).code(), Code::kInvalid);
  EXPECT_FALSE(producer->Send(MakeRecord(topic, 99, "key", "nowhere")).ok());
  Must(producer->Send(MakeRecord(topic, 0, "key", "after")));
  EXPECT_OK(producer->Flush(kMinute));
  EXPECT_EQ(ValuesOf(session.ReadAll(topic)), (std::vector<std::string>{"before", "after"}));
}

void CompactedTopicsKeepTheLastOfEachKey(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("compacted", 2, true);
  const std::string other = session.Topic("other", 1);
  std::unique_ptr<Producer> producer = session.Plain();
  constexpr int kRounds = 60;
  constexpr int kKeys = 50;
  for (int round = 0; round < kRounds; ++round) {
    for (int key = 0; key < kKeys; ++key) {
      const std::string name = "key" + std::to_string(key);
      const std::string value = std::to_string(round) + " " + std::string(200, 'v');
      const bool ends = key % 10 == 3 && round == kRounds - 1;  // a tombstone last
      Must(producer->Send(
          MakeRecord(topic, key % 2, name, ends ? std::nullopt : std::optional<std::string_view>(value))));
      Must(producer->Send(MakeRecord(other, 0, name, value)));
    }
    Must(producer->Flush(fixture.patience()));
  }
  std::map<std::string, OwnedRecord> last;
  for (int32_t partition = 0; partition < 2; ++partition) {
    for (const OwnedRecord& record : session.ReadAll(topic, partition))
      last[*record.key] = record;
  }
  ASSERT_EQ(last.size(), static_cast<size_t>(kKeys));
  const OffsetRange before = session.Range(topic, 0);
  producer.reset();
  fixture.Compact(topic);

  size_t kept = 0;
  std::map<std::string, OwnedRecord> after;
  for (int32_t partition = 0; partition < 2; ++partition) {
    const std::vector<OwnedRecord> read = session.ReadAll(topic, partition);
    kept += read.size();
    int64_t previous = -1;
    for (const OwnedRecord& record : read) {
      EXPECT_GT(record.offset, previous);
      previous = record.offset;
      after[*record.key] = record;
    }
  }
  EXPECT_LT(kept, static_cast<size_t>(kRounds * kKeys / 2));
  for (const auto& [key, record] : last) {
    if (record.value || after.contains(key)) {
      EXPECT_EQ(after[key], record);
    }
  }
  EXPECT_LE(after.size(), last.size());
  EXPECT_EQ(session.Range(topic, 0).end, before.end);
  EXPECT_EQ(session.ReadAll(other).size(), static_cast<size_t>(kRounds * kKeys));
}

void EverythingOutlivesReopening(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 2);
  const std::string placement = session.Topic("placement");
  const std::string group = fixture.Name("group");
  const std::string id = fixture.Name("producer");
  {
    std::unique_ptr<Consumer> member = session.Member(group, placement);
    std::unique_ptr<Producer> producer = session.Transactional(id);
    Must(producer->Begin());
    SendAll(*producer, topic, 0, {"a", "b"});
    SendAll(*producer, topic, 1, {"c"});
    Must(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 17}}, *member));
    Must(producer->Begin());
    SendAll(*producer, topic, 0, {"never committed"});
    Must(member->Close(fixture.patience()));
  }
  const int64_t last = session.ReadAll(topic, 0).back().offset;
  fixture.Reopen();
  EXPECT_EQ(ValuesOf(session.ReadAll(topic, 0)), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ValuesOf(session.ReadAll(topic, 1)), (std::vector<std::string>{"c"}));
  EXPECT_EQ(Must(session.log().Find(topic))->partitions, 2);
  std::unique_ptr<Consumer> member = session.Member(group, placement);
  const std::vector<PartitionId> ids = {{topic, 0}, {topic, 1}};
  EXPECT_EQ(Must(member->Committed(ids)), (std::vector<std::optional<int64_t>>{17, std::nullopt}));
  std::unique_ptr<Producer> producer = session.Transactional(id);
  Must(producer->Begin());
  SendAll(*producer, topic, 0, {"d"});
  Must(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, 18}}, *member));
  const std::vector<OwnedRecord> read = session.ReadAll(topic, 0);
  EXPECT_EQ(ValuesOf(read), (std::vector<std::string>{"a", "b", "d"}));
  EXPECT_GT(read.back().offset, last);
}

}  // namespace

std::vector<LogCase> LogRecordCases() {
  return {
      {"TopicsAreCreatedFoundAndListed", TopicsAreCreatedFoundAndListed},
      {"CreatingAnExistingTopicIsAConflict", CreatingAnExistingTopicIsAConflict},
      {"UnknownTopicsAndPartitionsAreErrors", UnknownTopicsAndPartitionsAreErrors},
      {"RecordsComeBackAsSent", RecordsComeBackAsSent},
      {"OffsetsRiseWithinEachPartition", OffsetsRiseWithinEachPartition},
      {"RecordsUpToTheLimitAreTakenLargerOnesRefused", RecordsUpToTheLimitAreTakenLargerOnesRefused},
      {"ARefusedRecordLeavesTheOthers", ARefusedRecordLeavesTheOthers},
      {"CompactedTopicsKeepTheLastOfEachKey", CompactedTopicsKeepTheLastOfEachKey},
      {"EverythingOutlivesReopening", EverythingOutlivesReopening},
  };
}

}  // namespace freshet

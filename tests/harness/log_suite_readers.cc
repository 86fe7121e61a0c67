// How a log is read: from anywhere, past markers to the end, with lag known or not, woken when something
// comes.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/harness/log_suite.h"

namespace freshet {

namespace {

std::vector<std::string> Numbers(int from, int to) {
  std::vector<std::string> values;
  for (int i = from; i < to; ++i)
    values.push_back(std::to_string(i));
  return values;
}

void Append(LogFixture& fixture, const std::string& topic, const std::vector<std::string>& values) {
  LogSession session(fixture);
  std::unique_ptr<Producer> producer = session.Plain();
  SendAll(*producer, topic, 0, values);
  Must(producer->Flush(fixture.patience()));
}

// What must hold of a reader at any moment after a call of Next.
void CheckReader(const PartitionReader& reader, bool at_hand) {
  EXPECT_FALSE(reader.at_end() && reader.has_known_lag());
  EXPECT_FALSE(at_hand && reader.at_end()) << "the end was reached, but a record has come since";
  if (at_hand || reader.at_end()) return;
  EXPECT_EQ(reader.has_known_lag(), reader.end_seen() > reader.position())
      << "position " << reader.position() << ", end seen " << reader.end_seen();
}

void ReadsFromAnyOffset(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  Append(fixture, topic, Numbers(0, 500));
  const std::vector<OwnedRecord> all = session.ReadAll(topic);
  ASSERT_EQ(all.size(), 500U);
  for (const size_t from : {0U, 1U, 250U, 499U}) {
    const std::vector<OwnedRecord> read = session.ReadAll(topic, 0, all[from].offset);
    ASSERT_EQ(read.size(), all.size() - from);
    EXPECT_EQ(read.front(), all[from]);
    EXPECT_EQ(read.back(), all.back());
  }
  EXPECT_TRUE(session.ReadAll(topic, 0, session.Range(topic).end).empty());
}

void ReleasedPartitionsAreReadAgainFromWhereAsked(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  Append(fixture, topic, Numbers(0, 300));
  const std::vector<OwnedRecord> all = session.ReadAll(topic);
  std::unique_ptr<Consumer> consumer = session.Reader();
  const PartitionId id{topic, 0};
  for (const size_t from : {200U, 10U, 10U, 150U, 0U}) {
    PartitionReader* reader = Must(consumer->Assign(id, all[from].offset));
    const RecordView* record = nullptr;
    for (size_t taken = 0; taken < 40; ++taken) {
      ASSERT_TRUE(session.PollUntil(*consumer, [&] { return (record = Must(reader->Next())) != nullptr; }));
      ASSERT_EQ(Own(*record), all[from + taken]);
      EXPECT_EQ(reader->position(), record->offset + 1);
    }
    Must(consumer->Release(id));
  }
  EXPECT_FALSE(consumer->Release(id).ok()) << "it is not assigned any more";
}

void PartitionsOfOneConsumerAreReadIndependently(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 2);
  std::unique_ptr<Producer> producer = session.Plain();
  SendAll(*producer, topic, 0, Numbers(0, 100));
  SendAll(*producer, topic, 1, Numbers(100, 400));
  Must(producer->Flush(fixture.patience()));
  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* first = Must(consumer->Assign({topic, 0}, session.Range(topic, 0).begin));
  PartitionReader* second = Must(consumer->Assign({topic, 1}, session.Range(topic, 1).begin));
  EXPECT_FALSE(consumer->Assign({topic, 1}, 0).ok()) << "assigned twice";
  EXPECT_EQ(ValuesOf(session.ReadToEnd(*consumer, *second)), Numbers(100, 400));
  const RecordView* record = nullptr;
  ASSERT_TRUE(session.PollUntil(*consumer, [&] { return (record = Must(first->Next())) != nullptr; }));
  EXPECT_EQ(record->value, "0");
  Must(consumer->Release({topic, 1}));
  EXPECT_EQ(ValuesOf(session.ReadToEnd(*consumer, *first)), Numbers(1, 100));
}

void EndIsReachedOnAnEmptyPartition(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  EXPECT_TRUE(session.ReadToEnd(*consumer, *reader).empty());
  EXPECT_EQ(reader->position(), 0);
  EXPECT_EQ(reader->end_seen(), 0);
  EXPECT_FALSE(reader->has_known_lag());
  const OffsetRange range = session.Range(topic);
  EXPECT_EQ(range.begin, 0);
  EXPECT_EQ(range.end, 0);
}

void EndIsReachedPastMarkersAndLeftByNewRecords(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> member = session.Member(fixture.Name("group"), session.Topic("placement"));
  std::unique_ptr<Producer> producer = session.Transactional(fixture.Name("producer"));
  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  for (int round = 0; round < 4; ++round) {
    Must(producer->Begin());
    SendAll(*producer, topic, 0, {"a", "b"});
    Must(producer->Commit(std::vector<PartitionOffset>{{{topic, 0}, round}}, *member));
    if (round % 2 == 1) {  // an aborted tail
      Must(producer->Begin());
      SendAll(*producer, topic, 0, {"x", "y"});
      Must(producer->Abort());
    }
    std::vector<std::string> read;
    ASSERT_TRUE(session.PollUntil(*consumer, [&] {
      const RecordView* record = Must(reader->Next());
      CheckReader(*reader, record != nullptr);
      if (record == nullptr) return false;
      EXPECT_EQ(reader->position(), record->offset + 1);
      read.emplace_back(*record->value);
      return read.size() == 2;
    }));
    EXPECT_EQ(read, (std::vector<std::string>{"a", "b"}));
    const int64_t end = session.Settled(topic).end;
    ASSERT_TRUE(session.PollUntil(*consumer,
                                  [&] {
                                    EXPECT_EQ(Must(reader->Next()), nullptr);
                                    CheckReader(*reader, false);
                                    return reader->at_end() && reader->position() == end;
                                  }))
        << "position " << reader->position() << ", end " << end;
    EXPECT_EQ(reader->end_seen(), end);
    EXPECT_FALSE(reader->has_known_lag());
  }
}

void LagIsKnownAlways(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> consumer = session.Reader(Isolation::kCommitted, 64 << 10);
  std::unique_ptr<Producer> producer = session.Plain();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  const std::string filler(500, 'f');
  std::vector<std::string> read;
  int sent = 0;
  ASSERT_TRUE(session.PollUntil(*consumer, [&] {
    if (sent < 3'000) {
      for (int i = 0; i < 300; ++i)
        Must(producer->Send(MakeRecord(topic, 0, std::to_string(sent++), filler)));
      Must(producer->Flush(fixture.patience()));
    }
    const RecordView* record = nullptr;
    for (int i = 0; i < 200 && (record = Must(reader->Next())) != nullptr; ++i) {
      CheckReader(*reader, true);
      read.emplace_back(*record->key);
    }
    CheckReader(*reader, record != nullptr);
    return read.size() == 3'000;
  }));
  EXPECT_EQ(read, Numbers(0, 3'000));
}

void LargePartitionsAreReadWholeWithLittleMemory(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 3);
  std::unique_ptr<Producer> producer = session.Plain();
  const std::string filler(400, 'f');
  constexpr int kEach = 8'000;
  for (int i = 0; i < 3 * kEach; ++i)
    Must(producer->Send(MakeRecord(topic, i % 3, std::to_string(i), filler)));
  Must(producer->Flush(fixture.patience()));
  std::unique_ptr<Consumer> consumer = session.Reader(Isolation::kCommitted, 256 << 10);
  std::vector<PartitionReader*> readers;
  for (int partition = 0; partition < 3; ++partition)
    readers.push_back(Must(consumer->Assign({topic, partition}, 0)));
  std::vector<int> next = {0, 1, 2};
  EXPECT_TRUE(session.PollUntil(*consumer, [&] {
    bool done = true;
    for (size_t i = 0; i < 3; ++i) {
      for (int n = 0; n < 700; ++n) {
        const RecordView* record = Must(readers[i]->Next());
        if (record == nullptr) break;
        EXPECT_EQ(record->key, std::to_string(next[i]));
        next[i] += 3;
      }
      done &= next[i] >= 3 * kEach;
    }
    return done || testing::Test::HasFailure();
  }));
}

void PollEndsWhenARecordComes(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  EXPECT_TRUE(session.ReadToEnd(*consumer, *reader).empty());
  std::thread writer([&] { Append(fixture, topic, {"news"}); });
  const auto start = std::chrono::steady_clock::now();
  const RecordView* record = nullptr;
  EXPECT_TRUE(session.PollUntil(*consumer, [&] {
    Must(consumer->Poll(fixture.patience()));
    return (record = Must(reader->Next())) != nullptr;
  }));
  writer.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::microseconds(fixture.patience() / 2));
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->value, "news");
}

void WakeEndsAPoll(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic");
  std::unique_ptr<Consumer> consumer = session.Reader();
  PartitionReader* reader = Must(consumer->Assign({topic, 0}, 0));
  EXPECT_TRUE(session.ReadToEnd(*consumer, *reader).empty());
  const auto start = std::chrono::steady_clock::now();
  consumer->Wake();  // before the Poll: the next one ends at once
  EXPECT_TRUE(Must(consumer->Poll(fixture.patience())).empty());
  std::thread waker([&] { consumer->Wake(); });
  EXPECT_TRUE(Must(consumer->Poll(fixture.patience())).empty());
  waker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::microseconds(fixture.patience() / 2));
}

void SeveralThreadsUseOneLog(LogFixture& fixture) {
  LogSession session(fixture);
  const std::string topic = session.Topic("topic", 3);
  constexpr int kEach = 2'000;
  std::vector<std::thread> writers;
  for (int partition = 0; partition < 3; ++partition) {
    writers.emplace_back([&fixture, &topic, partition] {
      std::unique_ptr<Producer> producer = Must(fixture.log().OpenProducer({}));
      for (int i = 0; i < kEach; ++i) {
        Must(producer->Send(MakeRecord(topic, partition, std::nullopt, std::to_string(i))));
        if (i % 500 == 499) Must(producer->Flush(fixture.patience()));
      }
    });
  }
  std::unique_ptr<Consumer> consumer = session.Reader();
  for (int partition = 0; partition < 3; ++partition) {
    PartitionReader* reader = Must(consumer->Assign({topic, partition}, 0));
    int next = 0;
    EXPECT_TRUE(session.PollUntil(*consumer, [&] {
      while (const RecordView* record = Must(reader->Next()))
        EXPECT_EQ(record->value, std::to_string(next++));
      return next >= kEach;
    }));
  }
  for (std::thread& writer : writers)
    writer.join();
}

}  // namespace

std::vector<LogCase> LogReaderCases() {
  return {
      {"ReadsFromAnyOffset", ReadsFromAnyOffset},
      {"ReleasedPartitionsAreReadAgainFromWhereAsked", ReleasedPartitionsAreReadAgainFromWhereAsked},
      {"PartitionsOfOneConsumerAreReadIndependently", PartitionsOfOneConsumerAreReadIndependently},
      {"EndIsReachedOnAnEmptyPartition", EndIsReachedOnAnEmptyPartition},
      {"EndIsReachedPastMarkersAndLeftByNewRecords", EndIsReachedPastMarkersAndLeftByNewRecords},
      {"LagIsKnownAlways", LagIsKnownAlways},
      {"LargePartitionsAreReadWholeWithLittleMemory", LargePartitionsAreReadWholeWithLittleMemory},
      {"PollEndsWhenARecordComes", PollEndsWhenARecordComes},
      {"WakeEndsAPoll", WakeEndsAPoll},
      {"SeveralThreadsUseOneLog", SeveralThreadsUseOneLog},
  };
}

}  // namespace freshet

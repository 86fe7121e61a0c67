// What only the simulated log has: faults from a seed, crashes, virtual time, Kafka's layout of offsets.
#include <chrono>
#include <stdexcept>

#include "engine/log/simulated/simulated_log.h"
#include "tests/harness/log_suite.h"

namespace freshet {
namespace {

using Positions = std::vector<PartitionOffset>;
using Values = std::vector<std::string>;

class SimulatedFaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    TopicSettings settings;
    settings.compacted = true;
    for (const char* topic : {"topic", "placement"})
      Must(log_->Create(topic, settings));
    Join();
  }
  void Open() { log_ = OpenSimulatedLog(broker_); }
  void Join() {
    ConsumerOptions options;
    options.group = "group";
    member_ = Must(log_->OpenConsumer(options));
    Must(member_->Join("placement"));
    Must(member_->Poll(0));
    NewProducer();
  }
  void NewProducer() {
    ProducerOptions options;
    options.transactional_id = "producer";
    producer_ = Must(log_->OpenProducer(options));
    Must(producer_->Init());
  }
  Status Commit(const Values& values, int64_t position) {
    Must(producer_->Begin());
    SendAll(*producer_, "topic", 0, values);
    return producer_->Commit(Positions{{{"topic", 0}, position}}, *member_);
  }
  std::optional<int64_t> Committed() {
    return Must(member_->Committed(std::vector<PartitionId>{{"topic", 0}})).front();
  }
  std::vector<OwnedRecord> Read(Isolation isolation = Isolation::kCommitted) {
    ConsumerOptions options;
    options.isolation = isolation;
    std::unique_ptr<Consumer> consumer = Must(log_->OpenConsumer(options));
    PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
    std::vector<OwnedRecord> records;
    while (!reader->at_end()) {
      while (const RecordView* record = Must(reader->Next()))
        records.push_back(Own(*record));
      Must(consumer->Poll(0));
    }
    return records;
  }
  int64_t End(Isolation isolation) { return Must(log_->Range({"topic", 0}, isolation)).end; }

  SimulatedBroker broker_{7};
  std::unique_ptr<Log> log_;
  std::unique_ptr<Consumer> member_;
  std::unique_ptr<Producer> producer_;
};

TEST_F(SimulatedFaultsTest, MarkersAndAbortedRecordsTakeOffsets) {
  Must(Commit({"a", "b"}, 1));
  Must(producer_->Begin());
  SendAll(*producer_, "topic", 0, {"x"});
  EXPECT_EQ(End(Isolation::kCommitted), 3);
  EXPECT_EQ(End(Isolation::kUncommitted), 4);
  Must(producer_->Abort());
  Must(Commit({"c"}, 2));
  const std::vector<OwnedRecord> read = Read();
  EXPECT_EQ(ValuesOf(read), (Values{"a", "b", "c"}));
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[1].offset, 1);  // 2: a marker, 3: aborted, 4: its marker
  EXPECT_EQ(read[2].offset, 5);
  EXPECT_EQ(End(Isolation::kCommitted), 7);
  EXPECT_EQ(ValuesOf(Read(Isolation::kUncommitted)), (Values{"a", "b", "x", "c"}));
}

TEST_F(SimulatedFaultsTest, AnAbortedCommitLeavesNothingAndIsRepeated) {
  broker_.set_faults({.aborted_commit = 1});
  EXPECT_EQ(Commit({"never"}, 1).code(), Code::kAborted);
  EXPECT_EQ(producer_->Send(MakeRecord("topic", 0, "k", "v")).code(), Code::kAborted) << "first Abort";
  EXPECT_FALSE(producer_->Begin().ok());
  EXPECT_EQ(producer_->Commit(Positions{{{"topic", 0}, 1}}, *member_).code(), Code::kAborted);
  Must(producer_->Abort());
  broker_.set_faults({});
  EXPECT_EQ(Committed(), std::nullopt);
  Must(Commit({"again"}, 2));
  EXPECT_EQ(ValuesOf(Read()), (Values{"again"}));
  EXPECT_EQ(Committed(), 2);
}

TEST_F(SimulatedFaultsTest, AFencedProducerStaysFenced) {
  broker_.set_faults({.fenced = 1});
  EXPECT_EQ(Commit({"never"}, 1).code(), Code::kFenced);
  broker_.set_faults({});
  EXPECT_EQ(producer_->Begin().code(), Code::kFenced);
  EXPECT_TRUE(Read().empty());
  EXPECT_EQ(Committed(), std::nullopt);
  NewProducer();
  Must(Commit({"successor"}, 1));
  EXPECT_EQ(ValuesOf(Read()), (Values{"successor"}));
}

TEST_F(SimulatedFaultsTest, ACommitInDoubtHappenedWholeOrNotAtAll) {
  broker_.set_faults({.commit_in_doubt = 1});
  int happened = 0;
  Values expected;
  std::optional<int64_t> position;
  for (int round = 0; round < 40; ++round) {
    const std::string value = std::to_string(round);
    EXPECT_EQ(Commit({value, value}, round).code(), Code::kInDoubt);
    EXPECT_EQ(producer_->Begin().code(), Code::kInDoubt);
    EXPECT_EQ(producer_->Abort().code(), Code::kInDoubt);
    NewProducer();
    if (Committed() != position) {
      ++happened;
      position = round;
      expected.insert(expected.end(), 2, value);
    }
    EXPECT_EQ(Committed(), position);
    EXPECT_EQ(ValuesOf(Read()), expected);
  }
  EXPECT_GT(happened, 5);
  EXPECT_LT(happened, 35);
}

TEST_F(SimulatedFaultsTest, TheSeedDecides) {
  const auto run = [](uint64_t seed) {
    SimulatedBroker broker(seed);
    std::unique_ptr<Log> log = OpenSimulatedLog(broker);
    Must(log->Create("topic", {}));
    ConsumerOptions options;
    options.group = "group";
    std::unique_ptr<Consumer> member = Must(log->OpenConsumer(options));
    Must(member->Join("topic"));
    PartitionReader* reader = Must(member->Assign({"topic", 0}, 0));
    broker.set_faults({.delayed_fetch = 0.3, .aborted_commit = 0.2, .commit_in_doubt = 0.1, .fenced = 0.1});
    std::string story;
    for (int i = 0; i < 100; ++i) {
      std::unique_ptr<Producer> producer = Must(log->OpenProducer({.transactional_id = "producer"}));
      Must(producer->Init());
      Must(producer->Begin());
      SendAll(*producer, "topic", 0, {"a", "b", "c"});
      story += NameOf(producer->Commit(Positions{{{"topic", 0}, i}}, *member).code());
      while (const RecordView* record = Must(reader->Next()))
        story += " " + std::to_string(record->offset);
      Must(member->Poll(5 * kMillisecond));
      story += " at " + std::to_string(broker.clock().Now()) + "\n";
    }
    return story;
  };
  const std::string first = run(3);
  EXPECT_EQ(first, run(3));
  EXPECT_NE(first, run(4));
  for (const Code code : {Code::kOk, Code::kAborted, Code::kInDoubt, Code::kFenced})
    EXPECT_NE(first.find(NameOf(code)), std::string::npos) << NameOf(code);
}

TEST_F(SimulatedFaultsTest, ADelayedFetchIsKnownLagUntilAPoll) {
  Must(Commit({"a", "b"}, 1));
  broker_.set_faults({.delayed_fetch = 1});
  std::unique_ptr<Consumer> consumer = Must(log_->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  EXPECT_EQ(Must(reader->Next()), nullptr);
  EXPECT_TRUE(reader->has_known_lag());
  EXPECT_FALSE(reader->at_end());
  EXPECT_EQ(reader->end_seen(), 3);
  const Time before = broker_.clock().Now();
  while (reader->has_known_lag())
    Must(consumer->Poll(kSecond));
  EXPECT_GT(broker_.clock().Now(), before);
  EXPECT_LE(broker_.clock().Now(), before + 20 * kMillisecond) << "a Poll ends when the records come";
  const RecordView* record = Must(reader->Next());
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->value, "a");
  EXPECT_EQ(ValuesOf(Read()), (Values{"a", "b"})) << "polls without a time-out do not wait for ever";
}

TEST_F(SimulatedFaultsTest, CrashesBeforeAndAfterACommit) {
  for (const bool at_before : {true, false}) {
    broker_.set_at_commit([&](bool before) {
      if (before == at_before) broker_.Crash();
    });
    EXPECT_EQ(Commit({at_before ? "lost" : "kept"}, 5).code(), Code::kUnreachable);
    EXPECT_EQ(producer_->Abort().code(), Code::kUnreachable);
    EXPECT_EQ(member_->Poll(0).status().code(), Code::kUnreachable);
    EXPECT_EQ(log_->Topics().status().code(), Code::kUnreachable);
    broker_.set_at_commit({});
    Open();
    Join();
    EXPECT_EQ(ValuesOf(Read()), at_before ? Values{} : Values{"kept"});
    EXPECT_EQ(Committed(), at_before ? std::nullopt : std::optional<int64_t>(5));
  }
}

TEST_F(SimulatedFaultsTest, AHookThatThrowsLeavesTheBrokerUsable) {
  for (const bool at_before : {true, false}) {
    broker_.set_at_commit([&](bool before) {
      if (before == at_before) throw std::runtime_error("crash");
    });
    EXPECT_THROW(static_cast<void>(Commit({at_before ? "lost" : "kept"}, 5)), std::runtime_error);
    broker_.set_at_commit({});
    NewProducer();
    EXPECT_EQ(ValuesOf(Read()), at_before ? Values{} : Values{"kept"});
  }
}

TEST_F(SimulatedFaultsTest, TheDeadAreWaitedForUntilTheirTimeOuts) {
  Must(producer_->Begin());
  SendAll(*producer_, "topic", 0, {"never"});
  broker_.Crash();
  producer_.reset();
  member_.reset();
  Open();
  ConsumerOptions options;
  options.group = "group";
  std::unique_ptr<Consumer> heir = Must(log_->OpenConsumer(options));
  Must(heir->Join("placement"));
  EXPECT_TRUE(Must(heir->Poll(9 * kSecond)).assigned.empty());
  EXPECT_EQ(End(Isolation::kCommitted), 0) << "an open transaction pins the end";
  broker_.Advance(2 * kSecond);
  EXPECT_EQ(Must(heir->Poll(0)).assigned, std::vector<int32_t>{0});
  EXPECT_EQ(End(Isolation::kCommitted), 2);
  EXPECT_TRUE(Read().empty());
}

TEST_F(SimulatedFaultsTest, TimePassesOnlyWhereThereIsNoNews) {
  Must(Commit({"a"}, 1));
  std::unique_ptr<Consumer> consumer = Must(log_->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  const Time start = broker_.clock().Now();
  Must(consumer->Poll(kHour));
  EXPECT_EQ(broker_.clock().Now(), start) << "a record is at hand";
  while (Must(reader->Next()) != nullptr) {
  }
  consumer->Wake();
  Must(consumer->Poll(kHour));
  EXPECT_EQ(broker_.clock().Now(), start) << "woken";
  Must(consumer->Poll(kHour));
  EXPECT_EQ(broker_.clock().Now(), start + kHour);
  Must(Commit({"b", "c"}, 2));
  ASSERT_NE(Must(reader->Next()), nullptr);
  Must(consumer->Poll(kHour));
  EXPECT_EQ(broker_.clock().Now(), start + 2 * kHour) << "what the caller left at hand is no news";
}

TEST_F(SimulatedFaultsTest, CompactionSparesOpenTransactionsAndReadersViews) {
  std::unique_ptr<Producer> plain = Must(log_->OpenProducer({}));
  const auto send = [&](std::string_view key, std::optional<std::string_view> value, Time timestamp) {
    Must(plain->Send(MakeRecord("topic", 0, key, value, timestamp)));
    Must(plain->Flush(0));
  };
  const Time now = broker_.clock().Now();
  send("k", "old", now);
  send("gone", std::nullopt, now - 2 * kDay);
  send("ending", std::nullopt, now);
  std::unique_ptr<Consumer> consumer = Must(log_->OpenConsumer({}));
  PartitionReader* reader = Must(consumer->Assign({"topic", 0}, 0));
  const RecordView* view = Must(reader->Next());
  send("k", "new", now);
  Must(producer_->Begin());
  Must(producer_->Send(MakeRecord("topic", 0, "k", "open")));
  Must(broker_.Compact("topic"));
  EXPECT_EQ(view->value, "old");
  EXPECT_EQ(ValuesOf(Read()), (Values{"(tombstone)", "new"}));
  Must(producer_->Commit(Positions{{{"topic", 0}, 1}}, *member_));
  Must(broker_.Compact("topic"));
  EXPECT_EQ(ValuesOf(Read()), (Values{"(tombstone)", "open"}));
  EXPECT_EQ(broker_.Compact("absent").code(), Code::kNotFound);
}

}  // namespace
}  // namespace freshet

// Groups: who holds which partitions of the placement topic, and whose commits count.
#include <algorithm>
#include <chrono>
#include <set>

#include "tests/harness/log_suite.h"

namespace freshet {

namespace {

using Positions = std::vector<PartitionOffset>;

// A consumer and the shares it was told to hold.
struct Member {
  Member(LogSession& session, const ConsumerOptions& options, const std::string& placement)
      : consumer(session.GroupConsumer(options)) {
    Must(consumer->Join(placement));
  }
  GroupChange Poll() {
    const GroupChange change = Must(consumer->Poll(20 * kMillisecond));
    if (change.lost) held.clear();
    for (const int32_t partition : change.revoked)
      EXPECT_TRUE(held.erase(partition) == 1 || change.lost) << "revoked, but never assigned: " << partition;
    for (const int32_t partition : change.assigned)
      EXPECT_TRUE(held.insert(partition).second) << "assigned twice: " << partition;
    return change;
  }
  std::unique_ptr<Consumer> consumer;
  std::set<int32_t> held;
};

struct Group {
  explicit Group(LogFixture& used, int32_t partitions)
      : fixture(used),
        session(used),
        placement(session.Topic("placement", partitions)),
        topic(session.Topic("topic")),
        producer(session.Transactional(used.Name("producer"))) {
    options.group = used.Name("group");
    options.session_timeout = 6 * kSecond;
  }
  Member Join() { return Member(session, options, placement); }
  bool Until(const std::function<bool()>& done) const {
    const auto start = std::chrono::steady_clock::now();
    while (!done()) {
      if (std::chrono::steady_clock::now() - start > std::chrono::microseconds(fixture.patience()))
        return false;
    }
    return true;
  }
  Status Commit(Consumer& member, int64_t offset) {
    Must(producer->Begin());
    SendAll(*producer, topic, 0, {std::to_string(offset)});
    const Status status = producer->Commit(Positions{{{topic, 0}, offset}}, member);
    if (!status.ok()) Must(producer->Abort());
    return status;
  }
  std::optional<int64_t> Committed(Consumer& member) const {
    return Must(member.Committed(std::vector<PartitionId>{{topic, 0}})).front();
  }

  LogFixture& fixture;
  LogSession session;
  std::string placement;
  std::string topic;
  std::unique_ptr<Producer> producer;
  ConsumerOptions options;
};

void OneMemberHoldsEverything(LogFixture& fixture) {
  Group group(fixture, 4);
  Member member = group.Join();
  EXPECT_TRUE(group.Until([&] { return member.Poll(), member.held.size() == 4; }));
  EXPECT_EQ(member.held, (std::set<int32_t>{0, 1, 2, 3}));
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(member.Poll().empty());
  EXPECT_OK(group.Commit(*member.consumer, 3));
  EXPECT_EQ(group.Committed(*member.consumer), 3);
}

void JoiningAnUnknownTopicFails(LogFixture& fixture) {
  Group group(fixture, 1);
  std::unique_ptr<Consumer> consumer = group.session.GroupConsumer(group.options);
  EXPECT_EQ(consumer->Join(fixture.Name("absent")).code(), Code::kNotFound);
  EXPECT_FALSE(group.session.Reader()->Join(group.placement).ok()) << "no group to join";
}

void TwoMembersShareRevokedBeforeAssigned(LogFixture& fixture) {
  Group group(fixture, 4);
  Member first = group.Join();
  ASSERT_TRUE(group.Until([&] { return first.Poll(), first.held.size() == 4; }));
  EXPECT_OK(group.Commit(*first.consumer, 1));
  Member second = group.Join();
  const auto disjoint = [&] {
    return std::none_of(second.held.begin(), second.held.end(),
                        [&](int32_t partition) { return first.held.contains(partition); });
  };
  EXPECT_TRUE(group.Until([&] {
    first.Poll();
    EXPECT_TRUE(disjoint());
    second.Poll();
    EXPECT_TRUE(disjoint());
    return first.held.size() == 2 && second.held.size() == 2;
  }));
  EXPECT_OK(group.Commit(*first.consumer, 2));
  EXPECT_OK(group.Commit(*second.consumer, 3));
  EXPECT_EQ(group.Committed(*first.consumer), 3);
}

void LeavingHandsEverythingOver(LogFixture& fixture) {
  Group group(fixture, 3);
  Member first = group.Join();
  ASSERT_TRUE(group.Until([&] { return first.Poll(), first.held.size() == 3; }));
  Member second = group.Join();
  ASSERT_TRUE(group.Until([&] {
    first.Poll();
    second.Poll();
    return first.held.size() + second.held.size() == 3 && !second.held.empty();
  }));
  EXPECT_OK(group.Commit(*first.consumer, 9));
  EXPECT_OK(first.consumer->Close(fixture.patience()));
  EXPECT_FALSE(first.consumer->Poll(0).ok());
  EXPECT_FALSE(first.consumer->Assign({group.topic, 0}, 0).ok());
  EXPECT_FALSE(group.Commit(*first.consumer, 10).ok()) << "it is no member any more";
  EXPECT_TRUE(group.Until([&] { return second.Poll(), second.held.size() == 3; }));
  EXPECT_EQ(group.Committed(*second.consumer), 9);
  EXPECT_OK(group.Commit(*second.consumer, 11));
  EXPECT_EQ(group.Committed(*second.consumer), 11);
}

void GroupsDoNotDisturbEachOther(LogFixture& fixture) {
  Group group(fixture, 2);
  Group other(fixture, 2);
  other.placement = group.placement;
  Member first = group.Join();
  Member second = other.Join();
  EXPECT_TRUE(group.Until([&] {
    first.Poll();
    second.Poll();
    return first.held.size() == 2 && second.held.size() == 2;
  }));
}

void SilentMembersAreThrownOutAndCannotCommit(LogFixture& fixture) {
  if (!fixture.loses_silent_members()) return;
  Group group(fixture, 2);
  Member silent = group.Join();
  ASSERT_TRUE(group.Until([&] { return silent.Poll(), silent.held.size() == 2; }));
  EXPECT_OK(group.Commit(*silent.consumer, 1));
  Member heir = group.Join();
  heir.Poll();
  EXPECT_TRUE(heir.held.empty());
  EXPECT_TRUE(group.Until([&] {
    fixture.Advance(kSecond);
    heir.Poll();
    return heir.held.size() == 2;
  }));
  const Status refused = group.Commit(*silent.consumer, 2);
  EXPECT_TRUE(refused.code() == Code::kAborted || refused.code() == Code::kFenced) << refused.message();
  EXPECT_EQ(group.Committed(*heir.consumer), 1);
  bool lost = false;
  EXPECT_TRUE(group.Until([&] { return lost = silent.Poll().lost || lost; }));
  EXPECT_TRUE(group.Until([&] {  // and comes back
    silent.Poll();
    heir.Poll();
    return silent.held.size() == 1 && heir.held.size() == 1;
  }));
  EXPECT_OK(group.Commit(*silent.consumer, 3));
  EXPECT_OK(group.Commit(*heir.consumer, 4));
}

void SecondHolderOfAnInstanceTakesItsPlace(LogFixture& fixture) {
  if (!fixture.knows_instances()) return;
  Group group(fixture, 2);
  group.options.instance = fixture.Name("instance");
  Member first = group.Join();
  ASSERT_TRUE(group.Until([&] { return first.Poll(), first.held.size() == 2; }));
  EXPECT_OK(group.Commit(*first.consumer, 1));
  Member second = group.Join();
  ASSERT_TRUE(group.Until([&] { return second.Poll(), second.held.size() == 2; }));
  const Status refused = group.Commit(*first.consumer, 2);
  EXPECT_TRUE(refused.code() == Code::kAborted || refused.code() == Code::kFenced) << refused.message();
  EXPECT_TRUE(group.Until([&] {
    const Result<GroupChange> change = first.consumer->Poll(20 * kMillisecond);
    return change.ok() ? change->lost : change.status().code() == Code::kFenced;
  }));
  EXPECT_OK(group.Commit(*second.consumer, 3));
  EXPECT_EQ(group.Committed(*second.consumer), 3);
}

}  // namespace

std::vector<LogCase> LogGroupCases() {
  return {
      {"OneMemberHoldsEverything", OneMemberHoldsEverything},
      {"JoiningAnUnknownTopicFails", JoiningAnUnknownTopicFails},
      {"TwoMembersShareRevokedBeforeAssigned", TwoMembersShareRevokedBeforeAssigned},
      {"LeavingHandsEverythingOver", LeavingHandsEverythingOver},
      {"GroupsDoNotDisturbEachOther", GroupsDoNotDisturbEachOther},
      {"SilentMembersAreThrownOutAndCannotCommit", SilentMembersAreThrownOutAndCannotCommit},
      {"SecondHolderOfAnInstanceTakesItsPlace", SecondHolderOfAnInstanceTakesItsPlace},
  };
}

}  // namespace freshet

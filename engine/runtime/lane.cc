#include "engine/runtime/lane.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/base/logging.h"

namespace freshet {

namespace {

constexpr Duration kPollEvery = 5 * kMillisecond;    // the group's news, while there is work
constexpr Duration kWaitAtMost = 50 * kMillisecond;  // for records, while there is none
constexpr Duration kLookEvery = 5 * kMinute;         // for new partitions
// A group's positions are forgotten when nobody has committed them for a week (Kafka's
// offsets.retention.minutes), and a job without state has nothing else to begin from.
constexpr Duration kCommitAtLeastEvery = kDay;
// A member whose answer from the group was lost, as when its broker dies, is taken for its own successor and
// thrown out for good. Two processes of one --instance throw each other out again and again.
constexpr int kExpulsionsAtMost = 5;
constexpr Duration kSettledAfter = 10 * kMinute;  // as a member; both of such a pair commit in between
constexpr Duration kLeaveWithin = 5 * kSecond;
constexpr int kFailuresAtMost = 40;  // with the pauses between, three minutes
constexpr Duration kFirstPause = 100 * kMillisecond;
constexpr Duration kLongestPause = 5 * kSecond;
constexpr uint64_t kFirstBisection = 4096;
constexpr uint64_t kBisection = 8;

bool Mends(Code code) {
  return code == Code::kAborted || code == Code::kUnwritable || code == Code::kInDoubt ||
         code == Code::kFenced;
}

// Before the life that follows so many failures in a row. The first is mostly over at once.
Duration PauseAfter(int failures) {
  Duration pause = failures < 2 ? 0 : kFirstPause;
  for (int i = 2; i < failures && pause < kLongestPause; ++i)
    pause *= 2;
  return std::min(pause, kLongestPause);
}

// A key of state as text, without the mark that ends it (engine/base/bytes.h).
std::string Shown(std::string_view key) {
  constexpr size_t kMost = 100;
  constexpr std::string_view kEnd("\0\1", 2);
  if (key.ends_with(kEnd)) key.remove_suffix(kEnd.size());
  std::string text;
  for (const char c : key.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr char kHex[] = "0123456789abcdef";
    if (byte >= 0x20 && byte < 0x7f) {
      text.push_back(c);
    } else {
      text += std::string("\\x") + kHex[byte / 16] + kHex[byte % 16];
    }
  }
  return key.size() > kMost ? text + "…" : text;
}

std::string NameOf(const PartitionOffset& record) {
  return "the record at " + TextOf(record.id) + " offset " + std::to_string(record.offset);
}
std::string NameOf(const FiredTimer& timer) {
  return "the timer of operator `" + timer.op + "` for the key `" + Shown(timer.key) + "`, due at " +
         FormatTimestamp(timer.time) + ",";
}
std::string NameOf(const RejectedRecord& rejected) {
  return "the dead letter of " + NameOf(rejected.record) + " (" + rejected.reason + ")";
}

// What cannot be left out: there is no further place to put it.
Status StuckAt(const Beginning& beginning, const Status& failure) {
  const std::string who = std::visit([](const auto& what) { return NameOf(what); }, beginning);
  return {failure.code(), who + " keeps every epoch from committing: " + failure.message() +
                              " (nothing committed is lost, start again when the cause is mended)"};
}

}  // namespace

Lane::Lane(const JobPlan& plan, const Topology& topology, Log& log, const Clock& clock,
           StoreResources& stores, Tally& tally, LaneOptions options, LaneHooks hooks)
    : services_{plan,  topology,           log,   clock,   stores,
                tally, std::move(options), ends_, poison_, [this] { return KeepAlive(); }},
      hooks_(std::move(hooks)) {}

Status Lane::Run(const StopSignal& stop) {
  stop_ = &stop;
  while (true) {
    if (Status s = Join(); !s.ok()) return s;
    Status status = Serve(stop);
    if (!expelled_ || ++expulsions_ > kExpulsionsAtMost) return status;
    LogWarning("joining the group anew: " + status.message());
  }
}

Status Lane::Join() {
  consumer_.reset();  // first: two members of one name would throw each other out
  owns_placement_ = expelled_ = false;
  ConsumerOptions membership = services_.options.membership;
  membership.partitions = 0;
  for (const PlannedSource& source : services_.plan.sources) {
    Result<std::optional<TopicInfo>> topic = services_.log.Find(source.topic);
    if (!topic.ok()) return topic.status();
    if (*topic) membership.partitions += (*topic)->partitions;
  }
  Result<std::unique_ptr<Consumer>> consumer = services_.log.OpenConsumer(membership);
  if (!consumer.ok()) return consumer.status();
  if (Status s = (*consumer)->Join(services_.plan.placement_topic); !s.ok()) return s;
  consumer_ = std::move(*consumer);
  joined_at_ = services_.clock.Steady();
  return {};
}

void Lane::Leave() {
  if (consumer_ == nullptr) return;
  const Status closed = consumer_->Close(kLeaveWithin);
  if (!closed.ok()) LogWarning("leaving the group: " + closed.message());
  consumer_.reset();
}

// As one member, for as long as it is one.
Status Lane::Serve(const StopSignal& stop) {
  while (true) {
    if (Status s = AwaitPlacement(stop); !s.ok()) return s;
    if (!owns_placement_) return {};  // stopped while standing by
    Result<Outcome> outcome = Live(stop);
    if (!outcome.ok() && outcome.status().code() == Code::kCancelled && stop.requested()) {
      LogWarning("stopped before the state was restored: nothing was read, and the summary knows no models");
      return {};
    }
    if (!outcome.ok()) return outcome.status();
    if (*outcome == Outcome::kEnded) return {};
    if (Status s = Pause(stop); !s.ok()) return s;
    if (stop.requested()) {
      LogWarning(
          "stopped after an epoch that was abandoned: the next start reads it again, and the summary knows "
          "no "
          "models");
      return {};
    }
  }
}

// The group hears from the member meanwhile; a stop, or the loss of the job, ends it.
Status Lane::Pause(const StopSignal& stop) {
  const Duration begin = services_.clock.Steady();
  const Duration pause = PauseAfter(failures_ - bisections_);
  while (owns_placement_ && !stop.requested()) {
    const Duration left = pause - (services_.clock.Steady() - begin);
    if (left <= 0) break;
    const Status news = TakeNews(std::min(left, kWaitAtMost));
    if (!news.ok() && (expelled_ || news.code() != Code::kFenced)) return news;
  }
  return {};
}

Status Lane::AwaitPlacement(const StopSignal& stop) {
  const Duration since = services_.clock.Steady();
  bool said = false;
  while (!owns_placement_ && !stop.requested()) {
    const Status news = TakeNews(kWaitAtMost);
    if (!news.ok() && (expelled_ || news.code() != Code::kFenced)) return news;
    if (!owns_placement_ && !said && services_.clock.Steady() - since > 3 * kSecond) {
      said = true;
      LogInfo("standing by: another process runs the job `" + services_.plan.job.frame.job +
              "`; this one takes over when it leaves");
      if (hooks_.progress)
        hooks_.progress({Committed("rows_in{"), commits_, 0, kMinTime, true, Committed("dead_letters{")});
    }
  }
  return {};
}

// While a life opens, which may take long.
Status Lane::KeepAlive() {
  if (stop_->requested()) return {Code::kCancelled, "asked to stop while starting"};
  return TakeNews(0);
}

Status Lane::TakeNews(Duration wait) {
  Result<GroupChange> change = consumer_->Poll(wait);
  if (change.ok()) return TakeChange(*change);
  expelled_ = change.status().code() == Code::kFenced;
  return change.status();
}

// The placement topic has one partition: who holds it runs every task.
Status Lane::TakeChange(const GroupChange& change) {
  const bool lost = change.lost || !change.revoked.empty();
  if (lost) owns_placement_ = false;
  if (!change.assigned.empty()) owns_placement_ = true;
  if (lost) return {Code::kFenced, "the job was assigned to another process"};
  return {};
}

Result<Lane::Outcome> Lane::Live(const StopSignal& stop) {
  std::optional<Beginning> beginning;
  Status status;
  {
    Result<std::unique_ptr<Incarnation>> life = Incarnation::Open(services_, *consumer_);
    status = life.status();
    if (life.ok()) {
      status = Work(**life, stop);
      if (status.ok()) {
        if (hooks_.before_close) hooks_.before_close(**life);
        return Outcome::kEnded;
      }
      beginning = (*life)->beginning();
    }
  }
  if (Status s = AfterFailure(status, beginning); !s.ok()) return s;
  return Outcome::kAgain;
}

// One way for abort, fencing and doubt: everything in memory is gone by now; the log knows the rest.
Status Lane::AfterFailure(const Status& failure, const std::optional<Beginning>& beginning) {
  services_.tally.Drop();
  // A reader may hear that the group threw the member out before the lane asks for the group's news.
  if (failure.code() == Code::kFenced && owns_placement_ && !expelled_) {
    const Status news = TakeNews(0);
    if (expelled_) return news;
  }
  if (!Mends(failure.code()) || expelled_) return failure;
  const bool unwritable = failure.code() == Code::kUnwritable;
  // Nothing that could be left out, so the same would come again.
  if (unwritable && !beginning) return failure;
  if (unwritable && rows_limit_ == 1 && !std::holds_alternative<PartitionOffset>(*beginning)) {
    const auto* rejected = std::get_if<RejectedRecord>(&*beginning);
    // A record that was left out to no avail was not to blame.
    return rejected != nullptr && rejected->reason == kKeepsAborting ? failure : StuckAt(*beginning, failure);
  }
  if (owns_placement_) ++failures_;  // else it was a rebalance, however many there are
  if (failures_ >= kFailuresAtMost) {
    return {failure.code(),
            failure.message() + " (" + std::to_string(failures_) +
                " times in a row; nothing committed is lost, start again when the cause is mended)"};
  }
  LogWarning("epoch abandoned, beginning again from the last commit: " + failure.message());
  if (unwritable) Bisect(*beginning);
  return {};
}

// Makes epochs smaller until what the log will not take stands alone. A record then goes to the dead letters.
// Only what is the record's own fault comes here: an environment that fails must not cost innocent records.
void Lane::Bisect(const Beginning& beginning) {
  commits_at_limit_ = 0;
  ++bisections_;
  if (rows_limit_ > 1) {
    rows_limit_ =
        rows_limit_ == UINT64_MAX ? kFirstBisection : std::max<uint64_t>(1, rows_limit_ / kBisection);
    return;
  }
  Poison(std::get<PartitionOffset>(beginning));  // alone in its epoch still, and then committed
}

void Lane::Poison(const PartitionOffset& record) {
  poison_[record.id].insert(record.offset);
  LogError(NameOf(record) + " keeps every epoch from committing; it goes to the dead letters");
}

Status Lane::Work(Incarnation& life, const StopSignal& stop) {
  last_commit_ = last_look_ = services_.clock.Steady();
  while (true) {
    const Duration now = services_.clock.Steady();
    if (now - last_poll_ >= kPollEvery) {
      last_poll_ = now;
      if (Status s = TakeNews(0); !s.ok()) return s;
      life.JudgeIdleness();
    }
    if (now - last_look_ >= kLookEvery && !life.has_work()) {  // a broker may keep the answer waiting
      last_look_ = now;
      life.LookForNewPartitions();
    }
    const bool stopping = stop.requested();  // asked once, so that what is open is committed before the end
    const bool had_work = life.has_work();
    Result<bool> stepped = life.Step(rows_limit_);
    if (!stepped.ok()) return stepped.status();
    if (!had_work && life.has_work()) epoch_start_ = now;
    const bool ending = !*stepped && life.finished();
    if (life.has_work() && (ending || stopping || CommitDue(life, now))) {
      if (Status s = Commit(life); !s.ok()) return s;
    }
    if (ending || stopping) return {};
    if (*stepped) continue;
    if (now - last_commit_ >= kCommitAtLeastEvery) {
      if (Status s = Commit(life); !s.ok()) return s;
    }
    Duration wait = kWaitAtMost;
    if (life.has_work()) {
      const Duration interval = services_.plan.job.frame.commit.interval;
      wait = std::clamp<Duration>(epoch_start_ + interval - now, 0, wait);
    }
    ShowProgress(life);
    if (Status s = TakeNews(wait); !s.ok()) return s;
  }
}

bool Lane::CommitDue(const Incarnation& life, Duration now) {
  if (hooks_.commit_now && hooks_.commit_now(life.rows_in_epoch())) return true;
  const FrameSpec& frame = services_.plan.job.frame;
  return now - epoch_start_ >= frame.commit.interval || life.rows_in_epoch() >= rows_limit_ || life.is_full();
}

Status Lane::Commit(Incarnation& life) {
  const Duration begin = services_.clock.Steady();
  if (Status s = life.Commit(); !s.ok()) return s;
  ++commits_;
  last_commit_ = services_.clock.Steady();
  commits_took_.Add(last_commit_ - begin);
  failures_ = bisections_ = 0;
  if (last_commit_ - joined_at_ >= kSettledAfter) expulsions_ = 0;
  // So many small epochs make one of those that could not be committed: its culprit is found or gone.
  if (rows_limit_ != UINT64_MAX && ++commits_at_limit_ == kBisection) {
    rows_limit_ = rows_limit_ < kFirstBisection ? rows_limit_ * kBisection : UINT64_MAX;
    commits_at_limit_ = 0;
  }
  ShowProgress(life);
  return {};
}

void Lane::ShowProgress(const Incarnation& life) {
  if (!hooks_.progress) return;
  hooks_.progress(
      {Committed("rows_in{"), commits_, life.lag(), life.event_time(), false, Committed("dead_letters{")});
}

uint64_t Lane::Committed(std::string_view family) const {
  uint64_t sum = 0;
  for (const auto& [name, count] : services_.tally.Committed()) {
    if (name.starts_with(family)) sum += count;
  }
  return sum;
}

}  // namespace freshet

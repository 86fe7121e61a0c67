#include "tests/engine/log/kafka/kafka_lane.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace freshet {

CopyLane::CopyLane(const KafkaFixture& fixture, CopyJob job) : job_(std::move(job)), log_(fixture.Open()) {}

void CopyLane::Run() {
  ConsumerOptions options;
  options.group = job_.group;
  options.session_timeout = 6 * kSecond;
  consumer_ = Must(log_->OpenConsumer(options));
  Must(consumer_->Join(job_.placement));
  while (!stop_ && !Finished()) {
    Follow(Must(consumer_->Poll(readers_.empty() ? 20 * kMillisecond : 0)));
    if (!producer_) Begin();
    if (!CopySome()) Follow(Must(consumer_->Poll(20 * kMillisecond)));
  }
  DropAll();
  Must(consumer_->Close(30 * kSecond));
}

void CopyLane::Follow(const GroupChange& change) {
  if (change.lost) DropAll();
  for (const int32_t partition : change.revoked) {
    if (readers_.erase(partition) == 1) Must(consumer_->Release({job_.from, partition}));
  }
  for (const int32_t partition : change.assigned) {
    readers_.erase(partition);
    Take(partition);
  }
  held = static_cast<int>(readers_.size());
}

void CopyLane::Take(int32_t partition) {
  const PartitionId id{job_.from, partition};
  const std::optional<int64_t> position = Must(consumer_->Committed(std::vector<PartitionId>{id})).front();
  readers_[partition] = Must(consumer_->Assign(id, position.value_or(0)));
}

void CopyLane::DropAll() {
  for (const auto& [partition, reader] : readers_)
    Must(consumer_->Release({job_.from, partition}));
  readers_.clear();
}

// After anything that went wrong, as a lane does: a new producer first, which ends what is open; then the
// positions.
void CopyLane::Begin() {
  ProducerOptions options;
  options.transactional_id = job_.id;
  options.transaction_timeout = job_.transaction_timeout;
  producer_ = Must(log_->OpenProducer(options));
  Must(producer_->Init());
  std::vector<int32_t> partitions;
  for (const auto& [partition, reader] : readers_)
    partitions.push_back(partition);
  DropAll();
  for (const int32_t partition : partitions)
    Take(partition);
}

Status CopyLane::Transact(int64_t& rows) {
  std::vector<PartitionOffset> positions;
  bool begun = false;
  for (const auto& [partition, reader] : readers_) {
    for (size_t i = 0; i < job_.batch; ++i) {
      const RecordView* record = Must(reader->Next());
      if (record == nullptr) break;
      if (!begun) {
        if (Status s = producer_->Begin(); !s.ok()) return s;
        begun = true;
      }
      if (Status s = producer_->Send(MakeRecord(job_.to, partition, std::nullopt, record->value)); !s.ok())
        return s;
      ++rows;
    }
    positions.push_back({{job_.from, partition}, reader->position()});
  }
  if (!begun) return {};
  committing = true;
  const Status status = producer_->Commit(positions, *consumer_);
  committing = false;
  return status;
}

bool CopyLane::CopySome() {
  int64_t rows = 0;
  const Status status = Transact(rows);
  if (status.ok()) {
    committed += rows;
    return rows > 0;
  }
  const Code code = status.code();
  if (code != Code::kAborted && code != Code::kFenced && code != Code::kInDoubt) Must(status);
  if (code == Code::kInDoubt) in_doubt = true;
  ++failures;
  producer_.reset();
  return true;
}

bool CopyLane::Finished() {
  if (static_cast<int32_t>(readers_.size()) < job_.partitions) return false;
  return std::all_of(readers_.begin(), readers_.end(),
                     [&](const auto& entry) { return entry.second->position() >= job_.rows_each; });
}

void FillSource(LogSession& session, const CopyJob& job) {
  std::unique_ptr<Producer> producer = session.Plain();
  for (int64_t row = 0; row < job.rows_each; ++row) {
    for (int32_t partition = 0; partition < job.partitions; ++partition) {
      const std::string value = std::to_string(partition) + ":" + std::to_string(row);
      Must(producer->Send(MakeRecord(job.from, partition, std::nullopt, value)));
    }
  }
  Must(producer->Flush(60 * kSecond));
}

void ExpectCopied(LogSession& session, const CopyJob& job) {
  std::vector<std::string> all;
  for (int32_t partition = 0; partition < job.partitions; ++partition) {
    std::vector<std::string> expected;
    for (int64_t row = 0; row < job.rows_each; ++row)
      expected.push_back(std::to_string(partition) + ":" + std::to_string(row));
    EXPECT_EQ(ValuesOf(session.ReadAll(job.to, partition)), expected) << "partition " << partition;
    all.insert(all.end(), expected.begin(), expected.end());
  }
  std::vector<std::string> seen = KcatValues(job.to);
  std::sort(seen.begin(), seen.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(seen, all);
}

void Await(const std::function<bool()>& done, const char* what) {
  const auto start = std::chrono::steady_clock::now();
  while (!done()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::minutes(2)) throw std::runtime_error(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // leaves the cores to lane and broker
  }
}

}  // namespace freshet

// log_writer LOG [BYTES]: commits transaction after transaction to the embedded log in the directory LOG,
// from where it stands, and writes `committed POSITION` after each; `failed CODE` ends it. No file may grow
// beyond BYTES. Transaction i puts i, as key, three times into each of the two partitions of `topic`, and the
// position i + 1 into `group`.
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "engine/log/local/local_log.h"

namespace freshet {
namespace {

constexpr int kPartitions = 2;
constexpr int kEach = 3;  // records of a transaction in each partition

Status Limit(const char* bytes) {
  std::signal(SIGXFSZ, SIG_IGN);  // so that the write fails
  const rlimit limit{std::strtoul(bytes, nullptr, 10), RLIM_INFINITY};
  return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? Status() : Internal("setrlimit refuses");
}

Status CommitOne(Producer& producer, Consumer& member, int64_t number) {
  const std::string key = std::to_string(number);
  const std::string filler(2'000, 'f');
  if (Status s = producer.Begin(); !s.ok()) return s;
  for (int n = 0; n < kPartitions * kEach; ++n) {
    OutgoingRecord record;
    record.topic = "topic";
    record.partition = n % kPartitions;
    record.key = key;
    record.value = filler;
    if (Status s = producer.Send(record); !s.ok()) return s;
  }
  const std::vector<PartitionOffset> positions{{{"topic", 0}, number + 1}};
  return producer.Commit(positions, member);
}

// Returns only with a failure.
Status Write(const std::string& directory) {
  Result<std::unique_ptr<Log>> log = OpenLocalLog(directory, {});
  if (!log.ok()) return log.status();
  ConsumerOptions options;
  options.group = "group";
  Result<std::unique_ptr<Consumer>> member = (*log)->OpenConsumer(options);
  if (!member.ok()) return member.status();
  if (Status s = (*member)->Join("placement"); !s.ok()) return s;
  if (Result<GroupChange> change = (*member)->Poll(0); !change.ok()) return change.status();
  const auto position = (*member)->Committed(std::vector<PartitionId>{{"topic", 0}});
  if (!position.ok()) return position.status();
  Result<std::unique_ptr<Producer>> producer = (*log)->OpenProducer({.transactional_id = "producer"});
  if (!producer.ok()) return producer.status();
  if (Status s = (*producer)->Init(); !s.ok()) return s;
  for (int64_t i = position->front().value_or(0);; ++i) {
    if (Status s = CommitOne(**producer, **member, i); !s.ok()) return s;
    std::cout << "committed " << i + 1 << std::endl;
  }
}

}  // namespace
}  // namespace freshet

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  freshet::Status status = argc > 2 ? freshet::Limit(argv[2]) : freshet::Status();
  if (status.ok()) status = freshet::Write(argv[1]);
  std::cout << "failed " << freshet::NameOf(status.code()) << std::endl;
  std::cerr << status.message() << '\n';
}

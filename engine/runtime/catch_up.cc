#include "engine/runtime/catch_up.h"

#include <algorithm>

namespace freshet {

namespace {

constexpr int kAtOnce = 4096;  // records between two signs of life

// Applies some of what is at hand; `done` once the end is reached.
Status Drain(const CatchUp& part, PartitionReader& reader, bool& moved, bool& done) {
  for (int taken = 0; taken < kAtOnce; ++taken) {
    Result<const RecordView*> next = reader.Next();
    if (!next.ok()) return next.status();
    if (*next == nullptr) break;
    moved = true;
    if ((*next)->offset >= part.to) {
      done = true;
      return {};
    }
    if (Status s = part.apply(**next); !s.ok()) return s.Within(part.id.topic);
  }
  done = reader.position() >= part.to;
  return {};
}

}  // namespace

Status ReadAll(Log& log, std::vector<CatchUp> parts, int64_t prefetch_bytes, Duration patience,
               const Clock& clock, const std::function<Status()>& keep_alive) {
  std::erase_if(parts, [](const CatchUp& part) { return part.from >= part.to; });
  if (parts.empty()) return {};
  ConsumerOptions options;
  options.prefetch_bytes = prefetch_bytes;
  options.partitions = static_cast<int32_t>(parts.size());
  options.headers = false;
  Result<std::unique_ptr<Consumer>> consumer = log.OpenConsumer(options);
  if (!consumer.ok()) return consumer.status();
  struct Open {
    CatchUp part;
    PartitionReader* reader;
  };
  std::vector<Open> open;
  for (CatchUp& part : parts) {
    Result<PartitionReader*> reader = (*consumer)->Assign(part.id, part.from);
    if (!reader.ok()) return reader.status();
    open.push_back({std::move(part), *reader});
  }
  Duration last_move = clock.Steady();
  while (!open.empty()) {
    bool moved = false;
    for (size_t i = 0; i < open.size();) {
      bool done = false;
      if (Status s = Drain(open[i].part, *open[i].reader, moved, done); !s.ok()) return s;
      if (!done) {
        ++i;
        continue;
      }
      if (Status s = (*consumer)->Release(open[i].part.id); !s.ok()) return s;
      open.erase(open.begin() + static_cast<ptrdiff_t>(i));
      moved = true;
    }
    if (Status s = keep_alive(); !s.ok()) return s;
    if (moved) {
      last_move = clock.Steady();
      continue;
    }
    if (clock.Steady() - last_move > patience) {
      return {Code::kUnreachable, "the restore of " + open[0].part.id.topic + " does not get on: " +
                                      log.Describe() + " gave nothing for " + FormatDuration(patience)};
    }
    if (Result<GroupChange> change = (*consumer)->Poll(100 * kMillisecond); !change.ok())
      return change.status();
  }
  return (*consumer)->Close(5 * kSecond);
}

}  // namespace freshet

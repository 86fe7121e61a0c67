#pragma once
// Puts the rows of a confluence into the one order that everything reproducible hangs on: (event time, role,
// source name, partition, offset). One thread.
//
// Always: a batch holds rows of one source, in order; the concatenation of the batches is the same however
// they were cut. While a partition that must come first has known lag, nothing is given.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/data/batch.h"
#include "engine/runtime/feed.h"

namespace freshet {

// Rows taken from the feeds of one source, with where each came from.
struct SourceBatch {
  uint32_t source = 0;
  Batch rows;  // ordinals 0, 1, 2, …
  struct From {
    uint32_t feed;  // index given to Merge
    int64_t offset;
  };
  std::vector<From> from;  // one a row
};

class Merge {
 public:
  // Called before each row is taken into the batch; false ends the batch before it.
  class Gate {
   public:
    virtual bool Admit(const Feed& feed, Time time) = 0;

   protected:
    ~Gate() = default;
  };

  // `feeds` of one confluence; they and `pool` outlive this.
  Merge(std::vector<Feed*> feeds, Pool& pool, const std::vector<PlannedSource>& sources);

  // Decodes what is at hand and takes the next batch, at most `most` rows; empty where nothing may be taken
  // now.
  Status Next(size_t most, Gate& gate, const Feed::RejectSink& rejects, SourceBatch& out);
  // The partition that the confluence waits for, or null.
  const Feed* waits_for() const { return waits_for_; }
  bool finished() const;
  std::span<Feed* const> feeds() const { return feeds_; }

 private:
  int First() const;
  Status Refill(const Feed::RejectSink& rejects);
  void Assemble(SourceBatch& out);

  std::vector<Feed*> feeds_;  // sorted by (role, source name, partition): the rank at equal times
  Pool* pool_;
  const Feed* waits_for_ = nullptr;
  std::vector<Batch> blocks_;
  std::vector<Batch::Pick> picks_;
  std::vector<int> block_of_feed_;  // index into blocks_ of the feed's present block, or -1
};

}  // namespace freshet

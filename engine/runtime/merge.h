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

  // `feeds` of one confluence; they and `pool` outlive this. A batch ends with the block whose records make
  // it `most_bytes`.
  Merge(std::vector<Feed*> feeds, Pool& pool, const std::vector<PlannedSource>& sources,
        int64_t most_bytes = INT64_MAX);

  // Decodes what is at hand and takes the next batch, at most `most` rows and bad records together; empty
  // where nothing may be taken now, or all were bad. Partitions without rows are asked at its beginning and
  // after each block that comes: so a row that was there before another one came is not taken after it for
  // want of asking.
  Status Next(size_t most, Gate& gate, const Feed::RejectSink& rejects, SourceBatch& out);
  bool finished() const { return finished_ == feeds_.size(); }
  size_t finished_feeds() const { return finished_; }  // they stay so
  std::span<Feed* const> feeds() const { return feeds_; }

 private:
  // What is to be known of a feed at each row, as of when it was last asked or taken from.
  struct Head {
    Time time = 0;     // of its first row
    bool row = false;  // that may be taken: no bad record comes before it
    bool holds_back = false;
    bool finished = false;
  };
  int First() const;
  Status Take(size_t index, const Feed::RejectSink& rejects, SourceBatch& out);
  Status Ask(size_t index, const Feed::RejectSink& rejects);
  Status AskEmpty(const Feed::RejectSink& rejects);
  void Look(size_t index);
  void Assemble(SourceBatch& out);

  size_t left_ = 0;           // of what the present call may take
  std::vector<Feed*> feeds_;  // sorted by (role, source name, partition): the rank at equal times
  Pool* pool_;
  int64_t most_bytes_;
  int64_t bytes_ = 0;        // of the records in blocks_
  std::vector<Head> heads_;  // of each feed
  size_t holding_ = 0;       // of them, how many hold the others back
  size_t finished_ = 0;
  std::vector<Batch> blocks_;
  std::vector<Batch::Pick> picks_;
  std::vector<int> block_of_feed_;  // index into blocks_ of the feed's present block, or -1
};

}  // namespace freshet

#pragma once
// Labels by the time they became known, so that one can ask what was known at any moment since: how many, how
// many of them true, and the last one. Each history is a head with the latest labels and numbered chunks of
// the older ones, in order of time; a question about the recent past is one or two loads. One thread.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "state/raw_table.h"

namespace freshet {

struct Known {
  int64_t labels = 0;
  int64_t positives = 0;
  std::optional<bool> last;  // of labels at one moment, the one that was added last
  // By Laplace's rule of succession.
  double Probability() const {
    return (1.0 + static_cast<double>(positives)) / (2.0 + static_cast<double>(labels));
  }
};

class Answers {
  using Entry = int64_t;                         // time * 2 + label
  static constexpr uint64_t kNone = UINT64_MAX;  // no era
  struct Counts {
    int64_t labels = 0;  // before the row's first entry
    int64_t positives = 0;
  };
  struct Row {  // of the table: counts, for the head the chunks [first, last), then entries in order of time
    Counts before;
    uint32_t first = 0;
    uint32_t last = 0;
    std::vector<Entry> entries;

    // How many of them are below `bound`, twice a time.
    size_t Below(Entry bound) const;
    // How many of the first `count` of them are true.
    int64_t PositivesOf(size_t count) {
      if (counted_.size() < count) CountPositives(count);
      return count == 0 ? 0 : counted_[count - 1];
    }
    // The entries from `place` on are others than before.
    void ChangedFrom(size_t place);
    // Becomes the first `count` entries of `row`, which keeps the others.
    void CutFrom(Row& row, size_t count);

   private:
    void CountPositives(size_t count);
    std::vector<uint32_t> counted_;  // PositivesOf(i + 1), as far as it was asked for
  };
  // The same as the table has it. Where one example asks one thing, what it asks is found here, not copied.
  struct Stored {
    Counts before;
    uint32_t first = 0;
    uint32_t last = 0;
    std::string_view bytes;  // of the entries

    size_t size() const { return bytes.size() / sizeof(Entry); }
    Entry At(size_t i) const;
    size_t Below(Entry bound) const;
  };
  struct Chunk {
    int64_t number = -1;  // -1: none
    Entry front = 0;      // the first entry
  };

 public:
  // A history as it is read and written: what of its rows is in memory, too. Those that every example asks
  // for are `lasting`: one such object each, by which alone they are changed, keeps the head and the latest
  // chunks. Any other is for one example: a key at a time, from its Begin to its Add.
  class History {
   public:
    explicit History(bool lasting)
        : lasting_(lasting), chunks_(lasting ? kChunks : 1), rows_(chunks_.size()) {}
    History(bool lasting, std::string_view key) : History(lasting) { Begin(key); }
    void Begin(std::string_view key);
    const std::string& key() const { return key_; }

   private:
    friend class Answers;
    static constexpr size_t kChunks = 64;  // a power of two
    bool lasting_;
    bool loaded_ = false;  // head_ is as the table has it
    std::string key_;
    RawTable::Slot slot_;        // of the head
    uint64_t slot_era_ = kNone;  // of the table, when it was loaded and present
    Row head_;
    std::vector<Chunk> chunks_;  // by number modulo their count; each as the table has it, their rows:
    std::vector<Row> rows_;
    Chunk second_;  // the chunk after head_.first

    size_t PlaceOf(uint32_t number) const { return number & (chunks_.size() - 1); }
    // Nothing of it was copied from the table.
    bool is_in_table() const { return !lasting_ && !loaded_; }
  };

  explicit Answers(RawTable& table) : table_(table) {}
  static TableSpec Table(uint32_t layout) { return {"answers", layout, false, 0}; }

  // Whatever happened to the table, but for what was done here, was done before this.
  void BeginBatch() { era_ = table_.era(); }

  // What the history knew strictly before `before`. Right for moments since the `horizon` of every Add.
  Status Before(History& history, Time before, Known& known);
  // Of that, the last label alone.
  Status LastBefore(History& history, Time before, std::optional<bool>& last);
  // Adds a label; nobody will ask about moments before `horizon`.
  Status Add(History& history, Time time, bool label, Time horizon);

 private:
  static constexpr size_t kFull = 64;

  Status LoadSlot(History& history) { return history.slot_era_ == era_ ? Status() : FetchSlot(history); }
  Status LoadHead(History& history) { return history.loaded_ ? Status() : FetchHead(history); }
  Status FetchSlot(History& history);
  Status FetchHead(History& history);
  static Status Read(const RawTable::Slot& slot, bool is_head, Stored& stored);
  static Status Parse(const RawTable::Slot& slot, bool is_head, Row& row);
  void Store(bool is_head, RawTable::Slot& slot, const Row& row);
  void StoreLast(RawTable::Slot& slot, size_t entries, Entry last);
  // Does it by the bytes of the head, or has not done it. REQUIRES: is_in_table().
  Status FindLast(History& history, Entry bound, std::optional<bool>& last, bool& is_done);
  Status Append(History& history, Entry entry, bool& is_done);
  std::string_view ChunkKey(const History& history, uint32_t number);
  // The chunk, until another is loaded.
  Status LoadChunk(History& history, uint32_t number, Row*& row);
  Status StoreChunk(const History& history, uint32_t number, const Row& row);
  Status FrontOf(History& history, uint32_t number, Entry& front) {
    const Chunk& chunk = history.chunks_[history.PlaceOf(number)];
    Row* row = nullptr;
    Status s = chunk.number == number ? Status() : LoadChunk(history, number, row);
    front = chunk.front;
    return s;
  }
  // The row that holds the last entry before `before`, and how many of its entries are; null: there is none.
  Status Seek(History& history, Time before, Row*& row, size_t& count);
  // The last chunk whose first entry is below `bound`; null: there is none.
  Status Find(History& history, Entry bound, Row*& row, uint32_t& number);
  Status AddLate(History& history, Entry entry);
  Status LetGo(History& history, Time horizon);
  Status Split(History& history, size_t at, Time horizon);

  RawTable& table_;
  std::string chunk_key_;
  uint64_t era_ = 0;  // of the table, when the batch began
};

}  // namespace freshet

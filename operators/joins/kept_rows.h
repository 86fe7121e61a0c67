#pragma once
// Rows kept in state as bytes that describe themselves: each names, by number, the list of columns it was
// made of, and the lists are kept in a table, each shard's with its rows. So columns may come and go between
// two versions of a job file: a row kept before reads as null where it has no such column. One thread.
//
// A row: varint number of its list; a bitmap of its columns, set where there is a value; the values in the
// list's order: bool 1 byte, other fixed widths 8, texts a varint length and bytes, lists a varint count and
// items.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/data/batch.h"
#include "state/keyed_table.h"

namespace freshet {

class KeptRows {
 public:
  // The columns `chosen` of `schema`, rising. `name`: of these lists, in `lists`, which may hold those of
  // others.
  KeptRows(const Schema& schema, std::vector<size_t> chosen, std::string_view name, KeyedTable& lists);
  static TableSpec Table() { return {"columns", 1, false, 0}; }

  // Reads the lists a shard has, and adds the present one where it is new. Once, before all else of the
  // shard.
  Status Open(uint32_t shard);

  void Encode(const Batch& batch, uint32_t row, uint32_t shard, std::string& out) const;

  const Schema& schema() const { return schema_; }
  // The columns of the schema that rows are kept with; nobody reads the others.
  const std::vector<size_t>& chosen() const { return chosen_; }
  // A builder for every chosen column, to be filled by Decode.
  std::vector<ColumnBuilder> Builders(Pool& pool, size_t expected_rows) const;
  // Takes a row off the front of `bytes` and appends it to `builders`; null in columns it was kept without.
  Status Decode(uint32_t shard, std::string_view& bytes, std::vector<ColumnBuilder>& builders) const;

 private:
  static constexpr size_t kGone = SIZE_MAX;
  struct Member {
    Type type = Type::kFloat64;
    size_t column = kGone;  // of the chosen; kGone: the job file has it no more, or nobody reads it
  };
  struct List {
    std::vector<Member> members;
    std::vector<size_t> lacks;  // of the chosen
  };

  struct Shard {
    std::vector<uint32_t> lists;  // by number: its place in lists_
    uint64_t present = 0;         // number of the list that rows are encoded by
  };

  std::string Description() const;  // of the present list
  Status Learn(Shard& shard, std::string_view description);
  Result<List> ListOf(std::string_view description) const;

  const Schema schema_;
  const std::vector<size_t> chosen_;
  const std::string name_;
  KeyedTable& table_;
  std::vector<List> lists_;                             // of all shards, which mostly have the same
  std::map<std::string, uint32_t, std::less<>> known_;  // by their descriptions: places in lists_
  std::vector<Shard> shards_;
};

}  // namespace freshet

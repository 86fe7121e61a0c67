#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/data/batch.h"

namespace freshet {
namespace {

constexpr Type kTypes[] = {Type::kBool,     Type::kInt64,       Type::kFloat64,
                           Type::kString,   Type::kBytes,       Type::kTimestamp,
                           Type::kDuration, Type::kListFloat64, Type::kListString};

// A value as text, with its type's mark, so that the model needs no types of its own.
std::string Show(const Column& column, size_t row) {
  if (!column.valid(row)) return "null";
  switch (column.type()) {
    case Type::kBool:
      return std::to_string(column.values<uint8_t>()[row]);
    case Type::kFloat64:
      return std::to_string(column.values<double>()[row]) + "f";
    case Type::kString:
    case Type::kBytes:
      return "'" + std::string(column.text(row)) + "'";
    case Type::kListFloat64:
    case Type::kListString: {
      std::string out = "[";
      const auto [first, last] = column.list(row);
      for (size_t i = first; i < last; ++i)
        out += Show(column.items(), i) + ",";
      return out + "]";
    }
    default:
      return std::to_string(column.values<int64_t>()[row]);
  }
}

void AppendAny(Random& random, Type type, ColumnBuilder& out) {
  if (random.Chance(0.25)) return out.AppendNull();
  const auto number = static_cast<int64_t>(random.Below(1000)) - 500;
  const std::string text(random.Below(random.Chance(0.1) ? 100 : 6),
                         static_cast<char>('a' + random.Below(26)));
  switch (type) {
    case Type::kBool:
      return out.Append(number > 0);
    case Type::kFloat64:
      return out.Append(static_cast<double>(number) / 4);
    case Type::kString:
    case Type::kBytes:
      return out.Append(std::string_view(text));
    case Type::kListFloat64: {
      const std::vector<double> items(random.Below(4), static_cast<double>(number));
      return out.AppendList(items);
    }
    case Type::kListString: {
      const std::vector<std::string_view> items(random.Below(4), text);
      return out.AppendList(items);
    }
    default:
      return out.Append(number);
  }
}

// A batch as rows of texts.
struct Model {
  struct Row {
    Time time = 0;
    uint32_t ordinal = 0;
    std::vector<std::string> values;
    bool operator==(const Row&) const = default;
  };
  std::vector<Type> types;
  std::vector<Row> rows;
};
struct Pair {
  Batch batch;
  Model model;
};

class Chains {
 public:
  explicit Chains(uint64_t seed) : random_(seed) {}

  // Some batches, derived from one another at random, and checked in part as they come.
  void Run() {
    std::vector<Pair> all = {Make({}), Make({Type::kInt64})};
    for (int step = 0; step < 60; ++step) {
      const Pair& from = all[random_.Below(all.size())];
      Pair next;
      switch (random_.Below(8)) {
        case 0:
          next = Make(AnyTypes());
          break;
        case 1:
          next = With(from);
          break;
        case 2:
        case 3:
          next = Take(from);
          break;
        case 4:
          next = Project(from);
          break;
        case 5:
          next = At(from);
          break;
        case 6:
          next = Merge(all, from);
          break;
        default:
          next = ByOrdinal(from);
          break;
      }
      Check(next, 0.3);
      if (all.size() < 12) {
        all.push_back(std::move(next));
      } else {
        all[random_.Below(all.size())] = std::move(next);  // frees one in the middle of chains
      }
    }
    for (const Pair& pair : all)
      Check(pair, 1);
    all.clear();
  }
  const Pool& pool() const { return pool_; }

 private:
  std::vector<Type> AnyTypes() {
    std::vector<Type> types(random_.Below(7) + (random_.Chance(0.05) ? 70 : 0));
    for (Type& type : types)
      type = kTypes[random_.Below(std::size(kTypes))];
    return types;
  }
  size_t AnyRows() { return random_.Chance(0.5) ? 1 : random_.Below(random_.Chance(0.1) ? 200 : 8); }

  std::vector<ColumnPtr> Columns(const std::vector<Type>& types, Model& model) {
    std::vector<ColumnPtr> columns;
    for (const Type type : types) {
      ColumnBuilder builder(pool_, type, random_.Below(4) * 5);
      for (size_t row = 0; row < model.rows.size(); ++row)
        AppendAny(random_, type, builder);
      columns.push_back(builder.Finish());
      model.types.push_back(type);
      for (size_t row = 0; row < model.rows.size(); ++row)
        model.rows[row].values.push_back(Show(*columns.back(), row));
    }
    return columns;
  }

  Pair Make(const std::vector<Type>& types) {
    Pair made;
    made.model.rows.resize(AnyRows());
    std::vector<Time> times;
    std::vector<uint32_t> ordinals;
    uint32_t ordinal = 0;
    for (Model::Row& row : made.model.rows) {
      times.push_back(row.time = static_cast<Time>(random_.Below(1000)));
      ordinal = random_.Chance(0.05) ? 0 : ordinal + static_cast<uint32_t>(random_.Below(3));
      ordinals.push_back(row.ordinal = ordinal);
    }
    const std::vector<ColumnPtr> columns = Columns(types, made.model);
    made.batch = Batch::Make(pool_, columns, times, ordinals);
    return made;
  }

  Pair With(const Pair& from) {
    Pair made = from;
    made.batch =
        from.batch.With(pool_, Columns({kTypes[random_.Below(9)], kTypes[random_.Below(9)]}, made.model));
    return made;
  }

  Pair Take(const Pair& from) {
    Pair made;
    made.model.types = from.model.types;
    std::vector<uint32_t> rows;
    const double share = random_.Uniform();
    for (uint32_t row = 0; row < from.model.rows.size(); ++row) {
      if (random_.Chance(0.05)) rows.push_back(static_cast<uint32_t>(random_.Below(from.model.rows.size())));
      if (random_.Chance(share)) rows.push_back(row);
    }
    for (const uint32_t row : rows)
      made.model.rows.push_back(from.model.rows[row]);
    made.batch = from.batch.Take(pool_, rows);
    return made;
  }

  Pair Project(const Pair& from) {
    Pair made;
    std::vector<size_t> columns(from.model.types.empty() ? 0 : random_.Below(6));
    for (size_t& column : columns)
      column = random_.Below(from.model.types.size());
    for (const size_t column : columns)
      made.model.types.push_back(from.model.types[column]);
    for (const Model::Row& row : from.model.rows) {
      Model::Row& to = made.model.rows.emplace_back(Model::Row{row.time, row.ordinal, {}});
      for (const size_t column : columns)
        to.values.push_back(row.values[column]);
    }
    made.batch = from.batch.Project(pool_, columns);
    return made;
  }

  Pair At(const Pair& from) {
    Pair made = from;
    std::vector<Time> times;
    for (Model::Row& row : made.model.rows)
      times.push_back(row.time = static_cast<Time>(random_.Below(50)));
    made.batch = from.batch.At(pool_, times);
    return made;
  }

  // Batches of the same types as `from`: what is found, and some that are made.
  std::vector<Pair> Alike(const std::vector<Pair>& all, const Pair& from) {
    std::vector<Pair> alike = {from};
    for (const Pair& pair : all) {
      if (pair.model.types == from.model.types) alike.push_back(pair);
    }
    for (uint64_t more = random_.Chance(0.1) ? 20 : random_.Below(3); more > 0; --more)
      alike.push_back(Make(from.model.types));
    return alike;
  }

  Pair Merge(const std::vector<Pair>& all, const Pair& from) {
    const std::vector<Pair> alike = Alike(all, from);
    std::vector<Batch> sources;
    sources.reserve(alike.size());
    std::vector<Batch::Pick> picks;
    Pair made;
    made.model.types = from.model.types;
    for (const Pair& pair : alike)
      sources.push_back(pair.batch);
    for (uint64_t left = random_.Below(10); left > 0; --left) {
      const auto source = static_cast<uint32_t>(random_.Below(alike.size()));
      if (alike[source].model.rows.empty()) continue;
      picks.push_back({source, static_cast<uint32_t>(random_.Below(alike[source].model.rows.size()))});
      made.model.rows.push_back(alike[source].model.rows[picks.back().row]);
    }
    const bool numbers = random_.Chance(0.3);
    for (uint32_t row = 0; numbers && row < made.model.rows.size(); ++row)
      made.model.rows[row].ordinal = row;
    made.batch =
        Batch::Merge(pool_, sources, picks, numbers ? Batch::Ordinals::kNew : Batch::Ordinals::kKept);
    return made;
  }

  Pair ByOrdinal(const Pair& from) {
    const std::vector<Pair> alike = Alike({}, from);
    std::vector<Batch> sources;
    Pair made;
    made.model.types = from.model.types;
    for (const Pair& pair : alike) {
      sources.push_back(pair.batch);
      if (random_.Chance(0.2)) sources.emplace_back();  // a shard without rows
      made.model.rows.insert(made.model.rows.end(), pair.model.rows.begin(), pair.model.rows.end());
    }
    std::stable_sort(made.model.rows.begin(), made.model.rows.end(),
                     [](const Model::Row& a, const Model::Row& b) { return a.ordinal < b.ordinal; });
    made.batch = Batch::MergeByOrdinal(pool_, sources);
    return made;
  }

  void Check(const Pair& pair, double share) {
    const auto& [batch, model] = pair;
    ASSERT_EQ(batch.rows(), model.rows.size());
    ASSERT_EQ(batch.columns(), model.types.size());
    for (size_t row = 0; row < batch.rows(); ++row) {
      ASSERT_EQ(batch.times()[row], model.rows[row].time);
      ASSERT_EQ(batch.ordinals()[row], model.rows[row].ordinal);
    }
    for (size_t i = 0; i < batch.columns(); ++i) {
      if (random_.Chance(share)) {  // by cells; gathered or not
        for (uint32_t row = 0; row < batch.rows(); ++row) {
          const auto [column, at] = batch.cell(i, row);
          ASSERT_EQ(Show(*column, at), model.rows[row].values[i]);
        }
      }
      if (!random_.Chance(share)) continue;
      const Column& column = batch.column(i);
      ASSERT_EQ(&column, &batch.column(i)) << "gathered once";
      ASSERT_EQ(column.rows(), batch.rows());
      ASSERT_EQ(column.type(), model.types[i]);
      size_t nulls = 0;
      for (size_t row = 0; row < batch.rows(); ++row) {
        ASSERT_EQ(Show(column, row), model.rows[row].values[i]);
        nulls += column.valid(row) ? 0 : 1;
      }
      ASSERT_EQ(column.null_count(), nulls);
    }
  }

  Pool pool_;
  Random random_;
};

TEST(BatchProperty, ChainsAgreeWithRowsOfTexts) {
  for (uint64_t seed = 1; seed <= 300 && !testing::Test::HasFatalFailure(); ++seed)
    Chains(seed).Run();
}

// The same chains again and again need no more memory than the first time.
TEST(BatchProperty, SteadyStateCallsMallocNoMore) {
  Pool pool;
  const auto run = [&] {
    for (const size_t rows : {1U, 1U, 3U, 100U, 4096U}) {
      std::vector<ColumnPtr> columns;
      for (const Type type : kTypes) {
        ColumnBuilder builder(pool, type, rows);
        Random random(rows);
        for (size_t row = 0; row < rows; ++row)
          AppendAny(random, type, builder);
        columns.push_back(builder.Finish());
      }
      std::vector<uint32_t> ordinals(rows);
      std::vector<uint32_t> picks;
      for (uint32_t row = 0; row < rows; ++row) {
        ordinals[row] = row;
        if (row % 3 == 0) picks.push_back(row);
      }
      const Batch made = Batch::Make(pool, columns, std::vector<Time>(rows), ordinals);
      const Batch wide = made.With(pool, columns);
      const Batch taken = wide.Take(pool, picks);
      const Batch both[] = {taken, wide.Project(pool, std::vector<size_t>{1, 2, 3}).Take(pool, picks), wide,
                            taken};
      const Batch same[] = {both[0], both[2], both[3]};
      const Batch merged = Batch::MergeByOrdinal(pool, same);
      for (size_t i = 0; i < merged.columns(); ++i)
        ASSERT_EQ(merged.column(i).rows(), rows + 2 * picks.size());
    }
  };
  run();
  const uint64_t mallocs = pool.fresh_blocks();
  const size_t held = pool.held();
  for (int i = 0; i < 20; ++i)
    run();
  EXPECT_EQ(pool.fresh_blocks(), mallocs);
  EXPECT_EQ(pool.held(), held);
}

TEST(ColumnSlice, IsTheRowsItNames) {
  Random random(11);
  Pool pool;
  for (int round = 0; round < 300; ++round) {
    for (const Type type : kTypes) {
      ColumnPtr whole;
      {
        ColumnBuilder builder(pool, type);
        const size_t rows = 1 + random.Below(random.Chance(0.3) ? 400 : 20);
        for (size_t row = 0; row < rows; ++row)
          AppendAny(random, type, builder);
        whole = builder.Finish();
      }
      std::vector<std::string> expected;
      for (size_t row = 0; row < whole->rows(); ++row)
        expected.push_back(Show(*whole, row));
      // A slice of a slice of a slice, each outliving what it was made from.
      for (int depth = 0; depth < 3 && whole->rows() > 0; ++depth) {
        const size_t first = random.Below(whole->rows());
        const size_t rows = random.Below(whole->rows() - first + 1);
        whole = Slice(pool, *whole, first, rows);
        expected = {expected.begin() + static_cast<ptrdiff_t>(first),
                    expected.begin() + static_cast<ptrdiff_t>(first + rows)};
        ASSERT_EQ(whole->rows(), expected.size());
        size_t nulls = 0;
        for (size_t row = 0; row < expected.size(); ++row) {
          ASSERT_EQ(Show(*whole, row), expected[row]);
          nulls += expected[row] == "null" ? 1 : 0;
        }
        ASSERT_EQ(whole->null_count(), nulls);
        ASSERT_EQ(whole->all_valid(), nulls == 0 || whole->rows() == 0);
      }
    }
  }
}

}  // namespace
}  // namespace freshet

#include "tests/operators/joins/join_oracle.h"

#include <algorithm>
#include <optional>
#include <random>
#include <tuple>

namespace freshet {
namespace {

using Random = std::mt19937_64;
int64_t Pick(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
}
bool Chance(Random& random, int percent) {
  return Pick(random, 1, 100) <= percent;
}

// What is known of a key.
struct Item {
  enum { kWaiting, kEarly, kReleased, kTimedOut } state = kWaiting;
  Time time = 0;            // of the prediction
  std::vector<Cell> cells;  // of its row
  bool has_label = false;
  bool late = false;  // it came after the wait
  Time label_time = 0;
  double y = 0;
  Cell note;
};

class NaiveJoin {
 public:
  explicit NaiveJoin(const JoinCase& c) : c_(c) {}

  JoinResult Run() {
    for (size_t i = 0; i < c_.rows.size(); ++i) {
      const FixtureRow& row = c_.rows[i];
      Sweep(row.watermark);
      const int64_t cause = static_cast<int64_t>(i);
      if (std::holds_alternative<std::monostate>(row.cells[0])) {
        result_.dead_letters.push_back({cause, "missing_key", ""});
      } else if (row.port == 0) {
        OnPrediction(row, cause);
      } else {
        OnLabel(row, cause);
      }
    }
    Sweep(kMaxTime);
    return std::move(result_);
  }

 private:
  // Everything that is over by `watermark`, in order of time and key.
  void Sweep(Time watermark) {
    while (true) {
      std::optional<std::tuple<Time, std::string>> first;
      for (const auto& [key, item] : items_) {
        const Time due = item.state == Item::kWaiting ? item.time + c_.wait
                         : item.state == Item::kEarly ? item.label_time + c_.labels_early
                                                      : item.time + c_.remember;
        if (due > watermark) continue;
        if (!first || std::tuple(due, key) < *first) first = {due, key};
      }
      if (!first) return;
      End(std::get<1>(*first));
    }
  }
  void End(const std::string& key) {
    Item& item = items_[key];
    if (item.state == Item::kEarly) Count("labels_unmatched");
    if (item.state != Item::kWaiting) {
      items_.erase(key);
      return;
    }
    if (item.has_label && !item.late) return Release(item, item.time + c_.wait, -1);
    item.state = Item::kTimedOut;
    Count("timed_out");
    if (c_.on_timeout != "drop") {
      const Cell label = c_.on_timeout == "label" ? LabelOf(-1) : Cell(kNull);
      Emit(c_.on_timeout == "side" ? 1 : 0, item, kNull, label, kNull, "timed_out", item.time + c_.wait, -1);
    }
    if (item.late) Correct(item, -1);
  }
  void Correct(Item& item, int64_t cause) {
    item.state = Item::kReleased;
    Count("corrected");
    Emit(0, item, item.note, LabelOf(item.y), item.label_time, "corrected", item.label_time, cause);
  }
  Cell LabelOf(double y) const {
    if (c_.number) return y;
    return y > 10;
  }
  void Release(Item& item, Time time, int64_t cause) {
    item.state = Item::kReleased;
    Emit(0, item, item.note, LabelOf(item.y), item.label_time, "labelled", time, cause);
  }
  void Emit(size_t port, const Item& item, const Cell& note, const Cell& label, const Cell& label_time,
            const std::string& state, Time time, int64_t cause) {
    EmittedRow row{port, time, cause, item.cells};
    for (const Cell& cell : {note, label, label_time, Cell(item.time), Cell(state)})
      row.cells.push_back(cell);
    result_.emitted.push_back(std::move(row));
  }

  void OnPrediction(const FixtureRow& row, int64_t cause) {
    const std::string key = std::get<std::string>(row.cells[0]);
    Item early;
    if (const auto found = items_.find(key); found != items_.end()) {
      const Item& item = found->second;
      const bool over = item.state != Item::kWaiting && row.time > item.time + c_.remember;
      if (item.state != Item::kEarly && !over) {
        result_.dead_letters.push_back({cause, "repeated_prediction", ""});
        return;
      }
      if (item.state == Item::kEarly) early = item;
      items_.erase(found);
    }
    Item& item = items_[key];
    item.time = row.time;
    item.cells = row.cells;
    if (!early.has_label) return;
    const bool may_correct = c_.late_labels == "correct" && early.label_time <= row.time + c_.remember;
    if (early.label_time > row.time + c_.wait && may_correct) {
      Late(item, early.label_time, early.y, early.note, cause);
    } else if (early.label_time < row.time - c_.labels_early || early.label_time > row.time + c_.wait) {
      Count("labels_unmatched");
    } else {
      Take(item, early.label_time, early.y, early.note, cause);
    }
  }

  void OnLabel(const FixtureRow& row, int64_t cause) {
    if (std::holds_alternative<std::monostate>(row.cells[1])) return Count("labels_null");
    const std::string key = std::get<std::string>(row.cells[0]);
    const double y = std::get<double>(row.cells[1]);
    const auto found = items_.find(key);
    const bool marker = found != items_.end() && found->second.state >= Item::kReleased;
    const bool over = marker && row.time > found->second.time + c_.remember;
    if (found == items_.end() || over || found->second.state == Item::kEarly) {
      if (row.watermark >= row.time + c_.labels_early) return Count("labels_unmatched");
      if (over) items_.erase(found);
      Item& item = items_[key];
      item.state = Item::kEarly;
      result_.held_early = true;
      Prefer(item, row.time, y, row.cells[2]);
      return;
    }
    Item& item = found->second;
    if (item.state == Item::kReleased) return Count("labels_repeated");
    if (item.state == Item::kTimedOut || row.time > item.time + c_.wait) {
      Late(item, row.time, y, row.cells[2], cause);
      if (c_.late_labels == "side") {
        result_.emitted.push_back({c_.on_timeout == "side" ? 2U : 1U, row.time, cause, row.cells});
      }
    } else if (row.time < item.time - c_.labels_early) {
      Count("labels_unmatched");
    } else {
      Take(item, row.time, y, row.cells[2], cause);
    }
  }
  // After the wait, by its time or by the watermark; only the first label of a prediction corrects it.
  void Late(Item& item, Time time, double y, const Cell& note, int64_t cause) {
    const bool corrects = c_.late_labels == "correct";
    if (corrects && item.has_label) return Count("labels_repeated");
    Count("labels_late");
    const bool is_its = time >= item.time - c_.labels_early && time <= item.time + c_.remember;
    if (!corrects || !is_its) return;
    item.has_label = item.late = true;
    item.label_time = time;
    item.y = y;
    item.note = note;
    if (item.state == Item::kTimedOut) Correct(item, cause);
  }
  void Take(Item& item, Time time, double y, const Cell& note, int64_t cause) {
    Prefer(item, time, y, note);
    const bool certain = c_.take == "first" || (c_.take == "any" && item.y > 10);
    if (certain && !c_.after_wait) Release(item, item.label_time, cause);
  }
  // Gives the item the label, or leaves it the one it has.
  void Prefer(Item& item, Time time, double y, const Cell& note) {
    if (item.has_label && !item.late) {
      if (c_.take == "first") return Count("labels_repeated");
      if (c_.take == "last" && time < item.label_time) return;
      if (c_.take == "any" && (item.y > 10 || y <= 10)) return;
    }
    item.has_label = true;
    item.late = false;
    item.label_time = time;
    item.y = y;
    item.note = note;
  }
  void Count(const std::string& family) { ++result_.counters[family]; }

  const JoinCase& c_;
  std::map<std::string, Item> items_;
  JoinResult result_;
};

}  // namespace

Named<Schema> JoinStreams() {
  return {{"predictions", Schema({{"id", Type::kString, {}},
                                  {"x", Type::kFloat64, {}},
                                  {"n", Type::kInt64, {}},
                                  {"flag", Type::kBool, {}},
                                  {"tags", Type::kListString, {}},
                                  {"parts", Type::kListFloat64, {}}})},
          {"labels",
           Schema({{"ref", Type::kString, {}}, {"y", Type::kFloat64, {}}, {"note", Type::kString, {}}})}};
}

JoinCase MakeJoinCase(uint64_t seed, size_t rows) {
  Random random(seed);
  JoinCase c;
  c.wait = Pick(random, 1, 40) * kMinute;
  c.labels_early = Chance(random, 50) ? 0 : Pick(random, 1, 20) * kMinute;
  c.remember = Chance(random, 50) ? 2 * c.wait : c.wait + Pick(random, 0, 60) * kMinute;
  c.after_wait = Chance(random, 40);
  c.take = std::vector<std::string>{"first", "any", c.after_wait ? "last" : "first"}[random() % 3];
  c.on_timeout = std::vector<std::string>{"drop", "side", "label"}[random() % 3];
  c.late_labels = std::vector<std::string>{"count", "side", "correct"}[random() % 3];
  if (c.late_labels == "correct" && c.remember == c.wait) c.remember += kMinute;
  c.number = c.take != "any" && Chance(random, 50);
  const int64_t keys = Pick(random, 3, 60);
  const Duration disorder = Chance(random, 30) ? 0 : Pick(random, 1, 15) * kMinute;
  const Duration believed = Chance(random, 70) ? disorder : disorder / 2;
  Time now = 1'700'000'000 * kSecond;
  const auto optional = [&](const Cell& cell) { return Chance(random, 20) ? Cell(kNull) : cell; };
  for (size_t i = 0; i < rows; ++i) {
    now += Pick(random, 0, 3) * kMinute / 2;
    FixtureRow row;
    row.port = Chance(random, 50) ? 0 : 1;
    row.time = now - (disorder == 0 ? 0 : Pick(random, 0, disorder / kSecond) * kSecond);
    const Cell key = Chance(random, 2) ? Cell(kNull) : Cell("key" + std::to_string(Pick(random, 1, keys)));
    if (row.port == 0) {
      row.cells = {key,
                   optional(Cell(static_cast<double>(i) / 3)),
                   optional(Cell(static_cast<int64_t>(i))),
                   optional(Cell(i % 2 == 0)),
                   optional(Cell(std::vector<std::string>(i % 3, std::string(i % 7, 'z')))),
                   optional(Cell(std::vector<double>(i % 4, 1.5)))};
    } else {
      row.cells = {key, Chance(random, 5) ? Cell(kNull) : Cell(static_cast<double>(Pick(random, 0, 20))),
                   optional(Cell("note" + std::to_string(i)))};
    }
    c.rows.push_back(std::move(row));
  }
  RunWatermarks(c.rows, 2, believed);
  return c;
}

std::string JoinYaml(const JoinCase& c) {
  const std::string timeout =
      c.on_timeout == "label" ? (c.number ? "{label: -1.0}" : "{label: false}") : c.on_timeout;
  return "from: predictions\nlabels: labels\nkey: {from: id, labels: ref}\nkeep: [note]\nlabel: " +
         std::string(c.number ? "y" : "y > 10") + "\nwait: " + FormatDuration(c.wait) +
         "\nlabels_early: " + FormatDuration(c.labels_early) + "\nremember: " + FormatDuration(c.remember) +
         "\ntake: " + c.take + "\non_timeout: " + timeout + "\nlate_labels: " + c.late_labels +
         "\nrelease: " + (c.after_wait ? "after_wait" : "on_label") + "\n";
}

JoinResult JoinNaively(const JoinCase& c) {
  return NaiveJoin(c).Run();
}

}  // namespace freshet

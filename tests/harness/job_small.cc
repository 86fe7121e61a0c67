#include "tests/harness/job_small.h"

#include "engine/base/random.h"

namespace freshet {

namespace {

constexpr Time kStart = 1704067200 * kSecond;  // 2024-01-01

constexpr std::string_view kBadValues[] = {
    "no JSON",
    "{",
    "[1]",
    R"({"id": 7})",
    R"({"id": "b", "t": "soon"})",
    R"({"id": "b", "key": "k0", "t": "2024-01-01T00:00:00Z", "x": "one"})"};

std::string Number(Random& random) {
  return std::to_string(static_cast<double>(random.Below(2000)) / 1000.0 - 1.0);
}

// Times rise by 0 to 2 seconds a row, with some rows up to 4 seconds back.
class Times {
 public:
  explicit Times(Random& random) : random_(random) {}
  Time Next() {
    now_ += static_cast<Duration>(random_.Below(3)) * kSecond;
    const Duration back = random_.Chance(0.2) ? static_cast<Duration>(random_.Below(5)) * kSecond : 0;
    return now_ - back;
  }

 private:
  Random& random_;
  Time now_ = kStart;
};

JobRecord Row(Time time, int32_t partition, std::string key, std::string json) {
  JobRecord record;
  record.partition = partition;
  record.timestamp = time;
  record.key = std::move(key);
  record.value = std::move(json);
  return record;
}

void MaybeBad(Random& random, size_t one_in, int32_t partition, std::vector<JobRecord>& records) {
  if (one_in == 0 || random.Below(one_in) != 0) return;
  JobRecord bad = Row(kStart, partition, "bad", "");
  if (random.Chance(0.2)) {
    bad.value.reset();
  } else {
    bad.value = std::string(kBadValues[random.Below(std::size(kBadValues))]);
  }
  records.push_back(std::move(bad));
}

}  // namespace

std::string_view SmallJob() {
  return R"yaml(job: small
sources:
  events:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, other: string, t: timestamp, x: float64, rank: int64}
  clicks:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, t: timestamp, score: float64}
operators:
  by_key:
    type: features
    from: events
    key: key
    exclude_current: true
    features:
      mean_1m: {mean: x, window: 1m}
      n_1m: {count: "*", window: 1m}
  by_other:
    {type: features, from: by_key, key: other, features: {max_3m: {max: x, window: 3m}}}
  seen:
    {type: features, from: by_other, over: clicks, key: key, features: {y_1m: {mean: score, window: 1m}}}
  inputs:
    {type: derive, from: seen, fields: {gap: "x - coalesce(mean_1m, 0.0)"
}
}
  large:
    {type: filter, from: inputs, where: "x > 0.2"}
  learnt:
    {type: train, from: inputs, models: [m], label: "rank > 2"}
models:
  m:
    features: {numeric: [x, gap, mean_1m, y_1m], categorical: [other]}
    microbatch: 3
sinks:
  large: {from: large, key: key}
  learnt: {from: learnt, key: id}
)yaml";
}

std::string_view JoiningJob() {
  return R"yaml(job: joining
sources:
  events:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, other: string, t: timestamp, x: float64, rank: int64}
  clicks:
    event_time: {field: t, max_out_of_orderness: 4s}
    fields: {id: string, key: string, t: timestamp, score: float64}
operators:
  by_key:
    type: features
    from: events
    key: key
    exclude_current: true
    features: {mean_1m: {mean: x, window: 1m}}
  by_clicks:
    {type: features, from: by_key, over: clicks, key: key, features: {y_1m: {mean: score, window: 1m}}}
  seen: {type: predict, from: by_clicks, model: m, shadow: [second]}
  labelled:
    {type: label_join, from: seen, labels: clicks, key: id, label: "score > 0", wait: 2m,
     on_timeout: {label: false}, late_labels: side}
  learnt: {type: train, from: labelled}
  scores:
    type: evaluate
    from: labelled
    baselines: [prior, {last_label: {key: key}}, {rule: {name: high, when: "x > 0"}}]
    every: 1m
    windows: [3m]
models:
  m:
    features: {numeric: [x, mean_1m, y_1m], categorical: [other]}
    microbatch: 3
  second:
    features: {numeric: [x], categorical: [other, key]}
    optimizer: {sgd: {rate: 0.1}}
sinks:
  seen: {from: seen, key: id}
  labelled: {from: labelled, key: id}
  late: {from: labelled.late_labels, key: id}
  scores: {from: scores}
)yaml";
}

std::string_view CorrectingJob() {
  static const std::string job = [] {
    std::string yaml(JoiningJob());
    const auto replace = [&](std::string_view old, std::string_view by) {
      yaml.replace(yaml.find(old), old.size(), by);
    };
    replace("wait: 2m", "wait: 20s, remember: 4m");
    replace("late_labels: side", "late_labels: correct");
    replace("  late: {from: labelled.late_labels, key: id}\n", "");
    return yaml;
  }();
  return job;
}

std::string_view CountingJob() {
  return R"yaml(job: counting
sources:
  events:
    event_time: {field: t}
    fields: {id: string, t: timestamp}
operators:
  counts: {type: features, from: events, key: id, features: {n_1h: {count: "*", window: 1h}}}
sinks:
  out: {from: counts, key: id}
)yaml";
}

JobRecord CountingRow(std::string_view id, std::string_view time) {
  return Row(kStart, 0, std::string(id),
             R"({"id": ")" + std::string(id) + R"(", "t": "2024-01-01T)" + std::string(time) + "Z\"}");
}

std::vector<JobInput> MakeRows(const SmallRows& rows) {
  Random random(rows.seed);
  JobInput events{"events", rows.event_partitions, {}};
  JobInput clicks{"clicks", rows.click_partitions, {}};
  Times event_times(random);
  Times click_times(random);
  for (size_t i = 0; i < rows.events; ++i) {
    const std::string id = "e" + std::to_string(i);
    const std::string key = "k" + std::to_string(random.Below(7));
    const auto partition = static_cast<int32_t>(random.Below(static_cast<uint64_t>(rows.event_partitions)));
    MaybeBad(random, rows.bad_one_in, partition, events.records);
    const Time time = event_times.Next();
    std::string json = R"({"id": ")" + id + R"(", "key": ")" + key + R"(", "other": "o)" +
                       std::to_string(random.Below(3)) + R"(", "t": ")" + FormatTimestamp(time) + "\"";
    if (!random.Chance(0.05)) json += ", \"x\": " + Number(random);
    if (!random.Chance(0.1)) json += ", \"rank\": " + std::to_string(random.Below(6));
    events.records.push_back(Row(time, partition, id, json + "}"));

    const auto other = static_cast<int32_t>(random.Below(static_cast<uint64_t>(rows.click_partitions)));
    MaybeBad(random, rows.bad_one_in, other, clicks.records);
    if (random.Chance(0.2)) continue;
    const std::string of =
        "e" + std::to_string(i - std::min<size_t>(i, random.Below(random.Chance(0.1) ? 250 : 40)));
    const Time clicked = click_times.Next();
    clicks.records.push_back(Row(clicked, other, of,
                                 R"({"id": ")" + of + R"(", "key": ")" + key + R"(", "t": ")" +
                                     FormatTimestamp(clicked) + R"(", "score": )" + Number(random) + "}"));
  }
  return {std::move(events), std::move(clicks)};
}

}  // namespace freshet

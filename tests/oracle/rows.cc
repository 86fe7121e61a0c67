#include "tests/oracle/rows.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string_view>

namespace oracle {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> SplitAtCommas(const std::string& line) {
  std::vector<std::string> parts(1);
  for (char c : line) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// One flat object whose strings hold no escapes and whose values hold no comma: all that the flights need.
Fields ParseJson(const std::string& line) {
  if (line.size() < 2 || line.front() != '{' || line.back() != '}' || line.find('\\') != std::string::npos) {
    Fail("not one flat JSON object without escapes: " + line);
  }
  Fields fields;
  auto unquoted = [](const std::string& text) {
    return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2)
                                                                         : text;
  };
  for (const std::string& pair : SplitAtCommas(line.substr(1, line.size() - 2))) {
    const size_t colon = pair.find(':');
    if (colon == std::string::npos) Fail("no `name: value` in " + line);
    fields[unquoted(pair.substr(0, colon))] = unquoted(pair.substr(colon + 1));
  }
  return fields;
}

template <class TakeRow>
void ReadRows(const std::string& path, TakeRow take) {
  std::ifstream file(path);
  if (!file) Fail("cannot open " + path);
  std::string line;
  std::vector<std::string> header;
  while (std::getline(file, line)) {
    if (line.empty()) continue;
    Fields fields;
    if (line.front() == '{') {
      fields = ParseJson(line);
    } else if (header.empty()) {
      header = SplitAtCommas(line);
      continue;
    } else {
      const std::vector<std::string> values = SplitAtCommas(line);
      if (values.size() != header.size()) Fail("other columns than the header: " + line);
      for (size_t i = 0; i < values.size(); ++i)
        fields[header[i]] = values[i];
    }
    take(fields);
  }
  if (file.bad()) Fail("cannot read " + path);
}

const std::string& Text(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->second.empty()) Fail("a row lacks " + std::string(name));
  return found->second;
}

template <class T>
T Number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) Fail("not a number: " + std::string(text));
  return value;
}

// 2013-01-01T10:17:00Z and nothing else.
Seconds Time(std::string_view text) {
  const std::string_view pattern = "0000-00-00T00:00:00Z";
  bool fits = text.size() == pattern.size();
  for (size_t i = 0; fits && i < text.size(); ++i) {
    fits = pattern[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == pattern[i];
  }
  if (!fits) Fail("not a UTC time in seconds: " + std::string(text));
  using namespace std::chrono;
  const year_month_day day{year(Number<int>(text.substr(0, 4))), month(Number<unsigned>(text.substr(5, 2))),
                           std::chrono::day(Number<unsigned>(text.substr(8, 2)))};
  if (!day.ok()) Fail("no such day: " + std::string(text));
  return duration_cast<seconds>(sys_days(day).time_since_epoch()).count() +
         3600 * Number<int>(text.substr(11, 2)) + 60 * Number<int>(text.substr(14, 2)) +
         Number<int>(text.substr(17, 2));
}

}  // namespace

std::vector<Departure> ReadDepartures(const std::string& path) {
  std::vector<Departure> rows;
  ReadRows(path, [&](const Fields& fields) {
    rows.push_back({.time = Time(Text(fields, "departed_at")),
                    .flight_id = Text(fields, "flight_id"),
                    .carrier = Text(fields, "carrier"),
                    .origin = Text(fields, "origin"),
                    .dest = Text(fields, "dest"),
                    .sched_hour = Text(fields, "sched_hour"),
                    .distance = Number<double>(Text(fields, "distance")),
                    .dep_delay = Number<double>(Text(fields, "dep_delay"))});
  });
  return rows;
}

std::vector<Arrival> ReadArrivals(const std::string& path) {
  std::vector<Arrival> rows;
  ReadRows(path, [&](const Fields& fields) {
    rows.push_back({.time = Time(Text(fields, "arrived_at")),
                    .flight_id = Text(fields, "flight_id"),
                    .dest = Text(fields, "dest"),
                    .arr_delay = Number<double>(Text(fields, "arr_delay"))});
  });
  return rows;
}

std::vector<Step> OrderByTime(const std::vector<Departure>& departures,
                              const std::vector<Arrival>& arrivals) {
  std::vector<Step> steps;
  for (size_t i = 0; i < departures.size(); ++i)
    steps.push_back({true, i});
  for (size_t i = 0; i < arrivals.size(); ++i)
    steps.push_back({false, i});
  const auto time = [&](const Step& s) {
    return s.is_departure ? departures[s.index].time : arrivals[s.index].time;
  };
  // Stable, and all departures stand before all arrivals: that is the rest of the order.
  std::stable_sort(steps.begin(), steps.end(),
                   [&](const Step& a, const Step& b) { return time(a) < time(b); });
  return steps;
}

std::vector<Step> ReadOrder(const std::string& path, size_t departures, size_t arrivals) {
  std::ifstream file(path);
  if (!file) Fail("cannot open " + path);
  std::vector<Step> steps;
  std::vector<bool> departure_seen(departures), arrival_seen(arrivals);
  std::string line;
  while (std::getline(file, line)) {
    if (line.size() < 3 || (line[0] != 'd' && line[0] != 'a') || line[1] != ' ') {
      Fail("not `d <index>` or `a <index>`: " + line);
    }
    const Step step{line[0] == 'd', Number<size_t>(std::string_view(line).substr(2))};
    std::vector<bool>& seen = step.is_departure ? departure_seen : arrival_seen;
    if (step.index >= seen.size() || seen[step.index]) Fail("no such row, or a row twice: " + line);
    seen[step.index] = true;
    steps.push_back(step);
  }
  return steps;
}

std::string MonthOf(Seconds time) {
  using namespace std::chrono;
  const year_month_day day{floor<days>(sys_seconds{seconds{time}})};
  const unsigned month = static_cast<unsigned>(day.month());
  return std::to_string(static_cast<int>(day.year())) + (month < 10 ? "-0" : "-") + std::to_string(month);
}

void Fail(const std::string& message) {
  std::cerr << "flights_oracle: " << message << "\n";
  std::exit(1);
}

}  // namespace oracle

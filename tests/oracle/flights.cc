// flights_oracle: what jobs/flight-delays must compute, by the plainest means. It shares no code with the
// engine; tests compare the two. Features must agree to the bit, predictions and metrics nearly (the engine
// keeps weights in float).

#include <charconv>
#include <cmath>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/oracle/features.h"
#include "tests/oracle/replay.h"
#include "tests/oracle/rows.h"
#include "tests/oracle/scores.h"

namespace oracle {
namespace {

constexpr std::string_view kUsage =
    "usage: flights_oracle DEPARTURES ARRIVALS [options]\n"
    "  DEPARTURES, ARRIVALS    uncompressed CSV with a header, or NDJSON\n"
    "  --order FILE            the order of rows: lines `d <index>` and `a <index>`; default: by event time\n"
    "  --ties include|exclude  whether rows of the same moment count in windows; default: include\n"
    "  --leak                  windows over departures hold the departure itself\n"
    "  --features FILE         writes flight_id and the four windowed features, as CSV\n"
    "  --predictions FILE      writes flight_id and both probabilities, as CSV\n"
    "  --metrics FILE          writes metrics of models and baselines, the whole run and by month, as JSON\n"
    "  --alpha X --beta X --l1 X --l2 X   of FTRL-Proximal; default .1, 1, 0, 0\n";

struct Options {
  std::vector<std::string> inputs;
  std::string order, features, predictions, metrics;
  FeatureOptions windows;
  FtrlOptions ftrl;
};

[[noreturn]] void Misuse(const std::string& what) {
  std::cerr << "flights_oracle: " << what << "\n" << kUsage;
  std::exit(2);
}

double ReadNumber(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) Misuse("not a number: " + text);
  return value;
}

Options ReadOptions(const std::vector<std::string>& args) {
  Options options;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& name = args[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == args.size()) Misuse(name + " needs a value");
      return args[++i];
    };
    if (!name.starts_with("--")) {
      options.inputs.push_back(name);
    } else if (name == "--leak") {
      options.windows.include_current = true;
    } else if (name == "--ties") {
      const std::string& ties = value();
      if (ties != "include" && ties != "exclude") Misuse("--ties is include or exclude, not " + ties);
      options.windows.exclude_ties = ties == "exclude";
    } else if (name == "--order") {
      options.order = value();
    } else if (name == "--features") {
      options.features = value();
    } else if (name == "--predictions") {
      options.predictions = value();
    } else if (name == "--metrics") {
      options.metrics = value();
    } else if (name == "--alpha") {
      options.ftrl.alpha = ReadNumber(value());
    } else if (name == "--beta") {
      options.ftrl.beta = ReadNumber(value());
    } else if (name == "--l1") {
      options.ftrl.l1 = ReadNumber(value());
    } else if (name == "--l2") {
      options.ftrl.l2 = ReadNumber(value());
    } else {
      Misuse("no option " + name);
    }
  }
  if (options.inputs.size() != 2) Misuse("give the file of departures and the file of arrivals");
  if (options.features.empty() && options.predictions.empty() && options.metrics.empty()) {
    Misuse("nothing to write: give --features, --predictions or --metrics");
  }
  return options;
}

// The shortest digits that read back as the same double; nothing for nothing.
std::string Digits(std::optional<double> value) {
  if (!value) return "";
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, *value).ptr};
}

// Ends the program unless every byte reached the file.
void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) Fail("cannot write " + path);
}

std::string FeaturesCsv(const std::vector<Departure>& departures, const std::vector<Step>& steps,
                        const std::vector<Features>& features) {
  std::string text = "flight_id,origin_flights_1h,origin_delay_3h,carrier_delay_1h,dest_delay_3h\n";
  auto next = features.begin();
  for (const Step& step : steps) {
    if (!step.is_departure) continue;
    const Features& f = *next++;
    text += departures[step.index].flight_id + ',' + Digits(f.origin_flights_1h) + ',' +
            Digits(f.origin_delay_3h) + ',' + Digits(f.carrier_delay_1h) + ',' + Digits(f.dest_delay_3h) +
            '\n';
  }
  return text;
}

std::string PredictionsCsv(const std::vector<Prediction>& predictions) {
  std::string text = "flight_id,with_delay,without_delay\n";
  for (const Prediction& p : predictions) {
    text += p.flight_id + ',' + Digits(p.with_delay) + ',' + Digits(p.without_delay) + '\n';
  }
  return text;
}

std::string Json(const Metrics& m) {
  const auto number = [](double x) { return std::isnan(x) ? std::string("null") : Digits(x); };
  return "{\"log_loss\": " + number(m.log_loss) + ", \"roc_auc\": " + number(m.roc_auc) +
         ", \"accuracy\": " + number(m.accuracy) + ", \"brier\": " + number(m.brier) +
         ", \"calibration_error\": " + number(m.calibration_error) +
         ", \"examples\": " + std::to_string(m.examples) + "}";
}

// Every name with its metrics over the labels of one month, or over all of them.
std::string Json(const std::map<std::string, std::vector<Scored>>& by_name,
                 const std::vector<std::string>& months, const std::string& month) {
  std::string text;
  for (const auto& [name, scored] : by_name) {
    std::vector<Scored> chosen;
    for (size_t i = 0; i < scored.size(); ++i) {
      if (month.empty() || months[i] == month) chosen.push_back(scored[i]);
    }
    text += (text.empty() ? "\"" : ", \"") + name + "\": " + Json(Measure(chosen));
  }
  return "{" + text + "}";
}

std::string MetricsJson(const Replay& replay) {
  const auto part = [&](const std::string& month) {
    return "\"models\": " + Json(replay.models, replay.months, month) +
           ",\n \"baselines\": " + Json(replay.baselines, replay.months, month);
  };
  std::string text = "{\"departures\": " + std::to_string(replay.predictions.size()) +
                     ", \"labelled\": " + std::to_string(replay.months.size()) +
                     ", \"never_labelled\": " + std::to_string(replay.never_labelled) +
                     ", \"labels_unmatched\": " + std::to_string(replay.labels_unmatched) + ",\n " +
                     part("") + ",\n \"months\": {";
  const std::set<std::string> months(replay.months.begin(), replay.months.end());
  for (const std::string& month : months) {
    text += (month == *months.begin() ? "\n \"" : ",\n \"") + month + "\": {" + part(month) + "}";
  }
  return text + "}}\n";
}

}  // namespace
}  // namespace oracle

int main(int argc, char** argv) {
  using namespace oracle;
  const Options options = ReadOptions({argv + 1, argv + argc});
  const std::vector<Departure> departures = ReadDepartures(options.inputs[0]);
  const std::vector<Arrival> arrivals = ReadArrivals(options.inputs[1]);
  const std::vector<Step> steps = options.order.empty()
                                      ? OrderByTime(departures, arrivals)
                                      : ReadOrder(options.order, departures.size(), arrivals.size());
  const std::vector<Features> features = ComputeFeatures(departures, arrivals, steps, options.windows);
  if (!options.features.empty()) WriteFile(options.features, FeaturesCsv(departures, steps, features));
  if (options.predictions.empty() && options.metrics.empty()) return 0;

  const Replay replay = Run(departures, arrivals, steps, features, options.ftrl);
  if (!options.predictions.empty()) WriteFile(options.predictions, PredictionsCsv(replay.predictions));
  if (!options.metrics.empty()) WriteFile(options.metrics, MetricsJson(replay));
  return 0;
}

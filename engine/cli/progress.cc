#include "engine/cli/progress.h"

#include <cstdio>

namespace freshet {

namespace {
constexpr Duration kRedrawEvery = 100 * kMillisecond;
constexpr Duration kLineEvery = 5 * kSecond;
constexpr size_t kBarWidth = 24;
}  // namespace

ProgressLine::ProgressLine(const Clock& clock, bool terminal, std::optional<Duration> every)
    : clock_(clock),
      terminal_(terminal),
      every_(every.value_or(terminal ? kRedrawEvery : kLineEvery)),
      start_(clock.Steady()) {}

std::string ProgressLine::Text(const LaneProgress& progress) const {
  if (progress.standing_by) return "standing by";
  const double seconds = static_cast<double>(clock_.Steady() - start_) / static_cast<double>(kSecond);
  const auto rate = static_cast<uint64_t>(seconds > 0 ? static_cast<double>(progress.rows) / seconds : 0);
  const auto lag = static_cast<uint64_t>(progress.lag);
  std::string text;
  if (terminal_) {
    const size_t done =
        progress.rows + lag == 0 ? kBarWidth : kBarWidth * progress.rows / (progress.rows + lag);
    text = "[" + std::string(done, '#') + std::string(kBarWidth - done, '.') + "] ";
  }
  text += "rows " + std::to_string(progress.rows) + "  commits " + std::to_string(progress.commits) +
          "  rate " + std::to_string(rate) + "/s  lag " + std::to_string(lag);
  if (rate > 0 && lag > 0) text += "  left " + std::to_string(lag / rate + 1) + "s";
  if (progress.event_time != kMinTime) text += "  event time " + FormatTimestamp(progress.event_time);
  return text;
}

void ProgressLine::Show(const LaneProgress& progress) {
  latest_ = progress;
  const Duration now = clock_.Steady();
  if (shown_ && now - last_ < every_) return;
  last_ = now;
  shown_ = true;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", Text(progress).c_str());
  std::fflush(stderr);
}

void ProgressLine::Finish() {
  if (!shown_) return;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s\n" : "%s\n", Text(latest_).c_str());
}

}  // namespace freshet

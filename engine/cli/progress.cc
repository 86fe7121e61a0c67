#include "engine/cli/progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace freshet {

namespace {

constexpr Duration kRedrawEvery = 100 * kMillisecond;
constexpr Duration kLineEvery = 5 * kSecond;
constexpr size_t kUsualColumns = 80;
constexpr size_t kMostBarWidth = 24;

std::string Bar(const LaneProgress& progress, size_t columns) {
  const size_t width = std::min(kMostBarWidth, columns / 8);
  const uint64_t all = progress.rows + static_cast<uint64_t>(progress.lag);
  const size_t done = all == 0 ? width : width * progress.rows / all;
  return "[" + std::string(done, '#') + std::string(width - done, '.') + "] ";
}

}  // namespace

TerminalColumns ColumnsOfStandardError() {
  if (isatty(STDERR_FILENO) != 1) return {};
  return [] {
    winsize size{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size_t{size.ws_col} : kUsualColumns;
  };
}

ProgressLine::ProgressLine(const Clock& clock, TerminalColumns columns, std::optional<Duration> every)
    : clock_(clock),
      columns_(std::move(columns)),
      every_(every.value_or(columns_ ? kRedrawEvery : kLineEvery)),
      start_(clock.Steady()) {}

std::string ProgressLine::Text() const {
  if (latest_.standing_by) return "standing by";
  const double seconds = static_cast<double>(clock_.Steady() - start_) / static_cast<double>(kSecond);
  const auto rate = static_cast<uint64_t>(seconds > 0 ? static_cast<double>(latest_.rows) / seconds : 0);
  const auto lag = static_cast<uint64_t>(latest_.lag);
  std::string text = "rows " + std::to_string(latest_.rows) + "  commits " + std::to_string(latest_.commits) +
                     "  rate " + std::to_string(rate) + "/s  lag " + std::to_string(lag);
  if (rate > 0 && lag > 0) text += "  left " + std::to_string(lag / rate + 1) + "s";
  if (latest_.dead_letters > 0) text += "  dead letters " + std::to_string(latest_.dead_letters);
  if (latest_.event_time != kMinTime) text += "  event time " + FormatTimestamp(latest_.event_time);
  return text;
}

void ProgressLine::Redraw() const {
  std::string text = Text();
  if (!columns_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  const size_t columns = columns_();
  if (!latest_.standing_by) text.insert(0, Bar(latest_, columns));
  // A line that wraps cannot be redrawn; some terminals wrap once the last column is filled.
  text.resize(std::min(text.size(), std::max<size_t>(columns, 1) - 1));
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
}

void ProgressLine::Show(const LaneProgress& progress) {
  latest_ = progress;
  const Duration now = clock_.Steady();
  if (shown_ && now - last_ < every_) return;
  last_ = now;
  shown_ = latest_;
  Redraw();
  std::fflush(stderr);
}

void ProgressLine::Finish() {
  if (!shown_) return;
  if (columns_ || !(*shown_ == latest_)) Redraw();
  if (columns_) std::fputc('\n', stderr);
}

}  // namespace freshet

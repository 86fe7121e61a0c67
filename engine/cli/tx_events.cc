#include "engine/cli/tx_events.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace freshet {

namespace {

constexpr int64_t kFirstTime = 1'700'000'000'000;  // ms
constexpr int64_t kStep = 36;
constexpr uint64_t kDisorder = 5'000;
constexpr uint64_t kLatest = 3'600'000;

constexpr std::array kCountries{"US", "GB", "DE", "FR", "IN", "BR", "JP", "CA"};
constexpr std::array kDevices{"ios", "android", "web"};
constexpr std::array kChannels{"pos", "ecom", "atm"};

// Log-normal in shape: three uniform numbers are near enough to a normal one.
double DrawAmount(Random& random) {
  double sum = 0;
  for (int i = 0; i < 3; ++i)
    sum += random.Uniform();
  return std::round(std::exp(2.0 + 1.3 * (sum - 1.5) * 2) * 100) / 100;
}

double Fraction(uint64_t bits, int shift) {
  return static_cast<double>(bits >> shift & 0xffff) / 65536.0;
}

}  // namespace

TxEvents::TxEvents(const TxOptions& options)
    : options_(options), random_(static_cast<uint64_t>(options.seed)) {
  weight_up_to_.reserve(static_cast<size_t>(options_.cards));
  double sum = 0;
  for (int64_t rank = 1; rank <= options_.cards; ++rank)
    weight_up_to_.push_back(sum += 1.0 / std::pow(static_cast<double>(rank), options_.zipf));
}

// Ranks are scattered over the numbers, so that cards which pay often are not neighbours.
uint64_t TxEvents::DrawCard() {
  const double at = random_.Uniform() * weight_up_to_.back();
  const auto found = std::lower_bound(weight_up_to_.begin(), weight_up_to_.end() - 1, at);
  const auto rank = static_cast<uint64_t>(found - weight_up_to_.begin());
  const uint64_t cards = weight_up_to_.size();
  const uint64_t scatter = cards % 7919 != 0 ? 7919 : cards % 7907 != 0 ? 7907 : 1;  // prime to it
  constexpr uint64_t kFirst = 13;
  return (rank * scatter + kFirst) % cards;
}

int64_t TxEvents::DrawTime() {
  const int64_t newest = kFirstTime + static_cast<int64_t>(next_) * kStep;
  const auto behind = static_cast<int64_t>(random_.Below(kDisorder));
  if (options_.late == 0 || !random_.Chance(options_.late)) return newest - behind;
  return newest - static_cast<int64_t>(kDisorder + random_.Below(kLatest));
}

void TxEvents::Append(std::string& out) {
  const uint64_t card = DrawCard();
  const int64_t time = DrawTime();
  const double amount = DrawAmount(random_);
  const uint64_t what = random_.Next();
  const uint64_t where = random_.Next();
  const auto byte = [&](int shift) { return static_cast<unsigned>(where >> shift & 0xff); };
  std::array<char, 512> text;
  const int size = std::snprintf(
      text.data(), text.size(),
      R"({"event_id":"e%010)" PRIu64 R"(","card":"c%07)" PRIu64 R"(","ts":%)" PRId64
      R"(,"amount":%.2f,"merchant":"m%04u","mcc":%u,"country":"%s","device":"%s","channel":"%s",)"
      R"("ip":"10.%u.%u.%u","lat":%.6f,"lon":%.6f,"note":"card present, regular"})",
      next_, card, time, amount, static_cast<unsigned>(what % 5000),
      5000 + static_cast<unsigned>((what >> 16) % 1000), kCountries[what >> 32 & 7],
      kDevices[(what >> 36) % kDevices.size()], kChannels[(what >> 40) % kChannels.size()], byte(0), byte(8),
      byte(16), 25 + 20 * Fraction(where, 24), -120 + 45 * Fraction(where, 40));
  out.append(text.data(), static_cast<size_t>(size));
  ++next_;
}

}  // namespace freshet

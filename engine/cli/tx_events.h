#pragma once
// Card payments, made up: what `freshet generate tx` prints, for tests and benchmarks. One thread.
//
// Always: the same options give the same events, and fewer events are the beginning of more.
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/random.h"

namespace freshet {

struct TxOptions {
  int64_t cards = 100'000;
  double zipf = 1.0;  // how often cards pay: the k-th as often as 1 / k^zipf; 0: all alike
  int64_t seed = 42;
  double late =
      0;  // share of events, in [0, 1], that are up to an hour older than the disorder of the others
};

class TxEvents {
 public:
  explicit TxEvents(const TxOptions& options);
  // Appends the next event: an object of about 240 bytes. Event time rises 36 ms an event, less up to 5 s.
  void Append(std::string& out);

 private:
  uint64_t DrawCard();
  int64_t DrawTime();

  TxOptions options_;
  Random random_;
  std::vector<double> weight_up_to_;  // by rank of the card
  uint64_t next_ = 0;
};

}  // namespace freshet

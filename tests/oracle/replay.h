// The year worked through row by row: predict at departure, keep what the prediction used, learn from it at
// arrival.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/oracle/features.h"
#include "tests/oracle/learner.h"
#include "tests/oracle/rows.h"
#include "tests/oracle/scores.h"

namespace oracle {

struct Prediction {
  std::string flight_id;
  double with_delay = 0, without_delay = 0;
};

struct Replay {
  std::vector<Prediction> predictions;  // one a departure, in the order of rows
  // By name of the model or baseline, in the order of the labels; `months` beside it says when each label
  // came.
  std::map<std::string, std::vector<Scored>> models, baselines;
  std::vector<std::string> months;
  size_t labels_unmatched = 0, never_labelled = 0;
};

Replay Run(const std::vector<Departure>& departures, const std::vector<Arrival>& arrivals,
           const std::vector<Step>& steps, const std::vector<Features>& features, const FtrlOptions& options);

}  // namespace oracle

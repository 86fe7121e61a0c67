#pragma once
// Random streams of predictions and labels, and what `label_join` must make of them, by the plainest means:
// all entries in one map, every one of them looked at before each row.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/harness/operator_fixture.h"

namespace freshet {

struct JoinCase {
  Duration wait = 0;
  Duration labels_early = 0;
  Duration remember = 0;
  std::string take = "first";
  std::string on_timeout = "drop";    // or "side", or "label"
  std::string late_labels = "count";  // or "side", or "correct"
  bool after_wait = false;
  bool number = false;  // the label is y itself, not y > 10
  std::vector<FixtureRow> rows;
};

JoinCase MakeJoinCase(uint64_t seed, size_t rows);
std::string JoinYaml(const JoinCase& c);
// predictions {id, x, n, tags}, labels {ref, y, note}.
Named<Schema> JoinStreams();

struct JoinResult {
  std::vector<EmittedRow> emitted;
  std::vector<DeadLetterRow> dead_letters;  // without their details
  std::map<std::string, uint64_t> counters;
  bool held_early = false;  // a label, ever
};
JoinResult JoinNaively(const JoinCase& c);

}  // namespace freshet

#pragma once
// What a job's changelogs hold, in a form that does not depend on shards or on how epochs were cut. One
// thread.
#include <map>
#include <string>

#include "engine/log/log.h"

namespace freshet {

// Table and key → bytes over all partitions of a changelog, the last record of each key, without erased rows,
// closing records and the catalog. Under an empty key the sum of the counts that tasks keep there, in digits.
std::map<std::string, std::string> ReadState(Log& log, const std::string& changelog);

}  // namespace freshet

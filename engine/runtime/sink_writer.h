#pragma once
// Encodes the rows of one sink and sends them: the record's timestamp is the row's event time, its key the
// text of the sink's `key:`, its partition that of the key, or of its bytes where there is no key. One
// thread.
#include <cstdint>
#include <memory>
#include <string>

#include "engine/format/format.h"
#include "engine/log/log.h"
#include "engine/plan/plan.h"
#include "engine/runtime/dead_letters.h"
#include "engine/runtime/outbound.h"

namespace freshet {

class SinkWriter {
 public:
  // `plan` and `written`, the count of rows, outlive this.
  SinkWriter(const JobPlan& plan, const PlannedSink& sink, const TopicInfo& topic, Time now,
             Counter& written);
  // A record too large for its topic becomes a dead letter, as does a row whose key is null where the topic
  // is compacted (else it is a record without a key), and the rest goes on.
  Status Write(const Batch& rows, Outbound& out, DeadLetters& dead_letters);

 private:
  void WarnOfDeletion(Time time);
  bool HasKey(size_t row) const;

  const PlannedSink* sink_;
  TopicInfo topic_;
  std::unique_ptr<Encoder> encoder_;
  std::string key_;
  std::string value_;
  std::vector<const Column*> key_columns_;
  Time deleted_before_;  // records of earlier times do not last on the topic
  Counter* written_;
};

}  // namespace freshet

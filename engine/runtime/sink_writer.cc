#include "engine/runtime/sink_writer.h"

#include "engine/base/hash.h"
#include "engine/base/logging.h"
#include "engine/runtime/row_key.h"

namespace freshet {

SinkWriter::SinkWriter(const JobPlan& plan, const PlannedSink& sink, const TopicInfo& topic, Time now,
                       Counter& written)
    : sink_(&sink),
      topic_(topic),
      encoder_(sink.format->encoder(plan.SchemaOf(sink.streams[0]), sink.fields)),
      deleted_before_(topic.retention == kMaxTime ? kMinTime : now - topic.retention),
      written_(&written) {}

// Once is enough: a replay of old events would say it for every row.
void SinkWriter::WarnOfDeletion(Time time) {
  deleted_before_ = kMinTime;
  LogWarning("sink `" + sink_->name + "` writes event times of " + FormatTimestamp(time) + ", but topic `" +
             sink_->topic + "` keeps records for " + FormatDuration(topic_.retention) +
             " only, counted from their event time: they will be deleted before long. Set retention.ms=-1 on "
             "the topic to keep them");
}

// The text of a null would be that of an empty key; among several fields it is told apart.
bool SinkWriter::HasKey(size_t row) const {
  return key_columns_.size() > 1 || (key_columns_.size() == 1 && key_columns_[0]->valid(row));
}

Status SinkWriter::Write(const Batch& rows, Outbound& out, DeadLetters& dead_letters) {
  key_columns_.clear();
  for (const size_t column : sink_->key)
    key_columns_.push_back(&rows.column(column));
  for (size_t row = 0; row < rows.rows(); ++row) {
    key_.clear();
    value_.clear();
    encoder_->Encode(rows, row, value_);
    OutgoingRecord record;
    record.topic = sink_->topic;
    record.timestamp = rows.times()[row];
    record.value = value_;
    const uint32_t ordinal = rows.ordinals()[row];
    if (HasKey(row)) {
      AppendRowKey(key_columns_, row, key_);
      record.key = key_;
    } else if (topic_.compacted) {
      const std::string detail = "the key is null, and the topic keeps the last record of each key";
      dead_letters.Add({sink_->name, "missing_key", detail, &record, ordinal});
      continue;
    }
    // Without a key it is the same one after a restart.
    record.partition =
        static_cast<int32_t>(ShardOf(record.key ? key_ : value_, static_cast<uint32_t>(topic_.partitions)));
    const size_t bytes = key_.size() + value_.size();
    if (!Fits(bytes, topic_.max_record_bytes)) {
      const std::string detail = "the output record has " + std::to_string(bytes) + " bytes";
      dead_letters.Add({sink_->name, "output_too_large", detail, &record, ordinal});
      continue;
    }
    if (record.timestamp < deleted_before_) WarnOfDeletion(record.timestamp);
    written_->Add();
    if (Status s = out.Send(record); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet

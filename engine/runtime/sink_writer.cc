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
    const auto partitions = static_cast<uint32_t>(topic_.partitions);
    if (key_columns_.empty()) {
      record.partition = static_cast<int32_t>(ShardOf(value_, partitions));  // the same after a restart
    } else {
      AppendRowKey(key_columns_, row, key_);
      record.key = key_;
      record.partition = static_cast<int32_t>(ShardOf(key_, partitions));
    }
    if (!Fits(key_.size() + value_.size(), topic_.max_record_bytes)) {
      dead_letters.AddTooLarge(sink_->name, record.key, value_, record.timestamp, rows.ordinals()[row]);
      continue;
    }
    if (record.timestamp < deleted_before_) WarnOfDeletion(record.timestamp);
    written_->Add();
    if (Status s = out.Send(record); !s.ok()) return s;
  }
  return {};
}

}  // namespace freshet

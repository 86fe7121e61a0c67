#pragma once
// Wakes the thread of librdkafka that talks to a broker, by a small question whose answer nobody needs. One
// thread, the consumer's.
//
// Always: nothing here waits; of a consumer at most one question to each broker is under way, whatever its
// number of partitions, and none for longer than a second.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

struct rd_kafka_s;
struct rd_kafka_queue_s;

namespace freshet {

class KafkaRouser {
 public:
  explicit KafkaRouser(rd_kafka_s* handle);  // which outlives this
  ~KafkaRouser();
  KafkaRouser(const KafkaRouser&) = delete;
  KafkaRouser& operator=(const KafkaRouser&) = delete;

  // Asks `broker` something about `topic`, unless a question to it is under way: then its answer wakes the
  // thread.
  void Rouse(int32_t broker, const std::string& topic);
  uint64_t asked() const { return asked_; }  // questions, in all
  size_t under_way() const { return under_way_.size(); }

 private:
  void TakeAnswers();

  rd_kafka_s* handle_;
  rd_kafka_queue_s* answers_;
  std::set<int32_t> under_way_;  // brokers
  uint64_t asked_ = 0;
};

}  // namespace freshet

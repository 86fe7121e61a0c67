#include "engine/log/kafka/kafka_rouser.h"

#include <librdkafka/rdkafka.h>

namespace freshet {

namespace {
constexpr int kForgottenAfterMs = 1000;  // a question that a broker does not answer
}  // namespace

KafkaRouser::KafkaRouser(rd_kafka_s* handle) : handle_(handle), answers_(rd_kafka_queue_new(handle)) {}

KafkaRouser::~KafkaRouser() {
  TakeAnswers();
  rd_kafka_queue_destroy(answers_);
}

void KafkaRouser::TakeAnswers() {
  while (rd_kafka_event_t* event = rd_kafka_queue_poll(answers_, 0)) {
    under_way_.erase(static_cast<int32_t>(reinterpret_cast<intptr_t>(rd_kafka_event_opaque(event))));
    rd_kafka_event_destroy(event);
  }
}

// Of all that librdkafka can be asked without waiting, this alone goes to a broker that the caller names.
// Only that something is sent matters: a broker that refuses to answer does as well.
void KafkaRouser::Rouse(int32_t broker, const std::string& topic) {
  TakeAnswers();
  if (!under_way_.insert(broker).second) return;
  ++asked_;
  char error[256];
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_AdminOptions_set_request_timeout(options, kForgottenAfterMs, error, sizeof error);
  rd_kafka_AdminOptions_set_broker(options, broker, error, sizeof error);
  rd_kafka_AdminOptions_set_opaque(options, reinterpret_cast<void*>(static_cast<intptr_t>(broker)));
  rd_kafka_ConfigResource_t* question = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(question, "cleanup.policy", "");  // one setting instead of them all
  rd_kafka_DescribeConfigs(handle_, &question, 1, options, answers_);
  rd_kafka_ConfigResource_destroy(question);
  rd_kafka_AdminOptions_destroy(options);
}

}  // namespace freshet

#include "engine/log/kafka/kafka_client.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

#include <librdkafka/rdkafka.h>

#include "engine/base/logging.h"

namespace freshet {

Duration SteadyNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Duration Deadline::left() const {
  return end_ == kMaxTime ? kMaxTime : end_ - SteadyNow();
}

int Deadline::left_ms(Duration at_most) const {
  return static_cast<int>((std::clamp<Duration>(left(), 0, at_most) + kMillisecond - 1) / kMillisecond);
}

namespace {

constexpr Duration kSameLineEvery = 10 * kSecond;
constexpr int kSyslogError = 3;
constexpr int kSyslogWarning = 4;

// What librdkafka also tells by what its calls return, or by the line before, or only for the other kind of
// client.
constexpr std::array<std::string_view, 12> kToldElsewhere = {
    "ERROR",    "CONFWARN",   "FATAL",     "TXNERR",     "TXNABORT", "ADDOFFSETS",
    "ADDPARTS", "TXNOFFSETS", "TXNCOMMIT", "COMMITFAIL", "GETPID",   "TERMINATE"};

// "[thrd:...]: what happened" without its first part.
std::string_view WithoutThread(std::string_view text) {
  const size_t end = text.find("]: ");
  return end == std::string_view::npos ? text : text.substr(end + 3);
}

}  // namespace

struct KafkaClient::State {
  std::string name;
  std::vector<std::string> secrets;
  Hooks hooks;
  std::mutex mutex;
  std::string failure;
  struct Line {
    Duration last = 0;
    int suppressed = 0;
  };
  std::map<std::string, Line, std::less<>> lines;  // by facility

  void Say(int level, std::string_view facility, std::string_view told) {
    const std::string text = Hide(std::string(told), secrets);
    std::string out;
    {
      const std::lock_guard lock(mutex);
      if (facility == "FAIL" || facility == "ERROR") failure = WithoutThread(text);
      if (level > kSyslogWarning) return;
      if (std::find(kToldElsewhere.begin(), kToldElsewhere.end(), facility) != kToldElsewhere.end()) return;
      Line& line = lines.try_emplace(std::string(facility)).first->second;
      const Duration now = SteadyNow();
      if (line.last != 0 && now - line.last < kSameLineEvery) {
        ++line.suppressed;
        return;
      }
      out = "Kafka client " + name + ": " + std::string(WithoutThread(text)) + " (" + std::string(facility) +
            ")";
      if (line.suppressed > 0) out += " (" + std::to_string(line.suppressed) + " similar lines left out)";
      line = {now, 0};
    }
    WriteLog(level < kSyslogError ? LogLevel::kError : LogLevel::kWarning, out);
  }
};

namespace {

KafkaClient::State& StateOf(const rd_kafka_t* handle) {
  return *static_cast<KafkaClient::State*>(rd_kafka_opaque(handle));
}

void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  StateOf(handle).Say(level, facility, text);
}

// Also told as log lines; without a handler librdkafka would write them as errors.
void OnError(rd_kafka_t*, int, const char*, void*) {}

void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  const auto& state = *static_cast<KafkaClient::State*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && state.hooks.undelivered)
    state.hooks.undelivered(*message);
}

void OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                 void* opaque) {
  const auto& state = *static_cast<KafkaClient::State*>(opaque);
  if (state.hooks.rebalance) state.hooks.rebalance(code, partitions);
}

KafkaSettings CommonDefaults() {
  return {{"reconnect.backoff.ms", "50"},
          {"reconnect.backoff.max.ms", "1000"},
          {"topic.metadata.refresh.fast.interval.ms", "100"},
          {"log.connection.close", "false"},
          {"socket.keepalive.enable", "true"}};
}

}  // namespace

Result<std::unique_ptr<KafkaClient>> KafkaClient::Open(Kind kind, const std::string& name,
                                                       const KafkaOptions& options, KafkaSettings defaults,
                                                       KafkaSettings fixed, Hooks hooks) {
  KafkaConfig config{CommonDefaults(), options.settings, std::move(fixed), options.secrets};
  config.defaults.insert(config.defaults.end(), defaults.begin(), defaults.end());
  config.fixed.emplace_back("bootstrap.servers", options.brokers);
  config.fixed.emplace_back("client.id", options.client_id);
  Result<rd_kafka_conf_s*> made = MakeConf(config);
  if (!made.ok()) return made.status();
  rd_kafka_conf_t* conf = *made;
  auto state = std::make_shared<State>();
  state->name = name;
  state->secrets = options.secrets;
  state->hooks = std::move(hooks);
  rd_kafka_conf_set_opaque(conf, state.get());
  rd_kafka_conf_set_log_cb(conf, OnLog);
  rd_kafka_conf_set_error_cb(conf, OnError);
  if (kind == Kind::kProducer) rd_kafka_conf_set_dr_msg_cb(conf, OnDelivery);
  if (state->hooks.rebalance) rd_kafka_conf_set_rebalance_cb(conf, OnRebalance);
  std::array<char, 512> why{};
  rd_kafka_t* handle = rd_kafka_new(kind == Kind::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
                                    why.data(), why.size());
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    return Invalid("the Kafka client " + name +
                   " refuses its settings: " + Hide(why.data(), options.secrets));
  }
  std::unique_ptr<KafkaClient> client(new KafkaClient());
  client->handle_ = handle;
  client->state_ = std::move(state);
  return client;
}

KafkaClient::~KafkaClient() {
  Destroy(5 * kSecond);
}

std::string KafkaClient::last_failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failure;
}

std::optional<std::string> KafkaClient::fatal() const {
  std::array<char, 512> why{};
  if (rd_kafka_fatal_error(handle_, why.data(), why.size()) == RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::nullopt;
  return why.data();
}

// rd_kafka_destroy joins the instance's threads and has been seen to wait for ever (a cooperative consumer
// whose group is in the middle of a rebalance). So another thread does it, and is abandoned when it takes too
// long.
void KafkaClient::Destroy(Duration limit, Duration flush) {
  if (handle_ == nullptr) return;
  struct Ending {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
  };
  auto ending = std::make_shared<Ending>();
  rd_kafka_t* handle = std::exchange(handle_, nullptr);
  state_->hooks = {};
  try {
    std::thread([ending, handle, flush, state = state_] {
      if (flush > 0) rd_kafka_flush(handle, static_cast<int>(flush / kMillisecond));
      rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
      const std::lock_guard lock(ending->mutex);
      ending->done = true;
      ending->changed.notify_all();
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return;
  }
  std::unique_lock lock(ending->mutex);
  if (!ending->changed.wait_for(lock, std::chrono::microseconds(limit), [&] { return ending->done; })) {
    LogWarning("Kafka client " + state_->name + " does not end; its threads are left behind");
  }
}

}  // namespace freshet

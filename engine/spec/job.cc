#include "engine/spec/job.h"

#include "engine/spec/frame_check.h"
#include "engine/spec/scalar.h"

namespace freshet {

namespace {

constexpr std::array<Type, 9> kTypes{Type::kBool,     Type::kInt64,       Type::kFloat64,
                                     Type::kString,   Type::kBytes,       Type::kTimestamp,
                                     Type::kDuration, Type::kListFloat64, Type::kListString};

class TypeNameType final : public ValueType {
 public:
  void Read(const Node& node, void* out, ReadContext& context) const override {
    std::string text;
    if (!TextOf(node, "a type", context.diagnostics, text)) return;
    if (const auto type = TypeNamed(text)) {
      *static_cast<TypeName*>(out) = {*type, true};
      return;
    }
    std::vector<std::string> names;
    for (const Type type : kTypes)
      names.emplace_back(NameOf(type));
    context.diagnostics.Error(node.position,
                              QuoteText(text) + " is no type" + Suggestion(Usual(text), names));
  }
  std::string JsonSchema(size_t) const override {
    std::string out = R"({"enum":[)";
    for (const Type type : kTypes)
      out += (out.back() == '[' ? "\"" : ",\"") + std::string(NameOf(type)) + '"';
    return out + "]}";
  }
  std::string Text() const override {
    std::string out;
    for (size_t i = 0; i < kTypes.size(); ++i)
      out += (i == 0 ? "" : i + 1 == kTypes.size() ? " or " : ", ") + std::string(NameOf(kTypes[i]));
    return out;
  }
  std::string Print(const void* value) const override {
    return std::string(NameOf(static_cast<const TypeName*>(value)->type));
  }

 private:
  // What other systems call our types.
  static std::string_view Usual(std::string_view text) {
    static constexpr std::array<std::array<std::string_view, 2>, 12> kOthers{{{"int", "int64"},
                                                                              {"integer", "int64"},
                                                                              {"long", "int64"},
                                                                              {"bigint", "int64"},
                                                                              {"float", "float64"},
                                                                              {"double", "float64"},
                                                                              {"number", "float64"},
                                                                              {"str", "string"},
                                                                              {"text", "string"},
                                                                              {"boolean", "bool"},
                                                                              {"datetime", "timestamp"},
                                                                              {"binary", "bytes"}}};
    for (const auto& [other, ours] : kOthers) {
      if (text == other) return ours;
    }
    return text;
  }
};

class ShardCountType final : public ValueType {
 public:
  void Read(const Node& node, void* out, ReadContext& context) const override {
    int64_t count = 0;
    if (!IntOf(node, context.diagnostics, count)) return;
    if (count >= 1 && count <= kMostShards) {
      static_cast<ShardCount*>(out)->count = count;
      return;
    }
    context.diagnostics.Error(node.position,
                              "`shards` must be a whole number from 1 to " + std::to_string(kMostShards));
  }
  std::string JsonSchema(size_t) const override {
    return R"({"type":"integer","minimum":1,"maximum":)" + std::to_string(kMostShards) + '}';
  }
  std::string Text() const override { return "integer from 1 to " + std::to_string(kMostShards); }
  std::string Print(const void* value) const override {
    return std::to_string(static_cast<const ShardCount*>(value)->count);
  }
};

}  // namespace

const ValueType& ValueOfImpl<TypeName>::Get() {
  static const TypeNameType type;
  return type;
}

const ValueType& ValueOfImpl<ShardCount>::Get() {
  static const ShardCountType type;
  return type;
}

const ShapeBase& CommitSpec::Describe() {
  static const auto shape =
      Shape<CommitSpec>("when outputs, state and input offsets are committed together")
          .Optional<&CommitSpec::interval>("interval", "the longest time between two commits")
          .Optional<&CommitSpec::max_bytes>("max_bytes",
                                            "commit earlier once so much is waiting to be written");
  return shape;
}

const ShapeBase& SourceField::Describe() {
  static const auto shape =
      Shape<SourceField>("a field of a source's records")
          .Required<&SourceField::type>("type", "the type of its values; a field that is absent is null")
          .Optional<&SourceField::path>("path", "where it stands in the record, as `a.b`; default: its name")
          .Optional<&SourceField::unit>(
              "unit",
              "of a timestamp or a duration that is written as a number; a timestamp may also be an RFC 3339 "
              "text, a duration one such as `1h30m`")
          .Optional<&SourceField::required>("required", "a record without it is a dead letter")
          .Optional<&SourceField::values>("values",
                                          "the only values a string may have; others are dead letters")
          .Short("type");
  return shape;
}

const ShapeBase& EventTimeSpec::Describe() {
  static const auto shape =
      Shape<EventTimeSpec>("when the events happened, and how far they come out of order")
          .Required<&EventTimeSpec::field>("field", "the timestamp of a row")
          .Optional<&EventTimeSpec::max_out_of_orderness>(
              "max_out_of_orderness", "how far a row may lie behind the latest one seen and still be in time")
          .Optional<&EventTimeSpec::idle_after>(
              "idle_after", "a partition silent for so long no longer holds back the watermark");
  return shape;
}

const ShapeBase& PartitionedBy::Describe() {
  static const auto shape =
      Shape<PartitionedBy>("a promise that the topic is partitioned by a field; every row is checked")
          .Required<&PartitionedBy::field>("field",
                                           "the field whose text is the records' key; required in all")
          .Optional<&PartitionedBy::partitioner>("partitioner", "the hash the producer uses");
  return shape;
}

const ShapeBase& SourceSpec::Describe() {
  static const auto shape =
      Shape<SourceSpec>("a topic that the job reads")
          .Optional<&SourceSpec::topic>("topic", "the topic's name; default: the source's name")
          .Optional<&SourceSpec::format>("format", "how a record's bytes are read")
          .Required<&SourceSpec::event_time>("event_time", "the time of a row")
          .Required<&SourceSpec::fields>("fields", "the fields that the job reads, `name: type`")
          .Optional<&SourceSpec::partitioned_by>(
              "partitioned_by",
              "how the topic is partitioned already; default: by nothing known. With `order: arrival`, where "
              "all state is kept by that field, each partition goes by its own event time alone");
  return shape;
}

const ShapeBase& SinkSpec::Describe() {
  static const auto shape =
      Shape<SinkSpec>("a topic that the job writes")
          .Optional<&SinkSpec::topic>("topic", "the topic's name; default: the sink's name")
          .Optional<&SinkSpec::format>("format", "how rows are written")
          .Required<&SinkSpec::from>("from", "the stream written, or several of equal columns")
          .Optional<&SinkSpec::key>(
              "key", "the fields that make the record's key; default, or where the one field is null: no key")
          .Optional<&SinkSpec::fields>(
              "fields",
              "the columns written; `a.b` writes nested objects; default: all but shadow predictions");
  return shape;
}

const ShapeBase& FrameSpec::Describe() {
  static const auto shape =
      Shape<FrameSpec>("a job: what it reads, computes, learns and writes")
          .Required<&FrameSpec::job>("job", "the job's name; its internal topics and its group begin with it")
          .Optional<&FrameSpec::guarantee>(
              "guarantee", "`at_least_once` writes outputs at once and may repeat them after a failure")
          .NotYet("every output is written exactly once")
          .Optional<&FrameSpec::commit>("commit", "how often everything is committed")
          .Optional<&FrameSpec::memory>("memory", "the memory of all buffers and caches of a process")
          .Optional<&FrameSpec::order>(
              "order",
              "`arrival` takes partitions that never meet in one task each by itself; all else is merged by "
              "event time")
          .Optional<&FrameSpec::shards>("shards", "the partitions of the key space; fixed once state exists")
          .Optional<&FrameSpec::prefix>(
              "prefix", "before all names of topics and groups that are made of the job's name")
          .Optional<&FrameSpec::merge_slack>(
              "merge_slack", "how far sources may run ahead of one another, for larger batches")
          .NotYet("sources never run ahead of one another")
          .Optional<&FrameSpec::merge_wait>("merge_wait",
                                            "how long to wait for a silent source before going on")
          .NotYet("rows wait for no source that is silent")
          .Optional<&FrameSpec::max_future>(
              "max_future", "a row whose time lies further ahead of the clock is a dead letter")
          .Optional<&FrameSpec::kafka>("kafka",
                                       "settings of the Kafka client under librdkafka's names, such as "
                                       "`sasl.password: ${env:KAFKA_PASSWORD}`")
          .Required<&FrameSpec::sources>("sources", "the topics read")
          .Optional<&FrameSpec::operators>("operators", "what is computed, by name; order means nothing")
          .Optional<&FrameSpec::models>("models", "the models that operators predict with and train")
          .Optional<&FrameSpec::sinks>("sinks", "the topics written");
  return shape;
}

namespace {

// Whether the map under `key` could not be read, which was reported.
bool Lost(const Node& root, std::string_view key) {
  const Node* map = root.Find(key);
  return Misspelt(FrameSpec::Describe(), key, root) ||
         (map != nullptr && (map->broken || map->kind != Node::Kind::kMap));
}

}  // namespace

Job ParseJob(const Node& root, Diagnostics& diagnostics) {
  Job job;
  job.file = diagnostics.file();
  if (root.broken) return job;
  ReadContext context{diagnostics, job.positions};
  Read(FrameSpec::Describe(), root, &job.frame, context);
  job.streams_lost = root.Find("sources") == nullptr || Lost(root, "sources") || Lost(root, "operators");
  job.models_lost = Lost(root, "models");
  CheckFrame(root, job.frame, job.positions, diagnostics);
  return job;
}

}  // namespace freshet

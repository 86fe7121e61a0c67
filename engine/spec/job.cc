#include "engine/spec/job.h"

#include <algorithm>
#include <map>

#include "engine/spec/scalar.h"
#include "engine/spec/topic_name.h"

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

}  // namespace

const ValueType& ValueOfImpl<TypeName>::Get() {
  static const TypeNameType type;
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
          .Optional<&SourceField::unit>("unit", "of a timestamp that is written as a number")
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
          .Required<&PartitionedBy::field>("field", "the field whose bytes are the records' key")
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
              "partitioned_by", "how the topic is partitioned already; default: by nothing known")
          .NotYet("rows find their shard by their key");
  return shape;
}

const ShapeBase& SinkSpec::Describe() {
  static const auto shape =
      Shape<SinkSpec>("a topic that the job writes")
          .Optional<&SinkSpec::topic>("topic", "the topic's name; default: the sink's name")
          .Optional<&SinkSpec::format>("format", "how rows are written")
          .Required<&SinkSpec::from>("from", "the stream written, or several of equal columns")
          .Optional<&SinkSpec::key>("key", "the fields that make the record's key; default: no key")
          .Optional<&SinkSpec::fields>("fields",
                                       "the columns written; `a.b` writes nested objects; default: all");
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
          .Optional<&FrameSpec::order>("order", "how rows from several lanes are merged")
          .NotYet("rows are taken in event time")
          .Optional<&FrameSpec::shards>("shards", "the partitions of the key space; fixed once state exists")
          .Optional<&FrameSpec::prefix>(
              "prefix", "before all names of topics and groups that are made of the job's name")
          .Optional<&FrameSpec::merge_slack>(
              "merge_slack", "how far sources may run ahead of one another, for larger batches")
          .NotYet("sources never run ahead of one another")
          .Optional<&FrameSpec::merge_wait>("merge_wait",
                                            "how long to wait for a silent source before going on")
          .NotYet("rows wait for a silent source until it is idle")
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

// Checks beyond single keys. Everything reports and goes on.
class FrameCheck {
 public:
  // `root`: what `frame` was read from.
  FrameCheck(const Node& root, FrameSpec& frame, const Positions& positions, Diagnostics& diagnostics)
      : root_(root), frame_(frame), positions_(positions), diagnostics_(diagnostics) {}

  void Run() {
    CheckScalars();
    CheckNames("source", frame_.sources);
    CheckNames("operator", frame_.operators);
    CheckNames("model", frame_.models);
    CheckNames("sink", frame_.sinks);
    CheckCollisions();
    for (auto& [name, source] : frame_.sources)
      CheckSource(name, source);
    CheckSourceTopics();
    for (auto& [name, sink] : frame_.sinks)
      CheckSink(name, sink);
  }

 private:
  void ErrorAt(const void* member, std::string message) {
    diagnostics_.Error(positions_.Of(member), std::move(message));
  }

  void CheckScalars() {
    const Node* job = root_.Find("job");
    const bool given = job != nullptr && job->kind == Node::Kind::kScalar && !job->secret && !job->broken;
    if (given && frame_.job.empty()) {
      ErrorAt(&frame_.job,
              "the job's name is empty; its topics, its group and its state are found by it: give one of "
              "letters, digits, `_` and `-`");
    }
    if (!frame_.job.empty() && !IsPartName(frame_.job)) ErrorAt(&frame_.job, BadName("job", frame_.job));
    if (frame_.job.size() > 100) ErrorAt(&frame_.job, "the job's name is longer than 100 characters");
    if (frame_.prefix.find_first_not_of(kTopicLetters) != std::string::npos) {
      ErrorAt(&frame_.prefix,
              "the prefix " + QuoteText(frame_.prefix) + " may hold letters, digits, `.`, `_` and `-` only");
    }
    if (frame_.shards < 1 || frame_.shards > 1024) {
      ErrorAt(&frame_.shards, "shards: " + std::to_string(frame_.shards) + " is outside 1 to 1024");
    }
    if (frame_.memory < (16 << 20)) ErrorAt(&frame_.memory, "memory must be 16MiB or more");
    if (frame_.commit.interval < kMillisecond || frame_.commit.interval > kHour) {
      ErrorAt(&frame_.commit.interval, "the commit interval must lie between 1ms and 1h");
    }
    if (frame_.commit.max_bytes < (64 << 10))
      ErrorAt(&frame_.commit.max_bytes, "max_bytes must be 64KiB or more");
    if (frame_.sources.empty() && positions_.Of(&frame_.sources).line != 0 && diagnostics_.ok()) {
      ErrorAt(&frame_.sources, "a job needs at least one source");
    }
  }

  static std::string BadName(std::string_view what, std::string_view name) {
    std::string good;
    for (const char c : name) {
      const bool word = IsPartName(std::string_view(&c, 1)) || (c >= '0' && c <= '9') || c == '-';
      good += word ? c : '_';
    }
    if (!IsPartName(good)) good = '_' + good;
    return QuoteText(name) + " cannot name " + WithArticle(what) +
           "; use letters, digits, `_` and `-`, such as `" + good + "`";
  }
  template <class T>
  void CheckNames(std::string_view what, const Named<T>& parts) {
    for (const auto& [name, part] : parts) {
      if (!IsPartName(name)) {
        ErrorAt(&name, BadName(what, name));
      } else if (name.size() > 100) {
        ErrorAt(&name, QuoteText(name) + " is longer than 100 characters");
      }
    }
  }
  void CheckCollisions() {
    for (const auto& [name, node] : frame_.operators)
      RefuseNameOfSource(name, "nobody could tell which stream is meant");
    for (const auto& [name, sink] : frame_.sinks)
      RefuseNameOfSource(name, "their rows could not be told apart in the summary");
  }
  void RefuseNameOfSource(const std::string& name, std::string_view so) {
    for (const auto& [source_name, source] : frame_.sources) {
      if (source_name != name) continue;
      ErrorAt(&name, QuoteText(name) + " is the name of a source already (line " +
                         std::to_string(positions_.Of(&source_name).line) + "), so " + std::string(so) +
                         "; rename one of them");
    }
  }
  // A partition has one reader and one position.
  void CheckSourceTopics() {
    std::map<std::string_view, const std::string*> readers;  // topic → source
    for (const auto& [name, source] : frame_.sources) {
      const auto [first, is_new] = readers.emplace(source.topic, &name);
      if (is_new) continue;
      const std::string& other = *first->second;
      ErrorAt(&name, "source " + QuoteText(name) + " reads the topic " + QuoteText(source.topic) +
                         ", as source " + QuoteText(other) + " does already (line " +
                         std::to_string(positions_.Of(&other).line) + "); let everything that reads " +
                         QuoteText(name) + " read " + QuoteText(other));
    }
  }
  void CheckTopic(const std::string& topic, const void* member) {
    if (!CanNameTopic(topic)) ErrorAt(member, NoTopicName(topic));
  }
  const SourceField* FieldNamed(const SourceSpec& source, const FieldRef& ref) {
    if (ref.empty() || source.fields.empty()) return nullptr;  // reported already
    std::vector<std::string> names;
    for (const auto& [name, field] : source.fields) {
      if (name == ref.name) return &field;
      names.push_back(name);
    }
    diagnostics_.Error(ref.position,
                       "this source has no field " + QuoteText(ref.name) + Suggestion(ref.name, names));
    return nullptr;
  }

  // Whether an empty map stands there: neither missing nor refused.
  bool EmptyOnPurpose(const SourceSpec& source) const {
    const Position at = positions_.Of(&source.fields);
    const auto& faults = diagnostics_.all();
    return source.fields.empty() && at.line != 0 && at != positions_.Of(&source) &&
           std::none_of(faults.begin(), faults.end(), [&](const Diagnostic& d) { return d.position == at; });
  }
  void CheckSource(const std::string& name, SourceSpec& source) {
    if (EmptyOnPurpose(source))
      ErrorAt(&source.fields, "name the fields that the job reads, at least that of the event time");
    if (source.topic.empty()) source.topic = name;
    CheckTopic(source.topic, &source.topic);
    const SourceField* time = FieldNamed(source, source.event_time.field);
    if (time != nullptr && time->type.known && time->type.type != Type::kTimestamp) {
      diagnostics_.Error(source.event_time.field.position, QuoteText(source.event_time.field.name) + " is " +
                                                               WithArticle(NameOf(time->type.type)) +
                                                               "; the event time must be a timestamp");
    }
    if (source.partitioned_by) {
      const SourceField* field = FieldNamed(source, source.partitioned_by->field);
      if (field != nullptr && field->type.type != Type::kString && field->type.type != Type::kInt64 &&
          field->type.type != Type::kTimestamp && field->type.type != Type::kBytes) {
        diagnostics_.Error(
            source.partitioned_by->field.position,
            WithArticle(NameOf(field->type.type)) + " is no record key; use a string or int64");
      }
    }
    for (const auto& [field_name, field] : source.fields)
      CheckField(field_name, field);
  }
  void CheckField(const std::string& name, const SourceField& field) {
    if (!IsColumnName(name)) {
      ErrorAt(&name,
              QuoteText(name) + " cannot name a field; use letters, digits and `_`" +
                  (name.find('-') == std::string::npos ? "" : " (a `-` reads as minus in expressions)") +
                  ", and `path:` for what the record calls it");
    }
    if (!field.values.empty() && field.type.type != Type::kString) {
      ErrorAt(&field.values, "`values` closes the set of a string; " + QuoteText(name) + " is " +
                                 WithArticle(NameOf(field.type.type)));
    }
  }
  void CheckSink(const std::string& name, SinkSpec& sink) {
    if (sink.topic.empty()) sink.topic = name;
    CheckTopic(sink.topic, &sink.topic);
  }

  const Node& root_;
  FrameSpec& frame_;
  const Positions& positions_;
  Diagnostics& diagnostics_;
};

}  // namespace

Job ParseJob(const Node& root, Diagnostics& diagnostics) {
  Job job;
  job.file = diagnostics.file();
  if (root.broken) return job;
  ReadContext context{diagnostics, job.positions};
  Read(FrameSpec::Describe(), root, &job.frame, context);
  FrameCheck(root, job.frame, job.positions, diagnostics).Run();
  return job;
}

}  // namespace freshet

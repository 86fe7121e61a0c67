#pragma once
// The frame of a job file: everything but the bodies of operators and models, which stay opaque nodes until
// their own shapes read them. Made by ParseJob; a plain value, any thread.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/hash.h"
#include "engine/base/status.h"
#include "engine/data/type.h"
#include "engine/spec/shape.h"

namespace freshet {

enum class Guarantee : uint8_t { kExactlyOnce, kAtLeastOnce };
template <>
struct EnumNames<Guarantee> {
  static constexpr std::array<std::string_view, 2> names{"exactly_once", "at_least_once"};
};
enum class RowOrder : uint8_t { kEventTime, kArrival };
template <>
struct EnumNames<RowOrder> {
  static constexpr std::array<std::string_view, 2> names{"event_time", "arrival"};
};
enum class Unit : uint8_t { kS, kMs, kUs, kNs };
template <>
struct EnumNames<Unit> {
  static constexpr std::array<std::string_view, 4> names{"s", "ms", "us", "ns"};
};
template <>
struct EnumNames<Partitioner> {
  static constexpr std::array<std::string_view, 3> names{"murmur2", "crc32", "fnv1a"};
};

inline std::string_view NameOf(Partitioner partitioner) {
  return EnumNames<Partitioner>::names[static_cast<size_t>(partitioner)];
}

struct CommitSpec {
  Span interval{200 * kMillisecond};
  ByteSize max_bytes{64 << 20};
  static const ShapeBase& Describe();
};

struct TypeName {  // `float64`, `list<string>`, …
  Type type = Type::kString;
  bool known = false;  // it was given, and is one
};
template <>
struct ValueOfImpl<TypeName> {
  static const ValueType& Get();
};

struct SourceField {  // `name: type` or `name: {type, path, unit, required, values}`
  TypeName type;
  std::string path;  // "a.b"; default: the name
  Unit unit = Unit::kMs;
  bool required = false;
  std::vector<std::string> values;
  static const ShapeBase& Describe();
};
struct EventTimeSpec {
  FieldRef field;
  Span max_out_of_orderness{0};
  Span idle_after{kMinute};
  static const ShapeBase& Describe();
};
struct PartitionedBy {
  FieldRef field;
  Partitioner partitioner = Partitioner::kMurmur2;
  static const ShapeBase& Describe();
};
struct SourceSpec {
  std::string topic;  // default: the source's name
  std::string format = "json";
  EventTimeSpec event_time;
  Named<SourceField> fields;
  std::optional<PartitionedBy> partitioned_by;
  static const ShapeBase& Describe();
};
// `key: a` or `key: [a, b]`: a sink has one input, whatever streams it unites, and no names to tell apart.
struct SinkKey {
  std::vector<FieldRef> fields;
};
template <>
struct ValueOfImpl<SinkKey> {
  static const ValueType& Get();
};
struct SinkSpec {
  std::string topic;  // default: the sink's name
  std::string format = "json";
  std::vector<StreamRef> from;   // a name or a list of streams of equal schema
  SinkKey key;                   // default: none, rows go to the partition of their bytes
  std::vector<FieldRef> fields;  // default: all but shadow predictions
  static const ShapeBase& Describe();
};

// Of the job, or of one operator that has a key; a changelog has as many partitions.
constexpr int64_t kMostShards = 4096;
struct ShardCount {
  int64_t count = 0;  // 1 to kMostShards; 0: not given
  constexpr operator int64_t() const { return count; }
};
template <>
struct ValueOfImpl<ShardCount> {
  static const ValueType& Get();
};

// The scalar keys at the top of the file.
struct FrameSpec {
  std::string job;
  Guarantee guarantee = Guarantee::kExactlyOnce;
  CommitSpec commit;
  ByteSize memory{256 << 20};
  RowOrder order = RowOrder::kEventTime;
  ShardCount shards{8};
  std::string prefix;
  Span merge_slack{0};
  Span merge_wait{0};
  Span max_future{kDay};
  Named<Secret> kafka;  // settings of the Kafka client, under librdkafka's names
  Named<SourceSpec> sources;
  Named<Node> operators;
  Named<Node> models;
  Named<SinkSpec> sinks;
  static const ShapeBase& Describe();
};

// Positions are kept by address: a move takes them along, a copy would keep none.
struct Job {
  Job() = default;
  Job(Job&& other) noexcept { *this = std::move(other); }
  Job& operator=(Job&& other) noexcept {
    frame = std::move(other.frame);
    positions = std::move(other.positions);
    positions.Follow(&other, this, sizeof(Job));
    file = std::move(other.file);
    streams_lost = other.streams_lost;
    models_lost = other.models_lost;
    return *this;
  }
  FrameSpec frame;
  Positions positions;
  std::string file;  // as given, for messages
  // The map of sources or that of operators, or that of models, could not be read, which was reported: a name
  // that is not in `frame` may stand there.
  bool streams_lost = false;
  bool models_lost = false;
};

// Applies `--set path=value` (path: dotted keys) to the tree; a value is read as YAML on one line. Faults are
// reported against the pseudo-file "--set", and so are later ones in what was set.
void ApplyOverride(std::string_view assignment, Node& root, Diagnostics& diagnostics);
// Replaces ${env:NAME} and ${file:PATH} in scalars; an unknown one is an error at its place. Values of other
// types than Secret refuse what came from there when they are read.
void ResolveSecrets(Node& root, Diagnostics& diagnostics);
// Names of jobs, sources, operators, models, sinks: letters, digits, `-`, `_`, not starting with a digit; one
// namespace for sources and operators. Returns what could be read; trust it only if diagnostics.ok().
Job ParseJob(const Node& root, Diagnostics& diagnostics);

}  // namespace freshet

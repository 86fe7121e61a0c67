#pragma once
// From a job file to what runs: sources, operators with their schemas, stages, crossings between them, sinks,
// topics. Pure: no I/O beyond the text it is given. A JobPlan is immutable and may be read from any thread;
// it owns the parameters that operators' `make` functions refer to.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/format/format.h"
#include "engine/operator/definition.h"
#include "engine/spec/job.h"

namespace freshet {

// A stream: output `port` of operator `node`, or source `node`.
struct StreamId {
  bool source = false;
  uint32_t node = 0;
  uint32_t port = 0;
  auto operator<=>(const StreamId&) const = default;
};

struct PlannedSource {
  std::string name;
  std::string topic;
  const Format* format = nullptr;
  std::vector<InputField> fields;  // the columns of its batches
  Schema schema;                   // of `fields`
  size_t event_time = 0;           // column
  Duration max_out_of_orderness = 0;
  Duration idle_after = 0;
  Role role = Role::kEvent;
  uint32_t confluence = 0;
  // Its partitions are taken each by itself, in the order of arrival: rows of two of them never meet.
  bool apart = false;
  // What the job file promises of its topic; none: by nothing known.
  struct Partitioning {
    size_t column = 0;
    Partitioner partitioner = Partitioner::kMurmur2;
    uint32_t partitions = 0;  // that its topic must have; 0: any number
  };
  std::optional<Partitioning> partitioned_by;
  int32_t needed_partitions() const {
    return partitioned_by ? static_cast<int32_t>(partitioned_by->partitions) : 0;
  }
};

struct PlannedOperator {
  std::string name;
  std::string type;
  // Among the operators that keep state, in topological order of the job, then file order: so its timers are
  // known in the state, and those without state may come and go.
  uint32_t place = UINT32_MAX;
  std::vector<StreamId> inputs;           // by port
  std::vector<std::vector<size_t>> keys;  // by port: columns of the input, kKeyed
  Plan plan;
  std::vector<std::vector<bool>> read;  // [output port][column]: whether anything downstream reads it

  bool keeps_state() const { return !plan.tables.empty() || !plan.timers.empty() || !plan.trains.empty(); }
};

// One instance of an operator in a stage; `part` is the model's index for operators that train several.
struct Member {
  uint32_t op = 0;
  uint32_t part = 0;
};

// A stream entering a stage from outside.
struct Crossing {
  StreamId stream;
  Spread spread = Spread::kAny;
  uint32_t op = 0;  // the operator that reads it
  uint32_t part = 0;
  uint32_t port = 0;
  // Its rows are in their shard already: the number of their partition, or of the task they come from.
  bool in_place = false;
};

// Operators between two changes of key.
struct PlannedStage {
  std::string name;
  uint32_t shards = 1;
  Partitioner partitioner = Partitioner::kMurmur2;  // finds the shard of a key
  // It keeps state, and each task's rows come from the partitions of its number alone, which are taken apart:
  // so the task has a watermark of its own.
  bool apart = false;
  bool keeps_state = false;  // has tables, timers or a trained model: has tasks with a store and a changelog
  std::vector<Member> members;      // ascending place
  std::vector<Crossing> crossings;  // ascending (op, port)
  std::vector<uint32_t>
      sources;            // all upstream, ascending: the watermark of its tasks is the least of theirs
  std::string changelog;  // topic; empty without state
};

struct PlannedSink {
  std::string name;
  std::string topic;
  const Format* format = nullptr;
  std::vector<StreamId> streams;  // equal schemas
  std::vector<size_t> key;        // columns
  std::vector<OutputField> fields;
};

struct PlannedModel {
  std::string name;
  std::string topic;              // its changelog and the way to other lanes
  uint32_t trainer = UINT32_MAX;  // operator that trains it; none: frozen
  uint32_t part = 0;
};

// Bytes of one lane; the sum is the job's `memory`. `merge`: the records of decoded blocks, by their values.
struct MemorySplit {
  int64_t prefetch = 0, producer = 0, dirty = 0, cache = 0, block_cache = 0, memtables = 0, merge = 0,
          restore = 0;
};

struct JobPlan {
  Job job;
  std::vector<PlannedSource> sources;
  std::vector<PlannedOperator> operators;
  std::vector<PlannedStage> stages;  // topological order
  std::vector<PlannedSink> sinks;
  std::vector<PlannedModel> models;
  uint32_t placement_partitions = 1;  // one, while one lane runs a whole job
  std::string placement_topic;
  std::string dead_letter_topic;
  MemorySplit memory;
  uint64_t fingerprint = 0;  // of all that must not change while state exists: stages, shards, keys, tables

  const Schema& SchemaOf(StreamId stream) const;
  std::string NameOf(StreamId stream) const;

  std::vector<std::shared_ptr<void>> parameters;  // of operators and models, kept alive
};

struct PlanOptions {
  std::vector<std::string> overrides;  // --set path=value
};

// Reads, checks and plans. Null where diagnostics hold an error.
std::unique_ptr<JobPlan> PlanJob(std::string_view yaml, const Registry& registry, const PlanOptions& options,
                                 Diagnostics& diagnostics);

// What `freshet plan` prints: the order of rows, sources, stages with their operators and shards, topics,
// memory.
std::string Explain(const JobPlan& plan);

// Every topic of the job and how it must look: sources and sinks (which the job never creates on Kafka),
// internal ones.
struct TopicNeed {
  enum class Use : uint8_t { kSource, kSink, kPlacement, kDeadLetters, kChangelog, kModel };
  std::string topic;
  Use use = Use::kSource;
  int32_t partitions = 0;  // 0: any number
  bool compacted = false;
};
std::vector<TopicNeed> TopicsOf(const JobPlan& plan);

}  // namespace freshet

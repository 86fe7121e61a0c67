#pragma once
// Hash functions. The first three place keys in partitions as Kafka's clients do and never change; Hash64 is
// for tables in memory and for hashed features, and is also fixed for ever, since models store indices made
// with it.
#include <cstdint>
#include <string_view>

namespace freshet {

// Kafka's default partitioner: partition = (Murmur2(key) & 0x7fffffff) % partitions.
uint32_t Murmur2(std::string_view key);
uint32_t Crc32(std::string_view key);  // librdkafka's "consistent": partition = Crc32(key) % partitions
uint32_t Fnv1a(std::string_view key);  // Sarama's default: |int32(hash)| % partitions

// By which of them a topic is partitioned.
enum class Partitioner : uint8_t { kMurmur2, kCrc32, kFnv1a };
// REQUIRES: at least one partition.
uint32_t PartitionOf(Partitioner partitioner, std::string_view key, uint32_t partitions);

inline uint32_t ShardOf(std::string_view key, uint32_t shards) {
  return PartitionOf(Partitioner::kMurmur2, key, shards);
}

// A 64-bit hash of good quality (every output bit usable), the same on every machine.
uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);
// Mixes two hashes into one, order-sensitive.
uint64_t CombineHash(uint64_t a, uint64_t b);

}  // namespace freshet

#pragma once
// What may name a topic: what Kafka takes, on every log. Pure, any thread.
#include <cstddef>
#include <string>
#include <string_view>

namespace freshet {

inline constexpr std::string_view kTopicLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
inline constexpr size_t kLongestTopic = 249;  // Kafka's limit

bool CanNameTopic(std::string_view name);
// What is wrong with a name that cannot, and what to do.
std::string NoTopicName(const std::string& name);

}  // namespace freshet

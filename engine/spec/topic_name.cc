#include "engine/spec/topic_name.h"

#include "engine/spec/scalar.h"

namespace freshet {

bool CanNameTopic(std::string_view name) {
  return !name.empty() && name.size() <= kLongestTopic && name != "." && name != ".." &&
         name.find_first_not_of(kTopicLetters) == std::string_view::npos;
}

std::string NoTopicName(const std::string& name) {
  return QuoteText(name) + " cannot name a topic; use at most " + std::to_string(kLongestTopic) +
         " letters, digits, `.`, `_` and `-`";
}

}  // namespace freshet

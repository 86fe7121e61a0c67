#include "engine/cli/record_key.h"

#include <string>

#include <gtest/gtest.h>

namespace freshet {
namespace {

std::string KeyOf(RecordKey& key, std::string_view line) {
  const Result<std::string> found = key.Of(line);
  return found.ok() ? *found : "!! " + found.status().message();
}

TEST(RecordKey, IsTheTextOfTheField) {
  RecordKey key("user");
  EXPECT_EQ(KeyOf(key, R"({"user": "ann"})"), "ann");
  EXPECT_EQ(KeyOf(key, R"({"a": {"user": 3}, "user": "a\"b\u00e9"})"), "a\"b\xc3\xa9");
  EXPECT_EQ(KeyOf(key, R"({"user": ""})"), "");
  EXPECT_EQ(KeyOf(key, R"({"user": 42})"), "42");
  EXPECT_EQ(KeyOf(key, R"({"user": -9223372036854775808})"), "-9223372036854775808");
  EXPECT_EQ(KeyOf(key, R"({"user": 2.5})"), "2.5");
  EXPECT_EQ(KeyOf(key, R"({"user": true})"), "true");
}

// A bad line leaves nothing behind for the next one.
TEST(RecordKey, RefusesWhatHasNoKeyAndGoesOn) {
  RecordKey key("user");
  for (const char* line : {"", "not json", "[1]", R"({"other": 1})", R"({"user": null})", R"({"user": [1]})",
                           R"({"user": {"id": 1}})", R"({"user": "ann")"}) {
    const Result<std::string> found = key.Of(line);
    ASSERT_FALSE(found.ok()) << line;
    EXPECT_EQ(found.status().code(), Code::kInvalid);
    EXPECT_TRUE(found.status().message().starts_with("no key can be taken from field `user`: "))
        << found.status().message();
    EXPECT_EQ(KeyOf(key, R"({"user": "bob"})"), "bob") << "after " << line;
    EXPECT_EQ(KeyOf(key, R"({"user": 7})"), "7") << "after " << line;
  }
}

TEST(RecordKey, OfNoPlainTypeSaysAllThatAreTaken) {
  RecordKey key("user");
  for (const char* line : {R"({"user": [1]})", R"({"user": []})", R"({"user": {"id": 1}})"}) {
    EXPECT_EQ(
        KeyOf(key, line),
        "!! no key can be taken from field `user`: wrong_type, `user` must be a string, a number, true or "
        "false, not an object or a list");
  }
}

TEST(RecordKey, OfManyLinesKeepsNothing) {
  RecordKey key("id");
  for (int64_t i = 0; i < 10'000; ++i) {
    const std::string line = "{\"id\": " + std::to_string(i) + "}";
    ASSERT_EQ(KeyOf(key, line), std::to_string(i));
  }
}

}  // namespace
}  // namespace freshet

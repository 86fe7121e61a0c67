#include "engine/base/logging.h"

#include <string>

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(Logging, OneLineAMessageToStandardError) {
  testing::internal::CaptureStderr();
  LogWarning("first\nsecond {} %s\r\x1b[31m");
  std::string text = testing::internal::GetCapturedStderr();
  for (size_t i = 0; i < 24 && i < text.size(); ++i) {
    if (text[i] >= '0' && text[i] <= '9') text[i] = '0';
  }
  EXPECT_EQ(text, "0000-00-00T00:00:00.000Z warning first second {} %s  [31m\n");
}

TEST(Logging, LevelsBelowTheLeastAreSilent) {
  testing::internal::CaptureStderr();
  WriteLog(LogLevel::kDebug, "a");
  SetLogLevel(LogLevel::kError);
  LogInfo("b");
  LogWarning("c");
  LogError("d");
  SetLogLevel(LogLevel::kDebug);
  WriteLog(LogLevel::kDebug, "e");
  SetLogLevel(LogLevel::kInfo);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find(" a\n"), std::string::npos);
  EXPECT_EQ(text.find(" b\n"), std::string::npos);
  EXPECT_EQ(text.find(" c\n"), std::string::npos);
  EXPECT_NE(text.find(" error d\n"), std::string::npos);
  EXPECT_NE(text.find(" debug e\n"), std::string::npos);
}

}  // namespace
}  // namespace freshet

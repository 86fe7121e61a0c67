#include "engine/cli/command_line.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace freshet {
namespace {

Result<CommandLine> Parse(const std::vector<const char*>& arguments) {
  std::vector<const char*> argv{"freshet"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return ParseCommandLine(static_cast<int>(argv.size()), argv.data());
}

TEST(CommandLine, RunTakesAllItsFlags) {
  const Result<CommandLine> line =
      Parse({"run", "job.yaml", "--local", "data", "--state=/var/state", "--instance", "a", "--lanes", "1",
             "--until-end", "--summary", "s.json", "--set", "memory=64MiB", "--set", "job=x"});
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_EQ(line->command, "run");
  EXPECT_EQ(line->operands, std::vector<std::string>{"job.yaml"});
  EXPECT_EQ(line->local, "data");
  EXPECT_EQ(line->brokers, "");
  EXPECT_EQ(line->state, "/var/state");
  EXPECT_EQ(line->instance, "a");
  EXPECT_EQ(line->lanes, 1);
  EXPECT_TRUE(line->until_end);
  EXPECT_EQ(line->summary, "s.json");
  EXPECT_EQ(line->set, (std::vector<std::string>{"memory=64MiB", "job=x"}));
  EXPECT_FALSE(line->help);
}

TEST(CommandLine, ProduceAndConsume) {
  const Result<CommandLine> produce = Parse(
      {"produce", "--brokers", "a:9092,b:9092", "clicks", "--key", "user", "--partitions", "3", "--raw"});
  ASSERT_TRUE(produce.ok()) << produce.status().message();
  EXPECT_EQ(produce->operands, std::vector<std::string>{"clicks"});
  EXPECT_EQ(produce->brokers, "a:9092,b:9092");
  EXPECT_EQ(produce->key, "user");
  EXPECT_EQ(produce->partitions, 3);
  EXPECT_TRUE(produce->raw);

  const Result<CommandLine> consume = Parse({"consume", "clicks", "--local", "d", "--envelope"});
  ASSERT_TRUE(consume.ok()) << consume.status().message();
  EXPECT_TRUE(consume->envelope);
  EXPECT_FALSE(consume->from_beginning);
  EXPECT_FALSE(consume->until_end);
}

TEST(CommandLine, GenerateChecksItsNumbers) {
  const Result<CommandLine> line = Parse(
      {"generate", "tx", "--events", "10", "--cards", "5", "--zipf", "0", "--seed", "7", "--late", "0.25"});
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_EQ(line->operands, std::vector<std::string>{"tx"});
  EXPECT_EQ(line->events, 10);
  EXPECT_EQ(line->tx.cards, 5);
  EXPECT_EQ(line->tx.zipf, 0);
  EXPECT_EQ(line->tx.seed, 7);
  EXPECT_EQ(line->tx.late, 0.25);
  EXPECT_FALSE(Parse({"generate"}).ok());
  for (const auto& [flag, value] : std::vector<std::pair<const char*, const char*>>{{"--events", "-1"},
                                                                                    {"--events", "many"},
                                                                                    {"--cards", "0"},
                                                                                    {"--cards", "100000001"},
                                                                                    {"--zipf", "-0.1"},
                                                                                    {"--zipf", "nan"},
                                                                                    {"--late", "1.1"},
                                                                                    {"--late", "nan"}}) {
    EXPECT_FALSE(Parse({"generate", "tx", flag, value}).ok()) << flag << ' ' << value;
  }
}

TEST(CommandLine, CommandsThatNeedNoLog) {
  EXPECT_TRUE(Parse({"check", "job.yaml"}).ok());
  EXPECT_TRUE(Parse({"plan", "job.yaml", "--set", "job=x"}).ok());
  EXPECT_TRUE(Parse({"schema"}).ok());
  EXPECT_TRUE(Parse({"version"}).ok());
}

TEST(CommandLine, HelpAndVersionInAllTheirSpellings) {
  for (const auto& arguments : std::vector<std::vector<const char*>>{{}, {"help"}, {"--help"}, {"-h"}}) {
    const Result<CommandLine> line = Parse(arguments);
    ASSERT_TRUE(line.ok());
    EXPECT_TRUE(line->help);
    EXPECT_EQ(line->command, "");
  }
  // Help is given although FILE and the log are missing.
  for (const auto& arguments :
       std::vector<std::vector<const char*>>{{"help", "run"}, {"run", "-h"}, {"run", "--help"}}) {
    const Result<CommandLine> line = Parse(arguments);
    ASSERT_TRUE(line.ok()) << line.status().message();
    EXPECT_TRUE(line->help);
    EXPECT_EQ(line->command, "run");
  }
  EXPECT_EQ(Parse({"--version"})->command, "version");
}

struct Refused {
  std::vector<const char*> arguments;
  std::string message;
};

TEST(CommandLine, WhatIsRefusedSaysWhatToDo) {
  const std::string where =
      "say where the log is, with one of --local DIR (no server needed) and --brokers HOST:PORT (Kafka)";
  const std::vector<Refused> table{
      {{"rum"}, "unknown command `rum`; did you mean `run`?"},
      {{"start"},
       "unknown command `start`; one of check, plan, run, produce, consume, generate, schema, version"},
      {{"check"}, "`freshet check` needs FILE, as in `freshet check jobs/flight-delays/job.yaml`"},
      {{"produce", "--local", "d"},
       "`freshet produce` needs TOPIC, as in `freshet produce clicks --local data --key user < "
       "clicks.ndjson`"},
      {{"check", "a.yaml", "b.yaml"}, "`freshet check` does not know what to do with `b.yaml`"},
      {{"schema", "x"}, "`freshet schema` does not know what to do with `x`"},
      {{"run", "job.yaml"}, where},
      {{"run", "job.yaml", "--local", "d", "--brokers", "b:1"}, where},
      {{"consume", "clicks"}, where},
      {{"run", "job.yaml", "--local", "d", "--lanes", "2"}, "--lanes 2: only one lane can run for now"},
      {{"produce", "clicks", "--local", "d", "--partitions", "0"},
       "--partitions 0: a topic has 1 to 10000 partitions"},
      {{"produce", "clicks", "--local", "d", "--partitions", "-1"},
       "--partitions -1: a topic has 1 to 10000 partitions"},
      {{"produce", "clicks", "--brokers", "b:1", "--partitions", "10001"},
       "--partitions 10001: a topic has 1 to 10000 partitions"},
      {{"produce", "a/b", "--local", "d"},
       "`a/b` cannot name a topic; use at most 249 letters, digits, `.`, `_` and `-`"},
      {{"produce", "", "--local", "d"},
       "`` cannot name a topic; use at most 249 letters, digits, `.`, `_` and `-`"},
      {{"consume", "..", "--local", "d"},
       "`..` cannot name a topic; use at most 249 letters, digits, `.`, `_` and `-`"},
      {{"produce", "clicks", "--local", "d", "--key", ""},
       "--key '': name a field of the records, or leave --key out to send them without a key"},
      {{"run", "job.yaml", "--local", "d", "--instance", ""},
       "--instance: no instance can have this name; use 1 to 100 letters, digits, `_`, `-` and `.`"},
      {{"run", "job.yaml", "--local", "d", "--instance", "x\nfingerprint=1"},
       "--instance: no instance can have this name; use 1 to 100 letters, digits, `_`, `-` and `.`"},
      {{"run", "job.yaml", "--local", "d", "--lanes", "0"}, "--lanes 0: only one lane can run for now"},
  };
  for (const Refused& row : table) {
    const Result<CommandLine> line = Parse(row.arguments);
    ASSERT_FALSE(line.ok()) << row.message;
    EXPECT_EQ(line.status().code(), Code::kInvalid);
    EXPECT_EQ(line.status().message(), row.message);
  }
}

// The wording is the library's; what matters is that the flag is named, and the way to the help.
TEST(CommandLine, FaultyFlagsAreNamed) {
  const std::vector<Refused> table{
      {{"check", "a.yaml", "--local", "d"}, "--local"},
      {{"run", "job.yaml", "--loca", "d"}, "--loca"},  // no guessing of abbreviations
      {{"run", "job.yaml", "--local"}, "--local"},
      {{"run", "job.yaml", "--local", "d", "--lanes", "two"}, "--lanes"},
      {{"run", "job.yaml", "--local", "a", "--local", "b"}, "--local"},
  };
  for (const Refused& row : table) {
    const Result<CommandLine> line = Parse(row.arguments);
    ASSERT_FALSE(line.ok()) << row.message;
    EXPECT_EQ(line.status().code(), Code::kInvalid);
    EXPECT_NE(line.status().message().find(row.message), std::string::npos) << line.status().message();
    EXPECT_NE(line.status().message().find(" --help`"), std::string::npos) << line.status().message();
  }
}

TEST(HelpText, NamesEveryCommandAndItsFlags) {
  const std::string all = HelpText("");
  for (const char* command : {"check", "plan", "run", "produce", "consume", "schema", "version"}) {
    EXPECT_NE(all.find(std::string("\n  ") + command + " "), std::string::npos) << command;
    EXPECT_NE(HelpText(command).find(std::string("usage: freshet ") + command), std::string::npos) << command;
  }
  const std::string run = HelpText("run");
  for (const char* flag : {"--local", "--brokers", "--state", "--instance", "--lanes", "--until-end",
                           "--summary", "--set", "--help"})
    EXPECT_NE(run.find(flag), std::string::npos) << flag;
  EXPECT_EQ(run.find("--envelope"), std::string::npos);
  EXPECT_EQ(HelpText("no-such-command"), all);
}

}  // namespace
}  // namespace freshet

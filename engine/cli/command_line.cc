#include "engine/cli/command_line.h"

#include <array>
#include <sstream>

#include <boost/program_options.hpp>

#include "engine/runtime/state_directory.h"
#include "engine/spec/diagnostics.h"
#include "engine/spec/topic_name.h"

namespace freshet {

namespace {

namespace po = boost::program_options;

constexpr int kMostPartitions = 10'000;

struct Command {
  std::string_view name;
  std::string_view operand;  // "" for none
  std::string_view summary;
  std::string_view example;
  std::vector<std::string_view> flags;
};

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands{
      {"check",
       "FILE",
       "reads a job file and reports everything wrong with it",
       "freshet check jobs/flight-delays/job.yaml",
       {"set"}},
      {"plan",
       "FILE",
       "prints the order of rows, stages, topics and memory of a job",
       "freshet plan jobs/flight-delays/job.yaml",
       {"set"}},
      {"run",
       "FILE",
       "runs a job",
       "freshet run job.yaml --local data --until-end --summary summary.json",
       {"local", "brokers", "state", "instance", "lanes", "until-end", "summary", "progress-every", "set"}},
      {"produce",
       "TOPIC",
       "sends the lines of standard input, one JSON object each, to a topic",
       "freshet produce clicks --local data --key user < clicks.ndjson",
       {"local", "brokers", "key", "partitions", "raw"}},
      {"consume",
       "TOPIC",
       "prints the records of a topic, one a line",
       "freshet consume predictions --local data --from-beginning --until-end",
       {"local", "brokers", "from-beginning", "until-end", "envelope"}},
      {"generate",
       "KIND",
       "prints made-up events, one JSON object a line; `tx`: card payments",
       "freshet generate tx --events 1000000 | freshet produce tx --local data --key card --partitions 4",
       {"events", "cards", "zipf", "seed", "late"}},
      {"schema", "", "prints the JSON Schema of job files", "freshet schema > job.schema.json", {}},
      {"version", "", "prints the version", "freshet version", {}}};
  return commands;
}

const Command* FindCommand(const std::string& name) {
  for (const Command& command : Commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

void AddFlag(std::string_view flag, CommandLine& line, po::options_description& options) {
  const auto add = [&](auto* value, const char* doc) {
    options.add_options()(std::string(flag).c_str(), po::value(value), doc);
  };
  const auto add_switch = [&](bool* value, const char* doc) {
    options.add_options()(std::string(flag).c_str(), po::bool_switch(value), doc);
  };
  if (flag == "local") add(&line.local, "DIR: the embedded log in this directory");
  if (flag == "brokers") add(&line.brokers, "LIST: Kafka brokers, host:port, separated by commas");
  if (flag == "state") add(&line.state, "DIR: where stores live (Kafka: ./freshet-state/<job>)");
  if (flag == "instance") add(&line.instance, "NAME: of this process, the same at every start");
  if (flag == "lanes") add(&line.lanes, "N: threads that each run a share of the job (1 only, for now)");
  if (flag == "until-end") add_switch(&line.until_end, "stop where the topics end now");
  if (flag == "summary") add(&line.summary, "FILE: what the run did, as JSON");
  if (flag == "progress-every") {
    options.add_options()(std::string(flag).c_str(), po::value<std::string>(),
                          "DURATION: between progress lines, such as 1m (100ms on a terminal, 5s in a pipe)");
  }
  if (flag == "set") add(&line.set, "PATH=VALUE: overrides a key of the job file; may be repeated");
  if (flag == "key")
    add(&line.key, "FIELD: the field that becomes the record's key and chooses its partition");
  if (flag == "partitions")
    add(&line.partitions, "N: creates the topic with N partitions where it is missing");
  if (flag == "raw") add_switch(&line.raw, "send each line as it is, JSON or not");
  if (flag == "from-beginning") add_switch(&line.from_beginning, "from the first record, not only new ones");
  if (flag == "envelope")
    add_switch(&line.envelope, "with topic, partition, offset, timestamp, key and headers");
  if (flag == "events") add(&line.events, "N: how many (1000000)");
  if (flag == "cards") add(&line.tx.cards, "N: cards that pay (100000)");
  if (flag == "zipf") add(&line.tx.zipf, "S: the k-th card pays as often as 1 / k^S (1); 0: all cards alike");
  if (flag == "seed") add(&line.tx.seed, "N: the same gives the same events (42)");
  if (flag == "late")
    add(&line.tx.late,
        "SHARE: of events that come up to an hour too late, 0 to 1 (0); all others within 5 s");
}

po::options_description OptionsOf(const Command& command, CommandLine& line) {
  po::options_description options("options");
  for (const std::string_view flag : command.flags)
    AddFlag(flag, line, options);
  options.add_options()("help,h", po::bool_switch(&line.help), "this text");
  return options;
}

Status CheckOperands(const Command& command, const CommandLine& line) {
  const size_t wanted = command.operand.empty() ? 0 : 1;
  if (line.operands.size() < wanted) {
    return Invalid("`freshet " + line.command + "` needs " + std::string(command.operand) + ", as in `" +
                   std::string(command.example) + "`");
  }
  if (line.operands.size() > wanted) {
    return Invalid("`freshet " + line.command + "` does not know what to do with `" + line.operands[wanted] +
                   "`");
  }
  if (command.operand == "TOPIC" && !CanNameTopic(line.operands[0]))
    return Invalid(NoTopicName(line.operands[0]));
  return {};
}

Status CheckPartitions(const po::variables_map& values, const CommandLine& line) {
  if (values.count("partitions") == 0 || (line.partitions >= 1 && line.partitions <= kMostPartitions))
    return {};
  return Invalid("--partitions " + std::to_string(line.partitions) + ": a topic has 1 to " +
                 std::to_string(kMostPartitions) + " partitions");
}

Status CheckEvents(const CommandLine& line) {
  constexpr int64_t kMostCards = 100'000'000;  // 8 bytes each
  constexpr double kSteepest = 10;
  if (line.events < 0) return Invalid("--events " + std::to_string(line.events) + ": not below 0");
  if (line.tx.cards < 1 || line.tx.cards > kMostCards)
    return Invalid("--cards " + std::to_string(line.tx.cards) + ": 1 to " + std::to_string(kMostCards));
  if (!(line.tx.zipf >= 0 && line.tx.zipf <= kSteepest)) return Invalid("--zipf: 0 to 10");
  if (!(line.tx.late >= 0 && line.tx.late <= 1)) return Invalid("--late: a share, 0 to 1");
  return {};
}

// Names that were given, and are none.
Status CheckNames(const po::variables_map& values, const CommandLine& line) {
  if (values.count("key") > 0 && line.key.empty())
    return Invalid("--key '': name a field of the records, or leave --key out to send them without a key");
  if (values.count("instance") > 0) return CheckInstance(line.instance).Within("--instance");
  return {};
}

Status CheckLog(const Command& command, const CommandLine& line) {
  bool needs_log = false;
  for (const std::string_view flag : command.flags)
    needs_log = needs_log || flag == "local";
  if (!needs_log || line.local.empty() != line.brokers.empty()) return {};
  return Invalid(
      "say where the log is, with one of --local DIR (no server needed) and --brokers HOST:PORT (Kafka)");
}

Status TakeProgressEvery(const po::variables_map& values, CommandLine& line) {
  if (values.count("progress-every") == 0) return {};
  const std::string& text = values["progress-every"].as<std::string>();
  line.progress_every = ParseDuration(text);
  if (line.progress_every && *line.progress_every >= 0) return {};
  return Invalid("--progress-every " + text + ": not a duration; write one such as 10ms, 5s or 1m");
}

}  // namespace

Result<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  CommandLine line;
  line.command = argc > 1 ? argv[1] : "help";
  if (line.command == "--help" || line.command == "-h" || line.command == "help") {
    line.help = true;
    line.command = argc > 2 ? argv[2] : "";
    return line;
  }
  if (line.command == "--version") line.command = "version";
  const Command* command = FindCommand(line.command);
  if (command == nullptr) {
    std::vector<std::string> names;
    for (const Command& known : Commands())
      names.emplace_back(known.name);
    return Invalid("unknown command `" + line.command + "`" + Suggestion(line.command, names));
  }
  po::options_description options = OptionsOf(*command, line);
  options.add_options()("operand", po::value(&line.operands));
  po::positional_options_description positional;
  positional.add("operand", -1);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc - 1, argv + 1)
                  .options(options)
                  .positional(positional)
                  .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
                  .run(),
              values);
    po::notify(values);
    if (Status s = TakeProgressEvery(values, line); !s.ok()) return s;
    if (Status s = CheckPartitions(values, line); !s.ok()) return s;
    if (Status s = CheckNames(values, line); !s.ok()) return s;
    if (Status s = CheckEvents(line); !s.ok()) return s;
  } catch (const po::error& error) {
    return Invalid(std::string(error.what()) + "; see `freshet " + line.command + " --help`");
  }
  if (line.help) return line;
  if (Status s = CheckOperands(*command, line); !s.ok()) return s;
  if (Status s = CheckLog(*command, line); !s.ok()) return s;
  if (line.lanes != 1)
    return Invalid("--lanes " + std::to_string(line.lanes) + ": only one lane can run for now");
  return line;
}

std::string HelpText(const std::string& name) {
  std::ostringstream out;
  const Command* command = FindCommand(name);
  if (command == nullptr) {
    out << "Freshet: streaming features and online learning over Kafka.\n\nusage: freshet COMMAND …\n\n";
    for (const Command& known : Commands()) {
      out << "  " << known.name << std::string(10 - known.name.size(), ' ') << known.summary << "\n";
    }
    out << "\n`freshet COMMAND --help` tells more. Exit codes: 0 done, 1 failed while running, 2 bad command "
           "line or job "
           "file, 3 cannot reach the log.\n";
    return out.str();
  }
  CommandLine ignored;
  out << "usage: freshet " << command->name << (command->operand.empty() ? "" : " ") << command->operand
      << " [options]\n  " << command->summary << "\n\nexample: " << command->example << "\n\n"
      << OptionsOf(*command, ignored);
  return out.str();
}

}  // namespace freshet

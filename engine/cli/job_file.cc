#include "engine/cli/job_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "engine/cli/exit.h"
#include "engine/log/kafka/kafka_config.h"
#include "operators/list.h"

namespace freshet {

namespace {

constexpr size_t kMostRead = 2 << 20;  // twice what a job file may hold

// What the Kafka client would refuse, told before anything runs and whatever the log.
void CheckSettings(const Job& job, Diagnostics& diagnostics) {
  for (const auto& [name, setting] : job.frame.kafka) {
    std::vector<std::string> secrets;
    if (setting.hidden) secrets.push_back(setting.value);
    const Status status = CheckUserSettings({{name, setting.value}}, secrets);
    if (!status.ok()) diagnostics.Error(job.positions.Of(&setting), status.message());
  }
}

}  // namespace

Result<std::string> ReadJobFile(const std::string& path) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) {
    const std::string usual = (std::filesystem::path(path) / "job.yaml").string();
    const bool there = std::filesystem::exists(usual, none);
    return Invalid(path + " is a directory; name the job file in it" + (there ? ", " + usual : ""));
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostRead, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const int reason = errno;
    return Invalid("cannot read " + path + ": " + std::strerror(reason) +
                   (reason == EACCES
                        ? "; give this user the right to read it"
                        : "; name a job file, as in `freshet check jobs/flight-delays/job.yaml`"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

std::unique_ptr<JobPlan> LoadJob(const std::string& path, const std::vector<std::string>& overrides) {
  const Result<std::string> text = ReadJobFile(path);
  if (!text.ok()) {
    Refuse(text.status());
    return nullptr;
  }
  Diagnostics diagnostics(path);
  std::unique_ptr<JobPlan> plan = PlanJob(*text, Operators(), {overrides}, diagnostics);
  if (plan != nullptr) CheckSettings(plan->job, diagnostics);
  std::fputs(diagnostics.Text().c_str(), stderr);
  return diagnostics.ok() ? std::move(plan) : nullptr;
}

}  // namespace freshet

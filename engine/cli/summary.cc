#include "engine/cli/summary.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/number.h"
#include "engine/format/json_text.h"

namespace freshet {

namespace {

struct Tree {
  double number = 0;
  std::map<std::string, Tree> members;
  bool is_object = false;
  bool is_list = false;

  Tree& At(const std::string& name) {
    is_object = true;
    return members[name];
  }
  void Set(double value) { number = value; }
};

void Print(const Tree& tree, size_t depth, std::string& out) {
  if (tree.is_list) {
    out += "[]";
    return;
  }
  if (!tree.is_object) {
    if (std::isfinite(tree.number)) {
      AppendDouble(tree.number, out);
    } else {
      out += "null";
    }
    return;
  }
  out += "{";
  const char* separator = "\n";
  for (const auto& [name, member] : tree.members) {
    out += separator + std::string(2 * (depth + 1), ' ');
    AppendJsonString(name, out);
    out += ": ";
    Print(member, depth + 1, out);
    separator = ",\n";
  }
  out += tree.members.empty() ? "}" : "\n" + std::string(2 * depth, ' ') + "}";
}

// `family{label="value"}` → the value, where the family is `family`.
bool LabelOf(const std::string& counter, std::string_view family, std::string& label) {
  if (!counter.starts_with(std::string(family) + "{")) return false;
  const size_t begin = counter.find('"') + 1;
  label = counter.substr(begin, counter.rfind('"') - begin);
  return true;
}

void AddCounts(const RunReport& report, Tree& root) {
  root.At("rows").is_object = root.At("dead_letters").is_object = root.At("operators").is_object = true;
  root.At("stages").is_object = true;
  uint64_t rows_in = 0;
  for (const auto& [counter, count] : report.counts) {
    std::string label;
    const auto number = static_cast<double>(count);
    if (LabelOf(counter, "rows_in", label)) {
      rows_in += count;
      root.At("rows").At(label).Set(number);
    } else if (LabelOf(counter, "dead_letters", label)) {
      root.At("dead_letters").At(label).Set(number);
    } else if (counter.starts_with("rows_out{sink=") && LabelOf(counter, "rows_out", label)) {
      root.At("rows").At(label).Set(number);
    } else if (LabelOf(counter, "changelog_bytes", label) || LabelOf(counter, "store_bytes", label)) {
      root.At("stages").At(label).At(counter.substr(0, counter.find('{'))).Set(number);
    } else if (const size_t brace = counter.find('{'); brace != std::string::npos) {
      if (LabelOf(counter, counter.substr(0, brace), label)) {
        root.At("operators").At(label).At(counter.substr(0, brace)).Set(number);
      }
    }
  }
  const double seconds = static_cast<double>(report.elapsed) / static_cast<double>(kSecond);
  root.At("rates").At("seconds").Set(seconds);
  root.At("rates").At("rows_per_second").Set(seconds > 0 ? static_cast<double>(rows_in) / seconds : 0);
  root.At("rates").At("commits").Set(static_cast<double>(report.commits));
  const auto took = [&](double share) {
    return static_cast<double>(report.commits_took.Quantile(share)) / static_cast<double>(kSecond);
  };
  root.At("rates").At("commit_p50_seconds").Set(took(0.5));
  root.At("rates").At("commit_p99_seconds").Set(took(0.99));
}

void AddProcess(Tree& root) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  root.At("rates").At("cpu_seconds").Set(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  root.At("memory").At("peak_resident_bytes").Set(static_cast<double>(usage.ru_maxrss) * 1024);
}

}  // namespace

std::string SummaryJson(const RunReport& report) {
  Tree root;
  root.At("models").is_object = root.At("baselines").is_object = true;
  root.At("alerts").is_list = true;
  AddCounts(report, root);
  AddProcess(root);
  for (const auto& [path, value] : report.figures) {
    Tree* at = &root;
    for (const std::string& name : path)
      at = &at->At(name);
    at->Set(value);
  }
  std::string out;
  Print(root, 0, out);
  return out + "\n";
}

Result<SummaryFile> SummaryFile::Open(const std::string& path, const std::string& job) {
  std::error_code none;
  if (std::filesystem::equivalent(path, job, none))
    return Invalid("the summary would replace the job file " + job + "; name another file");
  constexpr mode_t kMode = 0666;  // less the umask
  int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  const bool made = descriptor >= 0;
  if (!made) descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kMode);
  if (descriptor >= 0) return SummaryFile(path, descriptor, made);
  return Invalid("cannot write the summary to " + path + ": " + std::strerror(errno) +
                 "; name a file, in a folder that is there, that may be written");
}

SummaryFile::SummaryFile(SummaryFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      made_(std::exchange(other.made_, false)) {}

SummaryFile::~SummaryFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (made_) std::remove(path_.c_str());
}

Status SummaryFile::Write(const RunReport& report) {
  const std::string text = SummaryJson(report);
  made_ = false;
  // A pipe has nothing to be cut off.
  bool written = ftruncate(descriptor_, 0) == 0 || errno == EINVAL;
  for (size_t at = 0; written && at < text.size();) {
    const ssize_t taken = write(descriptor_, text.data() + at, text.size() - at);
    if (taken >= 0) {
      at += static_cast<size_t>(taken);
    } else {
      written = errno == EINTR;
    }
  }
  if (written) return {};
  return {Code::kExhausted, "cannot write the summary to " + path_ + ": " + std::strerror(errno)};
}

}  // namespace freshet

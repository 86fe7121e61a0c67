#include "tests/harness/process.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace freshet {
namespace {

int OpenForAppend(const std::string& path) {
  return open(path.empty() ? "/dev/null" : path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<Process> Process::Start(const Options& options) {
  std::vector<std::string> words = options.command;
  std::vector<std::string> variables = options.environment;  // first: the earlier of two equal names counts
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  const std::vector<char*> arguments = Pointers(words);
  const std::vector<char*> environment = Pointers(variables);
  const int output = OpenForAppend(options.output);
  const int errors = options.errors.empty() ? output : OpenForAppend(options.errors);
  if (output < 0 || errors < 0)
    return Internal("cannot open " + options.output + ": " + std::strerror(errno));

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {  // only calls that are safe between fork and exec
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    execvpe(arguments[0], arguments.data(), environment.data());
    _exit(127);
  }
  const int fork_error = errno;
  close(output);
  if (errors != output) close(errors);
  if (pid < 0) return Internal(std::string("cannot fork: ") + std::strerror(fork_error));
  // The header of glibc 2.36 lacks extern "C" for pidfd_open.
  const auto handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return Internal(std::string("cannot watch the child process: ") + std::strerror(errno));
  return Process(pid, handle);
}

Process::Process(Process&& other) noexcept : pid_(other.pid_), handle_(other.handle_), code_(other.code_) {
  other.pid_ = other.handle_ = -1;
}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(handle_, other.handle_);
  std::swap(code_, other.code_);
  return *this;
}

Process::~Process() {
  if (pid_ > 0) Kill();
  if (handle_ >= 0) close(handle_);
}

void Process::Signal(int signal) {
  if (pid_ > 0 && !code_) kill(pid_, signal);
}

void Process::Kill() {
  Signal(SIGKILL);
  Wait(kMaxTime);
}

std::optional<int> Process::Wait(Duration limit) {
  if (code_ || pid_ <= 0) return code_;
  pollfd ended{handle_, POLLIN, 0};
  const int milliseconds = limit / kMillisecond > 1'000'000'000 ? -1 : static_cast<int>(limit / kMillisecond);
  int ready = 0;
  do {
    ready = poll(&ended, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return std::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) return std::nullopt;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

}  // namespace freshet

// The threads and locks of C11 by those of POSIX, linked into tests that ThreadSanitizer watches. librdkafka
// makes its threads with thrd_create, which the sanitizer does not know: it crashes on a thread that it has
// not seen begin, and without its locks it would take every hand-over between that library and us for a race.
// In glibc each of these objects is the POSIX one. Any thread.
#include <cerrno>
#include <cstdint>
#include <memory>

#include <pthread.h>
#include <threads.h>

namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t) &&
              sizeof(once_flag) == sizeof(pthread_once_t));

pthread_mutex_t* Of(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}

pthread_cond_t* Of(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

int Code(int error) {
  if (error == 0) return thrd_success;
  return error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

struct Start {
  thrd_start_t function;
  void* argument;
};

void* Run(void* start) {
  const std::unique_ptr<Start> taken(static_cast<Start*>(start));
  return reinterpret_cast<void*>(static_cast<intptr_t>(taken->function(taken->argument)));
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int error = pthread_create(thread, nullptr, Run, start.get());
  if (error == 0) static_cast<void>(start.release());  // Run has it now
  return Code(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* returned = nullptr;
  const int error = pthread_join(thread, &returned);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<intptr_t>(returned));
  return Code(error);
}

void call_once(once_flag* flag, void (*function)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  const int error = pthread_mutex_init(Of(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return Code(error);
}

int mtx_lock(mtx_t* mutex) {
  return Code(pthread_mutex_lock(Of(mutex)));
}

int mtx_unlock(mtx_t* mutex) {
  return Code(pthread_mutex_unlock(Of(mutex)));
}

void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy(Of(mutex));
}

int cnd_init(cnd_t* condition) {
  return Code(pthread_cond_init(Of(condition), nullptr));
}

int cnd_signal(cnd_t* condition) {
  return Code(pthread_cond_signal(Of(condition)));
}

int cnd_broadcast(cnd_t* condition) {
  return Code(pthread_cond_broadcast(Of(condition)));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return Code(pthread_cond_wait(Of(condition), Of(mutex)));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return Code(pthread_cond_timedwait(Of(condition), Of(mutex), until));
}

void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy(Of(condition));
}

}  // extern "C"

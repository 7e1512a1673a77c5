// C++: exceptions through frames made before the checkpoint, thread_local objects with destructors, std::thread, futures.
// sabotage: poke @cell
#include "../probe.h"
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> destroyed{0}, started{0};
static std::mutex mutex;
static std::condition_variable condition;
static bool go = false;
static uint64_t cell = 55;

struct Local {
  std::string text = "made";
  ~Local() { destroyed++; }
};
static thread_local Local local;

static void body(int index) {
  local.text += std::to_string(index);
  started++;
  std::unique_lock<std::mutex> lock(mutex);
  condition.wait(lock, [] { return go; });
  CHECK(local.text == "made" + std::to_string(index), "thread_local object");
}
static int deep(int left) {
  if (left == 0) {
    probe_hold();
    throw std::runtime_error("from below");
  }
  std::string guard(100, 'x');
  return deep(left - 1) + static_cast<int>(guard.size());
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", reinterpret_cast<uintptr_t>(&cell));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++) threads.emplace_back(body, i);
  std::promise<int> promise;
  auto later = std::async(std::launch::async, [&] { return promise.get_future().get() * 2; });
  WAIT_UNTIL(started == 3, "not all threads started");
  bool caught = false;
  try {
    deep(20);
  } catch (const std::runtime_error &error) {
    caught = std::string(error.what()) == "from below";
  }
  CHECK(caught, "the exception was not caught");
  CHECK(cell == 55, "a static value");
  promise.set_value(21);
  CHECK(later.get() == 42, "future");
  {
    std::lock_guard<std::mutex> lock(mutex);
    go = true;
  }
  condition.notify_all();
  for (auto &thread : threads) thread.join();
  CHECK(destroyed == 3, "%d thread_local objects were destroyed", destroyed.load());
  return probe_ok();
}

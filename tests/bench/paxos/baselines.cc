#include "tests/bench/paxos/baselines.h"

#include <fcntl.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/event.h"
#include "runtime/network.h"
#include "runtime/real/real_world.h"
#include "tests/bench/paxos/latencies.h"
#include "tests/bench/paxos/values.h"
#include "tests/bench/report.h"

namespace bench {
namespace {

using runtime::MessageKind;
using runtime::NodeId;
using runtime::Task;

constexpr MessageKind kPing(1);
constexpr off_t kFileBytes = 16 << 20;

leveldb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

SyncedFile::SyncedFile(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/synced");
  file_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK(file_ >= 0) << path << ": " << strerror(errno);
  const std::string content(kFileBytes, 'x');
  CHECK_EQ(pwrite(file_, content.data(), content.size(), 0), kFileBytes);
  CHECK_EQ(fsync(file_), 0);
}

SyncedFile::~SyncedFile() { close(file_); }

double SyncedFile::Microseconds(int count, size_t bytes) {
  const std::string record(bytes, 'x');
  Latencies latencies;
  for (int i = 0; i < count; ++i) {
    const double begin = Now();
    if (end_ + static_cast<off_t>(bytes) > kFileBytes) end_ = 0;
    CHECK_EQ(pwrite(file_, record.data(), bytes, end_), static_cast<ssize_t>(bytes));
    end_ += static_cast<off_t>(bytes);
    CHECK_EQ(fdatasync(file_), 0);
    latencies.Add((Now() - begin) * 1e6);
  }
  return latencies.Median();
}

struct MessagePingPong::Nodes {
  explicit Nodes() : here(MakeWorld(1)), there(MakeWorld(2)) {
    here->network().SetPeer(NodeId(2), absl::StrCat("127.0.0.1:", there->port()));
    there->network().SetPeer(NodeId(1), absl::StrCat("127.0.0.1:", here->port()));
    answered = there->network().Receive(
        kPing, &there->loop(0), [this](NodeId sender, std::string payload) {
          CHECK(there->network().Send(sender, kPing, std::move(payload)).ok());
        });
    came_back =
        here->network().Receive(kPing, &here->loop(0), [this](NodeId, std::string) { back.Set(); });
  }

  static std::unique_ptr<real::RealWorld> MakeWorld(uint32_t node) {
    real::RealWorldOptions options;
    options.node = NodeId(node);
    options.loops = 1;
    options.listen_address = "127.0.0.1:0";
    options.log = real::LogDestination::kNowhere;
    auto world = real::RealWorld::Create(options);
    CHECK(world.ok()) << world.status();
    return *std::move(world);
  }

  static Task<void> RoundTrips(Nodes* nodes, int count, size_t bytes, Latencies* latencies) {
    for (int i = 0; i < count; ++i) {
      const double begin = Now();
      nodes->back.Reset();
      CHECK(nodes->here->network().Send(NodeId(2), kPing, std::string(bytes, 'x')).ok());
      CHECK((co_await nodes->back.Wait()).ok());
      latencies->Add((Now() - begin) * 1e6);
    }
  }

  std::unique_ptr<real::RealWorld> here;
  std::unique_ptr<real::RealWorld> there;
  runtime::Network::Registration answered;
  runtime::Network::Registration came_back;
  runtime::Event back;  // Of here's loop.
};

MessagePingPong::MessagePingPong() : nodes_(std::make_unique<Nodes>()) {}
MessagePingPong::~MessagePingPong() = default;

double MessagePingPong::Microseconds(int count, size_t bytes) {
  Latencies latencies;
  nodes_->here->RunUntilDone(Nodes::RoundTrips(nodes_.get(), count, bytes, &latencies));
  return latencies.Median();
}

SyncedLevelDb::SyncedLevelDb(const std::string& directory) {
  leveldb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 8 << 20;
  leveldb::DB* db = nullptr;
  const leveldb::Status opened = leveldb::DB::Open(options, directory, &db);
  CHECK(opened.ok()) << opened.ToString();
  db_.reset(db);
}

SyncedLevelDb::~SyncedLevelDb() = default;

double SyncedLevelDb::WritesPerSecond(int threads, size_t value_bytes, double seconds) {
  leveldb::WriteOptions synced;
  synced.sync = true;
  std::atomic<uint64_t> written = 0;
  std::atomic<bool> stop = false;
  const auto write = [&](uint64_t seed) {
    Values values(seed, value_bytes);
    while (!stop) {
      const std::string key = values.Key();
      const leveldb::Status done =
          db_->Put(synced, ToSlice(key), ToSlice(values.Value(value_bytes)));
      CHECK(done.ok()) << done.ToString();
      ++written;
    }
  };
  const double took = Seconds([&] {
    std::vector<std::thread> writers;
    writers.reserve(static_cast<size_t>(threads));
    for (int i = 0; i < threads; ++i) writers.emplace_back(write, static_cast<uint64_t>(i));
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    stop = true;
    for (std::thread& writer : writers) writer.join();
  });
  return static_cast<double>(written) / took;
}

}  // namespace bench

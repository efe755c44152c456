// What Paxos stands on, alone: a synced append, a round trip of messages, LevelDB with synced
// writes.
#ifndef TESTS_BENCH_PAXOS_BASELINES_H_
#define TESTS_BENCH_PAXOS_BASELINES_H_

#include <memory>
#include <string>

namespace leveldb {
class DB;
}

namespace bench {

// Appends to a file that grows, each append followed by fdatasync.
class SyncedFile {
 public:
  explicit SyncedFile(const std::string& directory);
  ~SyncedFile();
  SyncedFile(const SyncedFile&) = delete;
  SyncedFile& operator=(const SyncedFile&) = delete;

  // The mean of `count` appends of `bytes`.
  double Microseconds(int count, size_t bytes);

 private:
  int file_;
};

// Two nodes that exchange one-way messages over the stream between them.
class MessagePingPong {
 public:
  MessagePingPong();
  ~MessagePingPong();

  // The mean of `count` round trips, one after the other, of messages of `bytes`.
  double Microseconds(int count, size_t bytes);

 private:
  struct Nodes;
  const std::unique_ptr<Nodes> nodes_;
};

// LevelDB by itself, with options as our store has them.
class SyncedLevelDb {
 public:
  explicit SyncedLevelDb(const std::string& directory);
  ~SyncedLevelDb();

  // Writes a second, of `value_bytes` each to random keys, by `threads` threads for `seconds`.
  double WritesPerSecond(int threads, size_t value_bytes, double seconds);

 private:
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_BASELINES_H_

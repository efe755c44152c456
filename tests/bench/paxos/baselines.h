// What Paxos stands on, alone: a synced write, a round trip of messages, LevelDB with synced
// writes.
#ifndef TESTS_BENCH_PAXOS_BASELINES_H_
#define TESTS_BENCH_PAXOS_BASELINES_H_

#include <sys/types.h>

#include <memory>
#include <string>

namespace leveldb {
class DB;
}

namespace bench {

// Writes one record after the other, each followed by fdatasync, into a file that has its size
// already: the least that a disk asks for, since no metadata changes.
class SyncedFile {
 public:
  explicit SyncedFile(const std::string& directory);
  ~SyncedFile();
  SyncedFile(const SyncedFile&) = delete;
  SyncedFile& operator=(const SyncedFile&) = delete;

  // The mean of `count` records of `bytes`.
  // The median of `count`.
  double Microseconds(int count, size_t bytes);

 private:
  int file_;
  off_t end_ = 0;  // Of the last record.
};

// Two nodes that exchange one-way messages over the stream between them.
class MessagePingPong {
 public:
  MessagePingPong();
  ~MessagePingPong();

  // The mean of `count` round trips, one after the other, of messages of `bytes`.
  // The median of `count`.
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

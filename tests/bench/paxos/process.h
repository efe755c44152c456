// What this process has taken of the machine.
#ifndef TESTS_BENCH_PAXOS_PROCESS_H_
#define TESTS_BENCH_PAXOS_PROCESS_H_

namespace bench {

// Of all its threads.
double CpuSeconds();

// In memory now; files that are mapped, as LevelDB maps its tables, count in the first only.
double ResidentMegabytes();
double AnonymousMegabytes();

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_PROCESS_H_

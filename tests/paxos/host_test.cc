#include "paxos/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "paxos/errors.h"
#include "tests/paxos/cluster.h"

namespace paxos {
namespace {

using runtime::operator""ms;
using runtime::operator""s;
using testing::IsEmpty;
using testing::SizeIs;

TEST(HostTest, ThreeNodesElectALeaderAndCommit) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  cluster.Put("a", "1");
  cluster.Put("b", "2");
  EXPECT_EQ(*cluster.Read(cluster.AwaitLeader(), "a"), "1");
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_THAT(cluster.program(3)->Registers(), SizeIs(2));
}

}  // namespace
}  // namespace paxos

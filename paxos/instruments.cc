#include "paxos/instruments.h"

namespace paxos {

Instruments::Instruments(runtime::Metrics& metrics)
    : groups(metrics.GetGauge("isochron_paxos_groups", "Replicas of groups on this node", {})),
      leaders(metrics.GetGauge("isochron_paxos_leaders", "Groups that this node leads", {})),
      leads_gained(metrics.GetCounter("isochron_paxos_leads_gained_total",
                                      "Times that a replica here became leader", {})),
      leads_lost(metrics.GetCounter("isochron_paxos_leads_lost_total",
                                    "Times that a replica here was leader no more", {})),
      proposals(metrics.GetCounter("isochron_paxos_proposals_total", "Commands proposed", {})),
      proposals_refused(metrics.GetCounter("isochron_paxos_proposals_refused_total",
                                           "Commands that were not proposed", {})),
      applied(metrics.GetCounter("isochron_paxos_applied_total", "Slots applied", {})),
      messages_sent(metrics.GetCounter("isochron_paxos_messages_sent_total",
                                       "Messages of groups to other nodes", {})),
      messages_received(metrics.GetCounter("isochron_paxos_messages_received_total",
                                           "Messages from other nodes to groups", {})),
      messages_dropped(metrics.GetCounter("isochron_paxos_messages_dropped_total",
                                          "Messages for which there was no room", {})),
      messages_bad(metrics.GetCounter("isochron_paxos_messages_bad_total",
                                      "Messages that could not be decoded", {})),
      saves(metrics.GetCounter("isochron_paxos_saves_total", "Saves of groups that became durable",
                               {})),
      save_failures(metrics.GetCounter("isochron_paxos_save_failures_total",
                                       "Writes of saves that failed, to be repeated", {})),
      fetched(metrics.GetCounter("isochron_paxos_fetched_total",
                                 "Slots that were fetched from other members", {})),
      snapshots_given(metrics.GetCounter("isochron_paxos_snapshots_given_total",
                                         "Snapshots begun for other members", {})),
      snapshots_installed(metrics.GetCounter("isochron_paxos_snapshots_installed_total",
                                             "Snapshots installed", {})),
      states_lost(metrics.GetCounter("isochron_paxos_states_lost_total",
                                     "Times that a replica's state had to be had from others", {})),
      cuts(metrics.GetCounter("isochron_paxos_log_cuts_total", "Cuts of a group's log", {})),
      collected(metrics.GetCounter("isochron_paxos_versions_collected_total",
                                   "Versions of rows that nobody could read any more", {})),
      commit_time(metrics.GetLatencyHistogram("isochron_paxos_commit_seconds",
                                              "From a proposal until it is applied here", {})) {}

}  // namespace paxos

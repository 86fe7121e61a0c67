#pragma once
// Whether every topic of a job is there and looks as it must; the job's own ones are created. Any thread.
#include "engine/log/log.h"
#include "engine/plan/plan.h"

namespace freshet {

struct TopicPolicy {
  // Also create the topics of sinks, one partition each: the embedded log has nobody else to do it.
  bool create_sinks = false;
};

// kNotFound, kInvalid: all faults in one message, a line each, with what to do.
Status EnsureTopics(const JobPlan& plan, Log& log, TopicPolicy policy);

}  // namespace freshet

#include "engine/log/log.h"

namespace freshet {

std::string TextOf(const PartitionId& id) {
  return id.topic + "[" + std::to_string(id.partition) + "]";
}

}  // namespace freshet

#pragma once
// How models travel: the published arrays of a model are its topic, one version a commit; the private ones
// are rows of a table in the trainer's task. One thread, the lane's.
//
// Topic: records `b<array, block>` → bytes, and `v` → {version, examples} as the last record of each version.
// A reader applies whole versions only.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/operator/model_state.h"
#include "engine/runtime/outbound.h"
#include "state/raw_table.h"

namespace freshet {

// Sends the blocks changed since the last call and the version record, if there is a new version.
Status PublishModel(ModelState& model, std::string_view topic, uint64_t& published_version, Time timestamp,
                    Outbound& out);
// Puts the private blocks changed since the last call into the trainer's table.
Status SavePrivate(ModelState& model, RawTable& table);
Status LoadPrivate(ModelState& model, RawTable& table);
TableSpec PrivateTable(std::string_view model);

class ModelReader {
 public:
  explicit ModelReader(ModelState& model) : model_(&model) {}
  Status Apply(std::string_view key, std::string_view value);
  uint64_t version() const { return model_->version(); }

 private:
  ModelState* model_;
  std::vector<std::pair<std::string, std::string>> pending_;
};

}  // namespace freshet

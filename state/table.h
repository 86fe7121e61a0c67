#pragma once
// The typed face of a table: V is a trivially copyable struct, kept as its bytes. A light handle over a
// RawTable (for bytes of other widths use that directly); nothing virtual, inlined. One thread.
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "state/raw_table.h"

namespace freshet {

template <class V>
class Table {
  static_assert(std::is_trivially_copyable_v<V> && std::is_default_constructible_v<V>);

 public:
  class Slot {
   public:
    bool present() const { return raw_.present(); }
    // REQUIRES: present(). As it is now, whichever slot of the key changed it.
    V Get() const {
      V value;
      std::memcpy(&value, raw_.data(), sizeof(V));
      return value;
    }
    V GetOr(const V& absent) const { return present() ? Get() : absent; }

   private:
    friend class Table;
    RawTable::Slot raw_;
  };

  Table() = default;
  explicit Table(RawTable& raw) : raw_(&raw) {}

  Status Load(const KeyColumn& keys, std::vector<Slot>& out) {
    out.resize(keys.size());
    scratch_.resize(keys.size());
    if (Status s = raw_->Load(keys, scratch_); !s.ok()) return s;
    for (size_t i = 0; i < out.size(); ++i)
      out[i].raw_ = scratch_[i];
    return {};
  }
  Status Load(std::string_view key, Slot& out) { return raw_->Load(key, out.raw_); }
  void Put(Slot& slot, const V& value) { std::memcpy(raw_->Edit(slot.raw_, sizeof(V)), &value, sizeof(V)); }
  void Erase(Slot& slot) { raw_->Erase(slot.raw_); }
  RawTable& raw() { return *raw_; }

 private:
  RawTable* raw_ = nullptr;
  std::vector<RawTable::Slot> scratch_;
};

}  // namespace freshet

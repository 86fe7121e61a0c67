#include <array>

#include "engine/format/format.h"

namespace freshet {

#define FORMAT(name) const Format& name##_format();
#include "engine/format/formats.def"
#undef FORMAT

std::span<const Format> Formats() {
  static const std::array formats{
#define FORMAT(name) name##_format(),
#include "engine/format/formats.def"
#undef FORMAT
  };
  return formats;
}

const Format* FindFormat(std::string_view name) {
  for (const Format& format : Formats()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

}  // namespace freshet

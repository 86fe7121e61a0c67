#include <algorithm>

#include "engine/spec/document.h"
#include "engine/spec/job.h"
#include "engine/spec/shape_schema.h"

namespace freshet {
namespace {

constexpr size_t kDeepest = 6;  // maps in maps; shapes may be recursive

// `<x>` would be a tag outside of code.
std::string Prose(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    code = code != (c == '`');
    out += c == '<' && !code ? std::string("\\<") : std::string(1, c);
  }
  return out;
}

std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : Prose(text))
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string Sentence(std::string_view text) {
  std::string out = Prose(text);
  if (out.empty()) return out;
  if (out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out.back() == '.' ? out : out + '.';
}

// "a loss" → "loss": the heading of a family, and its anchor.
std::string HeadingOf(const Family& family) {
  std::string_view what = family.what;
  for (const std::string_view article : {"a ", "an "}) {
    if (what.starts_with(article)) what.remove_prefix(article.size());
  }
  return std::string(what);
}

std::string AnchorOf(std::string heading) {
  std::replace(heading.begin(), heading.end(), ' ', '-');
  return "#choice-" + heading;
}

class Writer {
 public:
  void Text(std::string_view text) { out_ += text; }

  // `more`: rows besides the shape's own.
  void Table(const ShapeBase& shape, std::string_view more = "") {
    if (shape.keys.empty() && shape.rest == nullptr) {
      out_ += "No parameters.\n\n";
      return;
    }
    out_ += "| key | type | default | meaning |\n|---|---|---|---|\n";
    Rows(shape, "", 0);
    out_ += more;
    out_ += '\n';
    if (!shape.short_key.empty()) {
      out_ += "`" + std::string(shape.short_key) + "` may stand alone, in place of the map.\n\n";
    }
  }

  void Example(std::string_view example) {
    if (example.empty()) return;
    out_ += "```yaml\n";
    out_ += example.front() == '\n' ? example.substr(1) : example;
    out_ += out_.back() == '\n' ? "```\n\n" : "\n```\n\n";
  }

  // Every family met so far, and those that their options bring along.
  void Choices() {
    for (size_t i = 0; i < families_.size(); ++i) {
      const Family& family = *families_[i];
      const std::string heading = HeadingOf(family);
      out_ += "### Choice: " + heading + "\n\n";
      out_ += "Written " + std::string(family.written) + ".\n\n";
      for (const Option& option : family.options) {
        out_ += "**`" + std::string(option.name) + "`**: " + Prose(option.doc) + "\n\n";
        if (option.shape != nullptr) Table(*option.shape);
      }
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void Rows(const ShapeBase& shape, const std::string& before, size_t depth) {
    if (shape.rest_family != nullptr) {
      const Family& family = shape.rest_family();
      out_ += "| `" + before + '<' + HeadingOf(family) + ">` | expression | required | " + Cell(family.what) +
              " and what it is of: one [of these](" + AnchorOf(HeadingOf(family)) + ") |\n";
      LinkTo(family);
    }
    const std::shared_ptr<void> defaults = shape.make == nullptr ? nullptr : shape.make();
    for (const Key& key : shape.keys) {
      const std::string name = before + std::string(key.name);
      std::string type = key.type->Text();
      if (const Family* family = key.type->family())
        type = (key.type->is_list() ? "list of " : "") + LinkTo(*family);
      std::string value = "required";
      if (!key.required) {
        value = defaults == nullptr ? "" : key.type->Print(key.member(defaults.get()));
        if (!value.empty()) value = '`' + value + '`';
      }
      out_ += "| `" + name + "` | " + Cell(type) + " | " + Cell(value) + " | " +
              Cell(shape_internal::DocOf(key)) + " |\n";
      if (key.type->nested() != nullptr && key.not_yet.empty() && depth < kDeepest) {
        Rows(*key.type->nested(), name + std::string(key.type->nested_path()) + '.', depth + 1);
      }
    }
  }

  // The family's heading is written later, among the choices.
  std::string LinkTo(const Family& family) {
    if (std::find(families_.begin(), families_.end(), &family) == families_.end())
      families_.push_back(&family);
    const std::string heading = HeadingOf(family);
    return "[" + heading + "](" + AnchorOf(heading) + ')';
  }

  std::string out_;
  std::vector<const Family*> families_;
};

}  // namespace

std::string JobDocs(std::span<const NamedShape> operators, const ShapeBase& model) {
  Writer writer;
  writer.Text(
      "# Job files\n\nMade from the declarations that read job files; do not edit.\n\n"
      "A job is one YAML file. Everything wrong in it is reported at once, and nothing starts until it is "
      "clean.\n"
      "`true` and `false` are the only booleans, `012` is no number, and what stands in quotes is always a "
      "text. "
      "Anchors,\naliases, tags, merge keys and keys that stand twice are refused. A list of one may be "
      "written without "
      "brackets, but\nnot a list of lists.\n\n"
      "`${env:NAME}` and `${file:PATH}` inside a value of `kafka:` stand for an environment variable and for "
      "a file's text;\nsuch values are never printed, and may stand nowhere else. `--set path=value` of the "
      "command line replaces the value\nof any key, as in `--set commit.interval=1s`.\n\n## The frame\n\n");
  writer.Table(FrameSpec::Describe());
  writer.Text("## Operators\n\nThe body of each entry of `operators:` begins with `type:`.\n\n");
  const std::string shards = "| `shards` | " + Cell(ValueOf<ShardCount>().Text()) + " |  | " +
                             Cell(shape_internal::kShardsDoc) + " |\n";
  for (const NamedShape& one : operators) {
    writer.Text("### " + std::string(one.name) + "\n\n" + Sentence(one.shape->summary) + "\n\n");
    writer.Example(one.example);
    writer.Table(*one.shape, shape_internal::HasKeyFields(*one.shape) ? shards : "");
  }
  writer.Text("## Models\n\nThe body of each entry of `models:`. " + Sentence(model.summary) + "\n\n");
  writer.Table(model);
  writer.Text("## Choices\n\n");
  writer.Choices();
  return writer.Take();
}

}  // namespace freshet

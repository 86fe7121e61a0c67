#include "engine/spec/frame_check.h"

#include <initializer_list>
#include <map>

#include "engine/spec/scalar.h"
#include "engine/spec/topic_name.h"

namespace freshet {

namespace {

constexpr Duration kLongestOutOfOrder = 36'525 * kDay;  // of all windows too: sums of these stay times

// Whether a map without entries was written: neither missing nor refused. A fact of the tree, as faults of
// one place tell nothing of another that has the same (all that one `--set` gave).
bool EmptyMap(const Node* node) {
  return node != nullptr && node->kind == Node::Kind::kMap && !node->broken && node->entries.empty();
}

class FrameCheck {
 public:
  FrameCheck(const Node& root, FrameSpec& frame, const Positions& positions, Diagnostics& diagnostics)
      : root_(root), frame_(frame), positions_(positions), diagnostics_(diagnostics) {}

  void Run() {
    CheckScalars();
    CheckNames("source", frame_.sources);
    CheckNames("operator", frame_.operators);
    CheckNames("model", frame_.models);
    CheckNames("sink", frame_.sinks);
    CheckCollisions();
    for (auto& [name, source] : frame_.sources)
      CheckSource(name, source);
    CheckSourceTopics();
    for (auto& [name, sink] : frame_.sinks)
      CheckSink(name, sink);
  }

 private:
  void ErrorAt(const void* member, std::string message) {
    diagnostics_.Error(positions_.Of(member), std::move(message));
  }

  void CheckScalars() {
    const Node* job = root_.Find("job");
    const bool given = job != nullptr && job->kind == Node::Kind::kScalar && !job->secret && !job->broken;
    if (given && frame_.job.empty()) {
      ErrorAt(&frame_.job,
              "the job's name is empty; its topics, its group and its state are found by it: give one of "
              "letters, digits, `_` and `-`");
    }
    if (!frame_.job.empty() && !IsPartName(frame_.job)) ErrorAt(&frame_.job, BadName("job", frame_.job));
    if (frame_.job.size() > 100) ErrorAt(&frame_.job, "the job's name is longer than 100 characters");
    if (frame_.prefix.find_first_not_of(kTopicLetters) != std::string::npos) {
      ErrorAt(&frame_.prefix,
              "the prefix " + QuoteText(frame_.prefix) + " may hold letters, digits, `.`, `_` and `-` only");
    }
    for (const auto& [name, value] : frame_.kafka) {
      if (!name.empty() && name.find_first_not_of(kTopicLetters) == std::string::npos) continue;
      ErrorAt(&name, QuoteText(name) +
                         " is no setting of the Kafka client; their names have letters, digits, `.`, `_` and "
                         "`-`, such as `sasl.password`");
    }
    if (frame_.memory < (16 << 20)) ErrorAt(&frame_.memory, "memory must be 16MiB or more");
    if (frame_.commit.interval < kMillisecond || frame_.commit.interval > kHour) {
      ErrorAt(&frame_.commit.interval, "the commit interval must lie between 1ms and 1h");
    }
    if (frame_.commit.max_bytes < (64 << 10))
      ErrorAt(&frame_.commit.max_bytes, "max_bytes must be 64KiB or more");
    if (EmptyMap(root_.Find("sources"))) {
      ErrorAt(&frame_.sources, "a job needs at least one source");
    }
  }

  static std::string BadName(std::string_view what, std::string_view name) {
    std::string good;
    for (const char c : name) {
      const bool word = IsPartName(std::string_view(&c, 1)) || (c >= '0' && c <= '9') || c == '-';
      good += word ? c : '_';
    }
    if (!IsPartName(good)) good = '_' + good;
    return QuoteText(name) + " cannot name " + WithArticle(what) +
           "; use letters, digits, `_` and `-`, the first a letter or `_`, such as `" + good + "`";
  }
  template <class T>
  void CheckNames(std::string_view what, const Named<T>& parts) {
    for (const auto& [name, part] : parts) {
      if (!IsPartName(name)) {
        ErrorAt(&name, BadName(what, name));
      } else if (name.size() > 100) {
        ErrorAt(&name, QuoteText(name) + " is longer than 100 characters");
      }
    }
  }
  void CheckCollisions() {
    for (const auto& [name, node] : frame_.operators)
      RefuseNameOfSource(name, "nobody could tell which stream is meant");
    for (const auto& [name, sink] : frame_.sinks)
      RefuseNameOfSource(name, "their rows could not be told apart in the summary");
  }
  void RefuseNameOfSource(const std::string& name, std::string_view so) {
    for (const auto& [source_name, source] : frame_.sources) {
      if (source_name != name) continue;
      ErrorAt(&name, QuoteText(name) + " is the name of a source already (" +
                         diagnostics_.Elsewhere(positions_.Of(&source_name)) + "), so " + std::string(so) +
                         "; rename one of them");
    }
  }
  // A partition has one reader and one position.
  void CheckSourceTopics() {
    std::map<std::string_view, const std::string*> readers;  // topic → source
    for (const auto& [name, source] : frame_.sources) {
      if (positions_.Lost(&source.topic)) continue;
      const auto [first, is_new] = readers.emplace(source.topic, &name);
      if (is_new) continue;
      const std::string& other = *first->second;
      ErrorAt(&name, "source " + QuoteText(name) + " reads the topic " + QuoteText(source.topic) +
                         ", as source " + QuoteText(other) + " does already (" +
                         diagnostics_.Elsewhere(positions_.Of(&other)) + "); let everything that reads " +
                         QuoteText(name) + " read " + QuoteText(other));
    }
  }
  void CheckTopic(const std::string& topic, const void* member) {
    if (!CanNameTopic(topic)) ErrorAt(member, NoTopicName(topic));
  }
  const SourceField* FieldNamed(const SourceSpec& source, const FieldRef& ref) {
    if (ref.empty() || source.fields.empty()) return nullptr;  // reported already
    std::vector<std::string> names;
    for (const auto& [name, field] : source.fields) {
      if (name == ref.name) return &field;
      names.push_back(name);
    }
    diagnostics_.Error(ref.position,
                       "this source has no field " + QuoteText(ref.name) + Suggestion(ref.name, names));
    return nullptr;
  }

  // What was written there, or null.
  const Node* Written(std::initializer_list<std::string_view> path) const {
    const Node* node = &root_;
    for (const std::string_view key : path) {
      if (node != nullptr) node = node->Find(key);
    }
    return node;
  }
  void CheckSource(const std::string& name, SourceSpec& source) {
    if (EmptyMap(Written({"sources", name, "fields"})))
      ErrorAt(&source.fields, "name the fields that the job reads, at least that of the event time");
    if (source.topic.empty()) source.topic = name;
    CheckTopic(source.topic, &source.topic);
    if (source.event_time.max_out_of_orderness > kLongestOutOfOrder) {
      ErrorAt(&source.event_time.max_out_of_orderness,
              "`max_out_of_orderness` is at most " + FormatDuration(kLongestOutOfOrder));
    }
    const SourceField* time = FieldNamed(source, source.event_time.field);
    if (time != nullptr && time->type.known && time->type.type != Type::kTimestamp) {
      diagnostics_.Error(source.event_time.field.position, QuoteText(source.event_time.field.name) + " is " +
                                                               WithArticle(NameOf(time->type.type)) +
                                                               "; the event time must be a timestamp");
    }
    if (source.partitioned_by) {
      const SourceField* field = FieldNamed(source, source.partitioned_by->field);
      if (field != nullptr && field->type.type != Type::kString && field->type.type != Type::kInt64 &&
          field->type.type != Type::kTimestamp && field->type.type != Type::kBytes) {
        diagnostics_.Error(
            source.partitioned_by->field.position,
            WithArticle(NameOf(field->type.type)) + " is no record key; use a string or int64");
      }
    }
    for (const auto& [field_name, field] : source.fields)
      CheckField(name, field_name, field);
  }
  void CheckField(const std::string& source, const std::string& name, const SourceField& field) {
    const auto given = [&](const void* member, std::string_view key) {
      return Written({"sources", source, "fields", name, key}) != nullptr && !positions_.Lost(member);
    };
    if (!IsColumnName(name)) {
      ErrorAt(&name,
              QuoteText(name) + " cannot name a field; use letters, digits and `_`" +
                  (name.find('-') == std::string::npos ? "" : " (a `-` reads as minus in expressions)") +
                  ", and `path:` for what the record calls it");
    }
    if (given(&field.values, "values") && field.values.empty()) {
      ErrorAt(&field.values, "`values` names none; list what the string may be, or leave the key out");
    } else if (!field.values.empty() && field.type.type != Type::kString) {
      ErrorAt(&field.values, "`values` closes the set of a string; " + QuoteText(name) + " is " +
                                 WithArticle(NameOf(field.type.type)));
    }
    const bool time = field.type.type == Type::kTimestamp || field.type.type == Type::kDuration;
    if (given(&field.unit, "unit") && field.type.known && !time) {
      ErrorAt(&field.unit, "`unit` is of a timestamp or a duration that is written as a number; " +
                               QuoteText(name) + " is " + WithArticle(NameOf(field.type.type)) +
                               ": remove it");
    }
    if (given(&field.path, "path") && EmptyPart(field.path)) {
      ErrorAt(&field.path, "the path " + QuoteText(field.path) +
                               " has an empty part; write the names on the way to the value, as `a.b`, or "
                               "leave the key out");
    }
  }
  static bool EmptyPart(std::string_view path) {
    return path.empty() || path.front() == '.' || path.back() == '.' ||
           path.find("..") != std::string_view::npos;
  }
  void CheckSink(const std::string& name, SinkSpec& sink) {
    const bool given = Written({"sinks", name, "from"}) != nullptr && !positions_.Lost(&sink.from);
    if (given && sink.from.empty()) {
      ErrorAt(&sink.from, "sink " + QuoteText(name) + " would write nothing; name the stream that it writes");
    }
    if (sink.topic.empty()) sink.topic = name;
    CheckTopic(sink.topic, &sink.topic);
  }

  const Node& root_;
  FrameSpec& frame_;
  const Positions& positions_;
  Diagnostics& diagnostics_;
};

}  // namespace

void CheckFrame(const Node& root, FrameSpec& frame, const Positions& positions, Diagnostics& diagnostics) {
  FrameCheck(root, frame, positions, diagnostics).Run();
}

}  // namespace freshet

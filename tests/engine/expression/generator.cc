#include <array>
#include <cmath>
#include <limits>

#include "engine/base/number.h"
#include "engine/base/time.h"
#include "tests/engine/expression/oracle.h"

namespace freshet {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

template <class T, size_t N>
const T& Pick(Random& random, const std::array<T, N>& from) {
  return from[random.Below(N)];
}

int64_t RandomInt(Random& random) {
  static constexpr std::array<int64_t, 9> kOdd{0, 1, -1, kLeast, kMost, kLeast + 1, 2, 7, -3};
  return random.Chance(0.5) ? Pick(random, kOdd) : static_cast<int64_t>(random.Below(2001)) - 1000;
}
double RandomNumber(Random& random) {
  static constexpr std::array<double, 9> kOdd{0, 1, -1, 1e308, -1e308, 1e-300, 0.5, 2.5, -0.5};
  return random.Chance(0.4) ? Pick(random, kOdd) : (random.Uniform() - 0.5) * 20;
}
std::string RandomText(Random& random) {
  static const std::array<std::string, 14> kTexts{"",
                                                  "a",
                                                  "Ab",
                                                  "12",
                                                  "-7",
                                                  "3.5",
                                                  "h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                                                  "2024-02-29T13:00:00Z",
                                                  "1h30m",
                                                  "say \"x\"",
                                                  "back\\slash",
                                                  "b",
                                                  "1e3",
                                                  "abcabc"};
  return Pick(random, kTexts);
}
int64_t RandomTime(Random& random) {
  static constexpr std::array<int64_t, 5> kOdd{0, -1, 951782400 * kSecond, kLeast, kMost};
  return random.Chance(0.2) ? Pick(random, kOdd)
                            : static_cast<int64_t>(random.Below(4'000'000'000)) * kSecond -
                                  1'000'000'000 * kSecond + static_cast<int64_t>(random.Below(1'000'000));
}
int64_t RandomSpan(Random& random) {
  static constexpr std::array<int64_t, 5> kOdd{0, kDay, -kHour, kMost, kLeast};
  return random.Chance(0.3) ? Pick(random, kOdd)
                            : static_cast<int64_t>(random.Below(200'000'000)) - 100'000'000;
}

Tree Leaf(Type type, Value literal, std::string text = "") {
  return {"literal", type, {}, std::move(literal), std::move(text), 0};
}
Tree Make(std::string op, Type type, std::vector<Tree> kids) {
  return {std::move(op), type, std::move(kids), {}, "", 0};
}
Tree ColumnNamed(std::string_view name) {
  const size_t at = *OracleSchema().Find(name);
  return {"column", OracleSchema()[at].type, {}, {}, "", at};
}

constexpr std::array<Type, 6> kPlain{Type::kBool,   Type::kInt64,     Type::kFloat64,
                                     Type::kString, Type::kTimestamp, Type::kDuration};
constexpr std::array<Type, 5> kOrdered{Type::kInt64, Type::kFloat64, Type::kString, Type::kTimestamp,
                                       Type::kDuration};

class Generator {
 public:
  explicit Generator(Random& random) : random_(random) {}

  Tree Of(Type type, int depth) {
    if (depth <= 0 || random_.Chance(0.1)) return Atom(type);
    if (random_.Chance(0.15)) return Choosing(type, depth);
    switch (type) {
      case Type::kBool:
        return Bool(depth);
      case Type::kInt64:
        return Int(depth);
      case Type::kFloat64:
        return Float(depth);
      case Type::kString:
        return Text(depth);
      case Type::kTimestamp:
        return TimeOf(depth);
      default:
        return SpanOf(depth);
    }
  }

 private:
  size_t Below(size_t n) { return static_cast<size_t>(random_.Below(n)); }
  // A float64, or an int64 that widens beside one.
  Tree Wide(int depth) { return Of(random_.Chance(0.3) ? Type::kInt64 : Type::kFloat64, depth); }

  Tree Atom(Type type) {
    const bool column = random_.Chance(0.7);
    switch (type) {
      case Type::kBool:
        return column ? ColumnNamed("b") : Leaf(type, random_.Chance(0.5));
      case Type::kInt64:
        return column ? ColumnNamed(random_.Chance(0.5) ? "i" : "j") : Leaf(type, RandomInt(random_));
      case Type::kFloat64:
        return column ? ColumnNamed(random_.Chance(0.5) ? "f" : "m.g") : Leaf(type, RandomNumber(random_));
      case Type::kString:
        return column ? ColumnNamed(random_.Chance(0.5) ? "s" : "r") : Leaf(type, RandomText(random_));
      case Type::kTimestamp: {
        if (column) return ColumnNamed("t");
        const int64_t time = 1'360'000'000 * kSecond + static_cast<int64_t>(Below(1'000'000'000));
        return Leaf(type, time, "timestamp(\"" + FormatTimestamp(time) + "\")");
      }
      default: {
        if (column) return ColumnNamed("d");
        const auto span = static_cast<int64_t>(Below(10'000'000'000)) - 5'000'000'000;
        return Leaf(type, span, "duration(\"" + FormatDuration(span) + "\")");
      }
    }
  }

  Tree Choosing(Type type, int depth) {
    const bool wide = type == Type::kFloat64;
    if (random_.Chance(0.5)) {
      return Make(
          "?:", type,
          {Of(Type::kBool, depth - 1), Of(type, depth - 1), wide ? Wide(depth - 1) : Of(type, depth - 1)});
    }
    if (random_.Chance(0.5) || type == Type::kBool) {
      std::vector<Tree> kids{Of(type, depth - 1)};
      for (size_t i = Below(3) + 1; i > 0; --i)
        kids.push_back(wide ? Wide(depth - 1) : Of(type, depth - 1));
      return Make("coalesce", type, std::move(kids));
    }
    std::vector<Tree> kids{Of(type, depth - 1)};
    for (size_t i = Below(3) + 1; i > 0; --i)
      kids.push_back(wide ? Wide(depth - 1) : Of(type, depth - 1));
    return Make(random_.Chance(0.5) ? "min" : "max", type, std::move(kids));
  }

  Tree Bool(int depth) {
    static const std::array<std::string, 6> kComparisons{"==", "!=", "<", "<=", ">", ">="};
    switch (Below(9)) {
      case 0:
        return Make("!", Type::kBool, {Of(Type::kBool, depth - 1)});
      case 1:
      case 2:
        return Make(random_.Chance(0.5) ? "&&" : "||", Type::kBool,
                    {Of(Type::kBool, depth - 1), Of(Type::kBool, depth - 1)});
      case 3: {
        const Type type = Pick(random_, kPlain);
        return Make(random_.Chance(0.5) ? "isnull" : "notnull", Type::kBool, {Of(type, depth - 1)});
      }
      case 4:
        return Membership(depth);
      case 5: {
        static const std::array<std::string, 3> kFunctions{"contains", "startsWith", "endsWith"};
        return Make(Pick(random_, kFunctions), Type::kBool,
                    {Of(Type::kString, depth - 1), Of(Type::kString, depth - 1)});
      }
      case 6:
        return Make(random_.Chance(0.5) ? "==" : "!=", Type::kBool,
                    {Of(Type::kBool, depth - 1), Of(Type::kBool, depth - 1)});
      default: {
        const Type type = Pick(random_, kOrdered);
        Tree right = type == Type::kFloat64 ? Wide(depth - 1) : Of(type, depth - 1);
        return Make(Pick(random_, kComparisons), Type::kBool, {Of(type, depth - 1), std::move(right)});
      }
    }
  }

  Tree Membership(int depth) {
    if (random_.Chance(0.3)) {
      return random_.Chance(0.5) ? Make("in", Type::kBool, {Of(Type::kString, depth - 1), ColumnNamed("ls")})
                                 : Make("in", Type::kBool, {Wide(depth - 1), ColumnNamed("lf")});
    }
    const Type type = Pick(random_, kPlain);
    std::vector<Tree> kids{Of(type, depth - 1)};
    const bool constant = random_.Chance(0.6);
    for (size_t i = Below(5) + 1; i > 0; --i) {
      Tree item = Of(type, constant ? 0 : depth - 1);
      while (constant && item.op != "literal")
        item = Atom(type);
      kids.push_back(std::move(item));
    }
    if (random_.Chance(0.2)) kids.push_back(Leaf(type, std::monostate(), "null"));
    return Make("in", Type::kBool, std::move(kids));
  }

  // A text that is never constant: a constant that cannot be converted is refused.
  Tree Convertible(int depth) {
    return random_.Chance(0.7) ? ColumnNamed("s")
                               : Make("+", Type::kString, {ColumnNamed("s"), Of(Type::kString, depth - 1)});
  }

  Tree Int(int depth) {
    static const std::array<std::string, 5> kSigns{"+", "-", "*", "/", "%"};
    static const std::array<std::string, 6> kUnary{"neg", "abs", "sign", "floor", "ceil", "round"};
    static const std::array<std::string, 7> kGetters{"year",   "month",  "day",      "hour",
                                                     "minute", "second", "dayOfWeek"};
    constexpr Type kI = Type::kInt64;
    switch (Below(8)) {
      case 0:
        return Make(Pick(random_, kUnary), kI, {Of(kI, depth - 1)});
      case 1:
        return Make("int", kI, {Of(random_.Chance(0.5) ? Type::kFloat64 : Type::kBool, depth - 1)});
      case 2:
        return Make("int", kI, {random_.Chance(0.5) ? Convertible(depth) : Of(Type::kTimestamp, depth - 1)});
      case 3:
        return Make("size", kI,
                    {random_.Chance(0.6) ? Of(Type::kString, depth - 1)
                                         : ColumnNamed(random_.Chance(0.5) ? "ls" : "lf")});
      case 4:
        return Make(Pick(random_, kGetters), kI, {Of(Type::kTimestamp, depth - 1)});
      default:
        return Make(Pick(random_, kSigns), kI, {Of(kI, depth - 1), Of(kI, depth - 1)});
    }
  }

  Tree Float(int depth) {
    static const std::array<std::string, 4> kSigns{"+", "-", "*", "/"};
    static const std::array<std::string, 11> kUnary{"neg",  "abs", "sign", "floor", "ceil",   "round",
                                                    "sqrt", "exp", "log",  "log1p", "sigmoid"};
    constexpr Type kF = Type::kFloat64;
    switch (Below(7)) {
      case 0:
      case 1:
        return Make(Pick(random_, kUnary), kF, {Of(kF, depth - 1)});
      case 2:
        return Make("pow", kF, {Wide(depth - 1), Wide(depth - 1)});
      case 3:
        if (random_.Chance(0.4)) return Make("double", kF, {Convertible(depth)});
        return Make("double", kF, {Of(random_.Chance(0.5) ? Type::kInt64 : Type::kBool, depth - 1)});
      case 4:
        return Make("/", kF, {Of(Type::kDuration, depth - 1), Of(Type::kDuration, depth - 1)});
      default: {
        std::vector<Tree> kids{Of(kF, depth - 1), Wide(depth - 1)};
        if (random_.Chance(0.5)) std::swap(kids[0], kids[1]);
        return Make(Pick(random_, kSigns), kF, std::move(kids));
      }
    }
  }

  Tree Text(int depth) {
    constexpr Type kS = Type::kString;
    switch (Below(4)) {
      case 0:
        return Make(random_.Chance(0.5) ? "lower" : "upper", kS, {Of(kS, depth - 1)});
      case 1: {
        std::vector<Tree> kids{Of(kS, depth - 1), Of(Type::kInt64, depth - 1)};
        if (random_.Chance(0.5)) kids.push_back(Of(Type::kInt64, depth - 1));
        return Make("substring", kS, std::move(kids));
      }
      case 2:
        return Make("string", kS, {Of(Pick(random_, kPlain), depth - 1)});
      default:
        return Make("+", kS, {Of(kS, depth - 1), Of(kS, depth - 1)});
    }
  }

  Tree TimeOf(int depth) {
    constexpr Type kT = Type::kTimestamp;
    switch (Below(5)) {
      case 0:
        return Make("timestamp", kT,
                    {random_.Chance(0.5) ? Convertible(depth) : Of(Type::kInt64, depth - 1)});
      case 1:
        return Make("+", kT, {Of(Type::kDuration, depth - 1), Of(kT, depth - 1)});
      case 2:
        return Make("-", kT, {Of(kT, depth - 1), Of(Type::kDuration, depth - 1)});
      default:
        return Make("+", kT, {Of(kT, depth - 1), Of(Type::kDuration, depth - 1)});
    }
  }

  Tree SpanOf(int depth) {
    constexpr Type kD = Type::kDuration;
    switch (Below(6)) {
      case 0:
        return Make(random_.Chance(0.5) ? "neg" : "abs", kD, {Of(kD, depth - 1)});
      case 1:
        return Make("duration", kD, {Convertible(depth)});
      case 2:
        return Make("-", kD, {Of(Type::kTimestamp, depth - 1), Of(Type::kTimestamp, depth - 1)});
      case 3:
        return random_.Chance(0.5) ? Make("*", kD, {Of(kD, depth - 1), Of(Type::kInt64, depth - 1)})
                                   : Make("*", kD, {Of(Type::kInt64, depth - 1), Of(kD, depth - 1)});
      case 4:
        return Make("/", kD, {Of(kD, depth - 1), Of(Type::kInt64, depth - 1)});
      default:
        return Make(random_.Chance(0.5) ? "+" : "-", kD, {Of(kD, depth - 1), Of(kD, depth - 1)});
    }
  }

  Random& random_;
};

int PrecedenceOf(const Tree& tree) {
  const std::string& op = tree.op;
  if (op == "?:") return 1;
  if (op == "||") return 2;
  if (op == "&&") return 3;
  if (op == "==" || op == "!=" || op == "<" || op == "<=" || op == ">" || op == ">=" || op == "in" ||
      op == "isnull" || op == "notnull") {
    return 4;
  }
  if (op == "+" || op == "-") return 5;
  if (op == "*" || op == "/" || op == "%") return 6;
  const auto* i = std::get_if<int64_t>(&tree.literal);
  const auto* d = std::get_if<double>(&tree.literal);
  const bool sign = tree.text.empty() && ((i != nullptr && *i < 0) || (d != nullptr && std::signbit(*d)));
  if (op == "!" || op == "neg" || sign) return 7;
  return 8;
}

std::string PrintLiteral(const Tree& tree, Random& random) {
  if (!tree.text.empty()) return tree.text;
  if (const auto* d = std::get_if<double>(&tree.literal)) {
    const std::string text = FormatDouble(*d);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  if (const auto* s = std::get_if<std::string>(&tree.literal)) {
    const char quote = random.Chance(0.5) ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : *s) {
      if (c == quote || c == '\\') out += '\\';
      out += c;
    }
    return out + quote;
  }
  return ToText(tree.literal);
}

std::string At(const Tree& kid, int least, Random& random) {
  const std::string text = Print(kid, random);
  return PrecedenceOf(kid) < least || random.Chance(0.05) ? "(" + text + ")" : text;
}

std::string PrintCall(const Tree& tree, Random& random) {
  const bool method = random.Chance(0.4) && PrecedenceOf(tree.kids[0]) == 8 && tree.kids[0].op != "literal";
  std::string out = method ? Print(tree.kids[0], random) + '.' + tree.op + '(' : tree.op + '(';
  for (size_t i = method ? 1 : 0; i < tree.kids.size(); ++i) {
    if (i > (method ? 1U : 0U)) out += ", ";
    out += Print(tree.kids[i], random);
  }
  return out + ')';
}

}  // namespace

const Schema& OracleSchema() {
  static const Schema schema({{"b", Type::kBool, {}},
                              {"i", Type::kInt64, {}},
                              {"j", Type::kInt64, {}},
                              {"f", Type::kFloat64, {}},
                              {"m.g", Type::kFloat64, {}},
                              {"s", Type::kString, {}},
                              {"r", Type::kString, {}},
                              {"t", Type::kTimestamp, {}},
                              {"d", Type::kDuration, {}},
                              {"ls", Type::kListString, {}},
                              {"lf", Type::kListFloat64, {}}});
  return schema;
}

Row RandomRow(Random& random, double nulls) {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  for (uint64_t i = random.Below(4); i > 0; --i)
    texts.push_back(RandomText(random));
  for (uint64_t i = random.Below(4); i > 0; --i)
    numbers.push_back(RandomNumber(random));
  Row row{random.Chance(0.5),   RandomInt(random),  RandomInt(random),  RandomNumber(random),
          RandomNumber(random), RandomText(random), RandomText(random), RandomTime(random),
          RandomSpan(random),   std::move(texts),   std::move(numbers)};
  for (Value& value : row) {
    if (random.Chance(nulls)) value = std::monostate();
  }
  return row;
}

Tree RandomTree(Random& random, Type type, int depth) {
  return Generator(random).Of(type, depth);
}

std::string Print(const Tree& tree, Random& random) {
  const std::string& op = tree.op;
  const int own = PrecedenceOf(tree);
  if (op == "literal") return PrintLiteral(tree, random);
  if (op == "column") {
    const std::string& name = OracleSchema()[tree.column].name;
    return random.Chance(0.1) ? '`' + name + '`' : name;
  }
  if (op == "?:") {
    return At(tree.kids[0], 2, random) + " ? " + At(tree.kids[1], 2, random) + " : " +
           At(tree.kids[2], 1, random);
  }
  if (op == "!") return "!" + At(tree.kids[0], 7, random);
  if (op == "neg") {  // minus before a digit is part of the number
    const std::string inner = At(tree.kids[0], 7, random);
    return "-" + (inner[0] == '-' || tree.kids[0].op == "literal" ? "(" + inner + ")" : inner);
  }
  if (op == "isnull") return At(tree.kids[0], 5, random) + " == null";
  if (op == "notnull") return "null != " + At(tree.kids[0], 5, random);
  if (op == "in" && !(tree.kids.size() == 2 && IsList(tree.kids[1].type))) {
    std::string out = At(tree.kids[0], 5, random) + " in [";
    for (size_t i = 1; i < tree.kids.size(); ++i)
      out += (i == 1 ? "" : ", ") + Print(tree.kids[i], random);
    return out + ']';
  }
  if (own < 7) {
    const char* space = random.Chance(0.8) || op == "in" ? " " : "";
    return At(tree.kids[0], own, random) + space + op + space + At(tree.kids[1], own + 1, random);
  }
  return PrintCall(tree, random);
}

}  // namespace freshet

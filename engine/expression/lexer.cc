#include "engine/expression/lexer.h"

#include <array>
#include <charconv>

namespace freshet {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c);
}

void AppendUtf8(uint32_t point, std::string& out) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  std::optional<SyntaxFault> Run() {
    while (!fault_) {
      SkipSpace();
      Token token;
      token.offset = at_;
      if (at_ < text_.size()) Next(token);
      token.end = at_;
      const bool end = token.kind == Token::Kind::kEnd;
      if (!fault_) tokens_.push_back(std::move(token));
      if (end) break;
    }
    return std::move(fault_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void Fail(size_t offset, std::string message) {
    if (!fault_) fault_ = SyntaxFault{offset, std::move(message)};
  }

  void SkipSpace() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '/' && Peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n')
          ++at_;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        ++at_;
      } else {
        break;
      }
    }
  }

  void Next(Token& token) {
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number(token);
    if (c == '"' || c == '\'') return String(token, false, false);
    if (StringPrefix(token)) return;
    if (IsNameStart(c)) {
      token.kind = Token::Kind::kName;
      while (IsNamePart(Peek()))
        token.text.push_back(text_[at_++]);
      return;
    }
    if (c == '`') return QuotedName(token);
    Symbol(token);
  }

  // r"…", b"…" and both.
  bool StringPrefix(Token& token) {
    bool raw = false;
    bool bytes = false;
    size_t length = 0;
    for (; length < 2; ++length) {
      const char c = Peek(length);
      if ((c == 'r' || c == 'R') && !raw) {
        raw = true;
      } else if ((c == 'b' || c == 'B') && !bytes) {
        bytes = true;
      } else {
        break;
      }
    }
    if (length == 0 || (Peek(length) != '"' && Peek(length) != '\'')) return false;
    at_ += length;
    String(token, raw, bytes);
    return true;
  }

  void Number(Token& token) {
    const size_t begin = at_;
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) {
      at_ += 2;
      Integer(token, begin, 16);
      return;
    }
    while (IsDigit(Peek()))
      ++at_;
    bool fraction = false;
    if (Peek() == '.' && IsDigit(Peek(1))) {
      fraction = true;
      ++at_;
      while (IsDigit(Peek()))
        ++at_;
    }
    const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
    if ((Peek() == 'e' || Peek() == 'E') && IsDigit(Peek(1 + sign))) {
      fraction = true;
      at_ += 1 + sign;
      while (IsDigit(Peek()))
        ++at_;
    }
    if (!fraction) {
      at_ = begin;
      Integer(token, begin, 10);
      return;
    }
    token.kind = Token::Kind::kFloat;
    const auto [end, error] = std::from_chars(text_.data() + begin, text_.data() + at_, token.number);
    if (error != std::errc()) return Fail(begin, "this number is beyond what a float64 holds");
    CheckNumberEnds(begin);
  }

  void Integer(Token& token, size_t begin, int base) {
    token.kind = Token::Kind::kInt;
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), token.magnitude, base);
    const auto length = static_cast<size_t>(end - (text_.data() + at_));
    if (length == 0) return Fail(begin, "expected hexadecimal digits after 0x");
    if (base == 10 && length > 1 && text_[at_] == '0') {
      return Fail(begin, "a number with a leading zero; remove it");
    }
    at_ += length;
    if (error != std::errc() || token.magnitude > (uint64_t{1} << 63)) {
      return Fail(begin, "this integer is beyond 64 bits; write it as a float64, with `.0`");
    }
    CheckNumberEnds(begin);
  }

  void CheckNumberEnds(size_t begin) {
    if (Peek() == 'u' || Peek() == 'U') {
      Fail(begin, "there are no unsigned integers; remove the `u`");
    } else if (IsNamePart(Peek())) {
      Fail(begin, "a number ends in letters; a duration is written duration(\"30s\")");
    }
  }

  void QuotedName(Token& token) {
    token.kind = Token::Kind::kQuotedName;
    const size_t close = text_.find('`', at_ + 1);
    if (close == std::string_view::npos || close == at_ + 1) {
      return Fail(at_,
                  close == std::string_view::npos ? "the ` opened here is never closed" : "an empty name");
    }
    token.text = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
  }

  void String(Token& token, bool raw, bool bytes) {
    token.kind = bytes ? Token::Kind::kBytes : Token::Kind::kString;
    const size_t open = at_;
    const char quote = text_[at_];
    const bool triple = Peek(1) == quote && Peek(2) == quote;
    at_ += triple ? 3 : 1;
    while (true) {
      if (at_ >= text_.size() || (!triple && Peek() == '\n'))
        return Fail(open, "the quote opened here is never closed");
      if (Peek() == quote && (!triple || (Peek(1) == quote && Peek(2) == quote))) {
        at_ += triple ? 3 : 1;
        return;
      }
      if (Peek() == '\\' && !raw) {
        if (!Escape(token.text, bytes)) return;
      } else {
        token.text.push_back(text_[at_++]);
      }
    }
  }

  bool Escape(std::string& out, bool bytes) {
    static constexpr std::string_view kLetters = "abfnrtv\\?\"'`";
    static constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\?\"'`";
    const size_t begin = at_++;
    const char c = Peek();
    const size_t simple = c == '\0' ? std::string_view::npos : kLetters.find(c);
    if (simple != std::string_view::npos) {
      out.push_back(kMeant[simple]);
      ++at_;
      return true;
    }
    if (c == 'x' || c == 'X') return Digits(begin, 1, 2, 16, bytes, out);
    if (c == 'u' && !bytes) return Digits(begin, 1, 4, 16, false, out);
    if (c == 'U' && !bytes) return Digits(begin, 1, 8, 16, false, out);
    if (c >= '0' && c <= '3') return Digits(begin, 0, 3, 8, bytes, out);
    Fail(begin, std::string("unknown escape \\") + (c >= ' ' && c < 0x7f ? std::string(1, c) : "") +
                    "; a backslash itself is written \\\\");
    return false;
  }

  // A character by its number: `count` digits after `skip` more characters.
  bool Digits(size_t begin, size_t skip, size_t count, int base, bool bytes, std::string& out) {
    at_ += skip;
    uint32_t point = 0;
    const size_t have = std::min(count, text_.size() - std::min(at_, text_.size()));
    const char* first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, first + have, point, base);
    if (have < count || error != std::errc() || end != first + count) {
      Fail(begin, "this escape needs " + std::to_string(count) + (base == 8 ? " octal" : " hexadecimal") +
                      " digits");
      return false;
    }
    at_ += count;
    if (bytes) {
      out.push_back(static_cast<char>(point));
      return true;
    }
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      Fail(begin, "this escape is no character");
      return false;
    }
    AppendUtf8(point, out);
    return true;
  }

  void Symbol(Token& token) {
    static constexpr std::array<std::string_view, 24> kSymbols{"||", "&&", "==", "!=", "<=", ">=", "<", ">",
                                                               "+",  "-",  "*",  "/",  "%",  "!",  "?", ":",
                                                               "(",  ")",  "[",  "]",  ",",  ".",  "{", "}"};
    token.kind = Token::Kind::kSymbol;
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(at_).starts_with(symbol)) {
        token.text = symbol;
        at_ += symbol.size();
        return;
      }
    }
    const char c = Peek();
    if (c == '=') return Fail(at_, "`=` is no operator; write == to compare");
    if (c == '&' || c == '|') return Fail(at_, std::string("write ") + c + c + " for the logical operator");
    const std::string shown = c > ' ' && c < 0x7f ? " `" + std::string(1, c) + "`" : "";
    Fail(at_, "unexpected character" + shown + (shown.empty() ? "; quote names as `…`" : ""));
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  size_t at_ = 0;
  std::optional<SyntaxFault> fault_;
};

}  // namespace

std::optional<SyntaxFault> Lex(std::string_view text, std::vector<Token>& tokens) {
  return Lexer(text, tokens).Run();
}

}  // namespace freshet

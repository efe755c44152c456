// Keys: the order of the bytes is the order of the values, for each type and for tuples of them, in
// both directions; what was appended is read back, and garbage is refused.
#include "storage/key_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/random.h"

namespace storage {
namespace {

constexpr Ordering kOrderings[] = {
    {Direction::kAscending, Nulls::kLast},
    {Direction::kAscending, Nulls::kFirst},
    {Direction::kDescending, Nulls::kLast},
    {Direction::kDescending, Nulls::kFirst},
};

Numeric Number(absl::string_view text) {
  Numeric number;
  if (absl::ConsumePrefix(&text, "-")) number.negative = true;
  const size_t point = text.find('.');
  if (point != absl::string_view::npos) {
    number.scale = static_cast<int32_t>(text.size() - point - 1);
  }
  for (const char c : text) {
    if (c != '.') number.digits.push_back(c);
  }
  return number;
}

// How each type compares, said in another way than the encoding does it.
std::weak_ordering Compare(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  return a < b   ? std::weak_ordering::less
         : a > b ? std::weak_ordering::greater
                 : std::weak_ordering::equivalent;
}
template <typename T>
std::weak_ordering Compare(const T& a, const T& b) {
  return a <=> b;
}
int Sign(const Numeric& number) {
  const bool zero = number.digits.find_first_not_of('0') == std::string::npos;
  return zero ? 0 : number.negative ? -1 : 1;
}
// By writing both out to the same number of digits before and after the point.
std::weak_ordering Compare(const Numeric& a, const Numeric& b) {
  if (a.kind != b.kind || a.kind != Numeric::Kind::kNumber) return a.kind <=> b.kind;
  if (Sign(a) != Sign(b) || Sign(a) == 0) return Sign(a) <=> Sign(b);
  const int32_t scale = std::max(a.scale, b.scale);
  std::string x = a.digits + std::string(static_cast<size_t>(scale - a.scale), '0');
  std::string y = b.digits + std::string(static_cast<size_t>(scale - b.scale), '0');
  const size_t width = std::max(x.size(), y.size());
  x.insert(0, width - x.size(), '0');
  y.insert(0, width - y.size(), '0');
  return Sign(a) > 0 ? x <=> y : y <=> x;
}

using Null = std::monostate;
using Value = std::variant<Null, bool, int64_t, double, Numeric, std::string, Uuid>;

// Index of the type in Value; the alternative Null stands for a null of it.
void Append(const Value& value, size_t type, Ordering ordering, KeyBuilder* builder) {
  const auto get = [&value]<typename T>(T*) {
    return std::holds_alternative<Null>(value) ? std::nullopt
                                               : std::optional<T>(std::get<T>(value));
  };
  switch (type) {
    case 1:
      builder->AppendBool(get(static_cast<bool*>(nullptr)), ordering);
      break;
    case 2:
      builder->AppendInt64(get(static_cast<int64_t*>(nullptr)), ordering);
      break;
    case 3:
      builder->AppendDouble(get(static_cast<double*>(nullptr)), ordering);
      break;
    case 4:
      builder->AppendNumeric(get(static_cast<Numeric*>(nullptr)), ordering);
      break;
    case 5:
      builder->AppendText(get(static_cast<std::string*>(nullptr)), ordering);
      break;
    default:
      builder->AppendUuid(get(static_cast<Uuid*>(nullptr)), ordering);
  }
}

template <typename T>
Value ToValue(absl::StatusOr<std::optional<T>> read) {
  EXPECT_TRUE(read.ok()) << read.status();
  if (!read.ok() || !read->has_value()) return Null();
  return **std::move(read);
}

Value Read(KeyReader* reader, size_t type, Ordering ordering) {
  switch (type) {
    case 1:
      return ToValue(reader->ReadBool(ordering));
    case 2:
      return ToValue(reader->ReadInt64(ordering));
    case 3:
      return ToValue(reader->ReadDouble(ordering));
    case 4:
      return ToValue(reader->ReadNumeric(ordering));
    case 5:
      return ToValue(reader->ReadText(ordering));
    default:
      return ToValue(reader->ReadUuid(ordering));
  }
}

std::weak_ordering CompareValues(const Value& a, const Value& b, Ordering ordering) {
  const bool a_null = std::holds_alternative<Null>(a);
  const bool b_null = std::holds_alternative<Null>(b);
  if (a_null || b_null) {
    return ordering.nulls == Nulls::kFirst ? b_null <=> a_null : a_null <=> b_null;
  }
  const std::weak_ordering order = std::visit(
      [&b](const auto& x) -> std::weak_ordering {
        return Compare(x, std::get<std::decay_t<decltype(x)>>(b));
      },
      a);
  return ordering.direction == Direction::kAscending ? order : 0 <=> order;
}

Value RandomValue(size_t type, runtime::Random* random) {
  if (random->Chance(0.1)) return Null();
  const auto pick = [random](auto list) {
    return *(list.begin() + random->Uniform(0, static_cast<int64_t>(list.size()) - 1));
  };
  using Limits = std::numeric_limits<double>;
  switch (type) {
    case 1:
      return random->Chance(0.5);
    case 2:
      return random->Chance(0.5)
                 ? static_cast<int64_t>(random->Next())
                 : pick(std::initializer_list<int64_t>{0, 1, -1, 255, 256, -256,
                                                       std::numeric_limits<int64_t>::min(),
                                                       std::numeric_limits<int64_t>::max()});
    case 3:
      return random->Chance(0.5)
                 ? std::bit_cast<double>(random->Next())
                 : pick(std::initializer_list<double>{
                       0.0, -0.0, 1, -1, Limits::infinity(), -Limits::infinity(),
                       Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::denorm_min(),
                       -Limits::denorm_min(), Limits::max(), Limits::lowest()});
    case 4: {
      if (random->Chance(0.1)) {
        return Numeric{.kind = static_cast<Numeric::Kind>(random->Uniform(0, 3))};
      }
      Numeric number{.negative = random->Chance(0.5)};
      const int64_t digits = random->Uniform(0, random->Chance(0.2) ? 60 : 4);
      for (int64_t i = 0; i < digits; ++i) {
        number.digits.push_back(
            static_cast<char>('0' + (random->Chance(0.4) ? 0 : random->Uniform(0, 9))));
      }
      number.scale = static_cast<int32_t>(random->Uniform(-4, 8));
      return number;
    }
    case 5: {
      std::string text;
      const int64_t length = random->Uniform(0, 4);
      for (int64_t i = 0; i < length; ++i) {
        text.push_back(pick(std::initializer_list<char>{'\0', '\x01', 'a', '\xfe', '\xff'}));
      }
      return text;
    }
    default: {
      Uuid uuid{};
      uuid[static_cast<size_t>(random->Uniform(0, 15))] = static_cast<uint8_t>(random->Next());
      return uuid;
    }
  }
}

TEST(KeyEncodingTest, TheOrderOfTheBytesIsTheOrderOfTheTuples) {
  runtime::Random random(1);
  for (int round = 0; round < 4000; ++round) {
    // A tuple type, and tuples that share some of their values.
    std::vector<size_t> types;
    std::vector<Ordering> orderings;
    const int64_t columns = random.Uniform(1, 3);
    for (int64_t i = 0; i < columns; ++i) {
      types.push_back(static_cast<size_t>(random.Uniform(1, 6)));
      orderings.push_back(kOrderings[random.Uniform(0, 3)]);
    }
    std::vector<std::pair<std::vector<Value>, Key>> tuples;
    for (int i = 0; i < 12; ++i) {
      std::vector<Value> values;
      KeyBuilder builder;
      for (size_t c = 0; c < types.size(); ++c) {
        const bool shared = !tuples.empty() && random.Chance(0.5);
        values.push_back(shared ? tuples.back().first[c] : RandomValue(types[c], &random));
        Append(values.back(), types[c], orderings[c], &builder);
      }
      tuples.emplace_back(std::move(values), builder.Take());
    }
    for (const auto& [a, a_key] : tuples) {
      for (const auto& [b, b_key] : tuples) {
        std::weak_ordering order = std::weak_ordering::equivalent;
        for (size_t c = 0; c < types.size() && order == 0; ++c) {
          order = CompareValues(a[c], b[c], orderings[c]);
        }
        ASSERT_EQ(order, std::weak_ordering(a_key <=> b_key)) << "round " << round;
      }
      // Read back, it is an equal tuple.
      KeyReader reader(a_key);
      for (size_t c = 0; c < types.size(); ++c) {
        const Value read = Read(&reader, types[c], orderings[c]);
        ASSERT_EQ(CompareValues(a[c], read, orderings[c]), std::weak_ordering::equivalent);
      }
      ASSERT_TRUE(reader.at_end());
    }
  }
}

TEST(KeyEncodingTest, NumericsOfEveryScaleAreOrderedAndEqualOnesEncodeEqual) {
  const std::vector<std::vector<std::string>> ascending = {
      {"-100000000000000000000000000000.5"},
      {"-10", "-10.000"},
      {"-9.99"},
      {"-0.5", "-00.50"},
      {"-0.00000000000000000000000000000001"},
      {"0", "-0", "0.00", ""},
      {"0.00000000000000000000000000000001"},
      {"0.05"},
      {"0.5", ".5", "0.500"},
      {"0.51"},
      {"1", "01.0"},
      {"9"},
      {"10"},
      {"10.01"},
      {"99999999999999999999999999999999999999"},
      {"100000000000000000000000000000000000000"},
  };
  for (const Ordering ordering : kOrderings) {
    Key before;
    for (size_t i = 0; i < ascending.size(); ++i) {
      const Key key = KeyBuilder().AppendNumeric(Number(ascending[i][0]), ordering).Take();
      for (const std::string& equal : ascending[i]) {
        EXPECT_EQ(key, KeyBuilder().AppendNumeric(Number(equal), ordering).Take()) << equal;
      }
      if (i > 0) {
        EXPECT_EQ(before < key, ordering.direction == Direction::kAscending) << ascending[i][0];
      }
      before = key;
    }
  }
  const Key million = KeyBuilder().AppendNumeric(Number("1000000.00"), {}).Take();
  const auto read = KeyReader(million).ReadNumeric({});
  EXPECT_EQ(**read, (Numeric{.digits = "1", .scale = -6}));
}

TEST(KeyEncodingTest, WhatNoBuilderMadeIsRefused) {
  const auto refused = [](const auto& read) { return absl::IsDataLoss(read.status()); };
  const Ordering any;
  EXPECT_TRUE(refused(KeyReader("").ReadBool(any)));
  EXPECT_TRUE(refused(KeyReader("\x02").ReadBool(any)));
  EXPECT_TRUE(refused(KeyReader("\x02\x02").ReadBool(any)));
  EXPECT_TRUE(refused(KeyReader("\x01").ReadBool(any))) << "a null that sorts first";
  EXPECT_TRUE(refused(KeyReader("\x02"
                                "1234567")
                          .ReadInt64(any)));
  // -0, and a NaN that is not the one.
  EXPECT_TRUE(refused(KeyReader("\x02\x7f\xff\xff\xff\xff\xff\xff\xff").ReadDouble(any)));
  EXPECT_TRUE(refused(KeyReader("\x02\xff\xff\xff\xff\xff\xff\xff\xfe").ReadDouble(any)));
  EXPECT_TRUE(refused(KeyReader("\x02text").ReadText(any)));
  EXPECT_TRUE(refused(KeyReader(absl::string_view("\x02t\0\x02", 4)).ReadText(any)));
  EXPECT_TRUE(refused(KeyReader("\x02\x07").ReadNumeric(any)));
  // Without digits, with a first digit 0, with a last pair 00, with a pair past 99.
  for (const absl::string_view digits :
       {absl::string_view("\0", 1), absl::string_view("\x01\0", 2),
        absl::string_view("\x0b\x01\0", 3), absl::string_view("\x65\0", 2)}) {
    const std::string key = absl::StrCat("\x02\x04\x80", std::string("\0\0\x01", 3), digits);
    EXPECT_TRUE(refused(KeyReader(key).ReadNumeric(any)));
  }
}

TEST(KeyEncodingTest, ReadingAnyBytesGivesWhatEncodesToThem) {
  runtime::Random random(2);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes = "\x02";
    const int64_t length = random.Uniform(0, 12);
    for (int64_t k = 0; k < length; ++k) {
      bytes.push_back(static_cast<char>(random.Chance(0.5) ? random.Uniform(0, 6) : random.Next()));
    }
    const Ordering ordering = kOrderings[random.Uniform(0, 3)];
    KeyReader reader(bytes);
    const auto read = reader.ReadNumeric(ordering);
    if (!read.ok()) continue;
    const size_t taken = bytes.size() - reader.rest().size();
    EXPECT_EQ(KeyBuilder().AppendNumeric(*read, ordering).Take(), bytes.substr(0, taken));
  }
}

TEST(KeyEncodingTest, APrefixRangeHoldsWhatBeginsWithIt) {
  EXPECT_EQ(PrefixRange("ab"), (KeyRange{"ab", "ac"}));
  EXPECT_EQ(PrefixRange("a\xff\xff"), (KeyRange{"a\xff\xff", "b"}));
  EXPECT_EQ(PrefixRange("\xff"), (KeyRange{"\xff", ""}));
  EXPECT_EQ(PrefixRange(""), (KeyRange{"", ""}));
}

}  // namespace
}  // namespace storage

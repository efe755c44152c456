// FileDescriptor: owns one, closes it.
#ifndef RUNTIME_REAL_FILE_DESCRIPTOR_H_
#define RUNTIME_REAL_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace real {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() {
    if (number_ >= 0) close(number_);
  }

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

}  // namespace real

#endif  // RUNTIME_REAL_FILE_DESCRIPTOR_H_

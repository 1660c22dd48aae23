#!/bin/sh
# make check: warnings as errors with two compilers, lints, formats, layers.
set -eu
cd "$(dirname "$0")/.."

for compiler in gcc clang; do
  echo "warnings: $compiler"
  make --no-print-directory -s CC=$compiler CFLAGS=-Werror \
    BUILD=build/check-$compiler build-binary
done
echo "lint: luacheck"
luacheck --quiet lua recipes tests examples
echo "format: clang-format"
clang-format --dry-run -Werror core/*.[ch] $(find tests -name '*.[ch]')
echo "layers"
build/bittern run tests/all.lua tests/layers_spec.lua

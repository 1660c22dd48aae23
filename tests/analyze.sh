#!/bin/sh
# make analyze: gcc's analyzer, clang-tidy and cppcheck over core/. What is left
# out stands with its reason in tests/clang-tidy.yml, in tests/cppcheck.supp, beside the
# line, or here:
# - Kernels and the forward pass are loops without pointers to follow, and take
#   the analyzer of gcc minutes each.
set -eu
cd "$(dirname "$0")/.."
flags="-std=c11 -D_GNU_SOURCE -Icore -I${LUA_INCLUDE:-/usr/include/lua5.4} -include tests/analyze.h"
files=${FILES:-$(ls core/*.c)}
followed=$(echo "$files" | tr ' ' '\n' | grep -v 'kernels\|forward_\|codecs')
wrong=0

echo "gcc -fanalyzer"
for file in $followed; do
  gcc $flags -O1 -fanalyzer -Wno-analyzer-too-complex -Werror -c -o /dev/null $file || wrong=1
done
echo "clang-tidy"
for file in $followed; do
  clang-tidy --quiet --config-file=tests/clang-tidy.yml $file -- $flags 2>/dev/null || wrong=1
done
echo "cppcheck"
cppcheck --quiet --enable=warning,performance,portability --inline-suppr \
  --error-exitcode=1 --std=c11 --max-configs=4 -Icore \
  --suppressions-list=tests/cppcheck.supp $files || wrong=1
exit $wrong

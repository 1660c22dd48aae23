#!/bin/sh
# valgrind.sh SPEC...: specs under valgrind's memcheck; the first process with
# an error, or with memory that nothing points to any more, fails.
set -eu
cd "$(dirname "$0")/.."

export BITTERN_ISA=avx2 # it knows no AVX-512
exec valgrind --quiet --error-exitcode=99 --leak-check=full \
  --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  build/bittern run tests/all.lua "$@"

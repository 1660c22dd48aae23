#!/bin/sh
# make fuzz SECONDS=60 [TARGET=name] [RUNS=n] [MERGE=1]
#
# Fuzzes one target, or each in turn. New inputs go to build/fuzz/found-TARGET,
# what crashed to build/fuzz/TARGET-crash-*. RUNS=0 runs the corpus alone.
# MERGE=1 puts those of the new inputs that add coverage into the corpus in the
# tree.
set -eu
cd "$(dirname "$0")/../.."

seconds=${SECONDS_EACH:-60}
runs=${RUNS:--1}
targets=${TARGET:-$(ls tests/fuzz/targets | sed 's/\.lua$//')}

mkdir -p build/fuzz
ln -sfn ../../lua build/fuzz/bittern
ln -sfn ../../tests build/fuzz/tests

options="-timeout=20 -rss_limit_mb=2560 -detect_leaks=0"
export ASAN_OPTIONS=allocator_may_return_null=1
for FUZZ_TARGET in $targets; do
  export FUZZ_TARGET
  corpus=tests/fuzz/corpus/$FUZZ_TARGET
  found=build/fuzz/found-$FUZZ_TARGET
  mkdir -p "$corpus" "$found"
  if [ -n "${MERGE:-}" ]; then
    rm -rf build/fuzz/merged
    mkdir build/fuzz/merged
    build/fuzz/fuzz $options -set_cover_merge=1 build/fuzz/merged "$corpus" "$found"
    rm -rf "$corpus"
    mv build/fuzz/merged "$corpus"
    continue
  fi
  case $FUZZ_TARGET in
  archive | gguf | onboard | safetensors | tokenizer | zip) longest=8192 ;;
  *) longest=1024 ;; # texts: longer ones only take longer
  esac
  if [ "$runs" = 0 ]; then
    found=
    longest=8192
  fi
  echo "fuzzing $FUZZ_TARGET"
  build/fuzz/fuzz $options -max_len=$longest -max_total_time="$seconds" -runs="$runs" \
    -artifact_prefix=build/fuzz/$FUZZ_TARGET- -print_final_stats=1 \
    $found "$corpus"
done

#!/bin/sh
# make coverage [SPECS="tests/x_spec.lua ..."]: lines of C (gcov) and of Lua (a
# hook) that the tests run, into build/coverage/c.html, c.txt and lua.txt. It
# ends well even where a test does not: a sandbox lets nobody write counts.
set -eu
cd "$(dirname "$0")/../.."

tree=build/coverage
rm -rf $tree/lines
mkdir -p $tree/build $tree/lines
for room in lua tests examples recipes docs core; do
  ln -sfn ../../$room $tree/$room
done
ln -sfn ../../node $tree/build/node

gcc -std=c11 -D_GNU_SOURCE -O1 -fPIC -Icore -I"${LUA_INCLUDE:-/usr/include/lua5.4}" \
  -c -o $tree/hook.o tests/coverage/hook.c
wrapped="$PWD/$tree/hook.o -Wl,--wrap=host_new -Wl,--wrap=lua_sethook"
make --no-print-directory -s BUILD=$tree/build HARDENING= CFLAGS="--coverage -O0 -w" \
  LDFLAGS=--coverage LIBS="$(sed -n 's/^LIBS *:= *//p' Makefile) $wrapped" build-binary
find $tree -name '*.gcda' -delete

# The program finds its scripts beside build/, so it is told apart by its path.
(cd $tree && BITTERN_COVERAGE=$PWD/lines build/bittern run tests/all.lua "$@") || true

gcovr --root . --object-directory $tree/build --filter core/ --exclude-throw-branches \
  --txt $tree/c.txt --html-details $tree/c.html
build/bittern run tests/coverage/report.lua $tree/lines >$tree/lua.txt
tail -3 $tree/c.txt
tail -1 $tree/lua.txt

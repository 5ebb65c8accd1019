# SPDX-License-Identifier: GPL-2.0-or-later
# pve-gpu: build, test, install.  `make help` lists the targets.

BUILD   ?= build
JOBS    ?= $(shell nproc)
ifeq ($(origin CC),default)
CC      := gcc
endif
PKG     ?= pkg-config
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)

WARN := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wundef -Wpointer-arith -Wwrite-strings -Wswitch-enum \
	-Wimplicit-fallthrough -Wredundant-decls -fno-common
STD  := -std=gnu11 -D_GNU_SOURCE -DPVE_GPU_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
ifdef DEV
WARN += -Werror
endif
ifdef SANITIZE
CFLAGS  += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
endif

# layer -> layers it may include; nothing else is on its include path, so a wrong arrow does not compile
SEES_base   := base
SEES_hw     := base hw
SEES_pve    := base pve
SEES_claim  := base hw claim
SEES_guest  := base hw pve claim guest
SEES_host   := base hw host
SEES_hook   := base hw pve claim guest
SEES_plugin := base hw pve claim guest host
LAYERS      := base hw pve claim guest host
layer = $(notdir $(patsubst %/,%,$(dir $1)))
incs  = $(foreach l,$(SEES_$(call layer,$1)),-Ilib/$l) -I$(patsubst %/,%,$(dir $1))

LIB_SRC    := $(foreach l,$(LAYERS),$(sort $(wildcard lib/$l/*.c)))
HOOK_SRC   := $(sort $(wildcard hook/*.c))
PLUGIN_SRC := $(sort $(wildcard plugin/*.c))
FAKE_SRC   := $(sort $(wildcard tests/fake/*.c))
# one word and the file's name for each thing that is made; V=1 shows the whole command
say = $(if $(V),,@echo '  $1 $@';)
obj = $(patsubst %.c,$(BUILD)/%.o,$1)

.PHONY: all
all: $(BUILD)/gpu-hook $(BUILD)/pve-gpu

$(BUILD)/lib/%.o $(BUILD)/hook/%.o $(BUILD)/plugin/%.o: INC = $(call incs,$<)
$(BUILD)/tests/%.o: INC = $(foreach l,$(LAYERS),-Ilib/$l) -Ihook -Iplugin -Itests/fake
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(STD) $(INC) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$(BUILD)/libpve-gpu.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(BUILD)/gpu-hook: $(call obj,$(HOOK_SRC)) $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOOK_LIBS)

$(BUILD)/pve-gpu: $(call obj,$(PLUGIN_SRC)) $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PLUGIN_LIBS)

# the snippet is inside the command, which puts it into a storage
$(BUILD)/plugin/hookfile.o: snippets/gpu-hook snippets/100.gpu.ini
# and the comments on the settings are in their manual page
$(BUILD)/plugin/manual_settings.o: snippets/settings.ini

# inih is linked statically: the hook starts with every VM and loads no library it may not need
HOOK_LIBS   := -l:libinih.a
PLUGIN_LIBS := -l:libinih.a -ljson-c

# --- tests -------------------------------------------------------------------------------------

TEST_LIBS := -lcmocka -l:libinih.a -ljson-c
UNIT_BIN  := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
CLAIM_BIN := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/claim/test_*.c)))
CLI_BIN   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/cli/test_*.c)))
HOOK_PART := $(filter-out $(BUILD)/hook/main.o,$(call obj,$(HOOK_SRC)))
PLUGIN_PART := $(filter-out $(BUILD)/plugin/main.o,$(call obj,$(PLUGIN_SRC)))

.PHONY: tests
tests: all $(UNIT_BIN) $(CLAIM_BIN) $(CLI_BIN) $(BUILD)/mktree $(BUILD)/storm
$(CLI_BIN): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/cli/desk.o $(call obj,$(FAKE_SRC)) $(HOOK_PART) $(PLUGIN_PART) $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)
CLAIM_PART := $(BUILD)/tests/claim/play.o $(BUILD)/tests/claim/keeper.o $(HOOK_PART) $(PLUGIN_PART)
$(CLAIM_BIN): $(BUILD)/%: $(BUILD)/%.o $(CLAIM_PART) $(call obj,$(FAKE_SRC)) $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/%.o $(call obj,$(FAKE_SRC)) $(HOOK_PART) $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)
$(BUILD)/mktree: $(BUILD)/tests/tree/mktree.o $(call obj,$(FAKE_SRC)) $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Rings 1 to 4; each prints how many passed.  RUN is put before each test program (valgrind).
.PHONY: rings check-unit check-claim check-tree check-commands check-cli check-schema check-pmxcfs check-fuzz
rings: check-unit check-tree check-claim check-cli check-schema check-pmxcfs check-fuzz
check-unit: tests
	tests/ring unit '$(RUN)' $(UNIT_BIN)
HANG_PARTS := $(foreach m,gpu-four gpu-audio twins override,$(foreach w,claim return,$(BUILD)/tests/claim/test_hang:$w-$m))
check-claim: tests
	RING_JOBS=24 tests/ring claim '$(RUN)' $(filter-out %/test_hang,$(CLAIM_BIN)) $(HANG_PARTS)
check-tree: tests
	PVE_GPU=$(BUILD)/pve-gpu MKTREE=$(BUILD)/mktree tests/tree/run
check-commands: tests
	rm -rf $(BUILD)/json && mkdir $(BUILD)/json
	JSON_KEEP=$(abspath $(BUILD))/json tests/ring commands '$(RUN)' $(CLI_BIN)
check-cli: check-commands
	PVE_GPU=$(BUILD)/pve-gpu GPU_HOOK=$(BUILD)/gpu-hook tests/cli/run

# what commands write with --json, and docs/schema
check-schema: check-commands
	PVE_GPU=$(BUILD)/pve-gpu MKTREE=$(BUILD)/mktree tests/schema/run $(BUILD)/json

# both programs among links, owners, limits and callers that mean no good; as root
.PHONY: check-hostile
check-hostile: all
	BUILD=$(BUILD) tests/hostile/run

# the command on a file system with the manners of pmxcfs
check-pmxcfs: all $(BUILD)/mktree
	BUILD=$(BUILD) tests/pmxcfs/run

# Parsers and the editor: `fuzz` searches with clang's libFuzzer, FUZZ_SECONDS for each target; the seeds
# and what a search has found are replayed by any compiler.
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz:
	$(MAKE) -j$(JOBS) CC=clang BUILD=$(BUILD)/fuzz CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined' \
		$(BUILD)/fuzz/libpve-gpu.a
	BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ)
$(FUZZ:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOOK_LIBS)
check-fuzz: $(FUZZ:%=$(BUILD)/%)
	@for f in $(FUZZ); do $(BUILD)/$$f tests/fuzz/seeds/$$f tests/corpus || exit 1; done

# The page of report in a browser
.PHONY: check-page
check-page: tests
	PVE_GPU=$(BUILD)/pve-gpu MKTREE=$(BUILD)/mktree tests/page/run

$(BUILD)/crowd: $(BUILD)/tests/bench/crowd.o $(BUILD)/libpve-gpu.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/clock: $(BUILD)/tests/bench/clock.o
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Ring 5: a real kernel with an emulated IOMMU and cards
.PHONY: check-lab demo bench
check-lab: all $(BUILD)/storm $(BUILD)/mktree
	tests/lab/run
	tests/lab/early
	tests/lab/asleep
	tests/lab/units
	tests/lab/installed
	$(MAKE) check-lab-6.12
# claims and resets on the newer kernel that Debian 12 has by name
.PHONY: check-lab-6.12
check-lab-6.12: all $(BUILD)/storm
	LAB_KERNEL=linux-image-6.12-amd64 tests/lab/run 10 15 90
$(BUILD)/storm: $(BUILD)/tests/lab/guest/storm.o
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
demo:
	@tests/deps demo
	@$(MAKE) --no-print-directory -s all
	@tests/lab/demo
bench:
	@tests/deps check
	@$(MAKE) --no-print-directory -s all $(BUILD)/valgrind-shim.so
	tests/bench/idle
	@$(MAKE) --no-print-directory -s $(BUILD)/mktree
	tests/bench/doctor
	tests/bench/attach
	@$(MAKE) --no-print-directory -s $(BUILD)/crowd
	tests/bench/holders
	@$(MAKE) --no-print-directory -s $(BUILD)/clock
	tests/lab/bench
	@$(MAKE) --no-print-directory -s $(BUILD)/storm
	@echo
	LAB_IDLE=60 tests/lab/run 88 | grep '^# watch\|^not ok\|^lab: '
	LAB_ROUNDS=50 tests/lab/run 90 | grep 'selftest\|^not ok\|^lab: '

.PHONY: check-sanitize check-valgrind check-clang check-model lint
check-model:
	tests/model/run
check-sanitize:
	$(MAKE) -j$(JOBS) SANITIZE=1 BUILD=$(BUILD)/asan tests
	PLAY_STRIDE=7 $(MAKE) SANITIZE=1 BUILD=$(BUILD)/asan rings
VALGRIND := env LD_PRELOAD=$(CURDIR)/$(BUILD)/valgrind-shim.so valgrind -q --error-exitcode=99 --leak-check=full
$(BUILD)/valgrind-shim.so: tests/valgrind/shim.c
	@mkdir -p $(@D)
	$(CC) $(STD) -O2 $(WARN) -Wno-format-truncation -fPIC -shared -o $@ $<
VALGRIND_DIR := $(BUILD)/valgrind
# A process costs half a second of start there: every fourth question to the trees, every 120th kill.
# TREE_STRIDE=1 PLAY_STRIDE=1 take all of them, for hours.
TREE_STRIDE ?= 4
PLAY_STRIDE ?= 120
.PHONY: valgrind-tree valgrind-cli
valgrind-tree:
	tests/valgrind/wrap make $(BUILD) $(VALGRIND_DIR)/tree
	TREE_STRIDE=$(TREE_STRIDE) PVE_GPU=$(VALGRIND_DIR)/tree/pve-gpu MKTREE=$(BUILD)/mktree tests/tree/run
	tests/valgrind/wrap check $(VALGRIND_DIR)/tree
valgrind-cli:
	tests/valgrind/wrap make $(BUILD) $(VALGRIND_DIR)/cli
	BARE= PVE_GPU=$(VALGRIND_DIR)/cli/pve-gpu GPU_HOOK=$(VALGRIND_DIR)/cli/gpu-hook MKTREE=$(BUILD)/mktree tests/cli/run
	tests/valgrind/wrap check $(VALGRIND_DIR)/cli
check-valgrind: tests $(BUILD)/valgrind-shim.so
	PLAY_STRIDE=$(PLAY_STRIDE) $(MAKE) check-unit check-claim check-commands RUN='$(VALGRIND)'
	$(MAKE) -j2 valgrind-tree valgrind-cli
check-clang:
	$(MAKE) -j$(JOBS) CC=clang DEV=1 BUILD=$(BUILD)/clang all
lint: all
	tests/lint/run

# Static analysis: about a minute of one processor
.PHONY: analyse
analyse:
	tests/analyse/run

# Lines that the unit, claim, tree and cli tests run through
.PHONY: coverage
coverage:
	tests/deps coverage
	tests/coverage/run

.PHONY: check
check:
	tests/stage tests/deps check
	tests/stage $(MAKE) -j$(JOBS) DEV=1 tests
	tests/beside $(BUILD)/lab.log 'tests/stage $(MAKE) check-lab' '$(MAKE) check-here'

# all but the lab
.PHONY: check-here
check-here:
	tests/stage $(MAKE) lint
	tests/stage $(MAKE) analyse
	tests/stage $(MAKE) check-model
	tests/stage $(MAKE) check-clang
	tests/stage $(MAKE) fuzz FUZZ_SECONDS=1
	tests/stage $(MAKE) rings
	tests/stage $(MAKE) check-hostile
	tests/stage $(MAKE) check-page
	tests/stage $(MAKE) check-sanitize
	tests/stage $(MAKE) check-valgrind
	tests/stage $(MAKE) check-deb-12

# --- installing ---------------------------------------------------------------------------------

PREFIX     ?= /usr
SYSCONFDIR ?= /etc
UNITDIR    ?= /lib/systemd/system
# where Proxmox VE looks for the texts of its notifications
TEMPLATES   = $(PREFIX)/share/pve-manager/templates/default
MAN         = $(PREFIX)/share/man/man
BASH        = $(PREFIX)/share/bash-completion/completions
ZSH         = $(PREFIX)/share/zsh/vendor-completions
.PHONY: install install-files uninstall
install: install-files
	install -D -m 644 debian/pve-gpu-watch.service $(DESTDIR)$(UNITDIR)/pve-gpu-watch.service
	install -D -m 644 debian/pve-gpu-watch.path $(DESTDIR)$(UNITDIR)/pve-gpu-watch.path
install-files: all
	install -D -m 755 $(BUILD)/gpu-hook $(DESTDIR)$(PREFIX)/libexec/pve-gpu/gpu-hook
	install -D -m 755 $(BUILD)/pve-gpu $(DESTDIR)$(PREFIX)/sbin/pve-gpu
	mkdir -p $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man5 man/man8 bash-completion/completions zsh/vendor-completions)
	$(BUILD)/pve-gpu --manual >$(DESTDIR)$(MAN)8/pve-gpu.8
	$(BUILD)/pve-gpu --manual-settings >$(DESTDIR)$(MAN)5/pve-gpu.ini.5
	install -m 644 man/gpu-hook.8 $(DESTDIR)$(MAN)8/gpu-hook.8
	install -m 644 man/pve-gpu-quirks.5 $(DESTDIR)$(MAN)5/pve-gpu-quirks.5
	$(BUILD)/pve-gpu --completion >$(DESTDIR)$(BASH)/pve-gpu
	$(BUILD)/pve-gpu --completion-zsh >$(DESTDIR)$(ZSH)/_pve-gpu
	install -D -m 755 snippets/gpu-hook $(DESTDIR)$(PREFIX)/share/pve-gpu/gpu-hook
	install -D -m 644 snippets/settings.ini $(DESTDIR)$(PREFIX)/share/pve-gpu/settings.ini
	install -D -m 644 snippets/quirks.ini $(DESTDIR)$(PREFIX)/share/pve-gpu/quirks.ini
	install -d -m 755 $(DESTDIR)$(SYSCONFDIR)/pve-gpu/quirks.d
	install -D -m 644 snippets/notify/pve-gpu-subject.txt.hbs $(DESTDIR)$(TEMPLATES)/pve-gpu-subject.txt.hbs
	install -D -m 644 snippets/notify/pve-gpu-body.txt.hbs $(DESTDIR)$(TEMPLATES)/pve-gpu-body.txt.hbs
	test -e $(DESTDIR)$(SYSCONFDIR)/pve-gpu/settings.ini || \
		install -D -m 644 snippets/settings.ini $(DESTDIR)$(SYSCONFDIR)/pve-gpu/settings.ini
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/libexec/pve-gpu/gpu-hook $(DESTDIR)$(PREFIX)/sbin/pve-gpu \
		$(DESTDIR)$(UNITDIR)/pve-gpu-watch.service $(DESTDIR)$(UNITDIR)/pve-gpu-watch.path
	rm -f $(DESTDIR)$(TEMPLATES)/pve-gpu-subject.txt.hbs $(DESTDIR)$(TEMPLATES)/pve-gpu-body.txt.hbs
	rm -f $(addprefix $(DESTDIR)$(MAN),8/pve-gpu.8 8/gpu-hook.8 5/pve-gpu.ini.5 5/pve-gpu-quirks.5) \
		$(DESTDIR)$(BASH)/pve-gpu $(DESTDIR)$(ZSH)/_pve-gpu
	rm -rf $(DESTDIR)$(PREFIX)/share/pve-gpu

# The Debian package, for Debian 12 and 13; in a copy of the tree, so that nothing is left in this one
.PHONY: deb check-deb check-deb-12
deb:
	tests/deps deb
	tests/deb/build
check-deb: deb
	tests/deb/run
check-deb-12: deb
	tests/deb/run bookworm
# a machine to try the command on: pve-gpu list --root example
$(BUILD)/example.tar.gz: $(BUILD)/mktree tests/trees/gpu-audio.tree tests/trees/pci.ids
	rm -rf $(BUILD)/example
	$(BUILD)/mktree tests/trees/gpu-audio.tree $(BUILD)/example
	install -D -m 644 tests/trees/pci.ids $(BUILD)/example/usr/share/misc/pci.ids
	tar -C $(BUILD) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(or $(SOURCE_DATE_EPOCH),0) -c example | gzip -9n >$@

.PHONY: clean help
clean:
	rm -rf $(BUILD)
help:
	@echo 'make                 the two programs: build/gpu-hook, build/pve-gpu'
	@echo 'make demo            the main job on a virtual host with an emulated card (3 minutes)'
	@echo 'make check           everything below; installs what it needs'
	@echo 'make rings           unit, tree, claim and cli tests; seconds, no root needed'
	@echo 'make check-sanitize  the same under ASan and UBSan'
	@echo 'make check-valgrind  the same under valgrind, with a sample of the loops over all writes'
	@echo 'make check-hostile   both programs under hostile callers and files, as root'
	@echo 'make check-page      the page of report in Chromium'
	@echo 'make check-lab       the real kernel in QEMU'
	@echo 'make check-lab-6.12  claims and resets there on the newer kernel of Debian 12'
	@echo 'make fuzz            parsers and the editor with clang, a minute each (FUZZ_SECONDS)'
	@echo 'make check-model     the lease protocol, searched by spin'
	@echo 'make deb             the Debian package, in build/deb'
	@echo 'make check-deb       built twice, and its whole life in fresh roots of Debian 12 and 13'
	@echo 'make check-deb-12    only in one of Debian 12, as a part of make check'
	@echo 'make lint            house rules, shellcheck'
	@echo 'make analyse         cppcheck, gcc -fanalyzer, clang-tidy: no finding'
	@echo 'make coverage        lines that the tests run through; 90 % of lib/claim, lib/pve, lib/guest'
	@echo 'make bench           what a claim costs beside what the kernel takes'
	@echo 'REGEN=1 make check-tree check-cli   rewrite the expected output, for review'

-include $(shell find $(BUILD)/lib $(BUILD)/hook $(BUILD)/plugin $(BUILD)/tests -type f -name '*.d' 2>/dev/null)

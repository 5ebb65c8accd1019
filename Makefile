# SPDX-License-Identifier: GPL-2.0-or-later
# pve-gpu: build, test, install.  `make help` lists the targets.

BUILD   ?= build
CC      ?= gcc
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
LAYERS      := base hw pve claim guest
layer = $(notdir $(patsubst %/,%,$(dir $1)))
incs  = $(foreach l,$(SEES_$(call layer,$1)),-Ilib/$l) -I$(patsubst %/,%,$(dir $1))

LIB_SRC    := $(foreach l,$(LAYERS),$(sort $(wildcard lib/$l/*.c)))
HOOK_SRC   := $(sort $(wildcard hook/*.c))
PLUGIN_SRC := $(sort $(wildcard plugin/*.c))
FAKE_SRC   := $(sort $(wildcard tests/fake/*.c))
obj = $(patsubst %.c,$(BUILD)/%.o,$1)

.PHONY: all
all: $(BUILD)/gpu-hook $(BUILD)/pve-gpu

$(BUILD)/lib/%.o $(BUILD)/hook/%.o $(BUILD)/plugin/%.o: INC = $(call incs,$<)
$(BUILD)/tests/%.o: INC = $(foreach l,$(LAYERS) host,-Ilib/$l) -Ihook -Iplugin -Itests/fake
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(STD) $(INC) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$(BUILD)/libpve-gpu.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/gpu-hook: $(call obj,$(HOOK_SRC)) $(BUILD)/libpve-gpu.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HOOK_LIBS)

$(BUILD)/pve-gpu: $(call obj,$(PLUGIN_SRC)) $(BUILD)/libpve-gpu.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PLUGIN_LIBS)

# inih is linked statically: the hook starts with every VM and loads no library it may not need
HOOK_LIBS   := -l:libinih.a
PLUGIN_LIBS := -l:libinih.a -ljson-c

# --- tests -------------------------------------------------------------------------------------

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c) $(wildcard tests/claim/test_*.c))
UNIT_BIN := $(patsubst %.c,$(BUILD)/%,$(UNIT_SRC))
unit: $(UNIT_BIN)
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/%.o $(call obj,$(FAKE_SRC)) $(BUILD)/libpve-gpu.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -l:libinih.a -ljson-c

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# Cistern: every target in one non-recursive file.
#
#   make            build/release/cistern
#   make demo       the whole pipeline on this machine, from nothing (installs what is missing)
#   make test       all tests (installs what is missing)
#   make check      warnings as errors with gcc and clang, clang-tidy, layers, models, sanitizers
#   make help       the rest
#
# V=release|debug|asan|tsan chooses the variant (build/$V), CC the compiler, Q= shows the commands.

V      ?= release
CC     ?= gcc
Q      ?= @
PREFIX ?= /usr/local
BUILD  := build/$(V)
PYTHON := build/venv/bin/python

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

PKGS := libmicrohttpd libuv sqlite3 libcjson libmariadb libcrypto zlib libzstd expat libzip
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wvla -Wformat=2 -Wundef -Wno-overlength-strings
OPT_release := -O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT_debug   := -O0 -g3
OPT_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPT_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
ifndef OPT_$(V)
$(error V=$(V) is not a variant; use release, debug, asan or tsan)
endif
WERROR ?=

# pkg-config only when a target needs it, so that `make deps` runs on a bare machine.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)) -lcsv -lm -lpthread)$(PKG_LIBS)
CPPFLAGS += -I. -I$(BUILD)/gen -D_GNU_SOURCE
CFLAGS_ALL = -std=gnu17 $(OPT_$(V)) $(WARN) $(WERROR) -include server/base/banned.h $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(OPT_$(V)) -Wl,--as-needed -rdynamic $(LDFLAGS)

SRCS := $(sort $(shell find server emulators -name '*.c'))
OBJS := $(SRCS:%.c=$(BUILD)/obj/%.o)
LIB_OBJS := $(filter-out $(BUILD)/obj/server/main.o,$(OBJS))

all: $(BUILD)/cistern

$(BUILD)/cistern: $(OBJS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(OBJS) $(PKG_LIBS)

# Rebuild everything when the compiler or its flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_ALL)' > $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
# mysql.h itself uses functions that banned.h refuses, so banned.h includes it first there.
$(BUILD)/obj/server/mysql/%.o: private CPPFLAGS += -DCISTERN_SEES_MYSQL

-include $(OBJS:.o=.d)

# --- unit tests: tests/unit/test_NAME.c links the folders that links.mk names for it -------------
include tests/unit/links.mk
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_BINS := $(UNITS:%=$(BUILD)/unit/%)
unit_objs = $(foreach d,$(or $(LINKS_$(1)),server/base),$(if $(filter %.c,$(d)),$(BUILD)/obj/$(d:.c=.o),$(filter $(BUILD)/obj/$(d)/%,$(LIB_OBJS))))

.SECONDEXPANSION:
$(UNIT_BINS): $(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $$(call unit_objs,%)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) -lcmocka
-include $(UNITS:%=$(BUILD)/obj/tests/unit/%.d)

unit: $(UNIT_BINS)
	@set -e; for t in $^; do $$t > $$t.log 2>&1 || { cat $$t.log; exit 1; }; grep -E 'tests? run|PASSED' $$t.log | tail -1 || true; done; echo "unit: $(words $^) programs passed"

clean:
	rm -rf build/release build/debug build/asan build/tsan

FORCE:
.PHONY: all unit clean FORCE

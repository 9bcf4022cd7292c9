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
ifeq ($(origin CC),default)
CC     := gcc
endif
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
$(BUILD)/obj/server/mysql/%.o: private CPPFLAGS += -DCISTERN_INCLUDE_FIRST='<mysql.h>'

# The bootstrap of Python functions travels inside of the binary.
$(BUILD)/obj/emulators/lambda/lambda_runtime.o: emulators/lambda/runtime/bootstrap.py
# So do awsglue and what runs the scripts of jobs.
$(BUILD)/obj/emulators/glue/spark/python_files.o: emulators/glue/spark/runscript.py \
    $(shell find emulators/glue/python -name '*.py')

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

# --- services apart: the binary links and starts without any one of them ---------------------------
SERVICES := $(filter-out facade,$(patsubst emulators/%/,%,$(sort $(dir $(wildcard emulators/*/*_service.c)))))
$(BUILD)/without/%: $(OBJS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@sed '/\b$*_service\b/d' emulators/services.c > $@.c
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@.o $@.c
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $@.o \
	    $(filter-out $(BUILD)/obj/emulators/$*/% $(BUILD)/obj/emulators/services.o,$(OBJS)) $(PKG_LIBS)
	@$@ exec -- true
apart: $(SERVICES:%=$(BUILD)/without/%)
	@echo "services: the binary builds and starts without any one of $(SERVICES)"
.PHONY: apart

# --- what the machine needs -----------------------------------------------------------------------
deps:
	@tests/support/deps.sh build

build/venv/stamp: tests/requirements.txt
	@tests/support/deps.sh run
	@echo "  VENV  build/venv"
	$(Q)python3 -m venv build/venv
	$(Q)build/venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
	@touch $@

# --- models and codec tests -----------------------------------------------------------------------
# Regenerates emulators/*/*_model.[ch] from the .ops files; needs the pinned botocore.
GENMODEL = $(if $(wildcard $(PYTHON)),$(PYTHON),python3) server/wire/gen/genmodel.py
model:
	@$(GENMODEL) $(wildcard emulators/*/*.ops)
check-model:
	@$(GENMODEL) --check $(wildcard emulators/*/*.ops)

# The codecs with the tables of many services, for tests/wire. Its sources are made in the recipe,
# so that nothing but this target needs them.
CODEC_TOOL_OBJS = $(BUILD)/obj/tests/support/codec_tool.o \
                  $(filter $(BUILD)/obj/server/base/% $(BUILD)/obj/server/wire/%,$(LIB_OBJS))
$(BUILD)/codec_tool: $(CODEC_TOOL_OBJS) tests/wire/operations.txt server/wire/gen/genmodel.py
	@echo "  LINK  $@"
	@$(GENMODEL) --all-ops tests/wire/operations.txt --out $(BUILD)/wiregen
	$(Q)$(CC) $(CFLAGS_ALL) -I$(BUILD)/wiregen $(LDFLAGS) -o $@ $(BUILD)/wiregen/*.c \
	    $(CODEC_TOOL_OBJS) $(PKG_LIBS)
-include $(BUILD)/obj/tests/support/codec_tool.d
tools: $(BUILD)/codec_tool
.PHONY: tools model check-model

# --- for users ------------------------------------------------------------------------------------
demo: deps build/venv/stamp
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@$(PYTHON) -m tests.demo.demo $(DEMO)

install: all
	install -D -m 755 $(BUILD)/cistern $(DESTDIR)$(PREFIX)/bin/cistern
	install -D -m 644 server/cli/cistern.1 $(DESTDIR)$(PREFIX)/share/man/man1/cistern.1

# --- tests ----------------------------------------------------------------------------------------
# PYTEST adds options: make test PYTEST="-k notification".
PYTEST ?=
pytest = CISTERN_BINARY=$(CURDIR)/$(BUILD)/cistern PYTHONPATH=$(CURDIR) $(PYTHON) -m pytest \
         -c tests/pytest.ini --rootdir $(CURDIR) -p no:cacheprovider

test: deps build/venv/stamp
	@tests/support/deps.sh test
	@$(MAKE) --no-print-directory -j$$(nproc) all unit tools apart
	@$(MAKE) --no-print-directory spark
	@$(pytest) -n 4 --dist loadgroup $(PYTEST) tests

# The long target, over MariaDB, MySQL 5.6 and MySQL 9 (got once, into build/mysql): 280 seeds of DMS'
# differential test with kills and restarts in between, and whatever asks for those servers.
LONG := $(shell grep -l CISTERN_MYSQL tests/sdk/*.py tests/pipeline/*.py)
test-long: deps build/venv/stamp
	@tests/support/deps.sh test
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@PYTHONPATH=$(CURDIR) $(PYTHON) -m tests.support.mysql
	@CISTERN_MYSQL=all CISTERN_STEPS=120 $(pytest) -n $$(nproc) --dist loadgroup $(PYTEST) $(LONG)

# A Spark for glueetl tests, once: build/spark, unless CISTERN_SPARK_HOME names one.
spark: all
	@test -n "$$CISTERN_SPARK_HOME" || { tests/support/deps.sh spark && \
	    $(BUILD)/cistern spark install --to build/spark; }

# The same Python suite against another variant: make sdk V=asan
sdk: build/venv/stamp all tools spark
	@$(pytest) -n 4 --dist loadgroup $(PYTEST) tests

check-layers:
	@python3 tests/layers.py

# Every header compiles alone, with both compilers.
check-headers: private CPPFLAGS += -DCISTERN_INCLUDE_FIRST='<mysql.h>'
check-headers: FORCE
	@for h in $$(find server emulators -name '*.h'); do \
	    for cc in gcc clang; do \
	        $$cc $(CFLAGS_ALL) -Werror -fsyntax-only -include $$h -x c /dev/null || exit 1; \
	    done; \
	done; echo "headers: each compiles alone with gcc and clang"

TIDY := $(filter-out %_model.c,$(SRCS))
build/tidy/server/mysql/%: private CPPFLAGS += -DCISTERN_INCLUDE_FIRST='<mysql.h>'
tidy: $(TIDY:%=build/tidy/%)
build/tidy/%: % .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY  $<"
	$(Q)clang-tidy --quiet $< -- $(CFLAGS_ALL) 2>&1 | grep -v -E '^[0-9]+ warnings? (generated|treated)' ; test $${PIPESTATUS[0]} -eq 0
	@touch $@
build/tidy/%: SHELL := /bin/bash

check: deps build/venv/stamp
	@tests/support/deps.sh test check
	@$(MAKE) --no-print-directory check-layers check-headers check-model
	@$(MAKE) --no-print-directory -j$$(nproc) V=debug CC=gcc WERROR=-Werror BUILD=build/check-gcc all unit
	@$(MAKE) --no-print-directory -j$$(nproc) V=debug CC=clang WERROR=-Werror BUILD=build/check-clang all
	@$(MAKE) --no-print-directory -j$$(nproc) tidy
	@$(MAKE) --no-print-directory -j$$(nproc) V=asan unit sdk
	@$(MAKE) --no-print-directory -j$$(nproc) V=tsan unit sdk

# --- figures --------------------------------------------------------------------------------------
# BENCH adds options: make bench BENCH="--rounds 3"; the driver's --help lists them.
BENCH ?=
BENCH_TOOLS := $(BUILD)/bench/s3load $(BUILD)/bench/firstanswer $(BUILD)/bench/mergegen
$(BENCH_TOOLS): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $<
-include $(BENCH_TOOLS:$(BUILD)/bench/%=$(BUILD)/obj/tests/bench/%.d)

build/bench-venv/stamp: tests/bench/requirements.txt
	@echo "  VENV  build/bench-venv"
	$(Q)python3 -m venv build/bench-venv
	$(Q)build/bench-venv/bin/pip install -q --disable-pip-version-check -r tests/bench/requirements.txt
	@touch $@

bench: deps
	@tests/support/deps.sh bench
	@$(MAKE) --no-print-directory build/bench-venv/stamp
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BENCH_TOOLS)
	@CISTERN_BINARY=$(CURDIR)/$(BUILD)/cistern BENCH_TOOLS=$(CURDIR)/$(BUILD)/bench PYTHONPATH=$(CURDIR) \
	    python3 -m tests.bench.bench $(BENCH)
# make bench-merge BENCH="--rounds 3 --spark-home DIR"
bench-merge: deps
	@$(MAKE) --no-print-directory build/bench-venv/stamp
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BENCH_TOOLS)
	@CISTERN_BINARY=$(CURDIR)/$(BUILD)/cistern BENCH_TOOLS=$(CURDIR)/$(BUILD)/bench PYTHONPATH=$(CURDIR) \
	    build/bench-venv/bin/python -m tests.bench.merge $(BENCH)
$(BUILD)/bench/mysqlread: $(BUILD)/obj/tests/bench/mysqlread.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(shell pkg-config --libs libmariadb)
# The object's rule is Makefile's own; mysql.h uses functions that banned.h refuses.
$(BUILD)/obj/tests/bench/mysqlread.o: private CPPFLAGS += -DCISTERN_INCLUDE_FIRST='<mysql.h>'
# make bench-dms BENCH="--rows 1000000 --rounds 3"
bench-dms: deps build/venv/stamp
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BUILD)/bench/mysqlread
	@CISTERN_BINARY=$(CURDIR)/$(BUILD)/cistern BENCH_TOOLS=$(CURDIR)/$(BUILD)/bench PYTHONPATH=$(CURDIR) \
	    build/venv/bin/python -m tests.bench.dms $(BENCH)
.PHONY: bench bench-merge bench-dms

# --- containers -----------------------------------------------------------------------------------
# Builds docker/Dockerfile without a daemon or a registry and tries the images: docker/check.py.
docker-check: deps build/venv/stamp
	@tests/support/deps.sh docker
	@PYTHONPATH=$(CURDIR) $(PYTHON) -m docker.check $(DOCKER)
.PHONY: docker-check

help:
	@sed -n 's/^#   //p' Makefile; echo "test-long (DMS against MariaDB, MySQL 5.6 and 9) sdk (the Python suite for V=…) unit tidy check-layers check-headers check-model bench bench-merge bench-dms docker-check install clean"

.PHONY: deps demo install test test-long spark sdk check-layers check-headers tidy check help

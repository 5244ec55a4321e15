# SPDX-License-Identifier: ISC
# GNU make.  Honours DESTDIR PREFIX CC CFLAGS CPPFLAGS LDFLAGS;
# SAN=address,undefined builds a sanitized variant in a folder of its own.

VERSION = 0.1.0

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
CFLAGS  ?= -O2 -g
PKG_CONFIG ?= pkg-config
# http-parser comes without a .pc file on Debian.
HTTP_PARSER_LIBS ?= -lhttp_parser

comma := ,
B := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(VARIANT),-$(VARIANT))

warnings = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wno-unused-parameter \
	$(if $(WERROR),-Werror)
all_cppflags = -Isrc -D_GNU_SOURCE -DINETWS_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags libbsd-overlay libmd openssl) $(CPPFLAGS)
all_cflags = -std=gnu11 $(warnings) $(CFLAGS) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
all_ldflags = $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
libs := $(shell $(PKG_CONFIG) --libs libbsd-overlay libmd openssl) \
	$(HTTP_PARSER_LIBS)

src  := $(wildcard src/*/*.c)
main := src/run/main.c
obj  := $(src:%.c=$B/%.o)
lib  := $(filter-out $(main:%.c=$B/%.o),$(obj))
unit := $(patsubst tests/unit/%.c,$B/tests/unit/%.t,$(wildcard tests/unit/*.c))

all: $B/inetws

$B/inetws: $(obj)
	$(CC) $(all_cflags) $(all_ldflags) -o $@ $^ $(libs)

$B/lib.a: $(lib)
	@rm -f $@
	ar rcs $@ $^

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(all_cppflags) $(all_cflags) -MMD -MP -c -o $@ $<

$B/tests/unit/%.t: tests/unit/%.c $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(all_cppflags) -Itests/unit $(all_cflags) $(all_ldflags) \
	    -MMD -MP -o $@ $< $B/lib.a $(libs)

unit: $(unit)

# Benchmarks (tests/bench/README.md); options by BENCH='--quick --rounds 1'.
bench_src := $(filter-out %/trivial.c,$(wildcard tests/bench/*.c))
bench_obj := $(bench_src:%.c=$B/%.o)
bench_run = INETWS=$${INETWS:-$B/inetws} tests/bench/run.py \
	--tools $B/tests/bench --out $B/bench

$B/tests/bench/load: $(bench_obj)
	$(CC) $(all_cflags) $(all_ldflags) -o $@ $^ $(libs)

$B/tests/bench/trivial: tests/bench/trivial.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static -o $@ $<

bench: $B/inetws $B/tests/bench/load $B/tests/bench/trivial
	$(bench_run) $(BENCH)

bench-smoke: $B/inetws $B/tests/bench/load
	$(bench_run) --smoke $(BENCH)

.PHONY: bench bench-smoke
-include $(bench_obj:.o=.d)

clean:
	rm -rf build build-* inetws-*.tar.gz

.PHONY: all unit clean
.SECONDARY:
-include $(obj:.o=.d) $(unit:.t=.d)

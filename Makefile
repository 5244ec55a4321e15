# SPDX-License-Identifier: ISC
# For GNU make.  The usual variables: DESTDIR PREFIX CC CFLAGS CPPFLAGS LDFLAGS.
#
# Each of these builds a variant of the program in a folder of its own (build-...):
#
# SAN=address,undefined	with sanitizers
# STATIC=1, STATIC=pie	as a static program; as one whose addresses differ at each start
# LIBS=static		with all libraries linked in except the C library and OpenSSL
# OPENSSL=linked	with OpenSSL as an ordinary shared library (see below)
# HTTP_PARSER=llhttp	with llhttp, the successor of http-parser
# SANDBOX_DEBUG=1	that logs the name of each system call that the sandbox refuses
# COMPAT=all		that uses nothing that only Linux has
# COVERAGE=1		that counts what is executed (tests/coverage/rules.mk)

VERSION = 0.1.0

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
DOCDIR  ?= $(PREFIX)/share/doc/inetws
CFLAGS  ?= -O2 -g
PKG_CONFIG ?= pkg-config
# Debian's http-parser has no .pc file.
HTTP_PARSER ?= http-parser
HTTP_PARSER_LIBS ?= $(if $(filter llhttp,$(HTTP_PARSER)),$(call pkg_libs,libllhttp),-lhttp_parser)

comma := ,
# The system that the program is built for: linux, macos (Apple also says darwin),
# openbsd, freebsd or netbsd.
system := $(shell $(CC) -dumpmachine | sed -n \
	's/.*-\(linux\|openbsd\|freebsd\|netbsd\).*/\1/p; s/.*-\(macos\|darwin\|apple\).*/macos/p')
# "loaded": the program loads OpenSSL by dlopen(3) when TLS is wanted
# (src/tls/openssl.h), and libcrypt when --auth-file needs it.  "linked": both are
# linked as usual.  That is the default in a static program, on other systems than
# Linux, and with OpenSSL before 3.
openssl := $(or $(filter linked loaded,$(OPENSSL)),$(if $(STATIC),linked),\
	$(shell [ $(system) = linux ] && \
	    $(PKG_CONFIG) --atleast-version=3 openssl && echo loaded),linked)
B := build$(if $(STATIC),-static$(if $(filter pie,$(STATIC)),-pie))$(if $(LIBS),-libs)$(if $(filter linked,$(OPENSSL)),-linked)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(VARIANT),-$(VARIANT))$(if $(SANDBOX_DEBUG),-sandbox)$(if $(COMPAT),-compat)$(if $(COVERAGE),-coverage)$(if $(filter llhttp,$(HTTP_PARSER)),-llhttp)

# Which sandbox: linux, openbsd or none (src/sandbox/none.c says why sanitizers
# exclude one).
sandbox := $(or $(if $(SAN)$(COMPAT)$(COVERAGE),none),$(filter linux openbsd,$(system)),none)

warnings = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wno-unused-parameter \
	$(if $(WERROR),-Werror)
all_cppflags = -Isrc -D_GNU_SOURCE -DINETWS_VERSION='"$(VERSION)"' \
	-DLIBBSD_VERSION='"$(if $(bsd_libs),$(shell $(PKG_CONFIG) --modversion \
	libbsd-overlay))"' -include src/os/compat/compat.h \
	$(if $(COMPAT),-DCOMPAT_ALL) \
	$(if $(filter macos,$(system)),-Isrc/os/compat/darwin) \
	$(shell $(PKG_CONFIG) --cflags $(bsd_libs) openssl \
	$(if $(filter llhttp,$(HTTP_PARSER)),libllhttp)) \
	$(if $(filter llhttp,$(HTTP_PARSER)),-DHTTP_PARSER_LLHTTP) \
	$(if $(filter linked,$(openssl)),-DOPENSSL_LINKED) -I$B \
	$(if $(openssl_late),-DOPENSSL_ASKS_LATE) \
	$(if $(crypt_version),-DCRYPT_LOADED='"$(crypt_version)"') \
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
	-DSANDBOX_$(sandbox) $(if $(SANDBOX_DEBUG),-DSANDBOX_DEBUG) \
	$(CPPFLAGS)
all_cflags = -std=gnu11 $(warnings) $(CFLAGS) \
	$(if $(filter pie,$(STATIC)),-fPIE) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -DTUNNEL_CHECK) \
	$(if $(COVERAGE),-O0 --coverage -fprofile-update=atomic)
# The options by which a function of a static OpenSSL is replaced, empty if the
# linker has no --wrap (src/tls/openssl.c says what for).  Libraries behind lib.a
# refer to the replacement, so -u takes it out of lib.a.
openssl_late := $(if $(STATIC),$(shell to=$$(mktemp) && \
	echo 'int main(void) { return 0; }' | \
	$(CC) -Wl,--wrap=x -o $$to -x c - 2>/dev/null && \
	echo -Wl,--wrap=OPENSSL_cpuid_setup,-u,__wrap_OPENSSL_cpuid_setup; \
	rm -f $$to))
# The options by which no two segments of a static program share a huge page, for
# src/os/huge_text.c.  GNU ld needs a script; other linkers do it if they are told
# that pages are so large, and GNU ld would make the file megabytes longer.
gnu_ld = $(eval gnu_ld := $(shell $(CC) -Wl,--version 2>/dev/null | grep -o '^GNU ld'))$(gnu_ld)
huge_script = $(if $(filter linux,$(system)),$(if $(gnu_ld),$B/huge_text.ld))
huge_page = -Wl,-z,max-page-size=0x200000
huge_text = $(if $(filter linux,$(system)),$(if $(gnu_ld),-Wl$(comma)-T$(comma)$(huge_script) \
	$(if $(filter pie,$(STATIC)),$(huge_page)),$(huge_page)))
static = -static$(if $(filter pie,$(STATIC)),-pie)
relro = $(if $(filter macos,$(system)),,-Wl,-z,relro,-z,now)
all_ldflags = $(relro) $(if $(STATIC),$(static) $(huge_text) $(openssl_late)) $(if $(SAN),-fsanitize=$(SAN)) \
	$(if $(COVERAGE),--coverage -Wl$(comma)--wrap=_exit $B/tests/coverage/flush.o) $(LDFLAGS)
pkg_libs = $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $1)
openssl_libs := $(call pkg_libs,openssl)
# On Linux strlcpy(3), the message digests and crypt(3) are in libraries of their
# own; other systems have them in the C library.
bsd_libs := $(if $(filter linux,$(system)),libbsd-overlay libmd)
crypt_version := $(if $(filter loaded,$(openssl)),$(shell $(CC) $(CFLAGS) \
	-print-file-name=libcrypt.so | xargs readlink -f | \
	sed -n 's/.*libcrypt\.so\.\([0-9]*\).*/\1/p'))
crypt_libs := $(if $(filter linux,$(system)),$(if $(crypt_version),,-lcrypt))
libs := $(if $(filter static,$(LIBS)),-Wl$(comma)-Bstatic) \
	$(if $(bsd_libs),$(call pkg_libs,$(bsd_libs))) $(HTTP_PARSER_LIBS) \
	$(if $(filter static,$(LIBS)),-lbsd -lmd -Wl$(comma)-Bdynamic) \
	$(crypt_libs) $(if $(filter linked,$(openssl)),$(openssl_libs),-ldl)

# Sources of the sandboxes that are not built.
other_sandboxes := $(foreach s,$(filter-out $(sandbox),linux openbsd none),\
	$(wildcard src/sandbox/$s.c src/sandbox/$s_*.c))
src  := $(filter-out $(other_sandboxes),$(wildcard src/*/*.c src/*/*/*.c))
main := src/modes/main.c
obj  := $(src:%.c=$B/%.o)
lib  := $(filter-out $(main:%.c=$B/%.o),$(obj))
unit := $(patsubst tests/unit/%.c,$B/tests/unit/%.t,\
	$(wildcard tests/unit/*/*.c))

all: $B/inetws

$B/inetws: $(obj)
	$(CC) $(all_cflags) $(all_ldflags) -o $@ $^ $(libs)

$B/lib.a: $(lib)
	@rm -f $@
	$(AR) rcs $@ $^

# What is generated, and so has to exist before anything is compiled.
generated := $B/openssl_names.h $B/help_topics.h $B/page_style.h \
	$B/page_script.h $(if $(STATIC),$(huge_script))

$B/%.o: %.c Makefile | $(generated)
	@mkdir -p $(@D)
	$(CC) $(all_cppflags) $(all_cflags) -MMD -MP -c -o $@ $<

$B/tests/unit/%.t: tests/unit/%.c $B/lib.a | $(generated)
	@mkdir -p $(@D)
	$(CC) $(all_cppflags) -Itests/unit $(all_cflags) $(all_ldflags) \
	    -MMD -MP -o $@ $< $B/lib.a $(libs)

# These tests call OpenSSL themselves, for certificates and servers.
$(patsubst %,$B/tests/unit/%.t,tls/tls tls/ticket tls/secure_heap tls/parts \
    handshake/tls_reload): libs += $(openssl_libs)

# Macros by which SSL_new() calls the function that was loaded (src/tls/openssl.h).
$B/openssl_names.h: src/tls/openssl.h Makefile
	@mkdir -p $B
	tr -s '\t ' '\n' <$< | \
	    sed -n 's/^X(\([A-Za-z0-9_]*_[A-Za-z0-9_]*\))$$/#define \1 (openssl.\1)/p' >$@

# The texts of "inetws help TOPIC".
$B/help_topics.h: man/inetws-examples.7 src/config/topics.awk
	@mkdir -p $B
	awk -f src/config/topics.awk $< >$@

# The style sheet and the script of the page that --metrics serves.
$B/page_style.h: src/stats/page.css
$B/page_script.h: src/stats/page.js
$B/page_style.h $B/page_script.h: src/stats/embed.awk
	@mkdir -p $B
	awk -f $< $(filter-out $<,$^) >$@

$B/huge_text.ld: src/os/huge_text.sed Makefile
	@mkdir -p $B
	echo 'int main(void) { return 0; }' | $(CC) $(relro) $(static) \
	    $(if $(filter pie,$(STATIC)),-fPIE) -Wl,--verbose -o $@.out -x c - | \
	    sed -f $< >$@
	@rm -f $@.out

# The names of system calls, for a debugging build.
ifdef SANDBOX_DEBUG
$B/src/sandbox/linux_refused.o: $B/sandbox_names.h
endif
$B/sandbox_names.h:
	@mkdir -p $B
	echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
	    sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/{ __NR_\1, "\1" },/p' >$@

include tests/faults/rules.mk

unit: $(unit) $(fault_tools)

# The objects of an ordinary build as a static program, without OpenSSL, for
# tests/it/supervisor/huge_text.t.
$B/tests/static: $(obj) $(huge_script)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(relro) $(static) $(huge_text) -o $@ $(obj) $(libs) \
	    $(if $(bsd_libs),-lbsd -lmd)

# Tests.  TESTS='tests/it/tunnel/ping.t' chooses tests; INETWS=PROGRAM tests that
# program instead.
#
# Sanitizers write their reports to files, because the tests read standard error.
# LeakSanitizer does not change the exit status, because the tests check that too.
# Any report fails the whole run, also one of a child that nobody waits for.  There
# is one exception: LeakSanitizer says that it could not look for leaks, as it does
# in a process that is traced or has changed its user.
#
# With sanitizers some tests are left out: those of other programs, those of files,
# and those that do the same very often.
#
# The slowest begin first, so that no core is idle at the end.
slowest = $(addprefix tests/it/,tunnel/endings.t packaging/deb.t \
	resume/ends.t tunnel/ping.t tls/tickets.t)
all_tests := $(slowest) $(filter-out $(slowest),$(sort \
	$(wildcard tests/it/*.t tests/it/*/*.t tests/scenarios/*/*.t)))
unsanitized = tests/scenarios/% tests/it/packaging/% tests/it/fuzz/% \
	$(addprefix tests/it/,includes.t words.t client/round_trips.t \
	observe/churn.t observe/observing.t observe/page.t resume/crowd.t \
	resume/resume.t resume/session_matrix.t resume/ssh.t sandbox/odd.t \
	supervisor/launchers.t supervisor/launchers_ssh.t supervisor/systemd.t \
	supervisor/upgrade.t supervisor/upgrade_earlier.t \
	tunnel/earlier.t tunnel/ssh.t)
# Tests of the sandbox, which COMPAT=all and COVERAGE=1 do not have.
without_linux = tests/it/sandbox/%
TESTS ?= $(unit) $(if $(SAN),$(filter-out $(unsanitized),$(all_tests)),\
	$(if $(COMPAT)$(COVERAGE),$(filter-out $(without_linux),$(all_tests)),$(all_tests)))
PROVE ?= prove
# Tests wait more than they compute: on two cores, five at a time.
PROVEFLAGS ?= -j5
reports = $(abspath $B)/reports
state = $(reports)/state
compat_env = INETWS_COMPAT=1
san_env = INETWS_SANITIZED=1 INETWS_TEST_SCALE=3 \
	ASAN_OPTIONS=log_path=$(reports)/asan:detect_stack_use_after_return=1 \
	LSAN_OPTIONS=exitcode=0 \
	UBSAN_OPTIONS=log_path=$(reports)/ubsan:print_stacktrace=1

PEERS ?= $(sort $(wildcard tests/peers/*.t))

# Runs the files $1.  Those that fail run once more, one at a time, so that a test
# that fails only under load does not hide the results of others.
# contrib/quickstart names the files that passed only then: they have to be mended.
define run_tests
	@rm -rf $(reports) && mkdir -p -m 1777 $(reports)
	@set -- env INETWS=$${INETWS:-$(abspath $B)/inetws} $(if $(SAN),$(san_env)) \
	    INETWS_FAULTS_LIB=$(abspath $B)/tests/faults \
	    $(if $(COMPAT),$(compat_env)) $(PROVE) -e '' --statefile $(state); \
	"$$@" $(PROVEFLAGS) --state=save $1; status=$$?; \
	if [ $$status != 0 ] && [ -s $(state) ]; then \
	    echo '# once more, one at a time'; \
	    "$$@" -j1 --state=failed,save --timer; status=$$?; \
	fi; \
	! grep -Ls 'LeakSanitizer has encountered a fatal error' \
	    $(reports)/[au]* | xargs -r cat | grep . && exit $$status
endef

check: $B/inetws $(unit) $(fault_tools)
	$(call run_tests,$(TESTS))

# Builds earlier programs from the history (for tests/it/tunnel/earlier.t).
earlier:
	python3 tests/lib/earlier.py

# Tests with programs of others at one end: databases, browsers.
check-peers: $B/inetws
	$(call run_tests,$(PEERS))

# Tests that take minutes: more bytes, more cuts, more sessions.
LONG ?= $(sort $(wildcard tests/long/*.t)) tests/it/resume/answers.t \
	tests/it/fuzz/fuzz.t tests/it/resume/ends.t tests/it/tunnel/cases.t \
	tests/it/resume/crowd.t tests/it/resume/net.t tests/it/reverse/reverse.t \
	tests/it/supervisor/upgrade_earlier.t tests/it/packaging/deb.t
check-long: export INETWS_LONG = 1
check-long: $B/inetws fuzz-check
	$(call run_tests,$(LONG))
	$(MAKE) analyze-all

# Everything at once for ten minutes.  Options in SOAK replace those of soak_full
# (SOAK='--seconds 60 --idle 1000').  check-long runs it at a small scale.
soak_full = --seconds 600 --idle 5000 --busy 500 --churn 2000 --sessions 800 \
	--restarts 8 --hostile 8
soak: $B/inetws
	SOAK="$(soak_full) $(SOAK)" INETWS=$${INETWS:-$(abspath $B)/inetws} \
	    $(PROVE) -v -e '' tests/long/soak.t

# Quick checks of what the compiler does not read: manuals, scripts, Python, words.
scripts = $(shell grep -rlE '^\#!(/bin/sh|/sbin/openrc-run)' contrib \
	tests/scenarios)
lint:
	mandoc -Tlint -Wwarning man/*.[1-9] >&2
	for f in $(scripts); do sh -n $$f || exit; done
	bash -n .ci/run
	if command -v shellcheck >/dev/null; then \
	    shellcheck -s sh $(scripts) && shellcheck .ci/run; fi
	python3 tests/lib/parse.py tests/*/*.py tests/*/*.t tests/*/*/*.t
	tests/it/includes.t
	tests/it/spelling.t
	tests/it/messages.t

include contrib/rules.mk

.PHONY: check check-peers check-long earlier lint soak

# Benchmarks (tests/bench/README.md); options by BENCH='--quick --rounds 1'.
bench_small := $B/tests/bench/trivial $B/tests/bench/forker
bench_without := $B/tests/bench/nostats $B/tests/bench/nosplice
bench_src := $(filter-out %/trivial.c %/forker.c %/nostats.c %/nosplice.c \
	%/path.c,\
	$(wildcard tests/bench/*.c))
bench_obj := $(bench_src:%.c=$B/%.o)
bench_run = INETWS=$${INETWS:-$B/inetws} tests/bench/run.py \
	--tools $B/tests/bench --out $B/bench

$B/tests/bench/load: $(bench_obj)
	$(CC) $(all_cflags) $(all_ldflags) -o $@ $^ $(libs)

$(bench_small) $B/tests/bench/path: $B/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -static -o $@ $<

# Two programs for comparison: one without the statistics page, and one that does
# not move bytes inside the kernel.
stats_kept := $(patsubst %,$B/src/stats/%.o,html metrics render report \
	rundir)
$B/tests/bench/nostats: $(filter-out $(filter-out $(stats_kept),\
	$(filter $B/src/stats/%,$(obj))) $B/src/connection/record.o,$(obj))
$B/tests/bench/nosplice: $(filter-out $B/src/net/splice.o,$(obj))
$(bench_without): %: %.o
	$(CC) $(all_cflags) $(all_ldflags) -o $@ $^ $(libs)

bench: $B/inetws $B/tests/bench/load $(bench_small)
	$(bench_run) $(BENCH)

# What statistics and the sandbox cost, and what splice(2) and sessions do.
bench-costs: $B/inetws $B/tests/bench/load $(bench_without)
	$(bench_run) --contenders socat2,inetws,inetws0,nostats,nosandbox,copies \
	    --only plain.up1,plain.down1,plain.rtt1,plain.rate1,plain.rate32 \
	    --variant 'nostats=$B/tests/bench/nostats --resume 0' \
	    --variant 'nosandbox=$B/inetws --resume 0 --no-sandbox' \
	    --variant 'copies=$B/tests/bench/nosplice --resume 0' $(BENCH)

# Long, slow and broken paths, simulated between two network namespaces.
bench-paths: $B/inetws $B/tests/bench/path
	INETWS=$${INETWS:-$(abspath $B)/inetws} tests/bench/paths.py \
	    --tool $B/tests/bench/path $(BENCH)

# Takes a minute.  Fails if a ratio to socat is below its floor (floors.json) by more
# than the noise.  bench-floors records the floors; it wants a quiet machine.
bench-quick: $B/inetws $B/tests/bench/load $(bench_small)
	$(bench_run) --floors check $(BENCH)

bench-floors: $B/inetws $B/tests/bench/load $(bench_small)
	$(bench_run) --floors record $(BENCH)

bench-smoke: $B/inetws $B/tests/bench/load $(bench_without)
	$(bench_run) --smoke $(BENCH)

# What one more connection costs, with few and with many connections.  GROWTH holds
# options, such as '--many 6000'.
bench-growth: $B/inetws $B/tests/bench/forker
	INETWS=$${INETWS:-$(abspath $B)/inetws} tests/bench/growth.py \
	    --forker $B/tests/bench/forker --most 1.3 $(GROWTH)

.PHONY: bench-growth
.PHONY: bench bench-costs bench-floors bench-paths bench-quick \
	bench-smoke
-include $(bench_obj:.o=.d) $(bench_without:=.d)

include tests/fuzz/rules.mk
include tests/analyze/rules.mk
include tests/coverage/rules.mk
include tests/mutants/rules.mk

clean:
	rm -rf build build-* inetws-*.tar.gz

.PHONY: all unit clean
.SECONDARY:
-include $(obj:.o=.d) $(unit:.t=.d)

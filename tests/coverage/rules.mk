# SPDX-License-Identifier: ISC
# Which branches the tests execute (tests/README.md).
#
#	make coverage		unit tests, corpora of the fuzzers, integration
#				tests; then build-coverage/coverage/index.html
#				and the figures.  Fails if they are too low.
#				With COVERAGE_TESTS=FILES only those
#				integration tests run, and the figures are
#				only shown
#	make coverage-pure	unit tests and corpora, and the figures of the
#				pure folders: a few minutes
COVERAGE_TESTS ?=
counting := build$(if $(VARIANT),-$(VARIANT))-coverage
report = python3 tests/coverage/report.py
# INETWS_SANITIZED: like a program with sanitizers, one that counts has no sandbox,
# and tests must not judge how much memory it takes.
counted_env = INETWS_COUNTED=1 INETWS_SANITIZED=1 INETWS_TEST_SCALE=3

ifdef COVERAGE
$B/inetws $(unit): | $B/tests/coverage/flush.o
$B/tests/coverage/flush.o: tests/coverage/flush.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(warnings) -Wno-missing-prototypes $(CFLAGS) -c -o $@ $<

replays := $(patsubst tests/fuzz/%.c,$B/tests/fuzz/%,$(wildcard tests/fuzz/*.c))
$(replays): $B/tests/fuzz/%: tests/fuzz/%.c tests/coverage/replay.c $B/lib.a | \
    $(generated) $B/tests/coverage/flush.o
	@mkdir -p $(@D)
	$(CC) $(all_cppflags) -Itests/fuzz $(all_cflags) $(all_ldflags) -o $@ \
	    $< tests/coverage/replay.c $B/lib.a $(libs)

# Deletes all earlier counts first.
count-pure: all unit $(replays)
	find $B -name '*.gcda' -delete
	chmod -R a+rwX $B
	-umask 0; $(counted_env) SEEDS=1500 \
	    $(PROVE) -j2 -e '' $(unit)
	umask 0; for f in $(replays); do \
	    $$f tests/fuzz/corpus/$${f##*/}/* || exit; done
.PHONY: count-pure
endif

coverage-pure:
	$(MAKE) COVERAGE=1 count-pure
	$(report) --pure $(counting)

# The umask is 0 because processes of any user write counts.  Some tests may fail
# because the sandbox is off or because everything is slower; the report is made
# all the same.
coverage:
	$(MAKE) COVERAGE=1 count-pure
	-umask 0; $(counted_env) $(MAKE) COVERAGE=1 check \
	    TESTS='$(or $(COVERAGE_TESTS),$(filter-out $(without_linux),$(all_tests)))'
	$(report) $(if $(COVERAGE_TESTS),--show) $(counting)

.PHONY: coverage coverage-pure

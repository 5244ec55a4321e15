# SPDX-License-Identifier: ISC
# Which branches the tests execute (tests/README.md).
#
#	make coverage		unit and integration tests, then
#				build-coverage/coverage/index.html and the
#				figures; COVERAGE_TESTS= chooses other tests
COVERAGE_TESTS ?=

ifdef COVERAGE
$B/inetws $(unit): | $B/tests/coverage/flush.o
$B/tests/coverage/flush.o: tests/coverage/flush.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(warnings) -Wno-missing-prototypes $(CFLAGS) -c -o $@ $<
endif

# Counts are written by processes of any user.  A test that fails, as with
# sanitizers because the sandbox is off or because all is slower, does not end it.
coverage:
	$(MAKE) COVERAGE=1 all unit
	find build-coverage -name '*.gcda' -delete
	chmod -R a+rwX build-coverage
	-umask 0; INETWS_COMPAT=1 INETWS_TEST_SCALE=3 $(MAKE) COVERAGE=1 check \
	    $(if $(COVERAGE_TESTS),TESTS='$(COVERAGE_TESTS)')
	python3 tests/coverage/report.py build-coverage

.PHONY: coverage

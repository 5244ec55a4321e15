# SPDX-License-Identifier: ISC
# Fuzzing with clang's libFuzzer.  tests/fuzz/NAME.c is a harness, its corpus
# is tests/fuzz/corpus/NAME.
#
#	make fuzz-NAME		for FUZZ_SECONDS; finds are kept in $F
#	make fuzz		all of them, one after the other
#	make fuzz-short		replays each corpus and searches a little, the
#				same each time; part of check
#				(tests/it/fuzz/fuzz.t)
#	make fuzz-merge-NAME	adds those inputs to the corpus that reach new code
#	make fuzz-build		only builds
#
# The harness itself is not instrumented for coverage: libFuzzer shall look for
# inputs that reach new code in src/, not in the harness.
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_FLAGS ?= -max_len=2048 -len_control=20 -timeout=20 -rss_limit_mb=1024

F := build$(if $(VARIANT),-$(VARIANT))/fuzz
fuzz_names := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
fuzz_bin := $(fuzz_names:%=$F/%)
fuzz_obj := $(patsubst %.c,$F/%.o,$(filter-out $(main),$(src)))
fuzz_san := address,undefined
fuzz_cflags = -std=gnu11 $(warnings) -g -O1 -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -DTUNNEL_CHECK

$F/lib.a: $(fuzz_obj)
	@rm -f $@
	$(AR) rcs $@ $^

$F/src/%.o: src/%.c Makefile tests/fuzz/rules.mk | $(generated)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(all_cppflags) $(fuzz_cflags) -MMD -MP \
	    -fsanitize=fuzzer-no-link,$(fuzz_san) -c -o $@ $<

$F/tests/fuzz/%.o: tests/fuzz/%.c Makefile tests/fuzz/rules.mk | $(generated)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(all_cppflags) -Itests/fuzz $(fuzz_cflags) -MMD -MP \
	    -fsanitize=$(fuzz_san) -c -o $@ $<

# A harness as make fuzz and as make coverage build it.
harness = $F/$1 $B/tests/fuzz/$1
$(call harness,cert) $(call harness,ticket): libs += $(openssl_libs)
# Functions that the harness replaces: the clock, which the input sets; and what
# writes lines of the log, shares memory, sleeps, or opens sockets.
wrapped = $(addprefix -Wl$(comma)--wrap=,$1)
$(call harness,channel): libs += $(call wrapped,clock_ms memory_shared)
$(call harness,log): libs += $(call wrapped,log_output_write)
$(call harness,messages): libs += $(call wrapped,clock_ms clock_poll socket)
$(call harness,slots): libs += $(call wrapped,clock_ms log_output_write)
$(call harness,stats): libs += $(call wrapped,usleep)
$(fuzz_bin): $F/%: $F/tests/fuzz/%.o $F/lib.a
	$(FUZZ_CC) -fsanitize=fuzzer,$(fuzz_san) -o $@ $^ $(libs)

fuzz-build: $(fuzz_bin)

fuzz_runs := $(fuzz_names:%=fuzz-%)
$(fuzz_runs): fuzz-%: $F/%
	@mkdir -p $F/found/$* tests/fuzz/corpus/$*
	$F/$* $(FUZZ_FLAGS) -max_total_time=$(FUZZ_SECONDS) \
	    -artifact_prefix=$F/$*- $F/found/$* tests/fuzz/corpus/$*

fuzz: $(fuzz_runs)

fuzz_merges := $(fuzz_names:%=fuzz-merge-%)
$(fuzz_merges): fuzz-merge-%: $F/%
	@mkdir -p $F/found/$* tests/fuzz/corpus/$*
	$F/$* $(FUZZ_FLAGS) -merge=1 tests/fuzz/corpus/$* $F/found/$*

# "yes" if there is a compiler with libFuzzer.
fuzz_able = $(shell mkdir -p $F && \
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	$(FUZZ_CC) -fsanitize=fuzzer,$(fuzz_san) -x c -o $F/able - \
	2>/dev/null && echo yes)

# Builds the harnesses for tests/it/fuzz/fuzz.t.  Without such a compiler nothing is
# built, and that test says why it skips.
fuzz-check:
	$(if $(fuzz_able),@$(MAKE) --no-print-directory fuzz-build,\
	    @rm -f $F/able)

fuzz-short: fuzz-check
	FUZZ=$(abspath $F) $(PROVE) -v tests/it/fuzz/fuzz.t

.PHONY: fuzz fuzz-build fuzz-check fuzz-short $(fuzz_runs) $(fuzz_merges)
-include $(fuzz_obj:.o=.d) $(fuzz_names:%=$F/tests/fuzz/%.d)

# SPDX-License-Identifier: ISC
# Do the tests notice a change of the program?  (tests/README.md)
#
#	make mutants				the pure folders
#	make mutants MUTANTS='--room net --count 3 --seed 2'
#	make mutants MUTANTS='--file src/ws/frame.c --count 50'
#	make mutants MUTANTS='--one src/ws/frame.c:57:12:1'	one again
MUTANTS ?=
MUTANTS_JOBS ?= 2
MUTANTS_NICE ?= 19

# Without -g: a change is equivalent if it compiles to the same object file, and
# debugging information would differ.
mutants:
	$(MAKE) VARIANT=mutants CFLAGS=-O2 mutants-run

$B/tests/unit/%.o: all_cppflags += -Itests/unit

mutants-run: $B/inetws $B/lib.a $(unit:.t=.o) $(fault_tools)
	@CCACHE_DISABLE=1 nice -n $(MUTANTS_NICE) python3 tests/mutants/run.py --build $B \
	    --jobs $(MUTANTS_JOBS) $(MUTANTS) -- $(CC) $(all_cppflags) \
	    $(all_cflags) -- $(CC) $(all_cflags) $(all_ldflags) -- $(libs) \
	    -- $(openssl_libs)

.PHONY: mutants mutants-run

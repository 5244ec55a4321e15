# SPDX-License-Identifier: ISC
# What analyzers find in src/ (tests/README.md).
#
#	make analyze		gcc and cppcheck over all, clang-tidy over the
#				pure folders; part of .ci/run
#	make analyze-all	clang-tidy over all as well: many minutes
ANALYZE_JOBS ?= 2
analyze_run = python3 tests/analyze/run.py --jobs $(ANALYZE_JOBS) --made $B \
	$1 $(src) -- $(all_cppflags) -std=gnu11

analyze: | $(generated)
	@$(call analyze_run)

analyze-all: | $(generated)
	@$(call analyze_run,--all)

.PHONY: analyze analyze-all

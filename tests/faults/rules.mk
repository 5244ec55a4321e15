# SPDX-License-Identifier: ISC
# Faults under the real program (tests/README.md).
#
#	make check-faults			thousands of tunnels
#	make check-faults FAULTS='--seeds 5000-5100'
#	make check-faults FAULTS='--seed 17 -v'	one round again
FAULTS ?= --seeds 1-300

fault_tools := $(if $(filter linux,$(system)),\
	$B/tests/faults/faults.so $B/tests/faults/plug)

$B/tests/faults/faults.so: tests/faults/faults.c tests/faults/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(warnings) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

$B/tests/faults/plug: tests/faults/plug.c tests/faults/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(warnings) $(CFLAGS) -o $@ $<

check-faults: $B/inetws $(fault_tools)
	INETWS=$${INETWS:-$(abspath $B)/inetws} \
	    INETWS_FAULTS_LIB=$(abspath $B)/tests/faults \
	    nice -n 19 python3 tests/faults/run.py $(FAULTS)

.PHONY: check-faults

# SPDX-License-Identifier: GPL-2.0
# What the Makefiles of programs share; $(OUT) and CFLAGS are set before. Builds $(OUT)/version.o, which
# knows the version, and gives a program its --version.

version-lib := $(dir $(lastword $(MAKEFILE_LIST)))
include $(version-lib)checkout.mk
version-from := $(addprefix $(version-lib),version.c version.h version.sh ../driver/main.c)
VERSION := $(shell $(version-lib)version.sh)

# The name of the checkout is in no program: a VM that repeats itself has them in its memory.
override CFLAGS += -ffile-prefix-map=$(abspath $(version-lib)..)=.

# No option of the language: everybody's warnings are errors.
$(OUT)/version.o: $(version-from)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror $(CFLAGS) \
		-DSECMMU_VERSION='"$(VERSION)"' -c -o $@ $<

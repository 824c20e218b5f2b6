# SPDX-License-Identifier: GPL-2.0
# Refuses, before anything is made, what make and Kbuild cannot cope with: names are words
# to both.
ifneq ($(words [$(CURDIR)]),1)
$(error the path of this checkout has blanks in it, which make and the kernel's build \
	cannot cope with: $(CURDIR); move it)
endif

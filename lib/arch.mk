# SPDX-License-Identifier: GPL-2.0
# For which architecture programs are built: this machine's or, with ARCH=arm64, for the guests
# of another, by a cross compiler. These go to $(BUILD)/arm64. Included before BUILD is used.

HOST_ARCH := $(shell uname -m | sed 's/^aarch64$$/arm64/')
ARCH ?= $(HOST_ARCH)
ifeq ($(filter $(ARCH),x86_64 arm64),)
$(error ARCH is x86_64 or arm64, not $(ARCH))
endif
ifneq ($(ARCH),$(HOST_ARCH))
CROSS := $(if $(filter arm64,$(ARCH)),aarch64,x86-64)-linux-gnu-
override BUILD := $(BUILD)/$(ARCH)
ifeq ($(origin CC),default)
CC := $(CROSS)gcc
endif
OBJCOPY := $(CROSS)objcopy
endif

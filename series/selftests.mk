# SPDX-License-Identifier: GPL-2.0
CFLAGS += -O2 -g -Wall -std=gnu11 -D_GNU_SOURCE= -pthread -Ilib $(KHDR_INCLUDES)

TEST_GEN_PROGS

TEST_FILES := settings

include ../lib.mk

$(TEST_GEN_PROGS): lib/secmmu_test.c lib/secmmu_sys.c lib/secmmu_group.c lib/client.c

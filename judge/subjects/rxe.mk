# SPDX-License-Identifier: GPL-2.0
# libibverbs, linked statically from the cache; without it there is no such subject, nor in
# guests of another architecture.
IBVERBS := $(strip $(if $(CROSS),,$(if $(filter-out clean installed,$(or $(MAKECMDGOALS),all)), \
	   $(shell $(dir $(lastword $(MAKEFILE_LIST)))rxe.sh))))
ifeq ($(IBVERBS),)
SUBJECTS := $(filter-out rxe,$(SUBJECTS))
else
FLAGS_rxe := -isystem $(IBVERBS)/include
LIBS += -L$(IBVERBS)/lib -lrxe-rdmav34 -libverbs -lnl-route-3 -lnl-3
endif

# SPDX-License-Identifier: GPL-2.0
# libibverbs, linked statically from the cache; without it there is no such subject.
IBVERBS := $(strip $(if $(filter-out clean installed,$(or $(MAKECMDGOALS),all)), \
	   $(shell $(dir $(lastword $(MAKEFILE_LIST)))rxe.sh)))
ifeq ($(IBVERBS),)
SUBJECTS := $(filter-out rxe,$(SUBJECTS))
else
FLAGS_rxe := -isystem $(IBVERBS)/include
LIBS += -L$(IBVERBS)/lib -lrxe-rdmav34 -libverbs -lnl-route-3 -lnl-3
endif

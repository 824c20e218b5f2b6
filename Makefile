# SPDX-License-Identifier: GPL-2.0
# In a kernel tree this is a Kbuild file; on its own, the way to everything.
ifneq ($(KERNELRELEASE),)

obj-$(CONFIG_SECMMU) += driver/

else

export BUILD := $(CURDIR)/build
KDIR ?= /lib/modules/$(shell uname -r)/build
TEST ?=

.PHONY: help setup tools modules run check check-all mutants mutants-refresh mutants-auto \
	models bench bench-compare soak fuzz clean
.DEFAULT_GOAL := help

help:
	@echo 'make run [LONGER=300]'
	@echo '              boot a test VM, mirror a KVM guest in a 30 s storm, compare'
	@echo '              flush batching; results in build/run/. A storm that has proved'
	@echo '              too little goes on for LONGER seconds at most'
	@echo 'make check    build, boot and test everything; ends with N passed, N failed,'
	@echo '              N skipped; logs in build/check/'
	@echo 'make check-all'
	@echo '              the same, and what takes too long for every day; both take'
	@echo '              STEPS="NAME ...", the steps to take once everything is built'
	@echo 'make mutants [QUICK=1] [MUTANT=NAME] [KERNEL=6.1] [JOBS=2]'
	@echo '              each seeded bug of a test build must be noticed by a test; all'
	@echo '              gated tests against all of them, or with QUICK=1 each against'
	@echo '              the test that is named for it; matrix in build/mutants/'
	@echo 'make mutants-refresh'
	@echo '              carry the seeded bugs, which are patches, over a changed driver'
	@echo 'make mutants-auto [FILE="NAME ..."] [SAMPLE=N] [SEED=N] [KERNEL=newest] [JOBS=2]'
	@echo '              make mutants of the sources of the driver (all of them take many'
	@echo '              hours: SAMPLE=100 takes one or two) and run tests against each'
	@echo '              until one kills it; begun again, it goes on where it was; report'
	@echo '              in build/mutants-auto/; ARGS=--list only lists them'
	@echo 'make models   check the models of the protocols, and that each is found out when'
	@echo '              it is broken, and litmus tests; logs in build/models/'
	@echo 'make bench [QUICK=1] [ICOUNT=1]'
	@echo '              run the benchmarks in a test VM; tables, plots and raw results'
	@echo '              in build/bench/; QUICK=1 takes three minutes at most, ICOUNT=1'
	@echo '              counts instructions instead (build/bench-icount/)'
	@echo 'make bench-compare BASE=FILE [WITH=FILE]'
	@echo '              what moved beyond the spread between two results.jsonl; WITH is'
	@echo '              that of the latest make bench by default'
	@echo 'make soak [SECONDS=600] [SEED=N] [KERNEL=6.1] [CYCLES=10000] [RELOADS=200]'
	@echo '              the long run: processes killed, the driver reloaded (debug and'
	@echo '              kcsan: 100 and 10 times), then storms for the rest of the time;'
	@echo '              logs in build/soak/'
	@echo 'make fuzz [SECONDS=60] [SEED=N] [KERNEL=debug] [MUTANT=NAME] [PROGRAM=FILE]'
	@echo '              random programs against a test build, chosen by what they reach;'
	@echo '              one that fails is shrunk to build/fuzz/reproducer.txt, which'
	@echo '              PROGRAM= runs again'
	@echo 'make modules [KDIR=...] [TEST=1]'
	@echo '              the driver for the running kernel, or for a build folder;'
	@echo '              TEST=1 adds the test instruments, but no seeded bugs'
	@echo 'make tools    the test VM, the mini-VMM, the selftests and the fuzzer'
	@echo 'make setup    install what is missing (as root, through apt)'
	@echo 'make clean    remove build/ (kernels stay cached outside the checkout)'

setup:
	@check/setup.sh

tools: setup
	@$(MAKE) --no-print-directory -C testvm
	@$(MAKE) --no-print-directory -C vmm
	@$(MAKE) --no-print-directory -C selftests
	@$(MAKE) --no-print-directory -C fuzz

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver CONFIG_SECMMU=m \
		$(if $(TEST),CONFIG_SECMMU_TEST=y) modules

run:
	@check/run.sh

check:
	@check/check.sh

check-all:
	@check/check.sh --all

mutants:
	@mutants/mutants.pl $(if $(QUICK),--quick)

mutants-refresh:
	@mutants/patches.pl refresh

mutants-auto:
	@mutants/mutants.pl --auto $(ARGS)

models:
	@models/models.sh

bench:
	@bench/bench.sh $(if $(QUICK),--quick) \
		$(if $(ICOUNT),--icount --out '$(BUILD)/bench-icount')

bench-compare:
	@test -n '$(BASE)' || { echo >&2 'which results to compare with? BASE=FILE'; exit 2; }
	@$(MAKE) -s -C bench
	@perl bench/compare.pl '$(BASE)' '$(or $(WITH),$(BUILD)/bench/results.jsonl)'

# Shells have a SECONDS of their own.
soak:
	@SOAK_SECONDS='$(SECONDS)' SEED='$(SEED)' check/soak.sh

fuzz:
	@FUZZ_SECONDS='$(SECONDS)' fuzz/fuzz.sh

clean:
	rm -rf build
	@if [ -d $(KDIR) ]; then \
		$(MAKE) -C $(KDIR) M=$(CURDIR)/driver clean; fi

endif

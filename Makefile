# SPDX-License-Identifier: GPL-2.0
# In a kernel tree this is a Kbuild file; on its own, the way to everything.
ifneq ($(KERNELRELEASE),)

obj-$(CONFIG_SECMMU) += driver/

else

export BUILD := $(CURDIR)/build
include lib/checkout.mk
# What can be made for guests of another architecture.
ifneq ($(filter-out x86_64,$(ARCH)),)
ARCH_GOALS := help setup tools judge mutants check-arm64 clean
ifneq ($(ARCH)$(filter-out $(ARCH_GOALS),$(or $(MAKECMDGOALS),help)),arm64)
$(error ARCH is x86_64, or arm64 for $(ARCH_GOALS))
endif
endif
KDIR ?= /lib/modules/$(shell uname -r)/build
TEST ?=
comma := ,

# A setting that no command has is a slip of the pen. Those that people need are in help below;
# the kernel's build and installation take more.
ifeq ($(filter modules install% uninstall,$(MAKECMDGOALS)),)
SETTINGS := $(sort $(shell grep -o '[A-Z][A-Z]*=' '$(CURDIR)/Makefile' | tr -d =)) \
	BUILD V CC CFLAGS CPPFLAGS LDFLAGS REPEAT TRIES TIMES CPUS LIST SCHEDULES APPEND LIMIT \
	PARALLEL_SSH SBATCH_% SECMMU_%
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(if \
	$(filter $(SETTINGS),$(name)),,$(error there is no setting "$(name)"; see make help))))
endif

.PHONY: help setup tools modules run check check-all judge judge-sensitivity found mutants \
	mutants-refresh mutants-auto storm storm-power storm-alone explore explore-table replay models bench \
	bench-compare soak fuzz campaign check-arm64 series install install-module install-device \
	install-tools uninstall deb clean
.DEFAULT_GOAL := help

help:
	@echo 'Values in brackets are the defaults; SEED=N is drawn by lot. Documentation/README.md'
	@echo 'says where to read about each command.'
	@echo
	@echo 'make run [SECONDS=10] [LONGER=300] [SEED=N] [KERNEL=6.1] [FREE=]'
	@echo '              boot a test VM, compare flush policies, mirror a KVM guest in a storm;'
	@echo '              results in build/run/. The same SEED makes the same run; with FREE=1'
	@echo '              processors run in parallel. An unproven storm continues for up to'
	@echo '              LONGER seconds'
	@echo 'make check [STEPS="NAME ..."] [JOBS=3]'
	@echo '              build, boot and test everything; ends with N passed, N failed,'
	@echo '              N skipped; logs in build/check/'
	@echo 'make check-all [STEPS="NAME ..."] [JOBS=3]'
	@echo '              the same, with the steps that take long. Both run all steps, JOBS at a'
	@echo '              time, or those in STEPS, and build what these need first;'
	@echo '              check/check.sh --all --list prints their names'
	@echo 'make check-arm64 [KERNEL=6.1] [FLAVOUR=normal] [TESTS="NAME ..."]'
	@echo '              run selftests and storms in a VM for arm64, with a cross compiler; logs'
	@echo '              in build/arm64/check/'
	@echo 'make judge [SUBJECT="NAME ..."] [CHECK=PATTERN] [KERNEL=NAME] [JOBS=2]'
	@echo '           [STORM=SECONDS] [SEED=1] [ARCH=arm64] [IOMMU=amd]'
	@echo '           [ADAPTER=FILE.c MODULE=FILE.ko]'
	@echo '              run each check against secondary MMUs: this driver, KVM, HMM and'
	@echo '              others, or one of your own, each on its own kernel by default; the'
	@echo '              matrix of verdicts is in build/judge/out/'
	@echo 'make judge-sensitivity [FIX="NAME ..."]'
	@echo '              build modules of the kernel with a known fix taken back, and show'
	@echo '              which checks of the judge see it; matrix in build/sensitivity/out/'
	@echo 'make found [BUG="NAME ..."] [KERNEL=NAME]'
	@echo '              run the reproducers of bugs that this project has found in the'
	@echo '              kernel, and compare the results with found/recorded'
	@echo 'make mutants [QUICK=] [MUTANT="NAME ..."] [KERNEL=6.1] [JOBS=2] [ARCH=arm64]'
	@echo '              run all gated tests against each seeded bug of a test build, or with'
	@echo '              QUICK=1 the test that the bug names; matrix in build/mutants/'
	@echo 'make mutants-refresh'
	@echo '              carry the seeded bugs, which are patches, over a changed driver'
	@echo 'make mutants-auto [FILE="NAME ..."] [SAMPLE=N] [SEED=1] [QUICK=] [KERNEL=newest]'
	@echo '              change the driver at each place, and run tests against each change'
	@echo '              until one fails; report in build/mutants-auto/. All places take many'
	@echo '              hours, SAMPLE=100 one or two; the same command continues. ARGS=--list'
	@echo '              only lists the changes'
	@echo 'make storm [SECONDS=600] [KERNEL=6.1] [SUBJECT=secmmu] [SEED=1] [CPUS=4]'
	@echo '           [ARGS="OPTION ..."]'
	@echo '              have a storm perform all operations at once, in a VM that has what they'
	@echo '              need; numbers and curves in build/storm/. ARGS are options of secmmu-vmm'
	@echo '              storm; SUBJECT is secmmu, kvm or procmem'
	@echo 'make storm-power [MUTANT="NAME ..."] [SECONDS=60] [SEEDS=3] [QUICK=] [WAYS="plain sharp"]'
	@echo '              have a storm find the seeded bugs by itself, in two ways; table in'
	@echo '              build/power/. QUICK=1 takes 16 bugs; the same command continues,'
	@echo '              ARGS=--list only shows what is known'
	@echo 'make storm-alone [KERNEL=6.1] [SECONDS=60] [OPERATION="NAME ..."] [SUBJECT=secmmu] [SEED=1]'
	@echo '           [CPUS=4]'
	@echo '              have a storm do one operation alone, then the next, until all were'
	@echo '              alone; each must reach its path in the kernel'
	@echo 'make explore TEST=SCENARIO [SEEDS=1-1000] [POLICY=pct:2] [MUTANT=none]'
	@echo '           [KERNEL=6.1]'
	@echo '              play a short race under one schedule after the other, in a test VM'
	@echo '              that repeats itself, until something is wrong; results in'
	@echo '              build/explore/. make explore-table tries the seeded bugs'
	@echo 'make replay RUN=DIR [TIMES=1] [BREAK=PLACE] [AT=BLOCK] [GDB=1] [TRACE=FILE]'
	@echo '              repeat a failure; the line that reported it names DIR. Says whether'
	@echo '              digests are equal, and when PLACE (a function, or FILE:LINE of the'
	@echo '              driver) was passed; GDB=1 stops there, or where the failure was seen'
	@echo 'make models   check the models of the protocols, that spin finds each error put into'
	@echo '              them, and the litmus tests; logs in build/models/'
	@echo 'make bench [QUESTIONS="WORD ..."] [QUICK=] [ICOUNT=] [CPUS=] [KERNEL=6.1]'
	@echo '              run the benchmarks in a test VM; tables, plots and raw results in'
	@echo '              build/bench/. QUICK=1 takes four minutes; ICOUNT=1 counts'
	@echo '              instructions instead (build/bench-icount/), CPUS=6 those of so many'
	@echo '              processors that take turns'
	@echo 'make bench-compare BASE=FILE [WITH=FILE]'
	@echo '              show the differences beyond the spread between two results.jsonl;'
	@echo '              WITH is that of the latest make bench by default'
	@echo 'make soak [SECONDS=600] [SEED=N] [KERNEL=6.1] [CYCLES=10000] [RELOADS=200]'
	@echo '              mirror and kill CYCLES processes, reload the driver RELOADS times'
	@echo '              (debug and kcsan: 100 and 10), then run storms for the rest of the'
	@echo '              time; logs in build/soak/'
	@echo 'make fuzz [SECONDS=60] [SEED=N] [KERNEL=debug] [MUTANT=none] [PROGRAM=FILE]'
	@echo '              run random programs against a test build, and prefer those that reach'
	@echo '              new places; shrink one that fails to build/fuzz/reproducer.txt, which'
	@echo '              PROGRAM= runs again'
	@echo 'make campaign WHAT=soak|fuzz|mutants|mutants-auto|explore|judge|list [SEEDS=1-10]'
	@echo '           [ON=local|parallel|slurm] [DIR=build/campaign] [JOBS=N] [HOSTS=LIST]'
	@echo '              run many tasks, each with a seed of its own, here, on machines by ssh or'
	@echo '              on a Slurm cluster; results of all campaigns are in DIR/results.db and'
	@echo '              DIR/index.html. The same command continues. Without WHAT, collect only'
	@echo 'make modules [KDIR=...] [TEST=1]'
	@echo '              build the driver for the running kernel, or for a build folder;'
	@echo '              TEST=1 adds the test instruments, but no seeded bugs'
	@echo 'make install [DESTDIR=] [PREFIX=/usr/local] [KDIR=...]'
	@echo '              build and install the driver, secmmu-vmm, secmmu-attach, their manual'
	@echo '              pages and a udev rule; make uninstall removes them'
	@echo 'make series   make patches against 7.3 of the driver, its KUnit suites, selftests and'
	@echo '              documents, without what other kernels and test builds need, in'
	@echo '              build/series/patches/; each must build, and checkpatch be content'
	@echo 'make deb      build Debian packages of the same, secmmu-dkms and secmmu-tools, in'
	@echo '              build/deb/'
	@echo 'make tools [ARCH=arm64]'
	@echo '              build the test VM, the mini-VMM, the selftests and the fuzzer'
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
	@test -e '$(KDIR)/Makefile' || { echo >&2 'make modules: no kernel headers in $(KDIR):' \
		'apt install linux-headers-$(shell uname -r), or name a build folder by KDIR='; exit 2; }
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver CONFIG_SECMMU=m \
		$(if $(TEST),CONFIG_SECMMU_TEST=y) modules

# Shells have a SECONDS of their own.
run:
	@RUN_SECONDS='$(SECONDS)' check/run.sh

check:
	@check/check.sh

check-all:
	@check/check.sh --all

check-arm64:
	@check/arm64.sh

# SUBJECT, CHECK, KERNEL, ADAPTER and MODULE reach it by the environment.
judge:
	@judge/judge.sh

found:
	@found/found.sh

judge-sensitivity:
	@judge/sensitivity/sensitivity.sh $(FIX)

mutants:
	@mutants/mutants.pl $(if $(QUICK),--quick)

mutants-refresh:
	@mutants/patches.pl refresh

mutants-auto:
	@mutants/mutants.pl --auto $(if $(QUICK),--quick) $(ARGS)

storm-power:
	@POWER_SECONDS='$(SECONDS)' mutants/mutants.pl --power $(if $(QUICK),--quick) $(ARGS)

storm:
	@STORM_SECONDS='$(SECONDS)' check/storms.sh

storm-alone:
	@STORM_SECONDS='$(SECONDS)' check/storms.sh --alone

explore:
	@explore/explore.sh --seeds '$(or $(SEEDS),1-1000)' --policy '$(or $(POLICY),pct:2)' \
		--mutant '$(or $(MUTANT),none)' '$(TEST)'

explore-table:
	@explore/explore.sh --seeds '$(or $(SEEDS),1-1000)' \
		--policy '$(or $(POLICY),pct:2$(comma)pct:3)' --table

replay:
	@replay/replay.sh $(if $(TIMES),--times '$(TIMES)') $(foreach place,$(BREAK),--break '$(place)') \
		$(if $(AT),--at '$(AT)') $(if $(GDB),--gdb) $(if $(TRACE),--trace '$(TRACE)') \
		'$(RUN)'

models:
	@models/models.sh

bench:
	@bench/bench.sh $(if $(QUICK),--quick) \
		$(if $(ICOUNT),--icount $(if $(CPUS),--cpus '$(CPUS)') \
			--out '$(BUILD)/bench-icount') $(QUESTIONS)

bench-compare:
	@test -r '$(BASE)' || { echo >&2 'which results to compare with? BASE=FILE, not "$(BASE)"'; \
		exit 2; }
	@$(MAKE) -s -C bench
	@perl bench/compare.pl '$(BASE)' '$(or $(WITH),$(BUILD)/bench/results.jsonl)'

soak:
	@SOAK_SECONDS='$(SECONDS)' check/soak.sh

fuzz:
	@FUZZ_SECONDS='$(SECONDS)' fuzz/fuzz.sh

series:
	@series/series.sh

campaign:
	@CAMPAIGN_SECONDS='$(SECONDS)' campaign/campaign.sh \
		$(if $(WHAT),'$(WHAT)' '$(or $(SEEDS),1-10)',--collect)

# Names that have a folder mean the caller's.
install install-module install-device install-tools uninstall:
	@$(MAKE) --no-print-directory -C packaging $@ BUILD='$(BUILD)' \
		$(foreach name,DESTDIR KDIR MODULE,$(if $($(name)),$(name)='$(abspath $($(name)))'))

deb:
	@packaging/deb.sh

# What Kbuild leaves beside sources, whichever kernel it was for.
clean:
	rm -rf build
	find . \( -name .git -prune \) -o -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name modules.order \
		-o -name Module.symvers \) -exec rm -f {} +
	find . -name .tmp_versions -type d -exec rm -rf {} +

endif

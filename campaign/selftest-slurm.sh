# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# shellcheck disable=SC2034,SC2046,SC2317 # of campaign.sh; names; try calls them
# A Slurm cluster of two nodes on the loopback device, and the death of one of them.

cluster=$scratch/cluster
# Four ports that another cluster on this machine does not use.
base=$((20000 + RANDOM % 2000 * 4))

configure()
{
	mkdir -p "$cluster/state" "$cluster/log" "$cluster/run"
	dd if=/dev/urandom of="$cluster/key" bs=128 count=1 2> /dev/null
	chmod 600 "$cluster/key"
	chmod 755 "$scratch" "$cluster" "$cluster/run"
	cat > "$cluster/slurm.conf" <<-END
		ClusterName=secmmu
		SlurmctldHost=$(hostname)(127.0.0.1)
		SlurmctldPort=$base
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		AuthInfo=socket=$cluster/run/munge.socket,cred_expire=10
		StateSaveLocation=$cluster/state
		SlurmdSpoolDir=$cluster/spool-%n
		SlurmctldPidFile=$cluster/run/slurmctld.pid
		SlurmdPidFile=$cluster/run/%n.pid
		SlurmctldLogFile=$cluster/log/slurmctld
		SlurmdLogFile=$cluster/log/%n
		CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		ReturnToService=2
		SlurmdTimeout=20
		SlurmdParameters=config_overrides
		InactiveLimit=0
		KillWait=5
		JobRequeue=1
		SchedulerParameters=requeue_delay=1,batch_sched_delay=0,bf_interval=2,sched_interval=2
		MpiDefault=none
		AccountingStorageType=accounting_storage/none
		NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((base + 1)) CPUs=4
		NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((base + 2)) CPUs=4
		PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
	END
	export SLURM_CONF=$cluster/slurm.conf
}

start_cluster()
{
	ended+=(stop_cluster)
	munged --force --key-file "$cluster/key" --socket "$cluster/run/munge.socket" \
		--pid-file "$cluster/run/munge.pid" --log-file "$cluster/log/munge" \
		--seed-file "$cluster/seed" &&
		slurmctld -f "$SLURM_CONF" && slurmd -N n1 -f "$SLURM_CONF" &&
		slurmd -N n2 -f "$SLURM_CONF" || return
	for _ in {1..300}; do
		[ "$(sinfo -h -N -t idle | wc -l)" != 2 ] || return 0
		sleep 0.1
	done
	cat "$cluster"/log/*
	return 1
}

# What node $1 runs, and the process of Slurm that each of it was started by. Tasks are short:
# this must not take long.
processes_of()
{
	local processes

	processes=$(grep -lzxsF "SLURMD_NODENAME=$1" $(grep -lzxsF "SLURM_CONF=$SLURM_CONF" \
		/proc/[0-9]*/environ) /dev/null | sed 's|[^0-9]||g')
	[ "$processes" ] || return 0
	ps -o pid=,ppid= -p "$(tr '\n' , <<< "$processes")1" | awk '$1 != 1 { print $1; print $2 }' |
		sort -u | while read -r process; do
		case $(cat "/proc/$process/comm" 2> /dev/null) in
		slurmstepd) echo "$process" ;;
		*) ! grep -qxF "$process" <<< "$processes" || echo "$process" ;;
		esac
	done
}

# Node $1 dies with all that it runs. Prints how much that was.
kill_node()
{
	local -a processes

	mapfile -t processes < <(processes_of "$1")
	kill -KILL "$(cat "$cluster/run/$1.pid")" "${processes[@]}" 2> /dev/null
	echo "${#processes[@]}"
}

stop_cluster()
{
	local name

	scancel -u root > /dev/null 2>&1
	kill_node n1 > /dev/null 2>&1
	kill_node n2 > /dev/null 2>&1
	for name in slurmctld munge; do
		[ ! -s "$cluster/run/$name.pid" ] || kill "$(cat "$cluster/run/$name.pid")"
	done
	sleep 1
}

# 200 tasks, and the death of a node while it has three at least, each with four processes: one
# or two may be about to end, or be such as are begun again anyway. They are begun again elsewhere.
node_dies()
{
	local job killed status=0

	make_list 200 2
	ON=slurm CPUS=1 CAMPAIGN_POLL=2 "$top/campaign/campaign.sh" list 1-200 &
	job=$!
	until { [ "$(wc -l < "$scratch/ended")" -ge 30 ] &&
		[ "$(processes_of n2 | wc -l)" -ge 12 ]; } || ! kill -0 "$job"; do
		sleep 0.1
	done
	killed=$(kill_node n2)
	wait "$job" || status=$?
	echo "killed $killed processes of n2, status $status"
	sql "SELECT 'host ' || host, count(*), 'begun again', sum(tries > 1 AND seed % 10 NOT IN (5, 7))
		FROM results GROUP BY host"
	[ "$status" = 1 ] && complete 200 &&
		[ "$(sql "SELECT count(*) FROM results WHERE tries > 1 AND seed % 10 NOT IN (5, 7)")" -gt 0 ] &&
		[ "$(sql "SELECT count(*) FROM results WHERE host = 'n2'")" -gt 0 ] &&
		[ "$(sql "SELECT count(*) FROM results WHERE host = 'n1'")" -gt 100 ]
}

# The campaign is interrupted; Slurm is not, and its jobs are waited for.
is_waited_for()
{
	local job

	make_list 12 3
	ON=slurm CPUS=1 CAMPAIGN_POLL=2 "$top/campaign/campaign.sh" list 1-12 > "$scratch/said" &
	job=$!
	until grep -q 'as jobs' "$scratch/said" || ! kill -0 "$job"; do
		sleep 0.1
	done
	kill "$job"
	wait "$job"
	ON=slurm CPUS=1 CAMPAIGN_POLL=2 run 1 list 1-12 > "$scratch/said" || return
	cat "$scratch/said"
	grep -q '^== waiting for jobs' "$scratch/said" && complete 12
}

if [ "$(id -u)" != 0 ]; then
	echo "ok - campaign, a node of a Slurm cluster dies # SKIP needs root"
elif ! PACKAGES="munge slurmctld slurmd slurm-client sqlite3" "$top/check/setup.sh"; then
	echo "not ok - campaign, Slurm is installed"
	failed=1
else
	configure
	try "a Slurm cluster of two nodes starts" start_cluster
	try "a node dies, and each task comes to one result" node_dies
	try "jobs of an interrupted campaign are waited for" is_waited_for
fi

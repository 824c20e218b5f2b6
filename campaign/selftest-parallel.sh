# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# shellcheck disable=SC2034,SC2317 # of campaign.sh; try calls them
# GNU parallel with two ssh servers on the loopback device, of which one ends meanwhile.

base=$((28000 + RANDOM % 2000 * 2))

# start_server PORT
start_server()
{
	cat > "$scratch/sshd.$1" <<-END
		Port $1
		ListenAddress 127.0.0.1
		HostKey $scratch/host
		PidFile $scratch/sshd.$1.pid
		AuthorizedKeysFile $scratch/user.pub
		StrictModes no
		UsePAM no
		PermitRootLogin prohibit-password
	END
	mkdir -p /run/sshd
	/usr/sbin/sshd -f "$scratch/sshd.$1" -E "$scratch/sshd.$1.log"
}

start_servers()
{
	ended+=(end_servers)
	ssh-keygen -q -t ed25519 -N '' -f "$scratch/host" &&
		ssh-keygen -q -t ed25519 -N '' -f "$scratch/user" &&
		start_server $base && start_server $((base + 1)) || return
	cat > "$scratch/ssh.config" <<-END
		Host *
		HostName 127.0.0.1
		IdentityFile $scratch/user
		StrictHostKeyChecking no
		UserKnownHostsFile /dev/null
		LogLevel ERROR
		ConnectTimeout 5
		Host first
		Port $base
		Host second
		Port $((base + 1))
	END
	# Known to GNU parallel.
	export PARALLEL_SSH="ssh -F $scratch/ssh.config"
	ssh -F "$scratch/ssh.config" first true && ssh -F "$scratch/ssh.config" second true
}

# The server of port $1, with its connections.
end_server()
{
	local server

	[ -s "$scratch/sshd.$1.pid" ] || return 0
	server=$(cat "$scratch/sshd.$1.pid")
	# shellcheck disable=SC2046 # numbers
	kill -KILL "$server" $(pgrep -P "$server")
	rm -f "$scratch/sshd.$1.pid"
}

end_servers()
{
	end_server $base
	end_server $((base + 1))
}

server_ends()
{
	local job status=0

	make_list 14 0.3
	ON=parallel JOBS=2 HOSTS=first,second "$top/campaign/campaign.sh" list 1-14 &
	job=$!
	until [ "$(wc -l < "$scratch/ended")" -ge 3 ] || ! kill -0 "$job"; do
		sleep 0.1
	done
	end_server $((base + 1))
	wait "$job" || status=$?
	[ "$status" = 1 ] && complete 14
}

if [ "$(id -u)" != 0 ]; then
	echo "ok - campaign, a machine does not answer any more # SKIP needs root"
elif ! PACKAGES="parallel openssh-server openssh-client sqlite3" "$top/check/setup.sh"; then
	echo "not ok - campaign, GNU parallel is installed"
	failed=1
else
	try "two ssh servers start" start_servers
	try "a machine does not answer any more, and each task comes to one result" server_ends
fi

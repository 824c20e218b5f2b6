# SPDX-License-Identifier: GPL-2.0
package Boots;
# The test VMs: one boot after the other in each, with the runs that are left to do, until
# none is. A job is a hash of
#	out, kernel, testvm	its folder, the kernel's name, the program that boots VMs
#	guest, machine		arguments of guest.sh; more options of testvm
#	silence			the seconds without a word after which a VM hangs
#	vms			one for each VM, see share()
#	patient			whether another boot is due after a failure without a mutant
#	proven			what earlier boots have shown to pass without a mutant, if that
#				is to count in later ones
#	plan(TODO...)		the plan of a boot
#	furnish(DIR)		puts what else a boot is to find into its root
#	heard(VM, WORDS...)	is called with each line of guest.sh, after it was dealt with,
#				and with "buried" and a run of which the kernel died; may
#				set $vm->{quiet}, the silence that this run may keep
# What comes of them are the runs of each VM, in order: hashes of mutant, program, parts,
# verdict, time, words, the tests that passed and failed, and the boot they were in, which
# knows whether it was done and how often each test passed there without a mutant.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use IO::Handle;
use IO::Select;
use POSIX ();
use Files qw(slurp spew);

# Boots that may fail for no fault of a mutant.
my $patience = 3;
my $started = time;

# Each VM gets its part of the mutants; a mutant is a list of runs [MUTANT, PROGRAM, PARTS].
sub share
{
	my ($jobs, @mutants) = @_;
	my @vms = map { { n => $_, todo => [], runs => [] } } 0 .. $jobs - 1;

	push @{$vms[$_ * $jobs / @mutants]{todo}}, @{$mutants[$_]} for 0 .. $#mutants;
	return @vms;
}

# Strike what has been run, or what will not be: one run, mostly the first, or all of a mutant.
sub strike
{
	my ($vm, $mutant, @run) = @_;
	my $todo = $vm->{todo};
	my $i = 0;

	if (@run) {
		$i++ while $i < @$todo && "@{$todo->[$i]}" ne "$mutant @run";
		splice @$todo, $i, 1 if $i < @$todo;
	} else {
		@$todo = grep { $_->[0] ne $mutant } @$todo;
	}
}

# A run has ended with @words.
sub end_run
{
	my ($vm, $mutant, $program, $parts, $verdict, $time, @words) = @_;
	# The kernel may have died after the last run had ended.
	my $run = delete $vm->{tests} // { pass => [], fail => [] };

	push @{$vm->{runs}}, { %$run, mutant => $mutant, boot => $vm->{boot},
			       program => $program, parts => $parts, verdict => $verdict,
			       time => $time / 100, words => "@words" };
	strike($vm, $mutant, $program, $parts);
	return if $mutant ne 'none';
	$vm->{boot}{passed}{$_}++ for @{$run->{pass}};
}

# A line of guest.sh, which explains them, or one that it has not come to say.
sub take
{
	my ($job, $vm, $line) = @_;
	my (undef, $word, $mutant, $program, @more) = split ' ', $line;

	$vm->{results}->print("$line\n");
	if ($word eq 'begin') {
		$vm->{tests} = { pass => [], fail => [] };
		@$vm{qw(run began quiet)} = ([$mutant, $program, @more], time, undef);
	} elsif ($word eq 'pass' || $word eq 'fail') {
		push @{$vm->{tests}{$word}}, "$program/$more[0]";
	} elsif ($word eq 'end') {
		$vm->{run} = [$mutant, $program, $more[0]];
		end_run($vm, $mutant, $program, @more);
	} elsif ($word eq 'killed') {
		strike($vm, $mutant);
	} elsif ($word eq 'done') {
		$vm->{boot}{done} = 1;
	}
	$vm->{state} = $word;
	$job->{heard}->($vm, $word, $mutant, $program, @more);
}

# One boot for what is left to do.
sub boot
{
	my ($job, $vm) = @_;
	my ($out, $n) = ($job->{out}, $vm->{n});
	my $base = "$out/vm.$n";

	$vm->{failures} = 0 if @{$vm->{todo}} != ($vm->{left} // -1);
	$vm->{left} = @{$vm->{todo}};
	remove_tree($base);
	make_path($base);
	spew("$base/plan", map { "@$_\n" } $job->{plan}->(@{$vm->{todo}}));
	$job->{furnish}->($base);
	$vm->{results}->print("\@ boot\n");
	@$vm{qw(state boot run silent quiet rest heard began)} =
		('boot', { done => 0, passed => { %{$job->{proven} // {}} } }, undef, 0, undef,
		 '', time, time);
	$vm->{pid} = open($vm->{from}, '-|') // die "mutants: cannot fork: $!\n";
	return if $vm->{pid};
	open STDIN, '<', '/dev/null';
	open STDERR, '>', "$out/testvm.$n";
	# What emulation has frozen goes on with what is left.
	exec $job->{testvm}, '--quiet', '--kernel', $job->{kernel}, '--cpus', 4, '--memory', 3072,
		'--timeout', 604800, '--retries', 0, @{$job->{machine}},
		$job->{repeat} ? ('--deterministic', '--record', "$out/run.$n") : (), '--load', 'brd',
		'--append', 'brd.rd_nr=1 brd.rd_size=65536', '--root', "$out/root",
		'--root', $base, '--log', "$out/console.$n",
		'--', '/usr/lib/secmmu/mutants.sh', @{$job->{guest}} or POSIX::_exit(127);
}

# The kernel met its end in a run. It would do so again with that mutant.
sub bury
{
	my ($job, $vm, $said) = @_;
	my ($why) = $said =~ /^testvm: kernel: *(?:\[[^]]*\] *)?(.*)/m;
	my $verdict = $vm->{silent} ? 'hang' : 'died';

	$why = 'nothing was heard for ' . ($vm->{quiet} // $job->{silence}) . ' s' if $vm->{silent};
	take($job, $vm, join ' ', '@ end', @{$vm->{run}}, $verdict, (time - $vm->{began}) * 100,
	     'the kernel died:', $why // '');
	strike($vm, $vm->{run}[0]);
	$job->{heard}->($vm, 'buried', @{$vm->{run}}, $verdict);
}

# Is it worth another boot that this one failed in a run without a mutant? Unless it keeps
# failing before anything else is done.
sub once_more
{
	my ($job, $vm) = @_;
	my $left = @{$vm->{todo}};

	return 1 if $vm->{run}[0] ne 'none';
	return 0 if !$job->{patient};
	$vm->{tries} = 0 if $left != ($vm->{tried_at} // -1);
	$vm->{tried_at} = $left;
	return 1 if ++$vm->{tries} < $patience;
	warn "mutants: VM $vm->{n} gives up: what fails has no mutant, see " .
		"$job->{out}/log.$vm->{n}\n";
	return 0;
}

# A boot has ended, with this status of testvm. Is another one due?
sub another_is_due
{
	my ($job, $vm, $status) = @_;
	my $said = slurp("$job->{out}/testvm.$vm->{n}");

	if ($vm->{state} eq 'done') {
		take($job, $vm, '@ end none after all splat 0 ' . $said =~ tr/\n/ /r) if $status;
		return 0 if !@{$vm->{todo}};
		warn "mutants: not everything was run\n";
	} elsif ($vm->{state} eq 'unusable') {
		return once_more($job, $vm) && @{$vm->{todo}};
	} elsif ($vm->{state} eq 'boot') {
		return 1 if ++$vm->{failures} < $patience;
		warn "${said}mutants: the test VM does not boot\n";
	} else {
		# Is that perhaps not the kernel's doing? Emulation errs now and then, and
		# somebody may have ended QEMU or testvm.
		my $says_nothing = $status == 123 || (!$vm->{silent} &&
			($status != 125 || $said !~ /^testvm: kernel:/m));

		return 1 if $says_nothing && $vm->{failures}++ < $patience;
		bury($job, $vm, $said);
		return once_more($job, $vm) && @{$vm->{todo}};
	}
	$job->{failed} = 1;
	return 0;
}

# Something is to be read from a VM, or its end.
sub attend
{
	my ($job, $vm) = @_;

	if (sysread $vm->{from}, $vm->{rest}, 65536, length $vm->{rest}) {
		$vm->{heard} = time;
		while (!$vm->{silent} && $vm->{rest} =~ s/^(.*)\n//) {
			my $line = $1;

			$vm->{log}->print(time - $started, " $line\n");
			take($job, $vm, $line) if $line =~ /^@ /;
		}
		return;
	}
	close delete $vm->{from};
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;

	delete $vm->{pid};
	boot($job, $vm) if another_is_due($job, $vm, $status);
}

sub time_left
{
	my ($job, $vm) = @_;

	return $vm->{silent} ? 60 : $vm->{heard} + ($vm->{quiet} // $job->{silence}) - time;
}

# All VMs at a time. Sets the job's "failed" if one of them cannot do its work.
sub work
{
	my ($job) = @_;
	my @vms = grep { @{$_->{todo}} } @{$job->{vms}};
	my $end = sub {
		my @pids = grep { $_ } map { $_->{pid} } @vms;

		kill TERM => @pids;
		waitpid $_, 0 for @pids;
		exit 143;
	};
	local @SIG{qw(INT TERM HUP)} = ($end) x 3;

	for my $vm (@vms) {
		for my $file (qw(log results)) {
			open $vm->{$file}, '>', "$job->{out}/$file.$vm->{n}"
				or die "mutants: cannot write $job->{out}/$file.$vm->{n}: $!\n";
			$vm->{$file}->autoflush;
		}
		boot($job, $vm);
	}
	while (@vms = grep { $_->{pid} } @vms) {
		my ($wait) = sort { $a <=> $b } map { time_left($job, $_) } @vms;
		my %ready = map { $_ => 1 }
			IO::Select->new(map { $_->{from} } @vms)->can_read($wait > 0 ? $wait : 0);

		for my $vm (@vms) {
			if ($ready{$vm->{from}}) {
				attend($job, $vm);
			} elsif (!$vm->{silent} && time_left($job, $vm) <= 0) {
				$vm->{silent} = 1;
				kill USR1 => $vm->{pid};
			}
		}
	}
}

1;

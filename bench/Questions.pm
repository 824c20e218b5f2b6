# SPDX-License-Identifier: GPL-2.0
#
# What report.pl knows about each question: how to lay out its results, and what is
# expected of them. A benchmark that is not listed gets a plain table.
package Questions;
use strict;
use warnings;
use utf8;

# a - b, or nothing if either was not measured.
sub less
{
	my ($a, $b) = @_;

	return defined $a && defined $b ? $a - $b : undef;
}

# a / b, or nothing if either was not measured, or b got lost in the noise.
sub ratio
{
	my ($a, $b) = @_;

	return defined $a && defined $b && $b > 0 ? $a / $b : undef;
}

# Medians of ns per page, net of the same work without a mirror.
sub batching_targets
{
	my ($median) = @_;
	my @targets;

	for my $call ('mprotect', 'madvise', 'munmap') {
		for my $pages (4096, 262144) {
			my $at = sub {
				$median->(policy => shift, engines => shift,
					  call => $call, pages => $pages)
			};
			my $net = sub {
				my ($policy, $engines) = @_;

				return less($at->($policy, $engines),
					    $at->('no mirror', $engines));
			};
			my $event = "$call of $pages pages";

			push @targets,
				[ "$event, one engine running, net, range against each",
				  ratio($net->('range', '1 running'),
					$net->('each', '1 running')), 0.2 ],
				[ "$event, range, one engine running against none",
				  ratio($at->('range', '1 running'),
					$at->('range', 'none')), 1.1 ],
				[ "the same, net",
				  ratio($net->('range', '1 running'),
					$net->('range', 'none')), 1.1 ];
		}
	}
	return @targets;
}

sub retries_targets
{
	my ($median) = @_;
	my $at = sub {
		$median->(way => shift, meanwhile => shift, what => shift,
			  events => 'exact')
	};

	return
		[ 'p99 of faults, events elsewhere against nothing',
		  ratio($at->('engine', 'discards elsewhere', 'p99'),
			$at->('engine', 'nothing', 'p99')), 1.1 ],
		[ 'the same of process_vm_readv, for comparison',
		  ratio($at->('process_vm_readv', 'discards elsewhere', 'p99'),
			$at->('process_vm_readv', 'nothing', 'p99')), 1.1 ],
		[ 'retries because of events elsewhere',
		  scalar $at->('engine', 'discards elsewhere', 'retries'), 0 ],
		[ 'waits for events elsewhere',
		  scalar $at->('engine', 'discards elsewhere', 'waits'), 0 ];
}

# Perfect scaling: an event takes as long with more threads.
sub parallel_targets
{
	my ($median) = @_;
	my @targets;

	for my $pages (1, 16, 256) {
		for my $threads (2 .. 4) {
			my $slower = sub {
				my @event = (listener => shift, pages => $pages,
					     what => 'mean');

				return ratio($median->(@event, threads => $threads),
					     $median->(@event, threads => 1));
			};

			push @targets,
				[ "slower with $threads threads, events of $pages pages, mirror against none",
				  ratio($slower->('mirror'), $slower->('none')),
				  1 / 0.9 ];
		}
	}
	return @targets;
}

# What the mirror costs, net, in parts of what another listener does; nothing if the
# latter cannot be told from noise.
sub net_ratio
{
	my ($at, $other) = @_;
	my ($none, $mirror, $theirs) =
		map { scalar $at->($_) } 'none', 'mirror', $other;

	return undef if (grep { !defined } $none, $mirror, $theirs) || $theirs <= $none;
	return ratio($mirror - $none, $theirs - $none);
}

sub zap_targets
{
	my ($median) = @_;
	my @targets;

	for my $call ('madvise', 'munmap') {
		for my $pages (1, 32, 512, 4096, 16384) {
			my $at = sub {
				$median->(call => $call, pages => $pages,
					  listener => shift)
			};

			my $what = "$call of $pages page" . ($pages == 1 ? '' : 's');

			push @targets,
				[ "$what, net, mirror against KVM",
				  net_ratio($at, 'KVM'), 0.5 ],
				[ "$what, net, mirror against test_hmm",
				  net_ratio($at, 'test_hmm'), 0.25 ];
		}
	}
	return @targets;
}

sub aging_targets
{
	my ($median) = @_;

	return map {
		my $pass = $_;
		my $at = sub { $median->(pass => $pass, listener => shift) };

		([ "$pass, mirror against KVM", ratio($at->('mirror'), $at->('KVM')),
		   1 ],
		 [ 'the same, net of the work without a listener',
		   net_ratio($at, 'KVM'), 1 ])
	} 'age, used', 'age, not used', 'reclaim';
}

sub elsewhere_targets
{
	my ($median) = @_;
	my @targets;

	for my $call ('madvise', 'munmap') {
		my $at = sub {
			my ($pages, $listener, $slots) = @_;

			$median->(call => $call, pages => $pages,
				  listener => $listener, slots => $slots)
		};
		my $net = sub {
			my ($pages, @who) = @_;
			my ($with, $without) = ($at->($pages, @who),
						$at->($pages, 'none', 0));

			return defined $with && defined $without ?
			       $with - $without : undef;
		};

		push @targets,
			[ "$call of 1 page, mirror against empty notifier",
			  ratio($at->(1, 'mirror', 1),
				$at->(1, 'empty notifier', 0)), 1.3 ],
			[ "the same, net of the work without a listener",
			  ratio($net->(1, 'mirror', 1),
				$net->(1, 'empty notifier', 0)), 1.3 ],
			[ "$call of 512 pages, mirror against none",
			  ratio($at->(512, 'mirror', 1),
				$at->(512, 'none', 0)), 1.03 ],
			[ "$call of 1 page, mirror with 32,000 slots against 1",
			  ratio($at->(1, 'mirror', 32000),
				$at->(1, 'mirror', 1)), 1.05 ],
			[ "the same, net of the work without a listener",
			  ratio($net->(1, 'mirror', 32000),
				$net->(1, 'mirror', 1)), 1.05 ],
			[ "$call of 1 page, net, mirror against KVM",
			  ratio($net->(1, 'mirror', 1), $net->(1, 'KVM', 1)), 1 ];
	}
	return @targets;
}

sub fill_targets
{
	my ($median) = @_;

	return map {
		my $memory = $_;
		my $at = sub { $median->(memory => $memory, way => shift) };

		([ "prefault against get_user_pages_remote, pages of $memory",
		   ratio($at->('mirror, prefault'),
			 $at->('get_user_pages_remote')), 1.5 ],
		 [ "the same for writing",
		   ratio($at->('mirror, prefault for writing'),
			 $at->('get_user_pages_remote for writing')), 1.5 ])
	} '4 KiB', '2 MiB';
}

sub access_targets
{
	my ($median) = @_;
	my @targets;

	for my $pages (128, 16384) {
		my $at = sub {
			$median->(way => shift, bytes => shift, pages => $pages)
		};

		push @targets,
			[ "8 bytes of $pages pages, engine against process_vm_readv",
			  ratio($at->('engine', 8),
				$at->('process_vm_readv', 8)), 0.5 ],
			[ "8 bytes of $pages pages, engine against tmpfs",
			  ratio($at->('engine', 8),
				$at->('pread of tmpfs', 8)), 1.3 ],
			[ "4 KiB of $pages pages, engine against process_vm_readv",
			  ratio($at->('engine', 4096),
				$at->('process_vm_readv', 4096)), 1 ];
	}
	return @targets;
}

sub join_targets
{
	my ($median) = @_;
	my @targets;

	for my $memory ('untouched', 'written') {
		my $at = sub {
			$median->(memory => $memory, call => shift, vmas => shift)
		};

		push @targets,
			[ "second mirror, $memory, 60,000 VMAs against 10",
			  ratio($at->('second mirror', 60000),
				$at->('second mirror', 10)), 1.25 ],
			[ "second mirror against mmu_notifier_register, $memory, 60,000 VMAs",
			  ratio($at->('second mirror', 60000),
				$at->('mmu_notifier_register', 60000)), 1 / 50 ];
	}
	return @targets;
}

sub memory_targets
{
	my ($median) = @_;
	my $at = sub { scalar $median->(entries => shift, what => shift) };
	my @targets;

	for (['4 KiB', 8.3], ['2 MiB', 0.1]) {
		my ($entries, $limit) = @$_;

		push @targets,
			[ "bytes per page mapped by $entries, without the root",
			  scalar $at->($entries, 'per page'), $limit ],
			[ "the same by free memory",
			  scalar $at->($entries, 'per page, by free memory'), $limit ],
			[ "bytes left after unmapping, beyond the root",
			  scalar $at->($entries, 'left after unmapping'), 0 ];
	}
	return @targets;
}

sub views_targets
{
	my ($median) = @_;

	return
		[ 'forbidding and permitting by a key against by the slot',
		  ratio($median->(what => 'forbid, permit, write all',
				  how => 'rights of a key'),
			$median->(what => 'forbid, permit, write all',
				  how => 'slot read-only')), 1 ],
		[ 'coming back to a loaded mirror against loading it anew',
		  ratio($median->(what => 'switch and read',
				  how => 'another mirror, loaded'),
			$median->(what => 'switch and read',
				  how => 'another mirror, not loaded')), 1 ];
}

# rows: what tells the lines of a table, and the series of a plot, from each other;
# across: what tells the columns, and is the x axis; plot: axes with a logarithmic
# scale, "bars", or "logbars" with a logarithmic scale; targets: given a look-up of
# medians, a list of description, value, limit; draws: which cases go into the plot,
# if not all.
my %questions = (
	'Q1 batching' => {
		text => 'Events of so many pages, all mapped by a mirror that flushes once per '
			. 'event (range), for each so many pages (array) or for each page: '
			. 'time per page. An engine that runs is in one window after the '
			. 'other; the figures without a mirror have it run on another '
			. "process's.",
		rows => [ 'policy', 'engines', 'call', 'build' ],
		across => 'pages',
		plot => 'xy',
		draws => sub {
			my ($key) = @_;

			return $key->{call} eq 'mprotect' && $key->{engines} ne 'idle';
		},
		targets => \&batching_targets,
	},
	'Q2 zap' => {
		text => 'Discarding and unmapping memory that somebody has mapped: time for '
			. 'each page, in events of so many pages. What a listener costs is '
			. 'the difference to none.',
		rows => [ 'call', 'listener' ],
		across => 'pages',
		plot => 'logbars',
		targets => \&zap_targets,
	},
	'Q7 retries' => {
		text => 'Reading a word of pages that the mirror has not mapped, one fault '
			. 'each, while other processors do nothing, compute, or discard '
			. 'memory below and above. With "one hull" (a test build) the '
			. 'driver knows only the hull of all events in flight, as KVM '
			. 'does. process_vm_readv() needs no mirror.',
		rows => [ 'way', 'events', 'meanwhile', 'build' ],
		across => 'what',
		plot => 'bars',
		targets => \&retries_targets,
	},
	'Q9 parallel' => {
		text => 'Threads that discard memory of one process, each its own, at the '
			. 'same time: time of an event.',
		rows => [ 'listener', 'pages', 'what' ],
		across => 'threads',
		plot => 'bars',
		draws => sub { shift->{what} eq 'mean' },
		targets => \&parallel_targets,
	},
	'Q3 elsewhere' => {
		text => 'Discarding and unmapping memory of which no slot has a page, with '
			. 'different listeners: time of one event of so many pages.',
		rows => [ 'call', 'listener', 'slots' ],
		across => 'pages',
		plot => 'bars',
		targets => \&elsewhere_targets,
	},
	'Q4 fill' => {
		text => 'Filling an empty mirror with pages that the process has: time for each '
			. 'page of 4 KiB, where the process has it in a page of that size or in '
			. 'one of 2 MiB. Looking the pages up in the kernel, in batches of 32, '
			. 'is what it costs at least. test_hmm copies what it reads; reading it '
			. 'again tells what that costs.',
		rows => [ 'way' ],
		across => 'memory',
		plot => 'logbars',
		targets => \&fill_targets,
	},
	'Q5 access' => {
		text => 'Reading memory that is mapped already, at random places: of 128 '
			. "pages, which the engine's TLB holds, and of 16,384, for which it "
			. 'walks the tables of the mirror. Reading a file in memory is what '
			. 'a pread() costs at least.',
		rows => [ 'way', 'bytes' ],
		across => 'pages',
		plot => 'bars',
		targets => \&access_targets,
	},
	'Q6 join' => {
		text => 'Creating a mirror in a process with many VMAs. The first one '
			. 'registers with the kernel, which takes every lock of the '
			. 'address space; the second one joins what is registered. '
			. '"Written" VMAs have a lock of their own.',
		rows => [ 'call', 'memory' ],
		across => 'vmas',
		plot => 'xy',
		targets => \&join_targets,
	},
	'Q8 aging' => {
		text => 'Asking whether pages were used, and forgetting it; and reclaiming '
			. 'pages that were not used: time for each page, by the kernel and '
			. 'by who has mapped them.',
		rows => [ 'listener' ],
		across => 'pass',
		plot => 'bars',
		targets => \&aging_targets,
	},
	'Q10 memory' => {
		text => 'Memory that the page tables of a mirror take for each page of 4 KiB, '
			. 'mapped densely; and all that they take after the process has '
			. 'unmapped everything, but for the root table.',
		rows => [ 'entries', 'what' ],
		across => 'pages',
		targets => \&memory_targets,
	},
	'Q11 views' => {
		text => 'Changes of view: an engine goes to another domain or mirror and '
			. 'reads a word; 512 mapped pages are write-protected and given back, '
			. 'by a key or by the slot, then written; 512 pages are discarded that '
			. 'some domains have mapped; the tag mode changes while eight idle '
			. 'engines have the mirror loaded (policies other than sync are in '
			. 'test builds).',
		rows => [ 'what', 'how', 'build' ],
		across => 'pages',
		plot => 'bars',
		targets => \&views_targets,
	},
	'Q12 hot paths' => {
		text => 'The paths taken most often, one by one: for --icount, and to be compared '
			. 'with an earlier version.',
		rows => [ 'path' ],
	},
);

sub about
{
	my ($name) = @_;

	return $questions{$name} // { text => '', rows => [ 'pages', 'threads' ] };
}

# What ran the kernel, in words.
sub accelerator
{
	my ($accel, $unit) = @_;
	my %words = (
		tcg => 'emulated by QEMU',
		kvm => 'QEMU with KVM',
		none => 'bare hardware',
		vm => 'a virtual machine',
	);

	return ($words{$accel} // $accel) .
	       ($unit eq 'instructions' ? ', counting instructions' : '');
}

sub head
{
	my ($machine) = @_;

	return <<END;
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>secmmu benchmarks</title>
<style>
body { font-family: sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse }
td, th { padding: .2em .8em; border-bottom: 1px solid #ccc; text-align: left }
.n { text-align: right; white-space: nowrap }
img { max-width: 100% }
</style>
</head>
<body>
<h1>secmmu benchmarks</h1>
<p>$machine.</p>
<h2>Method</h2>
<p>Every case of a question is measured once in each round, in another order each time,
after one round that only warms up. Tables show the median of all rounds and, behind
±, half of the interquartile range; error bars in plots are the quartiles. Each raw
measurement is a line of <a href="results.jsonl">results.jsonl</a>. Under emulation,
compare ratios within one run only: absolute times say nothing about hardware.
Documentation/benchmarks.rst has the rest.</p>
END
}

1;

# SPDX-License-Identifier: GPL-2.0
#
# What is expected of each question's results: functions that are given a look-up of
# medians and return a list of description, value, limit. Values that were not measured
# are not defined, those that got lost in the noise are negative.
package Targets;
use strict;
use warnings;
use utf8;
use constant LOST => -1;

# a - b, or nothing if either was not measured.
sub less
{
	my ($a, $b) = @_;

	return defined $a && defined $b ? $a - $b : undef;
}

# a / b, or nothing if either was not measured.
sub ratio
{
	my ($a, $b) = @_;

	return undef if !defined $a || !defined $b;
	return $b > 0 ? $a / $b : LOST;
}

# What the mirror costs, net, in parts of what another listener does.
sub net_ratio
{
	my ($at, $other) = @_;
	my ($none, $mirror, $theirs) =
		map { scalar $at->($_) } 'none', 'mirror', $other;

	return ratio(less($mirror, $none), less($theirs, $none));
}

# Medians of ns per page, net of the same work without a mirror.
sub batching
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

sub zap
{
	my ($median) = @_;
	my @targets;

	for my $call ('madvise', 'munmap') {
		for my $pages (1, 32, 512, 2048, 16384) {
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

sub elsewhere
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

			return less(scalar $at->($pages, @who),
				    scalar $at->($pages, 'none', 0));
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

sub fill
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

sub access
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

sub joining
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

sub retries
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

sub aging
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

# Perfect scaling: an event takes as long with more threads.
sub parallel
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

sub memory
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

sub views
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

1;

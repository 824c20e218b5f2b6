# SPDX-License-Identifier: GPL-2.0
#
# What report.pl knows about each question: how to lay out its results, and what is
# expected of them. A benchmark that is not listed gets a plain table.
package Questions;
use strict;
use warnings;
use utf8;
use Targets;

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
		targets => \&Targets::batching,
	},
	'Q2 zap' => {
		text => 'Discarding and unmapping memory that somebody has mapped: time for '
			. 'each page, in events of so many pages. What a listener costs is '
			. 'the difference to none.',
		rows => [ 'call', 'listener' ],
		across => 'pages',
		plot => 'logbars',
		targets => \&Targets::zap,
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
		targets => \&Targets::retries,
	},
	'Q9 parallel' => {
		text => 'Threads that discard memory of one process, each its own, at the '
			. 'same time: time of an event.',
		rows => [ 'listener', 'pages', 'what' ],
		across => 'threads',
		plot => 'bars',
		draws => sub { shift->{what} eq 'mean' },
		targets => \&Targets::parallel,
	},
	'Q3 elsewhere' => {
		text => 'Discarding and unmapping memory of which no slot has a page, with '
			. 'different listeners: time of one event of so many pages.',
		rows => [ 'call', 'listener', 'slots' ],
		across => 'pages',
		plot => 'bars',
		targets => \&Targets::elsewhere,
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
		targets => \&Targets::fill,
	},
	'Q5 access' => {
		text => 'Reading memory that is mapped already, at random places: of 128 '
			. "pages, which the engine's TLB holds, and of 16,384, for which it "
			. 'walks the tables of the mirror. Reading a file in memory is what '
			. 'a pread() costs at least.',
		rows => [ 'way', 'bytes' ],
		across => 'pages',
		plot => 'bars',
		targets => \&Targets::access,
	},
	'Q6 join' => {
		text => 'Creating a mirror in a process with many VMAs. The first one '
			. 'registers with the kernel, which takes every lock of the '
			. 'address space; the second one joins what is registered. '
			. '"Written" VMAs have a lock of their own.',
		rows => [ 'call', 'memory' ],
		across => 'vmas',
		plot => 'xy',
		targets => \&Targets::joining,
	},
	'Q8 aging' => {
		text => 'Asking whether pages were used, and forgetting it; and reclaiming '
			. 'pages that were not used: time for each page, by the kernel and '
			. 'by who has mapped them.',
		rows => [ 'listener' ],
		across => 'pass',
		plot => 'bars',
		targets => \&Targets::aging,
	},
	'Q10 memory' => {
		text => 'Memory that the page tables of a mirror take for each page of 4 KiB, '
			. 'mapped densely; and all that they take after the process has '
			. 'unmapped everything, but for the root table.',
		rows => [ 'entries', 'what' ],
		across => 'pages',
		targets => \&Targets::memory,
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
		targets => \&Targets::views,
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

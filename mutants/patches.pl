#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# The patches of the seeded bugs: puts them into the driver, checks them, carries them over a
# driver that has changed.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin qw($Bin);
use lib "$Bin/lib";
use Catalogue;
use Files qw(slurp spew lines shell fail);

my $usage = <<'END';
usage: patches.pl apply DIR | check [--only-patches] | refresh
apply puts the sources of the driver into DIR/driver, with the patches of the series applied,
and the interface into DIR/uapi. What would be the same stays as it is, with its time. A
patch that applies only with fuzz is refused.

check sees that each patch applies without fuzz, in one place only, and lands in the functions
that its header names; that headers are whole, series and files agree, the properties are those of
Documentation/testing.rst, and Documentation/mutants.rst is what the headers say; and that
the driver itself has no seeded bug. Then it sees itself fail with patches that are wrong
(not with --only-patches). It prints "ok" and "not ok" lines.

refresh (make mutants-refresh) applies each patch, with fuzz if it takes some, and writes it
anew: the lines around its hunks, their numbers, and the functions that its header names; it
tells where these have changed, and how far each hunk has moved. Then it writes Documentation/mutants.rst. "git diff mutants"
shows what it has done. It fails if patches do not apply, or fit in several places, and
names them; they stay as they are, for you to mend.
END
my $top = abs_path("$Bin/..");
# The test of this program has its own of these.
my $mutants = $ENV{MUTANTS} // "$top/mutants";

# Applies a patch to a folder; returns what patch says if it does not fit, or nothing.
sub apply_patch
{
	my ($dir, $name, @options) = @_;
	my $said = `patch -d '$dir' -p1 -s -f --no-backup-if-mismatch -r - @options < '$mutants/patches/$name.patch' 2>&1`;

	return $? ? $said || "patch has failed\n" : '';
}

# --- apply ----------------------------------------------------------------------------

sub apply
{
	my ($dir) = @_;
	my @sources = split /\n/, `cd '$top' && find driver uapi -name '*.mod.c' -prune -o -type f \\( -name '*.[ch]' -o -name '*.def' -o -name Makefile \\) -print | sort`;
	my $state = sha256_hex(map { ($_, slurp($_)) } (map { "$top/$_" } @sources),
			       "$mutants/series", glob("$mutants/patches/*.patch"),
			       $0, "$Bin/lib/Catalogue.pm");

	make_path($dir);
	open my $lock, '>', "$dir/lock" or fail(1, "cannot write to $dir: $!");
	flock $lock, LOCK_EX;
	return 0 if "@{[lines(qq($dir/state))]}" eq $state;
	unlink "$dir/state";
	shell('rm -rf "$1"; mkdir "$1"; cd "$top"; shift; cp --parents -t "$@"', "$dir/new",
	      "$dir/new", @sources);
	spew("$dir/new/driver/test/mutants.def", Catalogue::def($mutants));
	for (Catalogue::list($mutants)) {
		my $said = apply_patch("$dir/new", $_->{name}, '-F0') or next;

		fail(1, "$_->{name}.patch does not apply to the driver any more: ",
		     "make mutants-refresh\n", $said);
	}
	shell('for part in driver uapi; do update_tree "$1/new/$part" "$1/$part"; done', $dir);
	spew("$dir/state", "$state\n");
	return 0;
}

# --- check ----------------------------------------------------------------------------

my $failed = 0;

# Complaints, none if all is well.
sub say_whether
{
	my ($name, @complaints) = @_;

	print map { s/^/# /gmr . "\n" } map { s/\n\z//r } @complaints;
	print @complaints ? 'not ok' : 'ok', " - patches, $name\n";
	$failed = 1 if @complaints;
}

# Does each patch, in order, on what the ones before it have left, land where it says?
sub misplaced
{
	my $work = tempdir(CLEANUP => 1);

	system 'cp', '-R', "$top/driver", "$work/driver" and fail(1, 'cannot copy the driver');
	return map {
		my $patch = slurp("$mutants/patches/$_->{name}.patch");
		my ($doubt) = Catalogue::ambiguous($work, $patch);
		my $said = apply_patch($work, $_->{name}, '-F0');
		my $found = $said ? '' : Catalogue::landing($work, $patch);

		$said ? "$said$_->{name} does not apply: make mutants-refresh" :
			$doubt ? "$_->{name}: $doubt" :
			$found ne $_->{function} ?
			"$_->{name} lands in $found, not in $_->{function}" : ();
	} @_;
}

# Numbers of the list at the end of testing.rst, "1." below "A. Notifier chain".
sub properties
{
	my ($text) = slurp("$top/Documentation/testing.rst") =~ /^Properties\n(.*)/ms;
	my ($letter, %known);

	for (split /\n/, $text) {
		$letter = $1 if /^([A-Z])\. /;
		$known{"$letter$1"} = 1 if $letter && /^(\d+)\. /;
	}
	return \%known;
}

sub check_patches
{
	my @list = eval { Catalogue::list($mutants) };
	my $known = properties();

	say_whether('headers and series', $@ || ());
	say_whether('each lands where it says', misplaced(@list));
	say_whether('properties', map { "$_->{name}: testing.rst has no property $_->{property}" }
		    grep { !$known->{$_->{property}} } @list);
}

# With a patch that is wrong, or the series: a line must tell.
sub try
{
	my ($what, $file, $edit, $line) = @_;
	my $copy = tempdir(CLEANUP => 1);

	system "cp -R '$mutants/patches' '$mutants/series' '$copy'" and fail(1, 'cannot copy');
	local $_ = slurp("$copy/$file");
	$edit->();
	unlink "$copy/$file";
	spew("$copy/$file", $_) if $_ ne '';
	my $said = `MUTANTS='$copy' '$0' check --only-patches 2>&1`;

	say_whether("$what is noticed", $? >> 8 == 1 && $said =~ $line ? () : $said);
}

# With one patch, and a driver in which walk.c has changed: refresh must tell.
sub try_refresh
{
	my ($what, $edit, $status, $line) = @_;
	my $copy = tempdir(CLEANUP => 1);

	system "mkdir '$copy/patches' && cp -R '$top/driver' '$copy' && " .
		"cp '$mutants/patches/torn-registration.patch' '$copy/patches'" and
		fail(1, 'cannot copy');
	spew("$copy/series", "torn-registration\n");
	local $_ = slurp("$copy/driver/walk.c");
	$edit->();
	spew("$copy/driver/walk.c", $_);
	my $said = `MUTANTS='$copy' DRIVER='$copy/driver' '$0' refresh 2>&1`;

	say_whether("$what is noticed", $? >> 8 == $status && $said =~ $line ? () : $said);
}

sub check
{
	my ($only) = @_;

	check_patches();
	return $failed if $only;
	say_whether('the driver has no seeded bug',
		    `grep -n secmmu_mutant '$top'/driver/*.[ch] '$top'/driver/compat/*.h`);
	my $rst = join '', Catalogue::rst($mutants);

	say_whether('Documentation/mutants.rst', $rst eq slurp("$top/Documentation/mutants.rst") ?
		    () : 'it is not what the headers say: make mutants-refresh');
	try('a wrong function', 'patches/torn-registration.patch',
	    sub { s/^Function: .*/Function: main/m },
	    qr/torn-registration lands in begin_round, round_is_valid, not in main/);
	my $patch = 'patches/hit-latest.patch';

	try('a header that lacks a line', $patch, sub { s/^Killer:.*\n//m },
	    qr/hit-latest.patch: the header must have/);
	try('an unknown property', $patch, sub { s/^Property: .*/Property: A99/m },
	    qr/testing.rst has no property A99/);
	try('a patch that does not fit', $patch, sub { s/^( \t.*)/$1changed/m },
	    qr/hit-latest does not apply: make mutants-refresh/);
	try('a missing patch', $patch, sub { $_ = '' }, qr/there is no hit-latest.patch/);
	try('a patch out of the series', 'series', sub { s/^hit-latest\n//m },
	    qr/hit-latest.patch is not in the series/);
	my $round = qr/^(\tunsigned int seq;\n\n)(\tseq = read_seqcount_begin.*\n.*\n.*\n)/m;

	try_refresh('that nothing has changed', sub { }, 0, qr/\A\z/);
	try_refresh('a hunk that moves', sub { s/^#include/\n\n$&/m }, 0,
		    qr/^torn-registration: hunk 2 moved by 2 lines$/m);
	try_refresh('a change around a hunk', sub { s/$round/\tint i;\n\n\ti = 1;\n$2/ }, 0,
		    qr/^torn-registration: hunk 1 .* the lines around it have changed/m);
	try_refresh('a hunk that fits in two places', sub { s/$round/$&$&/ }, 1,
		    qr/^torn-registration: a hunk of driver\/walk.c fits in 2 places/m);
	return $failed;
}

# --- refresh --------------------------------------------------------------------------

# What patch says of hunks that are no longer where they were, or as they were.
sub moves
{
	my ($dir, $name) = @_;

	return map {
		/^Hunk #(\d+) succeeded at (\d+)(?: with fuzz (\d))?(?: \(offset (-?\d+) lines?\))?/ ?
			"hunk $1 moved by " . ($4 // 0) . ' lines' .
			($3 ? ', and the lines around it have changed: see that it is the same bug' :
			 '') : ();
	} split /\n/, `patch -d '$dir' -p1 -f --dry-run -F2 < '$mutants/patches/$name.patch'`;
}

# The difference that a mutant makes to its files, with as many lines around each hunk as it
# takes to fit in one place.
sub difference
{
	my ($work, @files) = @_;
	my $diff;

	for my $around (2 .. 9) {
		$diff = join '', map {
			`cd '$work'; diff -U$around -p --label 'a/$_' --label 'b/$_' 'a/$_' 'b/$_'`
		} @files;
		last if !Catalogue::ambiguous("$work/a", $diff);
	}
	system "cp '$work/b/$_' '$work/a/$_'" and fail(1, 'cannot copy') for @files;
	return $diff;
}

sub refresh
{
	my $work = tempdir(CLEANUP => 1);
	my $driver = $ENV{DRIVER} // "$top/driver";
	my @failed;

	system "mkdir '$work/a' '$work/b' && cp -R '$driver' '$work/a/driver' && " .
		"cp -R '$driver' '$work/b/driver'" and fail(1, 'cannot copy the driver');
	for my $m (Catalogue::list($mutants)) {
		my ($name, $file) = ($m->{name}, "$mutants/patches/$m->{name}.patch");
		my $said = apply_patch("$work/b", $name, '-F0', '--dry-run') &&
			apply_patch("$work/b", $name, '-F2', '--dry-run');
		my @moves = moves("$work/b", $name);

		# A patch that is new stands where its author has put it.
		$said ||= join '', Catalogue::ambiguous("$work/b", slurp($file))
			if @moves || $m->{function} ne '?';
		if ($said) {
			print STDERR $said =~ s/^/$name: /gmr;
			push @failed, $name;
			next;
		}
		apply_patch("$work/b", $name, '-F2');
		my $diff = difference($work, slurp($file) =~ m{^\+\+\+ b/(\S+)}mg);
		my $now = Catalogue::landing("$work/b", $diff);
		my $patch = join '', Catalogue::header($m, $now), "\n$diff";

		print "$name: it lands in $now, and did in $m->{function}: see that it is the " .
			"same bug\n" if $m->{function} ne $now && $m->{function} ne '?';
		next if $patch eq slurp($file);
		print "$name: written anew\n", map { "$name: $_\n" } @moves;
		spew($file, $patch);
	}
	spew("$top/Documentation/mutants.rst", Catalogue::rst($mutants))
		if $mutants eq "$top/mutants";
	fail(1, "these patches need a hand: @failed") if @failed;
	return 0;
}

my ($command, @words) = @ARGV;
my %commands = (apply => \&apply, check => \&check, refresh => \&refresh);
my %forms = (apply => qr/^[^-].*$/, check => qr/^(?:--only-patches)?$/, refresh => qr/^$/);

if (($command // '') eq '--help') {
	print $usage;
	exit 0;
}
if (!$commands{$command // ''} || "@words" !~ $forms{$command}) {
	print STDERR $usage;
	exit 2;
}
exit $commands{$command}->(@words);

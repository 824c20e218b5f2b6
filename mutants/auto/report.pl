#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Which generated mutants are run, and what came of them. DIR is the folder of
# mutants-auto.sh, in which are
#	mutants.json	all mutants, see generate.pl
#	compiled	ids of those that are in the module, one a line
#	state		sums of the sources: the driver's, the tests', and the kernel's name
#	programs	the test programs, one a line, in the usual order
#	known		verdicts of this run and earlier ones, which are kept
#	picked		ids of the mutants of this run
#	verdicts	what mutants.pl says of this run
#
# report.pl pick DIR FILES SAMPLE SEED: writes picked, of the named files (all: "") and
# SAMPLE in number (all: 0), and prints the plan of those that no earlier run knows.
#
# report.pl report DIR DRIVER WHAT: prints the report, and writes it to report.txt and
# report.json. WHAT was asked for goes to the head. Fails if under 95 % are killed.
#
# report.pl name DIR ID: the place and the operator of a mutant. report.pl list DIR: the
# places of all mutants, and what they are.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP;

my $wanted = 95;
my $here = dirname(__FILE__);

sub slurp
{
	my ($file) = @_;

	open my $in, '<', $file or die "report.pl: cannot read $file: $!\n";
	local $/;
	return scalar <$in>;
}

# Whole or not at all.
sub spew
{
	my ($file, $text) = @_;

	open my $out, '>', "$file.$$" or die "report.pl: cannot write $file: $!\n";
	print $out $text;
	close $out or die "report.pl: cannot write $file: $!\n";
	rename "$file.$$", $file or die "report.pl: cannot write $file: $!\n";
}

sub lines
{
	my ($file) = @_;

	return -e $file ? split /\n/, slurp($file) : ();
}

sub stem
{
	return $_[0] =~ s/\.[ch]$//r;
}

# The reasons, by the keys of mutants.
sub equivalents
{
	my ($file) = @_;
	my (%reasons, $key);

	for (lines($file)) {
		next if /^#/ || /^\s*$/;
		if (/^\s+(.*)/) {
			die "report.pl: $file: a reason without a mutant\n" if !defined $key;
			$reasons{$key} .= $reasons{$key} eq '' ? $1 : " $1";
		} else {
			$key = $_;
			$reasons{$key} = '';
		}
	}
	for (sort keys %reasons) {
		die "report.pl: $file: no reason for \"$_\"\n" if $reasons{$_} eq '';
	}
	return \%reasons;
}

# Mutants that can be run; for each its reason, if it is judged equivalent.
sub load
{
	my ($dir) = @_;
	my %compiled = map { $_ => 1 } lines("$dir/compiled");
	my $reasons = equivalents($ENV{MUTANTS_EQUIVALENT} // "$here/equivalent.txt");
	my @mutants = @{decode_json(slurp("$dir/mutants.json"))};

	$_->{reason} = delete $reasons->{$_->{key}} for @mutants;
	return ([grep { $compiled{$_->{id}} } @mutants], [sort keys %$reasons],
		scalar grep { !$compiled{$_->{id}} } @mutants);
}

# --- What is run ---------------------------------------------------------------------

# Of each file its share, by the number of its mutants; the rest goes to those that
# lost most by rounding.
sub sample
{
	my ($n, $seed, @mutants) = @_;
	my (%by, %share, @picked);

	return @mutants if !$n || $n >= @mutants;
	push @{$by{stem($_->{file})}}, $_ for @mutants;
	$share{$_} = $n * @{$by{$_}} / @mutants for keys %by;
	my $left = $n;

	$left -= int $share{$_} for keys %share;
	my @order = sort {
		($share{$b} - int $share{$b}) <=> ($share{$a} - int $share{$a}) || $a cmp $b
	} keys %share;
	my %more = map { $_ => 1 } @order[0 .. $left - 1];

	for my $stem (sort keys %by) {
		my %rank = map { $_->{id} => md5_hex("$seed $_->{key}") } @{$by{$stem}};
		my @some = sort { $rank{$a->{id}} cmp $rank{$b->{id}} } @{$by{$stem}};
		my $count = int($share{$stem}) + ($more{$stem} // 0);

		push @picked, @some[0 .. $count - 1] if $count;
	}
	return @picked;
}

# Programs for each file: those of the table, then all others, the slow ones last.
sub programs
{
	my ($dir, $stem) = @_;
	my %table = map { /^(\w+):\s*(.*)/ ? ($1 => [split ' ', $2]) : () }
		lines("$here/programs");
	my @all = lines("$dir/programs");
	my %there = map { $_ => 1 } @all;
	my %last = map { $_ => 1 } @{$table{last}};
	my %seen;

	return grep { $there{$_} && !$seen{$_}++ } 'kunit', @{$table{$stem} // []},
		(grep { !$last{$_} } @all), @{$table{last}};
}

# Verdicts of earlier runs that still hold: that of a killed mutant while the driver is
# the same, that of a survivor while the tests are too.
sub known
{
	my ($dir) = @_;
	my ($driver, $tests, $kernel) = split ' ', slurp("$dir/state");
	my %known;

	for (lines("$dir/known")) {
		my ($its_driver, $its_tests, $its_kernel, $verdict, $time, $by, $key) =
			split /\t/;

		next if $its_driver ne $driver || $its_kernel ne $kernel ||
			($verdict ne 'killed' && $its_tests ne $tests);
		$known{$key} = { verdict => $verdict, seconds => $time + 0, by => $by };
	}
	return \%known;
}

sub pick
{
	my ($dir, $files, $n, $seed) = @_;
	my ($mutants) = load($dir);
	my $known = known($dir);
	my %files = map { $_ => 1 } split /[\s,]+/, $files;
	my @mutants = grep {
		!%files || $files{$_->{file}} || $files{stem($_->{file})}
	} @$mutants;
	my %of;

	die "report.pl: no mutant is in \"$files\"\n" if !@mutants;
	@mutants = sample($n, $seed, @mutants);
	spew("$dir/picked", join '', map { "$_->{id}\n" } @mutants);
	for my $mutant (@mutants) {
		my $stem = stem($mutant->{file});

		next if defined $mutant->{reason} || $known->{$mutant->{key}};
		$of{$stem} //= [programs($dir, $stem)];
		print "$mutant->{id} $_ *\n" for @{$of{$stem}};
	}
}

# --- What came of it ----------------------------------------------------------------

# The source as it is and as the mutant has it.
sub mutated
{
	my ($text, $mutant) = @_;

	for my $edit (reverse @{$mutant->{edits}}) {
		my ($from, $to, $new, $how) = @$edit;

		$new = '/* left out */;' if $how eq 'statement';
		# At a point: behind what ends there, or before what begins.
		$new = "$new\n" if $how eq 'here';
		substr($text, $from, $to - $from) = $new;
	}
	return $text;
}

sub diff
{
	my ($driver, $mutant, $scratch) = @_;
	my $text = slurp("$driver/$mutant->{file}");

	spew("$scratch/a", $text);
	spew("$scratch/b", mutated($text, $mutant));
	my $diff = `diff -U 2 '$scratch/a' '$scratch/b'`;

	$diff =~ s/^---.*\n\+\+\+.*\n//;
	return $diff;
}

# The verdict of each picked mutant; what this run has found is added to what is known.
sub verdicts
{
	my ($dir, @mutants) = @_;
	my %by_id = map { $_->{id} => $_ } @mutants;
	my %pending = map { /^(\d+) / ? ($1 => 1) : () } map { lines($_) } glob "$dir/todo.?";
	my $state = join "\t", split ' ', slurp("$dir/state");
	my $known = known($dir);
	my $new = '';

	for (lines("$dir/verdicts")) {
		my ($id, $verdict, $time, $by) = split /\t/;
		my $mutant = $by_id{$id} or next;
		my $old = $known->{$mutant->{key}};

		next if $pending{$id} || ($old && $old->{verdict} eq $verdict);
		next if $verdict eq 'unproven' && $old;
		$known->{$mutant->{key}} =
			{ verdict => $verdict, seconds => $time + 0, by => $by // '' };
		$new .= join("\t", $state, $verdict, $time, $by // '', $mutant->{key}) . "\n"
			if $verdict ne 'unproven';
	}
	open my $out, '>>', "$dir/known" or die "report.pl: cannot write $dir/known: $!\n";
	print $out $new;
	close $out or die "report.pl: cannot write $dir/known: $!\n";
	for my $mutant (@mutants) {
		%$mutant = (%$mutant, verdict => 'not run', seconds => 0, by => '',
			    %{$known->{$mutant->{key}} // {}});
		$mutant->{verdict} = 'equivalent' if defined $mutant->{reason};
	}
}

sub count
{
	my ($verdict, @mutants) = @_;

	return scalar grep { $_->{verdict} eq $verdict } @mutants;
}

sub rate
{
	my $killed = count('killed', @_);
	my $all = $killed + count('survived', @_) + count('unproven', @_);

	return $all ? 100 * $killed / $all : undef;
}

sub row
{
	my ($name, @mutants) = @_;
	my $rate = rate(@mutants);

	return sprintf "%-14s %7d %7d %9d %9d %11d %8d %7s\n", $name, scalar @mutants,
		(map { count($_, @mutants) } 'killed', 'survived', 'unproven', 'equivalent',
		 'not run'), defined $rate ? sprintf('%.0f %%', $rate) : '-';
}

sub paragraph
{
	my ($mutant) = @_;
	my $text = "$mutant->{file}:$mutant->{line}\n$mutant->{key}\n";

	$text .= "\t$mutant->{reason}\n" if defined $mutant->{reason};
	$text .= "\t($mutant->{by}, but that must pass without the mutant)\n"
		if $mutant->{verdict} eq 'unproven';
	return $text . ($mutant->{diff} =~ s/^/    /gmr) . "\n";
}

sub text
{
	my ($what, $mutants, $stale, $dropped) = @_;
	my %by;

	push @{$by{stem($_->{file})}}, $_ for @$mutants;
	my $text = "Generated mutants, $what\n\n" .
		sprintf("%-14s %7s %7s %9s %9s %11s %8s %7s\n", 'file', 'mutants', 'killed',
			'survived', 'unproven', 'equivalent', 'not run', 'rate');

	$text .= row($_, @{$by{$_}}) for sort keys %by;
	$text .= row('all', @$mutants) . "\n";
	$text .= "$dropped places were dropped: the compiler does not take them, or the " .
		"kernel has no use for them\n\n" if $dropped;
	for (['survived', 'Survivors: write a test, or judge it equivalent'],
	     ['unproven', 'Noticed only by tests that fail without the mutant'],
	     ['equivalent', 'Judged equivalent']) {
		my ($verdict, $title) = @$_;
		my @these = grep { $_->{verdict} eq $verdict } @$mutants or next;

		$text .= "$title\n" . '-' x length($title) . "\n\n";
		$text .= paragraph($_) for @these;
	}
	$text .= "No such mutant any more (equivalent.txt): $_\n" for @$stale;
	return $text . '';
}

sub report
{
	my ($dir, $driver, $what) = @_;
	my ($all, $stale, $dropped) = load($dir);
	my %picked = map { $_ => 1 } lines("$dir/picked");
	my @mutants = grep { $picked{$_->{id}} } @$all;
	my $scratch = tempdir(CLEANUP => 1);
	my (undef, undef, $kernel) = split ' ', slurp("$dir/state");

	verdicts($dir, @mutants);
	$_->{diff} = diff($driver, $_, $scratch)
		for grep { $_->{verdict} =~ /^(?:survived|unproven|equivalent)$/ } @mutants;
	my $rate = rate(@mutants);
	my $text = text($what, \@mutants, $stale, $dropped);
	my $last = sprintf "mutants-auto: %d of %d killed, %d survived, %d equivalent, " .
		"%d without a verdict%s\n", count('killed', @mutants), scalar @mutants,
		count('survived', @mutants), count('equivalent', @mutants),
		count('not run', @mutants) + count('unproven', @mutants),
		defined $rate ? sprintf(': %.1f %% of the non-equivalent', $rate) : '';

	spew("$dir/report.txt", $text . $last);
	spew("$dir/report.json", JSON::PP->new->canonical->pretty->encode({
		what => $what, kernel => $kernel, rate => $rate, wanted => $wanted,
		dropped => $dropped + 0, stale => $stale,
		mutants => [map { my $m = $_; +{ map { $_ => $m->{$_} } grep { defined $m->{$_} }
			qw(file line function operator text key verdict by seconds reason diff) }
		} @mutants] }));
	print $text, $last;
	return !defined $rate || $rate < $wanted || count('not run', @mutants) ? 1 : 0;
}

sub name
{
	my ($dir, $id) = @_;
	my ($mutant) = grep { $_->{id} eq $id } @{decode_json(slurp("$dir/mutants.json"))};

	print "$mutant->{file}:$mutant->{line} $mutant->{operator}\n" if $mutant;
}

my $command = shift // '';

if ($command eq 'pick' && @ARGV == 4) {
	pick(@ARGV);
} elsif ($command eq 'report' && @ARGV == 3) {
	exit report(@ARGV);
} elsif ($command eq 'name' && @ARGV == 2) {
	name(@ARGV);
} elsif ($command eq 'list' && @ARGV == 1) {
	print "$_->{file}:$_->{line}: $_->{key}\n"
		for @{decode_json(slurp("$ARGV[0]/mutants.json"))};
} else {
	die "usage: report.pl pick DIR FILES SAMPLE SEED | report DIR DRIVER WHAT | " .
		"name DIR ID | list DIR\n";
}

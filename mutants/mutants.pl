#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# mutants.pl report LIST RESULTS KERNEL DIR MODELS: judges what mutants.sh collected (the
# lines are explained in guest.sh), prints a line for each mutant and leaves
# matrix.txt, matrix.html and matrix.json in DIR. Fails unless every mutant of the
# list is killed by a test that passes without it. MODELS is what models.sh found out,
# where it has run: a model that finds the same bug is told of too.
#
# mutants.pl verdicts RESULTS: the verdict of each generated mutant there, one line each
# between tabs: its name, "killed", "unproven" or "survived", the seconds it took, and by
# what. Here a killer must have passed before in the same boot, and if this went on, once
# more in the run that comes after the kill.
use strict;
use warnings;
use JSON::PP;

# A run with one of these verdicts is a kill.
my %kills = map { $_ => 1 } qw(failed hang splat died);

sub slurp
{
	my ($file) = @_;

	open my $in, '<', $file or die "mutants.pl: cannot read $file: $!\n";
	local $/;
	return scalar <$in>;
}

# Whole or not at all.
sub spew
{
	my ($file, $text) = @_;
	my $draft = "$file.tmp";

	open my $out, '>', $draft or die "mutants.pl: cannot write $draft: $!\n";
	print $out $text;
	close $out or die "mutants.pl: cannot write $draft: $!\n";
	rename $draft, $file or die "mutants.pl: cannot write $file: $!\n";
}

# Runs in order, each with what it was, the boot, the verdict and the tests that
# passed and failed. Those of the mutant "none" are the baseline.
sub load
{
	my ($file) = @_;
	my ($boot, @runs, @boots, $run);

	open my $in, '<', $file or die "mutants.pl: cannot read $file: $!\n";
	while (<$in>) {
		my (undef, $word, $mutant, $program, @more) = split;

		if ($word eq 'boot') {
			$boot = { done => 0 };
			push @boots, $boot;
		} elsif ($word eq 'done') {
			$boot->{done} = 1;
		} elsif ($word eq 'begin') {
			$run = { pass => [], fail => [] };
		} elsif ($word eq 'pass' || $word eq 'fail') {
			push @{$run->{$word}}, "$program/$more[0]";
		} elsif ($word eq 'end') {
			my ($parts, $verdict, $time, @words) = @more;

			# The kernel may have died after the last run had ended.
			$run = { pass => [], fail => [] } if !$run;
			push @runs, { %$run, mutant => $mutant, boot => $boot,
				      program => $program, parts => $parts,
				      verdict => $verdict, time => $time / 100,
				      words => "@words" };
			$run = undef;
		}
	}
	return @runs;
}

sub title
{
	my ($run) = @_;

	return $run->{program} eq 'storm' ? 'storm' : "$run->{program}/$run->{parts}";
}

# How often did each test pass without a mutant in each boot; what else happened is a
# problem.
sub baseline
{
	my @problems;

	for my $run (grep { $_->{mutant} eq 'none' } @_) {
		my $here = $run->{boot}{passed} //= {};

		$here->{$_}++ for @{$run->{pass}};
		next if $run->{verdict} eq 'passed' || $run->{verdict} eq 'absent';
		push @problems, join ' ', 'without a mutant:', title($run),
			$run->{verdict}, @{$run->{fail}}, $run->{words};
	}
	return @problems;
}

# The tests that a run speaks for: those that failed, or those that it was to run.
sub speakers
{
	my ($run) = @_;
	my $passed = $run->{boot}{passed} // {};

	return @{$run->{fail}} if @{$run->{fail}};
	return grep {
		my ($program, $test) = split m{/}, $_, 2;

		$program eq $run->{program} &&
			($run->{parts} eq '*' ||
			 grep { index($test, $_) >= 0 } split /,/, $run->{parts})
	} sort keys %$passed;
}

# A kill proves nothing unless the test passed before, and where the boot lived on,
# after as well. The storm has no baseline here; it is only told of.
sub proven
{
	my ($run) = @_;
	my $wanted = $run->{boot}{done} ? 2 : 1;

	return 1 if $run->{program} eq 'storm';
	return 0 < grep { ($run->{boot}{passed}{$_} // 0) >= $wanted }
		speakers($run);
}

# What a kill is called: the tests that failed, or the run and how it ended.
sub names
{
	my ($run) = @_;

	return $run->{program} if $run->{program} eq 'storm';
	return @{$run->{fail}} if @{$run->{fail}};
	return title($run) . " ($run->{verdict})" if $run->{verdict} ne 'died';
	return title($run) . ' (the kernel died)';
}

sub unique
{
	my %seen;

	return grep { !$seen{$_}++ } @_;
}

sub judge
{
	my ($name, $property, $killer, $precedent, $models, @runs) = @_;
	my @killed = grep { $kills{$_->{verdict}} } @runs;
	my @proven = grep { proven($_) } @killed;
	my @tests = grep { $_->{program} ne 'storm' } @proven;
	my @own = grep { title($_) eq $killer } @runs;
	my @own_killed = grep { title($_) eq $killer } @proven;
	my %m = (name => $name, property => $property, precedent => $precedent,
		 killer => $killer, runs => \@runs,
		 killed_by => [unique(map { names($_) } @proven), @$models],
		 seconds => @proven ? $proven[0]{time} + 0 : 0,
		 survived => !@tests,
		 # Each time that the named test was run.
		 deterministic => @own && @own == @own_killed);
	my ($first) = grep { $_->{verdict} !~ /passed/ } @own, @runs;

	if (@own_killed) {
		my $by = (names($own_killed[0]))[0];

		$m{line} = sprintf 'killed by %s in %.1f s', $by, $own_killed[0]{time};
		$m{line} .= ", but only in " . @own_killed . " of " . @own . " runs"
			if !$m{deterministic};
	} elsif (@tests) {
		$m{deterministic} = 0 < grep { @{$_->{fail}} } @tests;
		$m{line} = "killed by $m{killed_by}[0], but not by its killer $killer";
	} elsif (@proven) {
		$m{line} = "survived $killer; only a random storm noticed";
	} elsif (@killed) {
		$m{line} = 'no proof: ' . title($killed[0]) .
			" $killed[0]{verdict}, but it must pass without the mutant";
	} elsif (!@own) {
		$m{line} = 'was not run';
	} elsif ($first) {
		$m{line} = "survived, for $killer is $first->{verdict}" .
			   ($first->{words} ? ": $first->{words}" : '');
	} else {
		$m{line} = "survived $killer";
	}
	return \%m;
}

# The models that find the same bug, by its identifier.
sub models
{
	my ($file) = @_;
	my %found;

	return \%found if !-e $file;
	push @{$found{$_->{what}}}, "model:$_->{model}"
		for grep { $_->{ok} } @{decode_json(slurp($file))};
	return \%found;
}

# One cell: what a program made of a mutant.
sub cell
{
	my ($mutant, $program) = @_;
	my @runs = grep { $_->{program} eq $program } @{$mutant->{runs}};
	my @kills = grep { $kills{$_->{verdict}} } @runs;

	if ($program eq 'models') {
		my @models = grep { /^model:/ } @{$mutant->{killed_by}};

		return @models ? ['X', "@models"] : ['', 'not modelled'];
	}
	return ['', 'not run'] if !@runs;
	return [(grep { $_->{verdict} eq 'passed' } @runs) ? '.' : '?',
		"$program: $runs[0]{verdict}"] if !@kills;
	return ['X', join ', ', unique(map { names($_) } @kills)];
}

sub text
{
	my ($kernel, $mutants, $programs, $problems) = @_;
	my $text = "Kernel $kernel. X: killed, .: survived, ?: says nothing,\nblank: not run\n\n";
	my $width = 4;
	my $n = 0;

	for (map { $_->{name} } @$mutants) {
		$width = length if length > $width;
	}
	for my $program (@$programs) {
		$text .= sprintf "%-*s  %s%s\n", $width, '', '| ' x $n++, $program;
	}
	for my $mutant (@$mutants) {
		my @cells = map { (cell($mutant, $_))->[0] || ' ' } @$programs;

		$text .= sprintf "%-*s  %s  %s\n", $width, $mutant->{name},
			join(' ', @cells), $mutant->{line};
	}
	return $text . "\n" . join '', map { "$_\n" } @$problems;
}

sub escape
{
	my ($text) = @_;
	my %names = ('&' => 'amp', '<' => 'lt', '>' => 'gt', '"' => 'quot');

	$text =~ s/([&<>"])/&$names{$1};/g;
	return $text;
}

sub html
{
	my ($kernel, $mutants, $programs, $problems) = @_;
	my $html = <<"END";
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Mutants</title><style>
body { font: 14px sans-serif } td, th { padding: 2px 6px; text-align: left }
th.p { writing-mode: vertical-rl } td.X { background: #3a7d44; color: #fff }
td.dot { background: #ddd } tr.bad td.name { background: #b3261e; color: #fff }
</style></head><body>
<h1>Seeded bugs and the tests that notice them, kernel @{[escape($kernel)]}</h1>
<p>Green: killed; grey: survived; white: not run, or it says nothing. Point at a cell for its
tests, at a name for what it is.</p>
@{[map { '<p><b>' . escape($_) . '</b></p>' } @$problems]}
<table><tr><th>mutant</th><th>property</th>
END
	$html .= '<th class="p">' . escape($_) . '</th>' for @$programs;
	$html .= "<th>verdict</th></tr>\n";
	for my $mutant (@$mutants) {
		$html .= sprintf '<tr class="%s"><td class="name" title="%s">%s</td><td>%s</td>',
			$mutant->{survived} ? 'bad' : 'good',
			map { escape($_) } @$mutant{qw(precedent name property)};
		for my $program (@$programs) {
			my ($mark, $title) = @{cell($mutant, $program)};

			$html .= sprintf '<td class="%s" title="%s">%s</td>',
				$mark eq 'X' ? 'X' : $mark eq '.' ? 'dot' : 'no', escape($title), $mark;
		}
		$html .= '<td>' . escape($mutant->{line}) . "</td></tr>\n";
	}
	return "$html</table></body></html>\n";
}

sub report
{
	my ($list, $results, $kernel, $dir, $models) = @_;
	my $found = models($models);
	my @runs = load($results);
	my @problems = baseline(@runs);
	my (@mutants, @programs, @survivors);

	for my $line (split /\n/, slurp($list)) {
		my ($name, @facts) = split /\t/, $line;
		my $mutant = judge($name, @facts[0 .. 2], $found->{$facts[3]} // [],
				   grep { $_->{mutant} eq $name } @runs);

		push @mutants, $mutant;
		push @survivors, $name if $mutant->{survived};
		printf "%s - mutant %s: %s\n", $mutant->{survived} ? 'not ok' : 'ok',
			$name, $mutant->{line};
	}
	print "not ok - $_\n" for @problems;
	@programs = unique(map { $_->{program} }
			   grep { $_->{mutant} ne 'none' } @runs);
	push @programs, 'models' if %$found;
	spew("$dir/matrix.txt", text($kernel, \@mutants, \@programs, \@problems));
	spew("$dir/matrix.html", html($kernel, \@mutants, \@programs, \@problems));
	spew("$dir/matrix.json", JSON::PP->new->canonical->pretty->encode({
		mutants => [map { {
			name => $_->{name}, property => $_->{property},
			precedent => $_->{precedent}, killed_by => $_->{killed_by},
			deterministic => $_->{deterministic} ?
				JSON::PP::true : JSON::PP::false,
			seconds => $_->{seconds},
		} } @mutants],
		total => scalar @mutants, survivors => \@survivors,
		kernel => $kernel }));
	printf "mutants: %d of %d killed\n", @mutants - @survivors, scalar @mutants;
	return @survivors || @problems ? 1 : 0;
}

# Does a run with a generated mutant kill it? "killed" if a test that speaks for it has
# passed before it in this boot, and in the run after it, if that is one without a mutant;
# "unproven" if it has failed there; nothing if the test fails anyhow.
sub judge_generated
{
	my ($run, $after) = @_;
	my $passed = $run->{boot}{passed} // {};
	my @killers = grep { $passed->{$_} } @{$run->{fail}};

	return '' if !$kills{$run->{verdict}};
	if (!@killers) {
		# Of a kernel that dies or complains it is the run as a whole.
		return '' if $run->{verdict} eq 'failed' && @{$run->{fail}};
		$run->{fail} = [];
		@killers = grep { $passed->{$_} } speakers($run) or return 'unproven';
	} else {
		$run->{fail} = \@killers;
	}
	return 'killed' if !$after || $after->{boot} != $run->{boot} ||
		$after->{mutant} ne 'none' || $after->{program} ne $run->{program};

	my %again = map { $_ => 1 } @{$after->{pass}};

	return (grep { $again{$_} } @killers) ? 'killed' : 'unproven';
}

sub verdicts
{
	my ($results) = @_;
	my @runs = load($results);
	my (%verdict, %by, %time);

	baseline(@runs);
	for my $i (grep { $runs[$_]{mutant} ne 'none' } 0 .. $#runs) {
		my ($run, $name) = ($runs[$i], $runs[$i]{mutant});
		my $is = judge_generated($run, $runs[$i + 1]);

		$time{$name} += $run->{time};
		$verdict{$name} //= 'survived';
		next if !$is || $verdict{$name} eq 'killed';
		$verdict{$name} = $is;
		$by{$name} = $run;
	}
	printf "%s\t%s\t%.1f\t%s\n", $_, $verdict{$_}, $time{$_},
		$by{$_} ? (names($by{$_}))[0] : '' for sort keys %verdict;
}

my $command = shift // '';

if ($command eq 'report' && @ARGV == 5) {
	exit report(@ARGV);
} elsif ($command eq 'verdicts' && @ARGV == 1) {
	verdicts(@ARGV);
} else {
	die "usage: mutants.pl report LIST RESULTS KERNEL DIR MODELS | verdicts RESULTS\n";
}

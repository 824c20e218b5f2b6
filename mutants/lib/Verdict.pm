# SPDX-License-Identifier: GPL-2.0
package Verdict;
# What runs prove of a mutant; the runs are those of Boots.pm.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(judge_seeded judge_generated is_kill names problems title unique);

# A run with one of these verdicts is a kill.
my %kills = map { $_ => 1 } qw(failed hang splat died);

sub is_kill
{
	my ($run) = @_;

	return $kills{$run->{verdict}};
}

sub unique
{
	my %seen;

	return grep { !$seen{$_}++ } @_;
}

sub title
{
	my ($run) = @_;

	return $run->{program} eq 'storm' ? 'storm' : "$run->{program}/$run->{parts}";
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

# What happened without a mutant, and must not.
sub problems
{
	return map { join ' ', 'without a mutant:', title($_), $_->{verdict}, @{$_->{fail}},
		     $_->{words} }
		grep { $_->{mutant} eq 'none' && $_->{verdict} !~ /^(?:passed|absent)$/ } @_;
}

# The tests that a run speaks for and that have passed without a mutant in its boot: of
# those that failed, or of those that it was to run; each with how often they did.
sub speakers
{
	my ($run) = @_;
	my $passed = $run->{boot}{passed} // {};
	my @tests = @{$run->{fail}} ? @{$run->{fail}} : grep {
		my ($program, $test) = split m{/}, $_, 2;

		$program eq $run->{program} &&
			($run->{parts} eq '*' ||
			 grep { index($test, $_) >= 0 } split /,/, $run->{parts})
	} sort keys %$passed;

	return map { [$_, $passed->{$_}] } grep { $passed->{$_} } @tests;
}

# A kill by a seeded bug proves nothing unless the test passed before it, and after it as
# well where that was to be seen. The storm has no baseline; it is only told of.
sub is_proven
{
	my ($run, $closing) = @_;
	my $wanted = $closing && $run->{boot}{done} ? 2 : 1;

	return $run->{program} eq 'storm' || grep { $_->[1] >= $wanted } speakers($run);
}

# A seeded bug, with its runs; $closing: whether a boot ends with a baseline.
sub judge_seeded
{
	my ($m, $closing, @runs) = @_;
	my $killer = $m->{killer};
	my @killed = grep { is_kill($_) } @runs;
	my @proven = grep { is_proven($_, $closing) } @killed;
	my @tests = grep { $_->{program} ne 'storm' } @proven;
	my @own = grep { title($_) eq $killer } @runs;
	my @own_killed = grep { title($_) eq $killer } @proven;
	my ($first) = grep { $_->{verdict} !~ /passed/ } @own, @runs;
	my %verdict = (runs => \@runs, survived => !@tests,
		       killed_by => [unique(map { names($_) } @proven), @{$m->{models} // []}],
		       seconds => @proven ? $proven[0]{time} + 0 : 0,
		       # Each time that the named test was run.
		       deterministic => @own && @own == @own_killed);
	my $line;

	if (@own_killed) {
		$line = sprintf 'killed by %s in %.1f s', (names($own_killed[0]))[0],
			$own_killed[0]{time};
		$line .= ', but only in ' . @own_killed . ' of ' . @own . ' runs'
			if !$verdict{deterministic};
	} elsif (@tests) {
		$verdict{deterministic} = 0 < grep { @{$_->{fail}} } @tests;
		$line = "killed by $verdict{killed_by}[0], but not by its killer $killer";
	} elsif (@proven) {
		$line = "survived $killer; only a random storm noticed";
	} elsif (@killed) {
		$line = 'no proof: ' . title($killed[0]) .
			" $killed[0]{verdict}, but it must pass without the mutant";
	} elsif (!@own) {
		$line = 'was not run';
	} elsif ($first) {
		$line = "survived, for $killer is $first->{verdict}" .
			($first->{words} ? ": $first->{words}" : '');
	} else {
		$line = "survived $killer";
	}
	return { %$m, %verdict, line => $line };
}

# Does a run with a generated mutant kill it? "killed" if a test that speaks for it has
# passed before it in this boot, and in the run after it, if that is one without a mutant;
# "unproven" if it has failed there; nothing if the test fails anyhow. With what it is called.
sub judge_run
{
	my ($run, $after) = @_;
	my @killers = map { $_->[0] } speakers($run);

	return if !is_kill($run);
	if (@{$run->{fail}} && !@killers) {
		# Of a kernel that dies or complains it is the run as a whole.
		return if $run->{verdict} eq 'failed';
		$run = { %$run, fail => [] };
		@killers = map { $_->[0] } speakers($run);
	}
	my ($name) = names(@{$run->{fail}} ? { %$run, fail => \@killers } : $run);

	return ('unproven', $name) if !@killers;
	return ('killed', $name) if !$after || $after->{boot} != $run->{boot} ||
		$after->{mutant} ne 'none' || $after->{program} ne $run->{program};

	my %again = map { $_ => 1 } @{$after->{pass}};

	return ((grep { $again{$_} } @killers) ? 'killed' : 'unproven', $name);
}

# The verdict of each generated mutant in these runs: killed, unproven or survived, the
# seconds it took, and by what.
sub judge_generated
{
	my @runs = @_;
	my %verdicts;

	for my $i (grep { $runs[$_]{mutant} ne 'none' } 0 .. $#runs) {
		my $its = $verdicts{$runs[$i]{mutant}} //=
			{ verdict => 'survived', seconds => 0, by => '' };
		my ($is, $by) = judge_run(@runs[$i, $i + 1]);

		$its->{seconds} += $runs[$i]{time};
		@$its{qw(verdict by)} = ($is, $by) if $is && $its->{verdict} ne 'killed';
	}
	return \%verdicts;
}

1;

# SPDX-License-Identifier: GPL-2.0
package Seeded;
# The seeded bugs, patches/ in the order of series: all of them, or some, each against the
# test that its patch names, and with all others.
use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP;
use Boots;
use Catalogue;
use Files qw(slurp lines shell fail);
use Report;
use Verdict qw(judge_seeded problems unique);

# Those that were asked for.
sub list_mutants
{
	my ($o, $patches) = @_;
	my %wanted = map { $_ => 1 } grep { $_ ne '' } split /[ ,]+/, $o->{only};
	my $some = %wanted;
	my %seen;
	my @mutants = grep { delete $wanted{$_->{name}} || !$some }
		grep { !$o->{few} || !$seen{$_->{property}}++ } Catalogue::list($patches);

	fail(2, "there is no mutant \"$_\"") for sort keys %wanted;
	return @mutants;
}

sub build
{
	my ($o) = @_;

	shell(<<'END', @$o{qw(kernel out)});
		build_tools testvm vmm selftests
		prepare_kernel "$1" test
		make_root "$2/root"
		cp "$module" "$2/root/usr/lib/secmmu/"
END
}

# The programs of the plan in a boot's folder.
sub give_programs
{
	my ($o, $dir) = @_;
	my $to = "$dir/usr/lib/secmmu/selftests";
	my @programs = grep { -e } map { "$o->{programs_in}/selftests/$_" }
		unique(map { (split ' ')[1] } lines("$dir/plan"));

	make_path($to);
	system 'cp', '-l', @programs, "$to/" if @programs;
}

# The tests that passed in a log of run_tests.sh, each "program/test", and counted.
sub passed_in
{
	my ($log) = @_;
	my ($program, $word, %passed) = '';

	for (lines($log)) {
		if (/^TAP version/) {
			$program = $word;
		} elsif (/^# (\w+)$/) {
			$word = $1;
		} elsif (/^ok \d+ [^.]*\.(\S+)/ && !/# SKIP/) {
			$passed{"$program/$1"}++;
		}
	}
	return \%passed;
}

# Without a mutant everything that is used in these runs must pass; what has done so elsewhere
# is left out.
sub baseline
{
	my ($proven, @runs) = @_;
	my (%parts, @programs);

	for (@runs) {
		my (undef, $program, $parts) = @$_;

		next if $program eq 'storm' || grep { m{^\Q$program/\E.*\Q$parts\E} } keys %$proven;
		push @programs, $program if !$parts{$program};
		push @{$parts{$program}}, $parts if !grep { $_ eq $parts } @{$parts{$program}};
	}
	return map {
		my @parts = @{$parts{$_}};

		['none', $_, (grep { $_ eq '*' } @parts) ? '*' : join ',', @parts];
	} @programs;
}

# What a person wants to see of a run.
sub announce
{
	my ($job, $name, $program, $parts, $verdict, $time) = @_;
	my $done = grep { $_->{mutant} ne 'none' } map { @{$_->{runs}} } @{$job->{vms}};

	printf "[%d of %d] %s: %s/%s %s (%.2f s)\n", $done, $job->{total}, $name, $program,
		$parts, $verdict, $time / 100;
}

# A killer that cannot see its mutant must be told from one that can: is that so?
sub control_survives
{
	my ($control, $closing, @judged) = @_;
	my ($name, $killer) = split ' ', $control;
	my ($program) = split m{/}, $killer;

	for my $mutant (grep { $_->{name} eq $name } @judged) {
		my $again = judge_seeded({ %$mutant, killer => $killer }, $closing,
					 grep { $_->{program} eq $program } @{$mutant->{runs}});

		if ($again->{line} =~ /^survived/) {
			print "ok - mutants: a test that sees nothing is no killer\n";
			return 1;
		}
		print "# mutant $name: $again->{line}\n";
	}
	print "not ok - mutants: a test that sees nothing counts as a killer\n";
	return 0;
}

# Judges all, prints a line for each and leaves the matrix; 1 if not all is well.
sub judge
{
	my ($o, $job, $mutants, $control) = @_;
	my @runs = map { @{$_->{runs}} } @{$job->{vms}};
	my @problems = problems(@runs);
	my $models = "$o->{build}/models/models.json";
	my $checked = -e $models ? decode_json(slurp($models)) : {};
	my %found;

	# Models that find the same bug, where they have been run, are told of too. An older
	# version has left a list.
	push @{$found{$_->{what}}}, "model:$_->{model}"
		for grep { $_->{ok} } ref $checked eq 'HASH' ? @{$checked->{results} // []} : ();
	my @judged = map {
		my $name = $_->{name};

		judge_seeded({ %$_, models => $found{$_->{identifier}} // [] }, !$o->{few},
			     grep { $_->{mutant} eq $name } @runs);
	} @$mutants;

	printf "%s - mutant %s: %s\n", $_->{survived} ? 'not ok' : 'ok', @$_{qw(name line)}
		for @judged;
	print "not ok - $_\n" for @problems;
	Report::write_matrix($o->{out}, $o->{kernel_name}, \@judged, \@problems);
	my $killed = grep { !$_->{survived} } @judged;

	print "mutants: $killed of ", scalar @judged, " killed\n";
	my $failed = $killed < @judged || @problems;

	$failed = 1 if $control && !control_survives($control, !$o->{few}, @judged);
	return $failed ? 1 : 0;
}

# What Boots.pm is to do.
sub job
{
	my ($o) = @_;
	my @mutants = list_mutants($o, $ENV{MUTANTS_PATCHES} // "$o->{top}/mutants");
	# In the quick form: a mutant, and a test that has nothing to do with it.
	my $control = $o->{quick} && $o->{only} eq '' ?
		$ENV{MUTANTS_CONTROL} // 'ignore-invalidate abi/G2_size_exact' : '';
	# How long one run of a program may take.
	my $limit = ($o->{quick} ? 120 : 90) * $o->{slow};
	my $job = { guest => [$limit], machine => ['--arch', $o->{arch}], limit => $limit,
		    proven => $o->{passed} eq '' ? {} : passed_in($o->{passed}),
		    furnish => sub { give_programs($o, $_[0]) } };

	build($o) if !$ENV{MUTANTS_TESTVM};
	my @more = $o->{quick} ? () : ((map { [$_, '*'] } lines($ENV{MUTANTS_PROGRAMS} //
		"$o->{programs_in}/selftests/tests-of-test-build")), ['storm', 5]);
	# Runs of one program together, for then fewer are needed without a mutant. Last those
	# of which the kernel is likely to die.
	my @vms = Boots::share($o->{jobs}, map {
		my $mutant = $_;

		[map { [$mutant->{name}, @$_] }
			([split m{/}, $mutant->{killer}]) x ($o->{quick} ? 1 : 3), @more];
	} sort {
		($a->{killer} =~ m{^unload/}) <=> ($b->{killer} =~ m{^unload/}) ||
			$a->{killer} cmp $b->{killer}
	} @mutants);

	push @{$vms[0]{todo}}, [split m{[ /]}, $control] if $control;
	$job->{vms} = \@vms;
	$job->{total} = map { @{$_->{todo}} } @vms;
	$job->{title} = @mutants . " mutants, $job->{total} runs";
	# The state that every mutant is compared with, before and, if all is to be proved
	# of those that are run, after.
	$job->{plan} = sub {
		return (baseline($job->{proven}, @_), @_, $o->{few} ? () : baseline({}, @_));
	};
	$job->{heard} = sub {
		my ($vm, $word, @run) = @_;

		return if $word ne 'end';
		announce($job, @run) if $run[0] ne 'none';
		# Another boot need not show it again.
		return if !$o->{few} || $run[0] ne 'none';
		$job->{proven}{$_}++ for @{$vm->{runs}[-1]{pass}};
	};
	$job->{judge} = sub { judge($o, $job, \@mutants, $control) };
	return $job;
}

1;

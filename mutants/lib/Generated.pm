# SPDX-License-Identifier: GPL-2.0
package Generated;
# Mutants made of the driver's sources, see auto/: all of them are built into one module,
# and each is run until a test kills it. Verdicts are kept in "known", one a line, for the
# next run.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path remove_tree);
use Boots;
use Files qw(slurp spew lines shell fail);
use Generate;
use Report;
use Verdict qw(judge_generated);

# How many must be killed of those that are not equivalent, in percent.
my $wanted = 95;

# The beginning of what "cat FILES | sha256sum" says.
sub sum
{
	return substr sha256_hex(map { slurp($_) } @_), 0, 16;
}

# --- The mutants ----------------------------------------------------------------------

# Which mutants there can be.
sub enumerate
{
	my ($o) = @_;

	shell(<<'END', @$o{qw(out driver)});
		PACKAGES='coccinelle libpython3.11' "$top/check/setup.sh"
		cd "$2"
		find . -maxdepth 1 -name '*.[ch]' -printf '%P\n' |
			grep -vxE 'main\.c|debugfs\.[ch]|trace\.h|limits\.h' | sort |
			xargs spatch --very-quiet --no-includes --iso-file /dev/null \
				--sp-file "$top/mutants/auto/places.cocci" \
				> "$1/places" 2> "$1/spatch.log" || {
			cat "$1/spatch.log" >&2
			exit 1
		}
END
	my @places = lines("$o->{out}/places")
		or fail(1, slurp("$o->{out}/spatch.log"), 'spatch has found nothing to change');

	return Generate::list($o->{driver}, @places);
}

# The sources with these mutants in them. What has not changed keeps its time, so that it is
# not compiled again. Returns where each mutant stands.
sub write_sources
{
	my ($o, @mutants) = @_;
	my $new = "$o->{out}/new";

	shell(<<'END', $new, $o->{driver});
		rm -rf "$1"
		mkdir -p "$1"
		cp -R "$2" "$1/driver"
		cp -R "$top/uapi" "$1/uapi"
		find "$1" -type f ! -name '*.[ch]' ! -name '*.def' ! -name Makefile -delete
END
	my @map = Generate::write_copy($o->{driver}, "$new/driver", @mutants);

	shell(<<'END', $new, "$o->{out}/src");
		cp "$top/mutants/auto/switch.h" "$1/driver/"
		cat "$top/mutants/auto/switch.c" >> "$1/driver/main.c"
		echo 'ccflags-y += -include $(secmmu-dir)/switch.h' >> "$1/driver/Makefile"
		update_tree "$1" "$2"
END
	return @map;
}

# One module with all mutants that compile: those of which the compiler complains are dropped
# until it does not. Returns the ids of those that are in it: what the compiler has thrown
# away is not.
sub build_module
{
	my ($o, @mutants) = @_;
	my $folder = "$o->{out}/modules/$o->{kernel}-$o->{flavour}";
	my %dropped;

	$o->{module} = "$folder/driver/secmmu.ko";
	while (1) {
		my @map = write_sources($o, grep { !$dropped{$_->{id}} } @mutants);

		last if system("BUILD='$o->{out}' '$o->{top}/testvm/kernels/module.sh' --from " .
			"'$o->{out}/src' $o->{kernel} $o->{flavour} > /dev/null " .
			"2> '$o->{out}/module.log'") == 0;
		my @suspects = Generate::suspects(slurp("$folder/build.log"), @map)
			or fail(1, "they do not build, see $folder/build.log");

		print '== ', scalar @suspects, " mutants do not compile\n";
		@dropped{@suspects} = @suspects;
	}
	system('objcopy', '--dump-section', "secmmu_auto=$o->{out}/ids", $o->{module}, '/dev/null')
		and fail(1, 'objcopy has failed');
	return unpack 'V*', slurp("$o->{out}/ids");
}

# Builds all; returns the ids of the mutants that can be run.
sub build
{
	my ($o, @mutants) = @_;

	shell(<<'END', $o->{kernel});
		build_tools testvm vmm selftests
		say "kernel $1"
		"$top/testvm/kernels/kernel.sh" "$1" > /dev/null
END
	print '== building ', scalar @mutants, " mutants for $o->{kernel}\n";
	my @compiled = build_module($o, @mutants);

	shell('make_root "$1/root" "$2"', @$o{qw(out module)});
	$o->{programs} = [($o->{flavour} eq 'kunit' ? 'kunit' : ()),
			  map { lines("$o->{build}/selftests/$_") } qw(tests-of-test-build tests)];
	# What verdicts depend on.
	$o->{state} = [sum(glob "$o->{driver}/*.[ch] $o->{driver}/compat/* $o->{top}/uapi/linux/*"),
		       sum(grep { -f } glob "$o->{top}/selftests/{,gated/,lib/}*.[ch] $o->{driver}/test/*") .
		       ($o->{quick} ? ' quick' : ''),
		       $o->{kernel}];
	return @compiled;
}

# For the test of this program.
sub pretend_to_build
{
	my ($o, @mutants) = @_;

	$o->{programs} = [lines($ENV{MUTANTS_PROGRAMS})];
	$o->{state} = ['driver', $ENV{MUTANTS_STATE} // 'tests', $o->{kernel}];
	return map { $_->{id} } @mutants;
}

# Reasons by key: a key on a line, the reason indented below it.
sub equivalents
{
	my ($file) = @_;
	my ($key, %reasons);

	for (lines($file)) {
		next if /^(?:#|$)/;
		if (/^\s+(.*)/) {
			fail(1, "$file: a reason of nothing") if !defined $key;
			$reasons{$key} .= $reasons{$key} eq '' ? $1 : " $1";
		} else {
			$key = $_;
			$reasons{$key} = '';
		}
	}
	for (sort keys %reasons) {
		fail(1, "$file: no reason for \"$_\"") if $reasons{$_} eq '';
	}
	return \%reasons;
}

# --- What is run ----------------------------------------------------------------------

sub stem
{
	return $_[0] =~ s/\..*//r;
}

# So many of each file as is its share: those that come first in a random order of it.
sub sample
{
	my ($n, $seed, @mutants) = @_;
	my (%by, %place);

	return @mutants if !$n || $n >= @mutants;
	for (sort { $a->[0] cmp $b->[0] } map { [md5_hex("$seed $_->{key}"), $_] } @mutants) {
		push @{$by{stem($_->[1]{file})}}, $_->[1];
	}
	for my $those (values %by) {
		$place{$those->[$_]{id}} = ($_ + 0.5) / @$those for 0 .. $#$those;
	}
	return (sort { $place{$a->{id}} <=> $place{$b->{id}} || $a->{id} <=> $b->{id} }
		@mutants)[0 .. $n - 1];
}

# The table of programs: by file, "last", and by program the tests that are run.
sub table
{
	my ($o) = @_;

	return map { /^([\w.]+):\s*(.*)/ ? ($1 => [split ' ', $2]) : () }
		lines("$o->{top}/mutants/auto/programs");
}

# Programs for a file: those of the table, then all others, the slow ones last.
sub programs_for
{
	my ($o, $stem, %table) = @_;
	my @all = @{$o->{programs}};
	my %there = map { $_ => 1 } @all;
	my %last = map { $_ => 1 } @{$table{last} // []};
	my %seen;

	return grep { $there{$_} && !$seen{$_}++ } 'kunit', @{$table{$stem} // []},
		$o->{quick} ? () : ((grep { !$last{$_} } @all), @{$table{last}});
}

# Sets the verdicts of earlier runs that still hold: that of a killed mutant while the driver
# is the same, that of a survivor while the tests are too.
sub recall
{
	my ($o, @mutants) = @_;
	my ($driver, $tests, $kernel) = @{$o->{state}};
	my %known;

	for (lines("$o->{out}/known")) {
		my ($its_driver, $its_tests, $its_kernel, $verdict, $time, $by, $key) = split /\t/;

		$known{$key} = { verdict => $verdict, seconds => $time + 0, by => $by }
			if $its_driver eq $driver && $its_kernel eq $kernel &&
				($verdict eq 'killed' || $its_tests eq $tests);
	}
	%$_ = (%$_, verdict => 'not run', seconds => 0, by => '', %{$known{$_->{key}} // {}})
		for @mutants;
	$_->{verdict} = 'equivalent' for grep { defined $_->{reason} } @mutants;
}

# The mutants of this run.
sub pick
{
	my ($o, @mutants) = @_;
	my %files = map { $_ => 1 } grep { $_ ne '' } split /[\s,]+/, $o->{files};

	@mutants = grep {
		!%files || $files{$_->{file}} || $files{stem($_->{file})} ||
			$files{"$_->{file}:$_->{line}"}
	} @mutants or fail(2, "no mutant is in \"$o->{files}\"");
	return sample($o->{sample}, $o->{seed}, @mutants);
}

# --- What comes of it -----------------------------------------------------------------

# Adds to what is known what this run has found out about mutants that it is through with,
# and forgets those runs. The latest mutant of a VM may have to be run on, still.
sub learn
{
	my ($o, $job, $by_id) = @_;
	my @runs;

	for my $vm (@{$job->{vms}}) {
		my ($runs, $next, $n) = ($vm->{runs}, $vm->{todo}[0] // [''], 0);
		my $latest = $vm->{pid} ? $vm->{last_begun} // '' : $next->[0];

		$n++ while $n < @$runs && $runs->[$n]{mutant} ne $latest;
		push @runs, splice @$runs, 0, $n;
	}

	my $verdicts = judge_generated(@runs);

	open my $known, '>>', "$o->{out}/known" or die "mutants: cannot write known: $!\n";
	for my $id (sort { $a <=> $b } keys %$verdicts) {
		my ($mutant, $its) = ($by_id->{$id}, $verdicts->{$id});

		next if $mutant->{verdict} eq $its->{verdict} ||
			($its->{verdict} eq 'unproven' && $mutant->{verdict} ne 'not run');
		%$mutant = (%$mutant, %$its);
		print $known join("\t", @{$o->{state}}, $its->{verdict},
				  sprintf('%.1f', $its->{seconds}), $its->{by}, $mutant->{key}), "\n"
			if $its->{verdict} ne 'unproven';
	}
	close $known or die "mutants: cannot write known: $!\n";
}

# What is known so far, as a report; its text and how many are killed.
sub report
{
	my ($o, $job, $picked, %about) = @_;

	learn($o, $job, { map { $_->{id} => $_ } @$picked });
	return Report::write_survey($o->{out}, $o->{driver}, \%about, @$picked);
}

# One line for each mutant that nothing else of is to be run.
sub announce
{
	my ($job, $mutant, $what) = @_;

	printf "[%d of %d, %d s] %s:%d %s %s\n", ++$job->{told}, $job->{total},
		time - $job->{began}, @$mutant{qw(file line operator)}, $what;
}

# A run without a mutant has passed: if it was the whole program, no later boot needs it.
sub prove
{
	my ($o, $job, $run) = @_;
	my $program = $run->{program};

	return if $run->{parts} ne $job->{parts}->($program) || $job->{took}{$program};
	$job->{took}{$program} = int($run->{time}) + 1;
	$job->{proven}{$_}++ for @{$run->{pass}};
	spew("$o->{out}/proven/$program", int(100 * $run->{time}) . "\n",
	     map { (split m{/}, $_, 2)[1] . "\n" } @{$run->{pass}});
}

sub hear
{
	my ($o, $job, $by_id, $vm, $word, $name, $program, @more) = @_;
	my $mutant = $by_id->{$name // ''};

	if ($word eq 'reached') {
		spew("$o->{out}/reached/$name", "$program\n");
	} elsif ($word eq 'begin' && $mutant) {
		# Not to take much longer than without a mutant, in this boot or an earlier one.
		my $quiet = 4 * ($job->{took}{$program} // 0) + 60 * $o->{slow};

		$vm->{quiet} = $quiet if $job->{took}{$program} && $quiet < $job->{silence};
		return if $name eq ($vm->{last_begun} // '');
		$vm->{last_begun} = $name;
		$job->{report}->();
	} elsif ($word eq 'killed') {
		announce($job, $mutant, "killed by " . join ' ', grep { $_ ne '*' } @{$vm->{run}}[1, 2]);
	} elsif ($word eq 'buried' && $mutant) {
		announce($job, $mutant, "killed by $program ($more[1])");
	} elsif ($word eq 'end' && !$mutant) {
		prove($o, $job, $vm->{runs}[-1]) if $more[1] eq 'passed';
	} elsif ($word eq 'end' && $more[1] =~ /^(?:passed|skipped|absent)$/) {
		# The runs of a mutant are together.
		my $next = $vm->{todo}[0];

		announce($job, $mutant, 'survived') if !$next || $next->[0] ne $name;
	}
}

# What Boots.pm is to do; nothing, if that was all.
sub job
{
	my ($o) = @_;
	my $limit = 180 * $o->{slow};
	my $reasons = equivalents($ENV{MUTANTS_EQUIVALENT} //
				  "$o->{top}/mutants/auto/equivalent.txt");

	@$o{qw(driver flavour)} = ($ENV{MUTANTS_DRIVER} // "$o->{top}/driver",
				   $o->{kernel} =~ /^6\./ ? 'test' : 'kunit');
	my @all = enumerate($o);

	if ($o->{list}) {
		print "$_->{file}:$_->{line}: $_->{key}\n" for @all;
		return;
	}
	my %compiled = map { $_ => 1 }
		$ENV{MUTANTS_TESTVM} ? pretend_to_build($o, @all) : build($o, @all);
	return if $o->{only_build};
	$_->{reason} = delete $reasons->{$_->{key}} for @all;
	my @compiled = grep { $compiled{$_->{id}} } @all;

	recall($o, @compiled);
	# What the programs are known to come by, for boots to come.
	remove_tree(map { "$o->{out}/$_" } qw(reached proven));
	make_path(map { "$o->{out}/$_" } qw(reached proven));
	my @picked = pick($o, @compiled);
	my @todo = grep { $_->{verdict} eq 'not run' } @picked;
	my %by_id = map { $_->{id} => $_ } @picked;
	my %table = table($o);
	my $parts = sub { join(',', @{$table{"tests.$_[0]"} // []}) || '*' };
	my $job = { limit => $limit, guest => [$limit, 'auto_mutant'], patient => 1,
		    proven => {}, parts => $parts,
		    machine => $o->{flavour} eq 'kunit' ? ['--load', 'kunit'] : [],
		    total => scalar @todo, began => time, plan => sub { @_ },
		    title => @picked . ' mutants, ' . @todo . ' to be run' };
	my %about = (what => "kernel $o->{kernel}" . ($o->{files} ? ", $o->{files}" : '') .
		     ($o->{sample} ? ", a sample of $o->{sample}, seed $o->{seed}" : ''),
		     kernel => $o->{kernel}, wanted => $wanted, dropped => @all - @compiled,
		     stale => [sort keys %$reasons]);

	$job->{vms} = [Boots::share($o->{jobs}, map {
		my $mutant = $_;

		[map { [$mutant->{id}, $_, $parts->($_)] }
			programs_for($o, stem($mutant->{file}), %table)];
	} @todo)];
	$job->{furnish} = sub { system('cp', '-R', "$o->{out}/reached", "$o->{out}/proven", "$_[0]/") };
	$job->{report} = sub { report($o, $job, \@picked, %about) };
	$job->{heard} = sub { hear($o, $job, \%by_id, @_) };
	$job->{judge} = sub {
		my ($text, $rate) = $job->{report}->();

		print $text;
		return !defined $rate || $rate < $wanted || grep { $_->{verdict} eq 'not run' }
			@picked;
	};
	return $job;
}

1;

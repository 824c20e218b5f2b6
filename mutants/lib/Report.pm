# SPDX-License-Identifier: GPL-2.0
package Report;
# What came of the mutants, for people and for programs: the matrix of the seeded bugs, and
# the survey of the generated ones.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;
use Files qw(slurp spew);
use Html qw(element table page);
use Version qw(version);
use Verdict qw(is_kill names unique);

sub write_json
{
	my ($file, %what) = @_;

	spew($file, JSON::PP->new->canonical->pretty->encode({ version => version(), %what }));
}

# --- The matrix -----------------------------------------------------------------------

# One cell: what a program made of a mutant.
sub cell
{
	my ($mutant, $program) = @_;
	my @runs = grep { $_->{program} eq $program } @{$mutant->{runs}};
	my @kills = grep { is_kill($_) } @runs;

	return @{$mutant->{models}} ? ['X', "@{$mutant->{models}}"] : ['', 'not modelled']
		if $program eq 'models';
	return ['', 'not run'] if !@runs;
	return [(grep { $_->{verdict} eq 'passed' } @runs) ? '.' : '?',
		"$program: $runs[0]{verdict}"] if !@kills;
	return ['X', join ', ', unique(map { names($_) } @kills)];
}

sub matrix_text
{
	my ($kernel, $mutants, $programs, $problems) = @_;
	my ($width) = sort { $b <=> $a } 4, map { length $_->{name} } @$mutants;
	my $n = 0;

	return "Kernel $kernel. X: killed, .: survived, ?: says nothing,\nblank: not run\n\n",
		(map { sprintf "%-*s  %s%s\n", $width, '', '| ' x $n++, $_ } @$programs),
		(map {
			my $mutant = $_;

			sprintf "%-*s  %s  %s\n", $width, $mutant->{name},
				join(' ', map { cell($mutant, $_)->[0] || ' ' } @$programs),
				$mutant->{line};
		} @$mutants), "\n", map { "$_\n" } @$problems;
}

sub matrix_row
{
	my ($mutant, @programs) = @_;
	my %class = (X => 'X', '.' => 'dot');

	return [[$mutant->{name}, {title => $mutant->{precedent},
				   class => $mutant->{survived} ? 'bad' : 'good'}],
		$mutant->{property}, (map {
			my ($mark, $title) = @{cell($mutant, $_)};

			[$mark, {class => $class{$mark} // 'no', title => $title}]
		} @programs), $mutant->{line}];
}

sub matrix_html
{
	my ($kernel, $mutants, $programs, $problems) = @_;
	my $style = <<'END';
body { font: 14px sans-serif } td, th { padding: 2px 6px; text-align: left }
th.p { writing-mode: vertical-rl } td.X { background: #3a7d44; color: #fff }
td.dot { background: #ddd } td.bad { background: #b3261e; color: #fff }
END

	return page("Seeded bugs and the tests that notice them, kernel $kernel", $style,
		element('p', {}, <<'END'), (map { element('p', {}, element('b', {}, $_)) } @$problems),
Green: killed; grey: survived; white: not run, or it says nothing. Point at a cell for its
tests, at a name for what it is.
END
		table(['mutant', 'property', (map { [$_, {class => 'p'}] } @$programs), 'verdict'],
		      map { matrix_row($_, @$programs) } @$mutants));
}

# Seeded bugs that were judged; writes matrix.txt, matrix.html and matrix.json.
sub write_matrix
{
	my ($dir, $kernel, $mutants, $problems) = @_;
	my @programs = unique(map { $_->{program} } map { @{$_->{runs}} } @$mutants);

	push @programs, 'models' if grep { @{$_->{models}} } @$mutants;
	my @all = ($kernel, $mutants, \@programs, $problems);

	spew("$dir/matrix.txt", matrix_text(@all));
	spew("$dir/matrix.html", matrix_html(@all));
	write_json("$dir/matrix.json", kernel => $kernel, total => scalar @$mutants,
		   survivors => [map { $_->{name} } grep { $_->{survived} } @$mutants],
		   mutants => [map {
			my $mutant = $_;
			my @facts = qw(name property precedent killed_by seconds);

			+{ (map { $_ => $mutant->{$_} } @facts), deterministic =>
				$mutant->{deterministic} ? JSON::PP::true : JSON::PP::false };
		   } @$mutants]);
}

# --- The survey -----------------------------------------------------------------------

# The sources with one mutant beside the sources as they are.
sub difference
{
	my ($driver, $mutant) = @_;
	my $scratch = tempdir(CLEANUP => 1);
	my $text = slurp("$driver/$mutant->{file}");

	spew("$scratch/a", $text);
	for my $edit (reverse @{$mutant->{edits}}) {
		my ($from, $to, $new, $how) = @$edit;

		$new = '/* left out */;' if $how eq 'statement';
		# At a point: behind what ends there, or before what begins.
		$new = "$new\n" if $how eq 'here';
		substr($text, $from, $to - $from) = $new;
	}
	spew("$scratch/b", $text);
	return `diff -U 2 '$scratch/a' '$scratch/b'` =~ s/^---.*\n\+\+\+.*\n//r;
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

sub survey_row
{
	my ($name, @mutants) = @_;
	my $rate = rate(@mutants);

	return sprintf "%-14s %7d %7d %9d %9d %11d %8d %7s\n", $name, scalar @mutants,
		(map { count($_, @mutants) } 'killed', 'survived', 'unproven', 'equivalent',
		 'not run'), defined $rate ? sprintf('%.0f %%', $rate) : '-';
}

sub paragraph
{
	my ($driver, $mutant) = @_;
	my $text = "$mutant->{file}:$mutant->{line}\n$mutant->{key}\n";

	$text .= "\t$mutant->{reason}\n" if defined $mutant->{reason};
	$text .= "\t($mutant->{by}, but that must pass without the mutant)\n"
		if $mutant->{verdict} eq 'unproven';
	$mutant->{diff} //= difference($driver, $mutant);
	return $text . ($mutant->{diff} =~ s/^/    /gmr) . "\n";
}

sub section
{
	my ($driver, $title, @mutants) = @_;

	return @mutants ? ("$title\n", '-' x length $title, "\n\n",
			   map { paragraph($driver, $_) } @mutants) : ();
}

# Generated mutants with their verdicts; writes report.txt and report.json. $about has
# what was asked for, the kernel, how many places were dropped, and stale judgements.
# Returns the text, and how many of the non-equivalent are killed, in percent.
sub write_survey
{
	my ($dir, $driver, $about, @mutants) = @_;
	my (%by, %of);

	push @{$by{$_->{file} =~ s/\..*//r}}, $_ for @mutants;
	push @{$of{$_->{verdict}}}, $_ for @mutants;
	my $rate = rate(@mutants);
	my $text = join '', "Generated mutants, $about->{what}\n\n",
		sprintf("%-14s %7s %7s %9s %9s %11s %8s %7s\n", 'file', 'mutants', 'killed',
			'survived', 'unproven', 'equivalent', 'not run', 'rate'),
		(map { survey_row($_, @{$by{$_}}) } sort keys %by),
		survey_row('all', @mutants), "\n",
		$about->{dropped} ? "$about->{dropped} places were dropped: the compiler does not " .
			"take them, or the kernel has no use for them\n\n" : '',
		section($driver, 'Survivors: write a test, or judge it equivalent',
			@{$of{survived} // []}),
		section($driver, 'Noticed only by tests that fail without the mutant',
			@{$of{unproven} // []}),
		section($driver, 'Judged equivalent', @{$of{equivalent} // []}),
		(map { "No such mutant any more (equivalent.txt): $_\n" } @{$about->{stale}}),
		sprintf("mutants-auto: %d of %d killed, %d survived, %d equivalent, %d without a " .
			"verdict%s\n", count('killed', @mutants), scalar @mutants,
			count('survived', @mutants), count('equivalent', @mutants),
			count('not run', @mutants) + count('unproven', @mutants),
			defined $rate ? sprintf(': %.1f %% of the non-equivalent', $rate) : '');

	spew("$dir/report.txt", $text);
	write_json("$dir/report.json", %$about, rate => $rate, mutants => [map {
		my $mutant = $_;

		+{ map { $_ => $mutant->{$_} } grep { defined $mutant->{$_} } qw(file line
			function operator text key verdict by seconds reason diff) }
	} @mutants]);
	return ($text, $rate);
}

1;

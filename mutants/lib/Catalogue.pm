# SPDX-License-Identifier: GPL-2.0
package Catalogue;
# The seeded bugs as their patches describe them: DIR/patches/NAME.patch in the order of
# DIR/series. Dies if they are not as they must be.
use strict;
use warnings;
use Files qw(slurp);

my @fields = qw(Mutant Property Killer Precedent Function);

sub identifier
{
	my ($name) = @_;

	return uc($name =~ tr/-/_/r);
}

# A mutant by the header of its patch, which has the lines of @fields, once and in this order.
sub mutant
{
	my ($dir, $name) = @_;
	my $text = slurp("$dir/patches/$name.patch");
	my $identifier = identifier($name);
	my %m = (identifier => $identifier);
	my ($head) = $text =~ /^(.*?)\n\n--- a\//s
		or die "mutants: $name.patch: no header, empty line and diff\n";
	my $wanted = join '', map { "$_: ([^\\n\\t\"\\\\]+)\\n" } @fields;

	@m{qw(name property killer precedent function)} = "$head\n" =~ /^$wanted\z/
		or die "mutants: $name.patch: the header must have the lines " .
			join(', ', @fields) . ", and no other\n";
	die "mutants: $name.patch: it calls itself $m{name}\n" if $m{name} ne $name;
	die "mutants: $name.patch: the property must be a letter and a number\n"
		if $m{property} !~ /^[A-Z]\d+$/;
	die "mutants: $name.patch: the killer must be PROGRAM/TEST\n"
		if $m{killer} !~ m{^[\w.-]+/[\w.-]+$};
	die "mutants: $name.patch: no secmmu_mutant($identifier) in it\n"
		if $text !~ /^\+.*\bsecmmu_mutant\(\Q$identifier\E\)/m;
	return \%m;
}

# Names, or comments of the series, in order; both agree with the files.
sub series
{
	my ($dir) = @_;
	my (@lines, %seen);

	for (split /\n/, slurp("$dir/series")) {
		next if $_ eq '';
		die "mutants: series: \"$_\" is no name\n" if !/^(?:# .+|[a-z0-9-]+)$/;
		die "mutants: series: $_ is there twice\n" if $seen{$_}++;
		die "mutants: series: there is no $_.patch\n"
			if !/^#/ && !-e "$dir/patches/$_.patch";
		push @lines, $_;
	}
	for (glob "$dir/patches/*.patch") {
		die "mutants: $_ is not in the series\n"
			if !$seen{s{.*/|\.patch$}{}gr};
	}
	return @lines;
}

sub list
{
	my ($dir) = @_;

	return map { mutant($dir, $_) } grep { !/^#/ } series($dir);
}

# The same as driver/test/mutants.def has it.
sub def
{
	my ($dir) = @_;

	return "/* SPDX-License-Identifier: GPL-2.0 */\n",
		"/* MUTANT(identifier, name, property, killer, precedent); made from mutants/. */\n",
		map { sprintf "MUTANT(%s, \"%s\", \"%s\",\n\t\"%s\",\n\t\"%s\")\n",
			@$_{qw(identifier name property killer precedent)} } list($dir);
}

# The same as Documentation/mutants.rst.
sub rst
{
	my ($dir) = @_;

	return <<'END', map { rst_entry($dir, $_) } series($dir);
.. SPDX-License-Identifier: GPL-2.0
.. Made by "make mutants-refresh" from the headers in mutants/patches/.

The seeded bugs
===============

Each mutant is one patch, ``mutants/patches/NAME.patch``, which makes one mistake behind
``if (secmmu_mutant(NAME))``. Test builds apply all of them to a copy of the driver
(``mutants/patches.pl``), and the module parameter ``mutant`` switches one on. The driver
itself has none. ``make mutants`` runs the tests against them. ``adding.rst`` says how to
add one.

When the driver changes, ``make mutants-refresh`` carries the patches over and names those
that it cannot carry. A step of ``make check`` (``mutants/patches.pl check``) fails if a
patch does not fit.

The list has for each mutant the property that it breaks, the test that must fail, and
below them the mistake. Where another driver made the mistake, its name comes first.
END
}

sub rst_entry
{
	my ($dir, $line) = @_;

	return "\n$1\n" . '-' x length($1) . "\n\n" if $line =~ /^# (.*)/;
	my $m = mutant($dir, $line);

	return "$line: $m->{property}, ``$m->{killer}``\n    $m->{precedent}\n";
}

# The header of a patch, with these functions.
sub header
{
	my ($m, $functions) = @_;
	my @words = (@$m{qw(name property killer precedent)}, $functions);

	return map { "$fields[$_]: $words[$_]\n" } 0 .. $#fields;
}

# Functions of a source, as [name, first line, last line]; comments above count.
sub functions
{
	my @lines = @_;
	my ($begin, $name, @functions) = (0);

	for my $i (0 .. $#lines) {
		my $line = $lines[$i];

		if ($line eq '{') {
			my $head = join ' ', @lines[$begin .. $i - 1];

			$head =~ s{/\*.*?\*/}{}g;
			($name) = $head =~ /(\w+)\s*\(/;
		} elsif ($line eq '}' && defined $name) {
			push @functions, [$name, $begin + 1, $i + 1];
			$name = undef;
		}
		$begin = $i + 1 if !defined $name && $line =~ /^(?:|\}.*|#.*|\S.*;)$/;
	}
	return @functions;
}

# The functions in which the hunks of a patch land, in the folder of sources, to which it has
# just been applied. What is in no function is named by its file.
sub landing
{
	my ($sources, $patch) = @_;
	my ($file, $at, @found, %seen, %functions);

	for my $line (split /\n/, $patch) {
		if ($line =~ m{^--- a/}) {
			$at = undef;
		} elsif ($line =~ m{^\+\+\+ b/(\S+)}) {
			$file = $1;
			$functions{$file} //= [functions(split /\n/, slurp("$sources/$file"), -1)];
			$at = undef;
		} elsif ($line =~ /^@@ -\S+ \+(\d+)/) {
			$at = $1;
		} elsif (defined $at && $line =~ /^([ +-])(.*)/) {
			my ($sign, $text, $here) = ($1, $2);

			if ($sign ne ' ' && $text ne '') {
				($here) = grep { $_->[1] <= $at && $at <= $_->[2] }
					@{$functions{$file}};
				$here = $here ? $here->[0] : $file =~ s{.*/}{}r;
				push @found, $here if !$seen{$here}++;
			}
			$at++ if $sign ne '-';
		}
	}
	return join ', ', @found;
}

# Hunks of a patch whose old lines the sources, to which it is about to be applied, have more
# than once. Such a hunk may come to lie in the wrong place, and nothing tells.
sub ambiguous
{
	my ($sources, $patch) = @_;
	my ($file, @hunks);

	for my $line (split /\n/, $patch) {
		if ($line =~ m{^--- a/(\S+)}) {
			$file = $1;
		} elsif ($line =~ /^@@ /) {
			push @hunks, [$file, ''];
		} elsif (@hunks && $line =~ /^[ -](.*)/) {
			$hunks[-1][1] .= "$1\n";
		}
	}
	return map {
		my ($its_file, $old) = @$_;
		my $places = () = slurp("$sources/$its_file") =~ /^(?=\Q$old\E)/mg;

		$places > 1 ? "a hunk of $its_file fits in $places places:\n$old" : ();
	} @hunks;
}

1;

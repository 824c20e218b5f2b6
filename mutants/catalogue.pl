#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Reads the mutants, DIR/patches/NAME.patch in the order of DIR/series.
#
# catalogue.pl list DIR: one line for each, with name, property, killer, precedent,
# identifier and functions between tabs.
# catalogue.pl def DIR: the same as driver/test/mutants.def has it.
# catalogue.pl rst DIR: the same as Documentation/mutants.rst.
# catalogue.pl header DIR NAME FUNCTIONS: the header of a patch, with these functions.
# catalogue.pl functions SOURCES PATCH: the functions in which the hunks of a patch land,
# in the folder SOURCES, to which it has just been applied. What is in no function is
# named by its file.
use strict;
use warnings;

my @fields = qw(Mutant Property Killer Precedent Function);

sub slurp
{
	my ($file) = @_;

	open my $in, '<', $file or die "catalogue.pl: cannot read $file: $!\n";
	local $/;
	return scalar <$in>;
}

sub identifier
{
	my ($name) = @_;

	return uc($name =~ tr/-/_/r);
}

# The header of a patch, by its fields; those of @fields, each once and in this order.
sub header
{
	my ($dir, $name) = @_;
	my $text = slurp("$dir/patches/$name.patch");
	my ($head) = $text =~ /^(.*?)\n\n--- a\//s
		or die "catalogue.pl: $name.patch: no header, empty line and diff\n";
	my %header;
	my $wanted = join '', map { "$_: ([^\\n\\t\"\\\\]+)\\n" } @fields;

	@header{@fields} = "$head\n" =~ /^$wanted\z/
		or die "catalogue.pl: $name.patch: the header must have the lines " .
			join(', ', @fields) . ", and no other\n";
	die "catalogue.pl: $name.patch: it calls itself $header{Mutant}\n"
		if $header{Mutant} ne $name;
	die "catalogue.pl: $name.patch: the property must be a letter and a number\n"
		if $header{Property} !~ /^[A-Z]\d+$/;
	die "catalogue.pl: $name.patch: the killer must be PROGRAM/TEST\n"
		if $header{Killer} !~ m{^[\w.-]+/[\w.-]+$};
	die "catalogue.pl: $name.patch: no secmmu_mutant(" . identifier($name) . ") in it\n"
		if $text !~ /^\+.*\bsecmmu_mutant\(\Q${\identifier($name)}\E\)/m;
	return \%header;
}

# Names, or comments of the series, in order; both agree with the files.
sub series
{
	my ($dir) = @_;
	my (@lines, %seen);

	for (split /\n/, slurp("$dir/series")) {
		next if $_ eq '';
		die "catalogue.pl: series: \"$_\" is no name\n" if !/^(?:# .+|[a-z0-9-]+)$/;
		die "catalogue.pl: series: $_ is there twice\n" if $seen{$_}++;
		die "catalogue.pl: series: there is no $_.patch\n"
			if !/^#/ && !-e "$dir/patches/$_.patch";
		push @lines, $_;
	}
	for (glob "$dir/patches/*.patch") {
		die "catalogue.pl: $_ is not in the series\n"
			if !$seen{s{.*/|\.patch$}{}gr};
	}
	return @lines;
}

sub list
{
	my ($dir) = @_;

	for my $name (grep { !/^#/ } series($dir)) {
		my $header = header($dir, $name);

		print join("\t", @$header{@fields[0 .. 3]}, identifier($name),
			   $header->{Function}), "\n";
	}
}

sub def
{
	my ($dir) = @_;

	print "/* SPDX-License-Identifier: GPL-2.0 */\n";
	print "/* MUTANT(identifier, name, property, killer, precedent); made from mutants/. */\n";
	for my $name (grep { !/^#/ } series($dir)) {
		my $header = header($dir, $name);

		printf "MUTANT(%s, \"%s\", \"%s\",\n\t\"%s\",\n\t\"%s\")\n",
			identifier($name), @$header{@fields[0 .. 3]};
	}
}

sub rst
{
	my ($dir) = @_;

	print <<'END';
.. SPDX-License-Identifier: GPL-2.0
.. Made by "make mutants-refresh" from the headers in mutants/patches/.

The seeded bugs
===============

Each mutant is one patch, ``mutants/patches/NAME.patch``, which makes one mistake behind
``if (secmmu_mutant(NAME))``. Test builds apply all of them to a copy of the driver
(``mutants/apply.sh``), and the module parameter ``mutant`` switches one on. The driver
itself has none. ``make mutants`` runs the tests against them. "Adding to it" in testing.rst
says how to add one.

When the driver changes, ``make mutants-refresh`` carries the patches over and names those
that it cannot carry. A step of ``make check`` (``mutants/check.sh``) fails if a patch does
not fit.

The list has for each mutant the property that it breaks, the test that must fail, and
below them the mistake. Where another driver made the mistake, its name comes first.
END
	for my $line (series($dir)) {
		if ($line =~ /^# (.*)/) {
			print "\n$1\n", '-' x length $1, "\n\n";
			next;
		}
		my $header = header($dir, $line);

		print "$line: $header->{Property}, ``$header->{Killer}``\n";
		print "    $header->{Precedent}\n";
	}
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

sub landing
{
	my ($sources, $patch) = @_;
	my ($file, $at, @found, %seen, %functions);

	for my $line (split /\n/, slurp($patch)) {
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
	print join(', ', @found), "\n";
}

my ($what, @args) = @ARGV;
my %subs = (list => [\&list, 1], def => [\&def, 1], rst => [\&rst, 1],
	    functions => [\&landing, 2], header => [sub {
	my ($dir, $name, $functions) = @_;
	my $header = header($dir, $name);

	$header->{Function} = $functions;
	print map { "$_: $header->{$_}\n" } @fields;
}, 3]);

die "usage: catalogue.pl list|def|rst DIR | header DIR NAME FUNCTIONS | " .
	"functions SOURCES PATCH\n" if !$what || !$subs{$what} || @args != $subs{$what}[1];
$subs{$what}[0]->(@args);

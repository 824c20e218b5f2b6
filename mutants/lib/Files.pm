# SPDX-License-Identifier: GPL-2.0
package Files;
# Reading and writing whole files, and calling the shell.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(slurp spew lines shell fail);

sub slurp
{
	my ($file) = @_;

	open my $in, '<', $file or die "mutants: cannot read $file: $!\n";
	local $/;
	return scalar <$in> // '';
}

# Whole or not at all.
sub spew
{
	my ($file, @text) = @_;

	open my $out, '>', "$file.tmp" or die "mutants: cannot write $file: $!\n";
	print $out @text;
	close $out or die "mutants: cannot write $file: $!\n";
	rename "$file.tmp", $file or die "mutants: cannot write $file: $!\n";
}

# The lines of a file; none if it is not there.
sub lines
{
	my ($file) = @_;

	return -e $file ? split /\n/, slurp($file) : ();
}

# Ends with this exit status.
sub fail
{
	my ($status, @text) = @_;

	print STDERR 'mutants: ', @text, "\n";
	exit $status;
}

# A script of the shell, which may use check/common.sh; ends if that fails, with 2 if that
# was the set-up.
sub shell
{
	my ($script, @args) = @_;

	system('bash', '-euc', '. "$(dirname "$0")/../check/common.sh"; ' . $script, $0, @args)
		and exit($? >> 8 == 2 ? 2 : 1);
}

1;

# SPDX-License-Identifier: GPL-2.0
package Usage;
# The command line of programs that have no option, or few.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(check_usage);

# Prints the text and ends, if --help was asked for, or if the arguments are not $right.
sub check_usage
{
	my ($text, $right) = @_;

	if (@ARGV && $ARGV[0] eq '--help') {
		print $text;
		exit 0;
	}
	return if $right;
	print STDERR $text;
	exit 2;
}

1;

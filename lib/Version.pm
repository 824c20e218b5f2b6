# SPDX-License-Identifier: GPL-2.0
package Version;
# The version, for reports; programs in C have it from version.h.
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);

our @EXPORT_OK = qw(version);

sub version
{
	my $script = dirname(__FILE__) . '/version.sh';
	my $version = `'$script'`;

	chomp $version;
	length $version or die "$script prints no version\n";
	return $version;
}

1;

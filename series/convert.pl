#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# One file of the driver as a kernel tree has it.
use strict;
use warnings;
use FindBin qw($Bin);
use lib "$Bin/../lib";
use Usage qw(check_usage);

my $usage = <<'END';
usage: convert.pl FILE
Prints a file of driver/ without the hooks for tests and without what older kernels need.
Fails if one of either is left.
END
check_usage($usage, @ARGV == 1 && $ARGV[0] !~ /^-/);

my $name = $ARGV[0];
open my $file, '<', $name or die "$name: $!\n";
local $/;
my $text = <$file>;

# Hooks are statements and whole lines, one with a condition of its own.
$text =~ s/^\tif \(.*\)\n\t\tsecmmu_gate\w*\([^;]*\);\n//gm;
$text =~ s/^\t+secmmu_(?:gate\w*|refresh|refresh_set|test_exit)\([^;]*\);\n//gm;
$text =~ s/^\tif \(secmmu_refresh_is_sync\(mirror\)\)\n\t(\t.*\n)\t(\t\t.*\n)/$1$2/m;
$text =~ s/secmmu_test_call\(file, cmd, user\)/-ENOTTY/;
$text =~ s{\bSECMMU_TEST_FEATURES\b}{0};
$text =~ s/^#include "hooks\.h"\n//m;
$text =~ s/^\tstruct secmmu_looked looked;\n//m;
$text =~ s/^ \* \@looked: .*\n//m;
# A blank line that a hook stood behind or before.
$text =~ s/\n\n(?=\n|\})/\n/g;
$text =~ s/(\{\n)\n/$1/g;

$text =~ s/^#include "compat\/(?:gup|young)\.h"\n//gm;
$text =~ s/^#include "compat\//#include "/gm;
$text =~ s/\bsecmmu_((?:get|pin)_user_pages_remote)\b/$1/g;
$text =~ s/\bSECMMU_(FOLL_\w+)/$1/g;
$text =~ s/\bsecmmu_young_t\b/bool/g;
$text =~ s/\b(kv?zalloc)\(sizeof\((\*\w+)\), /$1_obj($2, /g;
$text =~ s/^#ifdef SECMMU_HAVE_EXEC_STATE\n(.*?)(?:#else\n.*?)?#endif\n/$1/gms;
$text =~ s/SECMMU_COMPAT_/SECMMU_/g;

print $text;
my ($left) = $text =~ /^(.*(?:secmmu_(?:gate|oracle|refresh|test_)|SECMMU_(?:TEST_(?!YOUNG)|HAVE|FOLL)|compat\/).*)$/m;
die "$name: this is left: $left\n" if defined $left;

# SPDX-License-Identifier: GPL-2.0
package Power;
# What a storm finds of the seeded bugs by itself: without a gate that a test holds, without
# the oracle of the driver. Each that it can see (power.txt) has a storm of some seconds for
# each seed, in each of two ways, and ends with the first violation. What was found out is
# kept in "known", one a line, until the driver or the storm changes.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Find qw(find);
use File::Path qw(make_path);
use JSON::PP ();
use Boots;
use Files qw(slurp spew lines shell fail);
use Report;

# The ways of a storm, and what they are.
my %ways = (
	plain => '--mix all',
	sharp => '--mix all,compact=0,exec=0,killed=0,replaced=0,released=0,khugepaged=0,' .
		'migrate-pages=0,numa-balance=0,collapse=6,fork=4,fork-write=6,pageout=40,' .
		'process-madvise=20,move-pages=20,mbind=8,split-huge=20,map-over-one=20,' .
		'map-over-slot=4,slot-delete=6,slot-log-writers=10,dontneed-slot=4,prefault=16,' .
		'prefault-slot=4 ' .
		'--memory 16M --vcpus 1 --engines 4 --discarders 4 --hot 16 --aim --swarm',
);
# The longest delay of a pass of a gate in microseconds, for the same.
my %delays = (plain => 0, sharp => 1000);
my @fields = qw(seconds way mutant seed verdict time by);

# --- What there is to do --------------------------------------------------------------

# The bugs that a storm can see, as [NAME, OPTIONS]; the series has no others than the table.
sub visible
{
	my ($o) = @_;
	my (%class, @seen);

	for (grep { /^[^#]/ } lines("$o->{bugs}/power.txt")) {
		my ($class, $name, @options) = split ' ';

		fail(1, "power.txt: $name is there twice") if $class{$name};
		$class{$name} = $class;
		push @seen, [$name, "@options"] if $class =~ /^(?:quick|seen)$/;
	}
	for (grep { /^[a-z]/ } lines("$o->{bugs}/series")) {
		fail(1, "power.txt: there is no $_ in it") if !delete $class{$_};
	}
	fail(1, "power.txt: no such bugs: ", join ' ', sort keys %class) if %class;
	return @seen;
}

# Those of this run.
sub pick
{
	my ($o, @seen) = @_;
	my %wanted = map { $_ => 1 } grep { $_ ne '' } split /[ ,]+/, $o->{only};
	my %quick = map { /^quick (\S+)/ ? ($1 => 1) : () } lines("$o->{bugs}/power.txt");
	my $some = %wanted;
	my @picked = grep { $some ? delete $wanted{$_->[0]} : !$o->{quick} || $quick{$_->[0]} } @seen;

	fail(2, 'MUTANT: a storm cannot see ', join(' ', sort keys %wanted), ', see power.txt')
		if %wanted;
	return @picked;
}

# What results depend on: the driver with its bugs, the storm, and how it is run.
sub state
{
	my ($o) = @_;
	my @files;

	find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.(?:[chS]|patch)$/ } },
	     map { "$o->{top}/$_" } qw(driver vmm/storm vmm/machine judge/subjects mutants/patches));
	return substr sha256_hex((map { slurp($_) } sort(@files), "$o->{bugs}/power.txt"),
				 map { "$ways{$_} $delays{$_}" } sort keys %ways), 0, 16;
}

sub key
{
	my ($run) = @_;

	return join ' ', @$run{qw(seconds way mutant seed)};
}

# What earlier runs have found out, by key.
sub recall
{
	my ($o) = @_;
	my %known;

	for (lines("$o->{out}/known")) {
		my ($state, @values) = split /\t/;
		my %run;

		@run{@fields} = @values;
		$known{key(\%run)} = \%run if $state eq $o->{state};
	}
	return \%known;
}

sub build
{
	my ($o) = @_;

	shell(<<'END', @$o{qw(kernel out)});
		build_tools testvm vmm
		prepare_kernel "$1" test
		make_root "$2/root"
		cp "$module" "$2/root/usr/lib/secmmu/"
END
}

# --- What comes of it -----------------------------------------------------------------

# A run has ended: keep what it has found.
sub learn
{
	my ($o, $known, $mutant, $way, $seed, $verdict, $centiseconds, @words) = @_;
	my %run = (mutant => $mutant, way => $way, seed => $seed, seconds => $o->{seconds},
		   verdict => $verdict, time => $centiseconds / 100, by => '');

	return if !$ways{$way} || $verdict =~ /^(?:error|absent|skipped)$/;
	if ($verdict ne 'passed') {
		# A violation says after how many microseconds it was seen.
		$run{time} = shift(@words) / 1e6 if @words && $words[0] =~ /^\d+$/;
		$run{by} = join ' ', $verdict eq 'failed' ? () : $verdict, @words;
	}
	$known->{key(\%run)} = \%run;
	open my $out, '>>', "$o->{out}/known" or die "mutants: cannot write known: $!\n";
	print $out join("\t", $o->{state}, @run{@fields}), "\n";
	close $out or die "mutants: cannot write known: $!\n";
	printf "%s, %s, seed %d: %s\n", $mutant, $way, $seed,
		$verdict eq 'passed' ? 'nothing' : $verdict eq 'hang' ? 'nothing, but it hung' :
		sprintf 'found after %.2f s: %s', @run{qw(time by)};
}

# A storm has a watchdog, and says what it has found: one that has to be killed found nothing.
sub has_found
{
	my ($run) = @_;

	return $run->{verdict} !~ /^(?:passed|hang)$/;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;

	return @sorted ? $sorted[$#sorted / 2] : undef;
}

# What one way has made of a mutant.
sub row
{
	my ($o, $known, $mutant, $way) = @_;
	my @runs = grep { $_ } map {
		$known->{key({ seconds => $o->{seconds}, way => $way, mutant => $mutant, seed => $_ })}
	} 1 .. $o->{seeds};
	my @found = sort { $a->{time} <=> $b->{time} } grep { has_found($_) } @runs;

	return { runs => scalar @runs, found => scalar @found,
		 median => median(map { $_->{time} } @found), by => @found ? $found[0]{by} : '' };
}

sub cell
{
	my ($row) = @_;

	return '-' if !$row->{runs};
	return sprintf '%d/%d%s', @$row{qw(found runs)},
		defined $row->{median} ? sprintf ' %6.2f s', $row->{median} : '';
}

sub text
{
	my ($o, $ways, $sum, @rows) = @_;
	my $form = '%-24s' . '%-16s' x @$ways . "%s\n";

	return ("Storms of $o->{seconds} s, kernel $o->{kernel}: found / storms, and the median of " .
		"the times to the\nfirst violation, by the guest's clock\n\n",
		(map { "$_: storm $ways{$_}; delays of up to $delays{$_} us\n" } @$ways), "\n",
		sprintf($form, 'seeded bug', @$ways, 'seen as'),
		(map {
			my $row = $_;
			my ($by) = grep { $_ ne '' } map { $row->{$_}{by} } reverse @$ways;

			sprintf $form, $row->{mutant}, (map { cell($row->{$_}) } @$ways), $by // '';
		} @rows), "\n",
		map {
			my ($bugs, $found, $storms, $hits) = map { $_ // 0 }
				@{$sum->{$_}}{qw(bugs found storms hits)};

			sprintf "%s: %d of %d bugs found (%d %%), by %d of %d storms\n", $_, $found,
				$bugs, 100 * $found / $bugs, $hits, $storms;
		} grep { $sum->{$_} } @$ways);
}

# The table, in text and for programs; 0 if all is well.
sub judge
{
	my ($o, $known, $mutants, $ways) = @_;
	my @rows = map {
		my $name = $_->[0];

		+{ mutant => $name, map { $_ => row($o, $known, $name, $_) } @$ways }
	} @$mutants;
	my %sum;

	for my $row (grep { $_->{mutant} ne 'none' } @rows) {
		for my $way (grep { $row->{$_}{runs} } @$ways) {
			$sum{$way}{bugs}++;
			$sum{$way}{found}++ if $row->{$way}{found};
			$sum{$way}{storms} += $row->{$way}{runs};
			$sum{$way}{hits} += $row->{$way}{found};
		}
	}
	my @text = text($o, $ways, \%sum, @rows);

	spew("$o->{out}/power.txt", @text);
	Report::write_json("$o->{out}/power.json", kernel => $o->{kernel}, seconds => $o->{seconds},
			   ways => { map { $_ => { options => $ways{$_}, delay => $delays{$_} } } @$ways },
			   total => \%sum, mutants => \@rows);
	print "\n", @text;
	my $false = grep { $_->{found} } @{$rows[0]}{@$ways};

	print "not ok - a storm finds something without a seeded bug\n" if $false;
	return $false ? 1 : 0;
}

# What Boots.pm is to do; nothing if all is known and only to be shown.
sub job
{
	my ($o) = @_;

	$o->{bugs} = $ENV{MUTANTS_PATCHES} // "$o->{top}/mutants";
	my @ways = grep { $_ ne '' } split /[ ,]+/, $ENV{WAYS} || 'plain sharp';
	my @mutants = (['none', ''], pick($o, visible($o)));

	$ways{$_} or fail(2, "WAYS: there is no \"$_\"; there are: ", join ' ', sort keys %ways)
		for @ways;
	$o->{state} = state($o);
	my $known = recall($o);
	my @todo = map { my $mutant = $_->[0];
		[map { my $way = $_; map { [$mutant, $way, $_] } 1 .. $o->{seeds} } @ways] } @mutants;

	@$_ = grep { !$known->{key({ seconds => $o->{seconds}, mutant => $_->[0], way => $_->[1],
				     seed => $_->[2] })} } @$_ for @todo;
	@todo = grep { @$_ } @todo;
	if (!@todo || $o->{list}) {
		judge($o, $known, \@mutants, \@ways);
		return;
	}
	build($o) if !$ENV{MUTANTS_TESTVM};
	make_path("$o->{out}/root");
	spew("$o->{out}/root/power", "seconds $o->{seconds}\n",
	     (map { ("$_: $ways{$_}\n", "delay $_ $delays{$_}\n") } @ways),
	     map { "$_->[0]: $_->[1]\n" } @mutants);
	# A second of the guest takes more than one here, and other VMs may be at work.
	my $limit = ($o->{seconds} + 60) * $o->{slow};
	my $n = map { @$_ } @todo;

	return {
		guest => [$limit], limit => 10 * $limit, repeat => !$ENV{FREE},
		# Swap space and two nodes; the module of zram has its compression beside it in 6.1.
		machine => ['--nodes', 2, ($o->{kernel} eq '6.1' ? ('--load', 'lzo-rle') : ()),
			    '--load', 'zram'],
		title => "$n storms of $o->{seconds} s",
		vms => [Boots::share($o->{jobs}, @todo)],
		furnish => sub { },
		plan => sub { @_ },
		heard => sub {
			my ($vm, $word, @run) = @_;

			learn($o, $known, @run) if $word eq 'end';
		},
		judge => sub { judge($o, $known, \@mutants, \@ways) },
	};
}

1;

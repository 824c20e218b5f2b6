#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# The results of campaigns, which their tasks have left as files, into one database and onto
# one page.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin qw($Bin);
use JSON::PP;
use POSIX qw(strftime);
use lib "$Bin/../lib";
use Html qw(element table page);
use Usage qw(check_usage);

my $usage = <<'END';
usage: collect.pl DIR [COMMIT LIST]
Puts the results below DIR into DIR/results.db, one row for each commit, task and seed, and
writes DIR/index.html. Also prints what those of COMMIT came to that LIST names, a file of
campaign.sh; exits with 1 then if one of them has a result, but has not passed.
END
check_usage($usage, (@ARGV == 1 || @ARGV == 3) && $ARGV[0] !~ /^-/);

my ($dir, $commit, $list) = @ARGV;
# So many that have not passed are shown; the page has all.
my $most = 20;
my @verdicts = qw(pass fail error frozen);
my $json = JSON::PP->new->canonical;

$dir = abs_path($dir) // die "$ARGV[0]: $!\n";
my $database = "$dir/results.db";

sub slurp
{
	open my $file, '<', $_[0] or die "$_[0]: $!\n";
	local $/;
	return scalar <$file>;
}

# Writes a file, whole or not at all.
sub spew
{
	my ($name, @text) = @_;

	open my $file, '>', "$name.new$$" or die "$name.new$$: $!\n";
	print $file @text;
	close $file or die "$name.new$$: $!\n";
	rename "$name.new$$", $name or die "$name: $!\n";
}

# The rows that a statement has, as hashes.
sub ask
{
	my ($sql) = @_;

	spew("$dir/sql$$", ".timeout 60000\n$sql");
	my $said = `sqlite3 -bail -json '$database' < '$dir/sql$$'`;
	my $status = $?;

	unlink "$dir/sql$$";
	$status == 0 or die "collect: sqlite3 has failed on $database\n";
	return $said =~ /\S/ ? @{$json->decode($said)} : ();
}

# --- The database ---------------------------------------------------------------------------

# All results that there are as files; each knows its commit and its folder.
sub read_results
{
	my @results;

	for my $file (glob "$dir/*/results/*/*/result.json") {
		my ($where, $its) = $file =~ m{^\Q$dir\E/(([^/]+)/results/.*)/result\.json$} or next;
		# Those of a campaign that goes on may be removed meanwhile.
		my $text = eval { slurp($file) } // next;
		my $result = eval { $json->decode($text) } or die "$file: $@";

		push @results, { %$result, commit_id => $its, folder => $where };
	}
	return @results;
}

my %columns = (commit_id => 'TEXT', task => 'TEXT', seed => 'INTEGER', verdict => 'TEXT',
	       status => 'INTEGER', tries => 'INTEGER', host => 'TEXT', began => 'INTEGER',
	       seconds => 'INTEGER', said => 'TEXT', command => 'TEXT', folder => 'TEXT');

sub fill_database
{
	my @names = sort keys %columns;
	my $definitions = join ', ', map { "$_ $columns{$_} NOT NULL" } @names;
	my $values = join ', ', map { "json_extract(value, '\$.$_')" } @names;
	my $file = "$dir/all$$.json";

	spew($file, $json->encode([read_results()]));
	ask(<<"END");
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS results ($definitions, PRIMARY KEY (commit_id, task, seed));
INSERT OR REPLACE INTO results (@{[join ', ', @names]})
	SELECT $values FROM json_each(CAST(readfile('$file') AS TEXT));
COMMIT;
END
	unlink $file;
}

# --- The page -------------------------------------------------------------------------------

my $style = <<'END';
body { font-family: sans-serif; margin: 2em }
td, th { padding: 0.2em 0.7em; text-align: left; vertical-align: top }
td.n, th.n { text-align: right }
td.bad { background: #fbb; text-align: right }
code { font-size: 90% }
END

# What each task of each commit came to.
sub count_table
{
	my @rows = ask('SELECT commit_id, task, ' .
		join(', ', map { "sum(verdict = '$_') AS $_" } @verdicts) . ', sum(tries - 1) AS again,
		sum(seconds) AS seconds, count(DISTINCT host) AS hosts, max(began) AS latest
		FROM results GROUP BY commit_id, task ORDER BY latest DESC, task;');

	return table(['commit', 'task', (map { [$_, { class => 'n' }] } @verdicts, 'again',
				 'seconds', 'hosts'), 'latest'],
		     map {
			my $row = $_;

			[@$row{qw(commit_id task)},
			 [$row->{pass}, { class => 'n' }],
			 (map { [$row->{$_}, { class => $row->{$_} ? 'bad' : 'n' }] } @verdicts[1 .. 3]),
			 (map { [$row->{$_}, { class => 'n' }] } qw(again seconds hosts)),
			 strftime('%Y-%m-%d %H:%M', localtime $row->{latest})]
		     } @rows);
}

# What has not passed, with the command that repeats it in the commit's folder.
sub list_failures
{
	my @rows = ask("SELECT * FROM results WHERE verdict <> 'pass' ORDER BY began DESC;");

	return element('p', {}, 'Everything has passed.') if !@rows;
	return map {
		(element('h3', {}, "$_->{verdict}: $_->{task}, seed $_->{seed}, status $_->{status}"),
		 element('p', {}, "$_->{said} ", element('a', { href => "$_->{folder}/log" }, 'log')),
		 element('p', {}, 'commit ', $_->{commit_id}, ': ', element('code', {}, $_->{command})))
	} @rows;
}

sub write_page
{
	my ($all) = ask('SELECT count(*) AS n FROM results;');

	spew("$dir/index.html", page('Campaigns', $style,
		element('p', {}, "$all->{n} results, one for each commit, task and seed."),
		count_table(), element('h2', {}, 'What has not passed'), list_failures()));
}

# --- The tasks of one campaign ----------------------------------------------------------------

# Prints what they came to; returns how many have not passed.
sub judge_tasks
{
	my %result = map { ("$_->{task} $_->{seed}" => $_) }
		ask("SELECT * FROM results WHERE commit_id = '$commit';");
	my @names = map { /^(\S+ \S+)/ } split /\n/, slurp($list);
	my @found = grep { $_ } @result{@names};
	my @bad = grep { $_->{verdict} ne 'pass' } @found;

	for (@bad > $most ? @bad[0 .. $most - 1] : @bad) {
		print "not ok - $_->{task} $_->{seed}: $_->{verdict}, status $_->{status}: $_->{said}\n",
			"  see $dir/$_->{folder}/log; repeat it in $dir/$commit/src: $_->{command}\n";
	}
	printf "%d tasks: %d passed, %d failed, %d could not be run, %d froze, %d without a result\n",
		scalar @names, (map {
			my $verdict = $_;

			scalar grep { $_->{verdict} eq $verdict } @found
		} @verdicts), @names - @found;
	print "results: $database, $dir/index.html\n";
	return scalar @bad;
}

fill_database();
write_page();
exit(defined $commit && judge_tasks() ? 1 : 0);

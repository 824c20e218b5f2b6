# SPDX-License-Identifier: GPL-2.0
package Generate;
# Makes mutants of C sources in the kernel's style.
use strict;
use warnings;
use Files qw(slurp spew);

# Calls that only observe, or give way, without which nothing is wrong that a test sees;
# and calls that do not return, without which the compiler finds the function wrong.
my $observer = qr/(?:secmmu_(?:gate|oracle)\w*|trace_\w+|lockdep_\w+|BUILD_BUG_ON\w*|
	static_assert|might_\w+|RCU_LOCKDEP_WARN|kcsan_\w+|WARN_ON\w*|\w+_assert_\w+|
	mutex_destroy|cond_resched|pr_\w+|prime_lockdep|DEFINE_\w+|DECLARE_\w+|
	module_put_and_kthread_exit)/x;
# Calls of instruments: what is inside is not the driver's.
my $instrument = qr/\b(?:secmmu_(?:gate|oracle)\w*|lockdep_\w+|BUILD_BUG_ON\w*|
	trace_\w+|RCU_LOCKDEP_WARN)\s*(\((?:[^()]++|(?1))*\))/x;
my $parens = qr/(\((?:[^()]++|(?1))*\))/;
my %other = ('<' => '<=', '<=' => '<', '>' => '>=', '>=' => '>', '==' => '!=', '!=' => '==',
	     '&&' => '||', '||' => '&&', min => 'max', max => 'min', min_t => 'max_t',
	     max_t => 'min_t', min3 => 'max3', max3 => 'min3');
# Variables that bound a range, and how they are off by one.
my %bounds = ((map { $_ => '+ 1' } qw(start first from)),
	      (map { $_ => '- 1' } qw(last end nr pages len length left max count)));
my $barrier = qr/(?:smp_[rw]?mb\w*|barrier)/;
my $flush = qr/\w*(?:flush|tlbs_wait|synchronize|gather_finish)\w*/;
my %sources;

# On one line, without comments.
sub flat
{
	my ($text) = @_;

	$text =~ s{/\*.*?\*/}{ }gs;
	$text =~ s/\s+/ /g;
	return $text =~ s/^ | $//gr;
}

# --- One source file ----------------------------------------------------------------

# Functions, as [first offset of the body, name, end].
sub functions
{
	my ($text) = @_;
	my @functions;

	while ($text =~ /^([A-Za-z_][^;{}#]*?)\n\{\n(.*?)^\}/gms) {
		my ($head, $from, $to) = ($1, $-[2], $+[2]);

		$head =~ s/.*\n\n//s;
		push @functions, [$from, $1, $to] if $head =~ /(\w+)\s*\(/;
	}
	return @functions;
}

# What is no code of the driver: directives, and what only some builds have.
sub masked
{
	my ($text) = @_;
	my (@masked, @open);

	while ($text =~ /^#\s*(\w*)((?:[^\n]*\\\n)*[^\n]*)/gm) {
		my ($word, $rest, $at, $end) = ($1, $2, $-[0], $+[0]);

		push @masked, [$at, $end];
		if ($word =~ /^if/) {
			push @open, $rest =~ /CONFIG_SECMMU_TEST/ ? $at : -1;
		} elsif ($word eq 'endif' && @open) {
			my $from = pop @open;

			push @masked, [$from, $end] if $from >= 0;
		}
	}
	return @masked;
}

sub source
{
	my ($driver, $file) = @_;
	my $text = slurp("$driver/$file");
	my @starts = (0);

	push @starts, $+[0] while $text =~ /\n/g;
	return { text => $text, starts => \@starts, functions => [functions($text)],
		 masked => [masked($text)] };
}

sub offsets
{
	my ($source, $range) = @_;
	my ($line, $column, $line2, $column2) = $range =~ /^(\d+):(\d+)-(\d+):(\d+)$/
		or die "mutants: \"$range\" is no range\n";

	return ($source->{starts}[$line - 1] + $column,
		$source->{starts}[$line2 - 1] + $column2);
}

sub inside
{
	my ($from, $to, @ranges) = @_;

	return grep { $_->[0] <= $from && $to <= $_->[-1] } @ranges;
}

# --- From places to mutants ----------------------------------------------------------

sub text_of
{
	my ($source, $from, $to) = @_;

	return substr $source->{text}, $from, $to - $from;
}

# Does the text say anything besides what instruments are asked?
sub says_something
{
	my ($text) = @_;

	$text = flat($text);
	1 while $text =~ s/$instrument//;
	return $text =~ /[A-Za-z_]\w*/;
}

# A mutant; edits are [from, to, text, how], where how is "value", "statement" (left out),
# "instead" (of a statement) or "here" (at a point).
sub mutant
{
	my ($source, $operator, $text, @edits) = @_;
	my ($from, $to) = ($edits[0][0], $edits[-1][1]);
	my ($function) = inside($from, $to, @{$source->{functions}});

	return if !$function || inside($from, $to, @{$source->{masked}});
	push @{$source->{mutants}}, { operator => $operator, text => flat($text),
				      function => $function->[1], edits => \@edits,
				      line => 1 + (substr($source->{text}, 0, $from) =~ tr/\n//) };
}

sub value
{
	my ($source, $operator, $from, $to, $new, $text) = @_;
	my $old = text_of($source, $from, $to);

	mutant($source, $operator, $text // $old, [$from, $to, $new, 'value'])
		if says_something($old);
}

sub condition
{
	my ($source, $from, $to) = @_;
	my $text = text_of($source, $from, $to);

	value($source, 'negate', $from, $to, '!(' . flat($text) . ')');
	$source->{condition}{"$from-$to"} = 1;
}

sub binary
{
	my ($source, $operator, $from, $to, $left, $right) = @_;

	if ($operator =~ /^[-+]$/) {
		value($source, 'bound', $from, $to, $left)
			if $right =~ /^1U?L{0,2}$/;
		return;
	}
	# To negate it is the same.
	return if $operator =~ /^[=!]=$/ && $source->{condition}{"$from-$to"};
	value($source, $operator =~ /[&|]/ ? 'logic' : 'compare', $from, $to,
	      "$left $other{$operator} $right");
}

sub argument
{
	my ($source, $from, $to, $call, $name_end) = @_;
	my $name = text_of($source, $from, $to);
	my ($end) = arguments($source, $name_end) or return;

	value($source, 'bound', $from, $to, "$name $bounds{$name}",
	      "$name in " . text_of($source, $call, $end)) if $bounds{$name};
}

# The end of a call, and its arguments.
sub arguments
{
	my ($source, $to) = @_;

	return if substr($source->{text}, $to) !~ /^$parens/;
	my ($end, $inner) = ($to + length $1, substr $1, 1, -1);
	my @arguments = ('');

	for my $part (split /($parens|,)/, $inner) {
		next if !defined $part;
		if ($part eq ',') {
			push @arguments, '';
		} elsif (!length $arguments[-1] ||
			 substr($arguments[-1], -length $part) ne $part) {
			$arguments[-1] .= $part;
		}
	}
	return ($end, map { flat($_) } @arguments);
}

sub call
{
	my ($source, $from, $to) = @_;
	my $name = text_of($source, $from, $to);
	my ($end, @arguments) = arguments($source, $to) or return;
	my $text = flat(text_of($source, $from, $end));

	push @{$source->{calls}}, { name => $name, from => $from, to => $end,
				    first => $arguments[0] // '' };
	push @{$source->{instruments}}, [$to, $end]
		if "$name()" =~ /^$instrument$/;
	if ($name =~ /^(?:min|max)(?:_t|3)?$/) {
		value($source, 'minmax', $from, $end, $text =~ s/^\w+/$other{$name}/r);
	} elsif ($name eq 'smp_store_release' && @arguments == 2) {
		mutant($source, 'barrier', $text,
		       [$from, $end, "WRITE_ONCE(*($arguments[0]), $arguments[1])",
			'instead']);
	} elsif ($name eq 'smp_load_acquire') {
		value($source, 'barrier', $from, $end, "READ_ONCE(*($arguments[0]))");
	} elsif ($name =~ /^(?!smp_)\w+_(?:acquire|release)$/ && $name =~ /^atomic/) {
		value($source, 'barrier', $from, $end,
		      $text =~ s/^(\w+)_(?:acquire|release)/$1/r);
	}
}

# What kind of lock a call takes or gives back, and whether it takes it.
sub lock_kind
{
	my ($name) = @_;

	return if $name =~ /trylock|held|init|destroy|assert/;
	return ($1, $3 eq 'lock', $2)
		if $name =~ /^(\w+?)_((?:un)?(lock))(?:_|$)/ && $name !~ /_unlock/;
	return ($1, 0, 'unlock') if $name =~ /^(\w+?)_unlock/;
	return ("$2", $1 eq 'down', $1) if $name =~ /^(down|up)_(read|write)/;
	return ($1, $2 eq 'disable', $2) if $name =~ /^(preempt|local_bh)_(disable|enable)$/;
	return ($1, $2 eq 'begin', $2) if $name =~ /^(\w*write_seqcount)_(begin|end)$/;
	return;
}

# A lock left out: its calls in a function that also gives it back.
sub locks
{
	my ($source) = @_;
	my (%groups, @order);

	for my $call (sort { $a->{from} <=> $b->{from} } @{$source->{calls}}) {
		my ($kind, $takes) = lock_kind($call->{name}) or next;
		my ($function) = inside(@$call{qw(from to)}, @{$source->{functions}});
		next if !$function;
		my $key = "$function->[1] $kind $call->{first}";

		push @order, $key if !$groups{$key};
		push @{$groups{$key}}, { %$call, takes => $takes };
		$call->{group} = $groups{$key};
	}
	for my $key (@order) {
		my @calls = @{$groups{$key}};

		next if !(grep { $_->{takes} } @calls) || !(grep { !$_->{takes} } @calls);
		$_->{paired} = 1 for @calls;
		$source->{paired}{$_->{from}} = 1 for @calls;
		mutant($source, 'unlock', text_of($source, @{$calls[0]}{qw(from to)}),
		       map { lock_edit($source, $_) } @calls);
	}
}

sub lock_edit
{
	my ($source, $call) = @_;
	my $statement = $source->{statements}{$call->{from}};

	return [$call->{from}, $statement, '', 'statement'] if $statement;
	return [$call->{from}, $call->{to}, '0', 'value'];
}

# A statement left out; a lock taken one statement late, or given back one early.
sub statements
{
	my ($source) = @_;
	my @froms = sort { $a <=> $b } keys %{$source->{statements}};
	my %next;

	for my $i (0 .. $#froms) {
		my ($from, $to) = ($froms[$i], $source->{statements}{$froms[$i]});
		my $text = text_of($source, $from, $to);
		my $operator = $text =~ /^$barrier\(/ ? 'barrier' :
			       $text =~ /^$flush\(/ ? 'flush' : 'drop';
		my $after = $froms[$i + 1];

		mutant($source, $operator, $text, [$from, $to, '', 'statement'])
			if $text !~ /^$observer\(/ && !$source->{paired}{$from};
		next if !$after;
		narrow($source, [$from, $to], [$after, $source->{statements}{$after}])
			if text_of($source, $to, $after) =~ m{^\s*(?:/\*.*?\*/\s*)*$}s &&
			   indent($source, $from) eq indent($source, $after);
	}
}

sub indent
{
	my ($source, $at) = @_;

	return (substr($source->{text}, 0, $at) =~ /^([^\n]*)\z/m)[0];
}

sub narrow
{
	my ($source, $one, $two) = @_;
	my ($a, $b) = map { flat(text_of($source, @$_)) } $one, $two;
	my ($is_a, $is_b) = map { (/^(\w+)\(/ && lock_kind($1)) ? $1 : '' } $a, $b;

	return if "$is_a$is_b" eq '' || ($is_a && $is_b);
	# Only where no jump may come between.
	return if "$a $b" =~ /^(?:return|goto|break|continue)\b| (?:return|goto|break|continue)\b/ ||
		  "$a;$b" =~ /;?$observer\(/;
	if ($is_a && (lock_kind($is_a))[1] && $source->{paired}{$one->[0]}) {
		mutant($source, 'narrow', "$a $b", [@$one, '', 'statement'],
		       [$two->[1], $two->[1], " $a", 'here']);
	} elsif ($is_b && !(lock_kind($is_b))[1] && $source->{paired}{$two->[0]}) {
		mutant($source, 'narrow', "$a $b", [$one->[0], $one->[0], "$b ", 'here'],
		       [@$two, '', 'statement']);
	}
}

sub place
{
	my ($source, $kind, @ranges) = @_;
	my @at = map { offsets($source, $_) } @ranges;

	if ($kind eq 'condition') {
		condition($source, @at);
	} elsif ($kind eq 'binary') {
		binary($source, text_of($source, @at[2, 3]), @at[0, 5],
		       map { flat(text_of($source, @$_)) } [@at[0, 1]], [@at[4, 5]]);
	} elsif ($kind eq 'argument') {
		argument($source, @at);
	} elsif ($kind eq 'call') {
		call($source, @at);
	} elsif ($kind eq 'statement' || $kind eq 'goto') {
		# With its semicolon.
		substr($source->{text}, $at[-1]) =~ /^\s*;/ or return;
		$source->{statements}{$at[0]} = $at[-1] + length $&;
	}
}

# Two texts that are alike in a function are told apart by their number.
sub keys_of
{
	my ($file, @mutants) = @_;
	my %seen;

	for my $mutant (@mutants) {
		my $key = "$file $mutant->{function} $mutant->{operator}: $mutant->{text}";
		my $n = ++$seen{$key};

		$mutant->{file} = $file;
		$mutant->{key} = $n > 1 ? "$key #$n" : $key;
	}
}

# A function that spatch does not understand has no places.
sub complain
{
	my ($source, $file) = @_;

	for (@{$source->{functions}}) {
		my ($from, $name, $to) = @$_;
		my $body = text_of($source, $from, $to);

		next if $body !~ m{^[^/"*]*\b(?!if|for|while|switch|return)[a-z]\w*\(}m ||
			inside($from, $to, @{$source->{masked}}) ||
			grep { $from <= $_->{from} && $_->{to} <= $to } @{$source->{calls}};
		warn "mutants: $file: no places in $name()\n";
	}
}

# The mutants at the places that places.cocci has found in the folder DRIVER. Each has an
# id, file, line, function, operator, its text, a key made of these but for the line, and
# edits: ranges of the file, and what to put there.
sub list
{
	my ($driver, @lines) = @_;
	my (%places, @all);

	for (@lines) {
		my ($kind, $file, @ranges) = split /\t/;

		push @{$places{$file}}, [$kind, @ranges] if $kind && @ranges;
	}
	for my $file (sort keys %places) {
		my $source = source($driver, $file);
		my %rank = (condition => 0);

		place($source, @$_) for sort {
			($rank{$a->[0]} // 1) <=> ($rank{$b->[0]} // 1) } @{$places{$file}};
		complain($source, $file);
		locks($source);
		statements($source);
		my @mutants = sort {
			$a->{edits}[0][0] <=> $b->{edits}[0][0] ||
			$b->{edits}[-1][1] <=> $a->{edits}[-1][1] ||
			$a->{operator} cmp $b->{operator}
		} grep {
			# A call of an instrument may have been found after the mutant.
			my ($from, $to) = ($_->{edits}[0][0], $_->{edits}[-1][1]);

			!inside($from, $to, @{$source->{masked}},
				@{$source->{instruments} // []});
		} @{$source->{mutants} // []};
		keys_of($file, @mutants);
		push @all, @mutants;
	}
	$all[$_]{id} = $_ + 1 for 0 .. $#all;
	return @all;
}

# --- The copy that has them all ------------------------------------------------------

# The text from..to with edits, which are in order, each one nested in another or apart.
sub render
{
	my ($text, $from, $to, @edits) = @_;
	my $out = '';

	while (@edits) {
		my ($start, $end, $new, $how, $id) = @{shift @edits};
		my @inner;

		$out .= substr $text, $from, $start - $from;
		while (@edits && $start < $end && $edits[0][0] < $end) {
			push @inner, shift @edits;
		}
		my $old = render($text, $start, $end, @inner);

		$out .= $how eq 'value' ?
				"\001$id\002(secmmu_auto($id) ? ($new) : \003($old))" :
			$how eq 'statement' ? "{\001$id\002 if (!secmmu_auto($id)) \003$old }" :
			$how eq 'instead' ?
				"{\001$id\002 if (secmmu_auto($id)) $new; else \003$old }" :
				"\001$id\002if (secmmu_auto($id)) $new\003";
		$from = $end;
	}
	return $out . substr $text, $from, $to - $from;
}

# An "instead" takes the semicolon along.
sub whole
{
	my ($text, $edit) = @_;
	my ($from, $to, $new, $how) = @$edit;

	$to += length $1 if $how eq 'instead' && substr($text, $to) =~ /^(\s*;)/;
	return [$from, $to, $new, $how];
}

# Takes the marks of a copy out; where each mutant was: id, file, line, first and last byte.
sub unmark
{
	my ($file, $marked, $map) = @_;
	my $text = $marked =~ s/\002/\001/gr;
	my ($out, $line, $column, @open) = ('', 1, 1);

	while ($text =~ /\G(?:\001(\d+)\001|(\003)|(\n)|([^\001\003\n]+))/g) {
		if (defined $1) {
			push @open, [$1, $line, $column];
		} elsif (defined $2) {
			my ($id, $from_line, $from) = @{pop @open};

			push @$map, [$id, $file, $from_line, $from,
				     $line == $from_line ? $column : 1 << 20];
		} elsif (defined $3) {
			$out .= "\n";
			$line++;
			$column = 1;
		} else {
			$out .= $4;
			$column += length $4;
		}
	}
	return $out;
}

# Copies the files to the folder DIR with all these mutants in them, each behind
# secmmu_auto(ID); lines keep their numbers. Returns where in the copies each stands.
sub write_copy
{
	my ($driver, $dir, @mutants) = @_;
	my (%edits, @map);

	for my $mutant (@mutants) {
		push @{$edits{$mutant->{file}}}, map { [@$_, $mutant->{id}] } @{$mutant->{edits}};
	}
	for my $file (sort keys %edits) {
		my $text = slurp("$driver/$file");
		my @edits = sort {
			$a->[0] <=> $b->[0] ||
			# Before what begins here, after what has ended.
			($b->[1] == $b->[0]) <=> ($a->[1] == $a->[0]) ||
			$b->[1] <=> $a->[1] || $a->[4] <=> $b->[4]
		} map { [@{whole($text, $_)}, $_->[4]] } @{$edits{$file}};

		spew("$dir/$file", unmark($file, render($text, 0, length $text, @edits), \@map));
	}
	return @map;
}

# The ids of the mutants, by where they stand, that the errors in a compiler's log are
# about; it must have been told -fdiagnostics-column-unit=byte.
sub suspects
{
	my ($log, @map) = @_;
	my (%at, %suspects, $error);

	push @{$at{"$_->[1]:$_->[2]"}}, [@$_[0, 3, 4]] for @map;
	for (split /\n/, $log) {
		my ($file, $line, $column, $kind) =
			m{([^/\s]+\.[ch]):(\d+):(\d+): (?:fatal )?(error|note|warning):} or next;

		$error = $kind eq 'error' if $kind ne 'note';
		next if !$error || !$at{"$file:$line"};
		my @here = @{$at{"$file:$line"}};
		# Its own text, the smallest there; else whatever is on the line.
		my ($best) = sort { $a->[2] - $a->[1] <=> $b->[2] - $b->[1] }
			grep { $_->[1] <= $column && $column < $_->[2] } @here;

		$suspects{$_->[0]} = 1 for $best // @here;
	}
	return sort { $a <=> $b } keys %suspects;
}

1;

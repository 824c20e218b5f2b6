# SPDX-License-Identifier: GPL-2.0
package Html;
# Writes a page of HTML that is well-formed XML, too. Content that is a string is text, and
# is escaped; what element() returns is HTML, and stays as it is.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(element table page is_well_formed);

my %names = ('&' => 'amp', '<' => 'lt', '>' => 'gt', '"' => 'quot');

sub escape
{
	my ($text) = @_;

	return $text =~ s/([&<>"])/&$names{$1};/gr;
}

# element('td', {class => 'n'}, CONTENT ...)
sub element
{
	my ($name, $attributes, @content) = @_;
	my $open = join ' ', $name,
		map { sprintf '%s="%s"', $_, escape($attributes->{$_}) } sort keys %$attributes;
	my $html = $name =~ /^(?:img|meta)$/ ? "<$open/>" :
		join '', "<$open>", (map { ref ? $$_ : escape($_) } @content), "</$name>";

	$html .= "\n" if $name !~ /^(?:a|b|t[dh])$/;
	return \$html;
}

# Rows of cells; those of the first row are titles. A cell is text, or [TEXT, {ATTRIBUTES}].
sub table
{
	my ($tag, @rows) = ('th');

	for my $row (@_) {
		push @rows, element('tr', {}, map {
			my ($text, $attributes) = ref ? @$_ : $_;

			element($tag, $attributes // {}, $text)
		} @$row);
		$tag = 'td';
	}
	return element('table', {}, @rows);
}

sub page
{
	my ($title, $style, @content) = @_;
	my $html = element('html', {lang => 'en'},
		element('head', {}, element('meta', {charset => 'utf-8'}),
			element('title', {}, $title), element('style', {}, $style)),
		element('body', {}, element('h1', {}, $title), @content));

	return "<!DOCTYPE html>\n$$html";
}

# Is this one element, in which each begin has its end, in that order?
sub is_well_formed
{
	my ($page) = @_;
	my $text = qr/(?:[^<&]|&(?:amp|lt|gt|quot);)/;
	my $attributes = qr/(?: [a-z]+="(?:(?!")$text)*")*/;
	my ($elements, @open) = (0);

	$page =~ s/^<!DOCTYPE html>\n// or return 0;
	while ($page =~ /\G(?:<([a-z]\w*)$attributes(\/?)>|<\/(\w+)>|$text+)/gc) {
		if (defined $1) {
			$elements += !@open;
			push @open, $1 if !$2;
		} elsif (defined $3) {
			return 0 if !@open || pop @open ne $3;
		} elsif (!@open && $& =~ /\S/) {
			return 0;
		}
	}
	return $elements == 1 && !@open && pos $page == length $page;
}

1;

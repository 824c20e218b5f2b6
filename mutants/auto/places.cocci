// SPDX-License-Identifier: GPL-2.0
// Prints the places that Generate.pm can mutate, one a line: its kind, the file, and
// ranges of text (LINE:COLUMN-LINE:COLUMN, columns from 0, the last one exclusive).

@initialize:python@ @@
def out(kind, *positions):
	words = [kind, positions[0][0].file]
	for p in positions:
		words.append("%s:%s-%s:%s" % (p[0].line, p[0].column,
					      p[0].line_end, p[0].column_end))
	print("\t".join(words))

// Conditions.
@if_@ expression E; statement S; position p; @@
if (E@p) S

@script:python@ p << if_.p; @@
out("condition", p)

@while_@ expression E; statement S; position p; @@
while (E@p) S

@script:python@ p << while_.p; @@
out("condition", p)

@ternary@ expression E, X, Y; position p; @@
E@p ? X : Y

@script:python@ p << ternary.p; @@
out("condition", p)

// Both sides, and the operator between.
@both@ expression X, Y; position p, q, r;
binary operator b = {<, <=, >, >=, ==, !=, &&, ||, +, -}; @@
X@p b@q Y@r

@script:python@ p << both.p; q << both.q; r << both.r; @@
out("binary", p, q, r)

// The name of what is called, and a plain variable that is passed.
@call@ identifier f; position p; @@
f@p(...)

@script:python@ p << call.p; @@
out("call", p)

@argument@ identifier f, x; position p, q; @@
f@q(..., x@p, ...)

@script:python@ p << argument.p; q << argument.q; @@
out("argument", p, q)

@expression_@ expression E; position p; @@
E@p;

@script:python@ p << expression_.p; @@
out("statement", p)

@break_@ position p; @@
break@p;

@script:python@ p << break_.p; @@
out("statement", p)

@continue_@ position p; @@
continue@p;

@script:python@ p << continue_.p; @@
out("statement", p)

@return_@ position p; @@
return@p;

@script:python@ p << return_.p; @@
out("statement", p)

@goto_@ identifier l; position p, q; @@
goto@p l@q;

@script:python@ p << goto_.p; q << goto_.q; @@
out("goto", p, q)

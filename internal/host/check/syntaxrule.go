package check

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/syntax"
)

// compiles says why the firmware's compiler would refuse a source that it can parse.
func (r *run) compiles(f *app.File) error {
	version := 4
	if r.Firmware.Release >= 12 {
		version = 5
	}
	_, err := compiler.Compile(f.Data, path.Base(f.Path), compiler.CrossOptions(version))
	return err
}

// modern is a piece of Python that the firmware's does not have.
type modern struct{ pattern, what, instead string }

// moderns are tried in this order on the line of a syntax error. What each release
// has was tried on the interpreter.
func moderns() []modern {
	return []modern{
		{`(?:^|[^\w"'])[fF][rR]?["']|(?:^|[^\w"'])[rR][fF]["']`, "there are no f-strings", `"%d of %s" % (n, name), or "{} of {}".format(n, name)`},
		{`:=`, "there is no := operator", "assign in a statement of its own"},
		{`^\s*match\s.*:\s*(#.*)?$`, "there is no match statement", "if, elif and else"},
		{`^\s*type\s+\w+\s*=`, "there are no type statements", "leave it away"},
		{`^\s*with\s*\(.*\bas\b`, "with takes no parentheses around its items", "with a as x, b as y: in one line, or two with statements"},
		{`^\s*except\s*\*`, "there are no exception groups", "except"},
		{`^\s*except\s+[\w.]+\s*,`, "this is Python 2", "except OSError as e:"},
		{`^\s*raise\s+\w+\s*,`, "this is Python 2", `raise OSError("text")`},
		{`^\s*print\s+[^=(\s]`, "print is a function", "print(x)"},
		{`^\s*exec\s+["']`, "exec is a function", "exec(text)"},
		{`(?:def\s+\w+|lambda\b)[^:]*[(,\s]/\s*[,):]`, "there are no parameters by position only", "leave the / away"},
		{`\{\s*\*\*|,\s*\*\*\w+\s*[},]`, "** does not unpack here", "d = dict(a), then d.update(b)"},
		{`[\[({,]\s*\*\w`, "* unpacks only once, at the end of a call", "list(a) + list(b)"},
		{`\bfor\b[^:]*\bin\s+\*|\b(?:return|yield)\b.*\*\w`, "* does not unpack here", "a + b, or list(a) + list(b)"},
		{`\basync\s+for\b.*[\])}]`, "there are no asynchronous comprehensions", "a loop with async for"},
		{`^\s*@.*[\[(].*[\])]\.|^\s*@\w[\w.]*\[`, "a decorator is a name, with arguments at most", "give the expression a name first"},
		{`\+\+|--\s*$`, "there is no ++ and no --", "x += 1"},
		{`<>`, "this is Python 2", "!="},
		{`^\s*(?:self\.)?[A-Za-z_][\w.]*\s*:\s*[A-Za-z_"'][\w\[\], .|"']*(?:=.*)?(?:#.*)?$`, "variables take no annotations", "leave the annotation away: x = 1"},
		{`\w\s*@\s*\w`, "there is no @ operator before v1.12", "call a function of your own"},
		{`["']\s*[bB]["']|[bB]["'][^"']*["']\s*["']`, "strings and bytes can't be joined side by side", `b"a" + b"b"`},
		{`\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\N\{`, "strings hold bytes here, no other characters", `the bytes of the text, such as "\xe2\x82\xac"`},
	}
}

// syntaxFinding makes a finding of what the parser or the compiler says.
func (r *run) syntaxFinding(m *module, err error) {
	var se *syntax.Error
	if !errors.As(err, &se) {
		r.at(m, place{}, err.Error(), "")
		return
	}
	line := int(se.Line)
	if line == 0 {
		line = int(se.At)
	}
	text := ""
	if line > 0 && line <= len(m.lines) {
		text = strings.TrimSuffix(m.lines[line-1], "\r")
	}
	p := place{line, 1 + len(text) - len(strings.TrimLeft(text, " \t"))}
	message, instead := se.Kind.String()+": "+se.Msg, ""
	for _, h := range moderns() {
		if at := regexp.MustCompile(h.pattern).FindStringIndex(text); at != nil && (se.Kind == syntax.SyntaxError) {
			if column := at[0] + 1 + len(text[at[0]:]) - len(strings.TrimLeft(text[at[0]:], " \t(,[{=+")); column > p.column {
				p.column = column
			}
			message, instead = message+": "+h.what, h.instead
			break
		}
	}
	r.at(m, p, message, instead)
}

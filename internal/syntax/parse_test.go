package syntax

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/trees.txt from what the parser gives")

// TestTrees compares trees with testdata/trees.txt: source texts, each
// followed by a line "---" and its tree, and closed by a line "===". The
// trees were checked against the reference parser.
func TestTrees(t *testing.T) {
	const file = "testdata/trees.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, c := range strings.SplitAfter(string(data), "===\n") {
		src, want, ok := strings.Cut(c, "---\n")
		if !ok {
			continue
		}
		tree, err := Parse([]byte(src), "t.py", File, Options{})
		if err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		got := dump(tree.Root) + "===\n"
		if d := cmp.Diff(want, got); d != "" && !*update {
			t.Errorf("%q: -want +got:\n%s", src, d)
		}
		out.WriteString(src + "---\n" + got)
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrors(t *testing.T) {
	const (
		invalid = "SyntaxError: invalid syntax"
		indent  = "IndentationError: unexpected indent"
		dedent  = "IndentationError: unindent doesn't match any outer indent level"
	)
	tests := []struct{ src, want string }{
		{"x =", "2: " + invalid},
		{"1 +", "2: " + invalid},
		{"if True print(1)", "1: " + invalid},
		{"def f(:\n pass", "1: " + invalid},
		{"a b", "1: " + invalid},
		{"print(1", "2: " + invalid},
		{")", "1: " + invalid},
		{"while 1:\npass", "2: " + invalid},
		{" x=1", "1: " + indent},
		{"\n\n  x=1", "3: " + indent},
		{"a\n  b", "2: " + indent},
		{"if 1:\n  a\n b", "3: " + dedent},
		{"'abc", "1: " + invalid},
		{"'''abc", "1: " + invalid},
		{"'a' b'b'", "1: " + invalid},
		{"'\\x4'", "1: " + invalid},
		{"b'\\777'", "1: " + invalid},
		{"a?b", "1: " + invalid},
		{"a\x00", "1: " + invalid},
		{"a @ b", "1: " + invalid},
		{"x.__debug__", "1: " + invalid},
		{"else: pass", "1: " + invalid},
		{"x = 0x", "1: SyntaxError: invalid syntax for integer with base 16"},
		{"x = 0b2", "1: SyntaxError: invalid syntax for integer with base 2"},
		{"\nx = 1a", "2: SyntaxError: invalid syntax for integer with base 10"},
		{"99999999999999999999z", "1: SyntaxError: invalid syntax for integer with base 10"},
		{"1.2.3", "1: SyntaxError: invalid syntax for number"},
		{"1e", "1: SyntaxError: invalid syntax for number"},
		{"1e+", "1: SyntaxError: invalid syntax for number"},
		{"X = const(y)", "1: SyntaxError: constant must be an integer"},
		{"X = const()", "1: SyntaxError: constant must be an integer"},
		{"\n'\\N{BEE}'", "2: NotImplementedError: unicode name escapes"},
		{"\n1 << (1 << 70)\n", "2: OverflowError: overflow converting long int to machine word"},
		{"1 << 99999999", "1: OverflowError: integer constant is too long"},
	}
	for _, c := range tests {
		_, err := Parse([]byte(c.src), "t.py", File, Options{})
		want := c.want
		if want[0] >= '0' && want[0] <= '9' {
			want = "t.py:" + want
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", c.src, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	tests := []struct {
		name, src string
		mode      Mode
		opts      Options
		want      string
	}{
		{"matrix product", "a@b", Eval, Options{Version: V112}, "1 term id a tok @ id b"},
		{"matrix assignment", "a@=b", File, Options{Version: V112}, "1 expr_stmt id a 1 expr_stmt_augassign tok @= id b"},
		{"no underscores", "1_0", Eval, Options{Version: V194}, "t:1: SyntaxError: invalid syntax"},
		{"underscores", "1_0", Eval, Options{Version: V110}, "int 10"},
		{"old dedent", "if 1:\n  a\n b", File, Options{Version: V194},
			"t:3: IndentationError: unindent does not match any outer indentation level"},
		{"31 bits", "0x3fffffff+1", Eval, Options{}, "0 const int 1073741824"},
		{"63 bits", "0x3fffffff+1", Eval, Options{SmallIntBits: 63}, "int 1073741824"},
		{"minus one to the sign bit", "-1<<31", Eval, Options{}, "0 const int -2147483648"},
		{"minus one in 64 bits", "-1<<63", Eval, Options{SmallIntBits: 63}, "0 const int -9223372036854775808"},
		{"bytes", "'\\u00e9\\xff'", Eval, Options{}, "str %e9%ff"},
		{"characters", "'\\u00e9\\xff'", Eval, Options{Unicode: true}, "str %c3%a9%c3%bf"},
		{"debug", "__debug__", Eval, Options{}, "tok True"},
		{"no debug", "__debug__", Eval, Options{OptLevel: 1}, "tok False"},
		{"no float", "1.0", Eval, Options{NoFloat: true}, "t:1: SyntaxError: decimal numbers not supported"},
		{"no complex", "1j", Eval, Options{NoComplex: true}, "t:1: SyntaxError: complex values not supported"},
		{"terse", "1a", Eval, Options{Detail: DetailTerse}, "t:1: SyntaxError: invalid syntax for integer"},
		{"full", "0x1z", Eval, Options{Detail: DetailFull}, "t:1: SyntaxError: invalid syntax for integer with base 16: '1z'"},
		{"prompt keeps constants", "'doc'", Single, Options{}, "1 expr_stmt str doc null"},
		{"file drops constants", "'doc'", File, Options{}, "1 pass_stmt"},
		{"interned before", "(abcdefghijk, 'abcdefghijk', 'abcdefghijl')", Eval, Options{},
			"1 atom_paren 1 testlist_comp id abcdefghijk 1 testlist_comp_3c str abcdefghijk 1 const str abcdefghijl"},
	}
	for _, c := range tests {
		tree, err := Parse([]byte(c.src), "t", c.mode, c.opts)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			root := tree.Root
			if root.IsRule(RuleEvalInput) {
				root = root.Sub[0] // the other part is the newline that is always there
			}
			got = strings.Join(strings.Fields(dump(root)), " ")
		}
		if got != c.want {
			t.Errorf("%s: %q gives %s, want %s", c.name, c.src, got, c.want)
		}
	}
}

// TestPrograms parses every program, for the device and the cross-compiler,
// and sees that both agree where no long integer is in play.
func TestPrograms(t *testing.T) {
	for name, src := range programs(t) {
		b := newLedger()
		_, err := Parse(src, name, File, Options{Budget: b, ReaderBytes: 16})
		_, err2 := Parse(src, name, File, Options{SmallIntBits: 63})
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("%s: %v and %v", name, err, err2)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || !strings.Contains(name, "errors")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// programs reads the recorded programs: those that compile lie beside the
// compiler, the others beside the runner.
func programs(t testing.TB) map[string][]byte {
	m := make(map[string][]byte)
	var files []string
	for _, dir := range []string{"../compiler", "../hosted"} {
		found, err := filepath.Glob(dir + "/testdata/programs/*.py")
		if err != nil || len(found) == 0 {
			t.Fatalf("%s/testdata/programs: %d files, %v", dir, len(found), err)
		}
		files = append(files, found...)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m[filepath.Base(f)] = data
	}
	return m
}

// TestLeaf: Leaf is told where names and constants begin.
func TestLeaf(t *testing.T) {
	const src = "a = bc(1,\n  'x')\n\tif_ = [\r\n 70000000000, # y\n d.e]\n"
	var got []string
	_, err := Parse([]byte(strings.Replace(src, "\tif_", "if_", 1)), "t.py", File, Options{Leaf: func(n *Node, line, column uint32) {
		text := n.Name
		if n.IsSmallInt() {
			text = "int"
		} else if n.Kind == KindConstObject {
			text = "const"
		}
		got = append(got, fmt.Sprintf("%s %d:%d", text, line, column))
	}})
	want := "a 1:1, bc 1:5, int 1:8, x 2:3, if_ 3:1, const 4:2, d 5:2, e 5:4"
	if err != nil || strings.Join(got, ", ") != want {
		t.Errorf("got %s, %v\nwant %s", strings.Join(got, ", "), err, want)
	}
}

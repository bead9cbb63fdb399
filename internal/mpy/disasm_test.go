package mpy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestDisassemble(t *testing.T) {
	for _, name := range []string{
		"exc_exc_flow.v3", "exc_exc_flow.v4", "exc_exc_flow.v5",
		"comp_kwonly_star.v4", "comp_lambda_comp.v5", "comp_num_consts.v4", "syntax_del_stmt.v4",
	} {
		m, err := Read(readFile(t, "testdata/mpy/"+name+".mpy"), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := Disassemble(&got, m); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "disasm", name+".txt")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want := strings.Split(string(readFile(t, golden)), "\n")
		for i, line := range strings.Split(got.String(), "\n") {
			if i >= len(want) || line != want[i] {
				t.Errorf("%s: line %d is %q, the golden file has something else; see -update", name, i+1, line)
				break
			}
		}
	}
}

// Damaged code is listed as far as it goes.
func TestDisassembleDamaged(t *testing.T) {
	for _, c := range []struct {
		m    *Module
		want string
	}{
		{function(none, 0x13), "unknown opcode"},
		{function(none, int(OpLoadName), 0), "cut off"},
		{function(arg(OpLoadName, 77)), "name 77, which is missing"},
		{function(arg(OpLoadConstObj, 0)), "constant -2, which is missing"},
		{function(arg(OpMakeFunction, 9)), "function 6, which is missing"},
		{&Module{Version: 7}, "version 7, which is not known"},
		{&Module{Version: 4}, "a function is missing"},
		{&Module{Version: 4, Root: &RawCode{}}, "damaged function"},
	} {
		var got strings.Builder
		if err := Disassemble(&got, c.m); err != nil || !strings.Contains(got.String(), c.want) {
			t.Errorf("%q is not in the listing (%v):\n%s", c.want, err, got.String())
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"skep": main})
}

// TestScript runs the scripts of testdata/script: the command line as its users
// see it, each with a home of its own. SKEP_UPDATE=1 rewrites expected output.
func TestScript(t *testing.T) {
	ports := newPortPool(0)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("SKEP_UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir+"/home")
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state")
			e.Setenv("TERM", "dumb")
			examples, err := filepath.Abs("../../examples")
			if err != nil {
				return err
			}
			e.Setenv("EXAMPLES", examples)
			for i := range 7 {
				port, err := ports.free()
				if err != nil {
					return err
				}
				e.Setenv(fmt.Sprintf("PORT%d", i+1), strconv.Itoa(port))
			}
			return os.MkdirAll(e.WorkDir+"/home", 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"peer": peer, "waitfile": waitFile},
	})
}

// portPool gives out ports of the loopback interface, each once. They are below those that
// the host gives to connections, and another process of this test begins elsewhere: what is
// free now is so when a script uses it.
type portPool struct {
	mu   sync.Mutex
	next int
}

// newPortPool gives a part of the ports that no other test of this process has.
func newPortPool(part int) *portPool {
	return &portPool{next: 10000 + os.Getpid()%100*200 + part*500}
}

func (p *portPool) free() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 2000 {
		port := p.next
		p.next++
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no port is free")
}

// peer starts a server that sends back what it gets, for the rest of the script,
// and writes its port to a file: peer FILE.
func peer(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(port+"\n"), 0o644))
}

// waitFile waits until a file is there: waitfile FILE.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	for range 12000 { // two minutes
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s has not appeared", args[0])
}

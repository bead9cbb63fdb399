package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// process is a broker in a process of its own.
type process struct {
	greeting
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	tls *tls.Config
}

// start starts a broker and waits until it serves.
func start(name, profile string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if name == "mochi" {
		profile = ""
	}
	p := &process{cmd: exec.Command(self, "-serve", name, "-profile", profile)}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.greeting)
	}
	var cert tls.Certificate
	if err == nil {
		cert, err = tls.X509KeyPair(p.Cert, p.Key)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("the broker %s does not start: %w", name, err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(p.CA)
	// TLS 1.2, as the module speaks it.
	p.tls = &tls.Config{RootCAs: pool, ServerName: p.Endpoint, Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12}
	return p, nil
}

// stranger is the TLS configuration of a client whose certificate is of another
// authority.
func (p *process) stranger() (*tls.Config, error) {
	other, err := identity.NewAuthority()
	if err != nil {
		return nil, err
	}
	d, err := other.IssueDevice()
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(d.CertPEM, d.KeyPEM)
	config := p.tls.Clone()
	config.Certificates = []tls.Certificate{cert}
	return config, err
}

func (p *process) stop() {
	p.in.Close()
	p.cmd.Wait()
}

// cpu is the CPU time that the process has used; the kernel counts hundredths.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// The second field, the command's name, may have spaces; utime is the 14th.
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rss is the memory that the process has, in bytes, after it has given back what it
// can.
func (p *process) rss() int64 {
	if _, err := io.WriteString(p.in, "settle\n"); err != nil {
		return 0
	}
	if _, err := p.out.ReadBytes('\n'); err != nil {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kb << 10
}

// crowd connects n idle clients, with the abbreviated handshake if resume is set. What
// is connected is returned with an error, too.
func (p *process) crowd(n int, resume bool) ([]*client, error) {
	config := p.tls
	if resume {
		config = config.Clone()
		config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	}
	var mu sync.Mutex
	var clients []*client
	var failed error
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range next {
				c, err := dial(p.Addr, config, fmt.Sprint("idle-", i))
				if err == nil {
					err = c.subscribe(1, fmt.Sprint("load/idle/", i))
				}
				mu.Lock()
				if err == nil {
					clients = append(clients, c)
				}
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	for i := range n {
		mu.Lock()
		stop := failed != nil
		mu.Unlock()
		if stop {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return clients, failed
}

func closeAll(clients []*client) {
	var wg sync.WaitGroup
	next := make(chan *client)
	for range 8 {
		wg.Go(func() {
			for c := range next {
				c.conn.Close()
			}
		})
	}
	for _, c := range clients {
		next <- c
	}
	close(next)
	wg.Wait()
}

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/remotemanager/local"
	"github.com/skep-sim/skep/internal/world"
)

// drmLink is a command's way to the local Digi Remote Manager: one of its own,
// started when first needed, or at an address from the start.
type drmLink struct {
	log io.Writer

	mu   sync.Mutex
	addr netip.AddrPort
	own  *local.Manager // nil: none yet, or another process has it
}

// openDRM makes the link that --drm asks for; nil is none.
func openDRM(flag string, log io.Writer) (*drmLink, error) {
	l := &drmLink{log: log}
	switch flag {
	case "off":
		return nil, nil
	case "local":
		return l, nil
	}
	err := l.start(flag, true)
	if errors.Is(err, syscall.EADDRINUSE) { // that of another process
		conn, dialErr := net.DialTimeout("tcp", flag, time.Second)
		if dialErr == nil {
			l.addr = conn.RemoteAddr().(*net.TCPAddr).AddrPort()
			conn.Close()
			return l, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("--drm %s: %w; give local, off, or an address such as 127.0.0.1:8010", flag, err)
	}
	return l, nil
}

// start starts a Remote Manager. With verbose, it tells all that happens.
func (l *drmLink) start(addr string, verbose bool) (err error) {
	l.own, err = local.Start(addr, func(refused bool, text string) {
		if refused || verbose {
			fmt.Fprintln(l.log, "remote manager:", text)
		}
	})
	if err != nil {
		return err
	}
	l.addr = l.own.Addr
	fmt.Fprintf(l.log, "skep: the local Digi Remote Manager is at http://%s (any user and password)\n", l.addr)
	return nil
}

// where is the address of the Remote Manager, which is started if need be.
func (l *drmLink) where() (netip.AddrPort, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.addr.IsValid() {
		if err := l.start("127.0.0.1:0", false); err != nil {
			err = fmt.Errorf("the local Digi Remote Manager: %w", err)
			fmt.Fprintln(l.log, "skep:", err)
			return l.addr, err
		}
	}
	return l.addr, nil
}

func (l *drmLink) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own != nil {
		l.own.Close()
		l.own = nil
	}
}

// network is n, in which the names of Digi's Remote Manager lead to the local
// one, by way of host.
func (l *drmLink) network(n, host world.Network) world.Network {
	return local.Network(n, host, l.where)
}

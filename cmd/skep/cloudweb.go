package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/alecthomas/kong"

	"github.com/skep-sim/skep/internal/awsiot/web"
)

// webAddr is the value of --web: a flag that may stand alone.
type webAddr string

// defaultWeb is the address of --web alone.
const defaultWeb = "127.0.0.1:8480"

// IsBool lets the flag stand alone.
func (w *webAddr) IsBool() bool { return true }

// Decode takes --web and --web=ADDRESS:PORT.
func (w *webAddr) Decode(ctx *kong.DecodeContext) error {
	*w = defaultWeb
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	if text == "true" {
		return nil
	}
	if _, _, err := net.SplitHostPort(text); err != nil {
		return fmt.Errorf("%q is not an address and a port, such as %s", text, defaultWeb)
	}
	*w = webAddr(text)
	return nil
}

// startWeb serves the page, and says where. stop ends it.
func (c *localCloud) startWeb(addr webAddr, log io.Writer) (stop func(), err error) {
	l, err := net.Listen("tcp", string(addr))
	if err != nil {
		return nil, fmt.Errorf("%w: stop what uses the port, or choose another with --web=%s", err, defaultWeb)
	}
	page := web.New(web.Config{
		Traffic:  c.traffic(),
		Overview: func() any { return c.overview() },
		Shadows:  func(thing string) (map[string]json.RawMessage, error) { return c.server.Shadows(thing) },
		Token:    rand.Text(),
	})
	ctx, cancel := context.WithCancel(context.Background())
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if err := page.Run(ctx, func() { close(begun) }); err != nil {
			fmt.Fprintln(log, "skep: the page:", err)
		}
	}()
	select {
	case <-begun:
	case <-ended:
	}
	srv := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(log, "skep: the page:", err)
		}
	}()
	if ap, err := netip.ParseAddrPort(l.Addr().String()); err == nil && !ap.Addr().IsLoopback() {
		fmt.Fprintln(log, "skep: the page can be reached from other machines, without encryption; whoever sees its address can look at everything")
	}
	fmt.Fprintln(log, "page:", page.URL(l.Addr()))
	return func() {
		cancel()
		<-ended
		srv.Close()
		<-served
	}, nil
}

// Package websocket turns a request on a connection whose HTTP is read by hand into MQTT over
// WebSocket: a net.Conn that carries MQTT's bytes in binary messages, cut anywhere.
//
// The protocol itself is github.com/coder/websocket's; this package is what that library needs
// of an HTTP server, and no more. It knows neither MQTT nor who may connect.
package websocket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// subprotocols are those that AWS IoT speaks; the second is what its oldest device SDK for
// JavaScript (aws-iot-device-sdk) asks for.
func subprotocols() []string { return []string{"mqtt", "mqttv3.1"} }

// Accept answers the request req, read from r over nc, and gives the connection inside. An
// error says what is wrong with the request; nothing has been answered then.
func Accept(nc net.Conn, r *bufio.Reader, req *http.Request) (net.Conn, error) {
	if !slices.ContainsFunc(subprotocols(), func(p string) bool { return offers(req, p) }) {
		return nil, fmt.Errorf("Sec-WebSocket-Protocol is %q: it must offer mqtt", strings.Join(req.Header.Values("Sec-WebSocket-Protocol"), ", "))
	}
	w := &answer{nc: nc, r: r, header: http.Header{}}
	c, err := websocket.Accept(w, req, &websocket.AcceptOptions{
		Subprotocols: subprotocols(),
		// Pages of any origin may connect: it is the signature that lets them in.
		InsecureSkipVerify: true,
		// AWS does not compress, and each connection would take memory for it.
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	return &conn{websocket.NetConn(context.Background(), c, websocket.MessageBinary), c}, nil
}

func offers(req *http.Request, protocol string) bool {
	for _, line := range req.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(p) == protocol {
				return true
			}
		}
	}
	return false
}

// conn closes at once: whom the broker closes it does not wait for.
type conn struct {
	net.Conn
	c *websocket.Conn
}

func (c *conn) Close() error { return c.c.CloseNow() }

// answer is the http.ResponseWriter of a request to upgrade. Only the upgrade itself is
// written; what else the library would say is the caller's to say.
type answer struct {
	nc     net.Conn
	r      *bufio.Reader
	header http.Header
	err    error
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) Write(b []byte) (int, error) { return len(b), nil }

func (a *answer) WriteHeader(status int) {
	if status != http.StatusSwitchingProtocols {
		return
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	if a.err = a.header.Write(&b); a.err == nil {
		b.WriteString("\r\n")
		_, a.err = a.nc.Write(b.Bytes())
	}
}

// Hijack hands the connection over once the upgrade has been written.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if a.err != nil {
		return nil, nil, errors.Join(errors.New("the upgrade could not be written"), a.err)
	}
	return a.nc, bufio.NewReadWriter(a.r, bufio.NewWriter(a.nc)), nil
}

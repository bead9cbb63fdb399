package websocket

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const hello = "GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// wire is a connection whose client sends in and no more.
type wire struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (w *wire) Read(b []byte) (int, error)  { return w.in.Read(b) }
func (w *wire) Write(b []byte) (int, error) { return w.out.Write(b) }
func (w *wire) Close() error                { return nil }

// accept upgrades a request; read is what came inside, got all that was answered.
func accept(t *testing.T, in []byte) (read []byte, got string, err error) {
	t.Helper()
	w := &wire{in: bytes.NewReader(in)}
	r := bufio.NewReader(w)
	req, err := http.ReadRequest(r)
	if err == nil {
		var nc net.Conn
		if nc, err = Accept(w, r, req); err == nil {
			read, _ = io.ReadAll(nc)
			nc.Close()
		}
	}
	return read, w.out.String(), err
}

// frame is a short frame of a client's, masked with zeros.
func frame(opcode byte, payload string) string {
	return string([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
}

func TestAccept(t *testing.T) {
	for _, protocol := range []string{"mqtt", "mqttv3.1", "x, mqtt"} {
		// The first frames come together with the request.
		read, got, err := accept(t, []byte(hello+"Sec-WebSocket-Protocol: "+protocol+"\r\n\r\n"+frame(2, "MQ")+frame(2, "TT")))
		if err != nil || string(read) != "MQTT" {
			t.Errorf("%s: read %q, %v", protocol, read, err)
		}
		if !strings.HasPrefix(got, "HTTP/1.1 101 Switching Protocols\r\n") || !strings.Contains(got, "Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") {
			t.Errorf("%s: answer %q", protocol, got)
		}
	}
	for request, want := range map[string]string{
		hello + "Sec-WebSocket-Protocol: chat\r\n\r\n": "must offer mqtt",
		hello + "\r\n": "must offer mqtt",
		strings.Replace(hello, "13", "8", 1) + "Sec-WebSocket-Protocol: mqtt\r\n\r\n":                    "version",
		strings.Replace(hello, "Upgrade: websocket\r\n", "", 1) + "Sec-WebSocket-Protocol: mqtt\r\n\r\n": "Upgrade",
	} {
		_, got, err := accept(t, []byte(request))
		if err == nil || !strings.Contains(err.Error(), want) || got != "" {
			t.Errorf("%v, answered %q", err, got)
		}
	}
}

// FuzzAccept sends any bytes as a request and frames: it ends, and what is read inside is no
// more than was sent.
func FuzzAccept(f *testing.F) {
	f.Add([]byte(hello + "Sec-WebSocket-Protocol: mqtt\r\n\r\n" + frame(2, "abc") + frame(9, "ping") + frame(8, "")))
	f.Add([]byte(hello + "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n\xc2\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		read, got, _ := accept(t, in)
		if len(read) > len(in) {
			t.Fatalf("%d bytes came of %d", len(read), len(in))
		}
		if got != "" && !bytes.HasPrefix([]byte(got), []byte("HTTP/1.1 101 ")) {
			t.Fatalf("answered %.40q", got)
		}
	})
}
